import type { Kind, Result } from './sybils.ts';

const PANEL = { width: 420, height: 260, left: 64, top: 34, right: 12, bottom: 34 } as const;
const COLOURS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#3ca951', '#a463f2', '#9c6b4e'];
const PANELS: readonly { readonly title: string; readonly of: (result: Result) => number | null; readonly line?: (result: Result) => number }[] = [
  { title: 'delay until every outcome is certain, hours (dashed: closed form)', of: ({ delay }) => delay / 3600, line: ({ bound }) => bound / 3600 },
  { title: "the honest party's gas, millions", of: ({ honestGas }) => honestGas / 1e6 },
  { title: "the attackers' gas, millions", of: ({ attackerGas }) => attackerGas / 1e6 },
  { title: 'inferences that the honest party ran again', of: ({ reruns }) => reruns },
  { title: "the honest party's stakes in running games, at most, ETH", of: ({ honestStakes }) => honestStakes },
  { title: 'what the attackers lost, ETH', of: ({ attackerLoss }) => attackerLoss },
];

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const label = (value: number): string => (value >= 1 ? value.toLocaleString('en') : String(Number(value.toPrecision(1))));

/** Both axes logarithmic; what is 0 or absent is left out. */
function panel(results: readonly Result[], kinds: readonly Kind[], index: number): string {
  const { title, of, line } = PANELS[index]!;
  const values = results.flatMap((result) => [of(result), line?.(result) ?? null]).filter((value): value is number => value !== null && value > 0);
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
  const span = Math.max(1, high - low);
  const most = Math.max(1, Math.log10(Math.max(...results.map(({ sybils }) => sybils))));
  const inner = { width: PANEL.width - PANEL.left - PANEL.right, height: PANEL.height - PANEL.top - PANEL.bottom };
  const x = (sybils: number): number => PANEL.left + (Math.log10(sybils) / most) * inner.width;
  const y = (value: number): number => PANEL.top + inner.height * (1 - (Math.log10(value) - low) / span);
  const point = (sybils: number, value: number): string => `${x(sybils).toFixed(1)},${y(value).toFixed(1)}`;
  const grid = Array.from({ length: span + 1 }, (_, step) => {
    const at = y(10 ** (low + step)).toFixed(1);
    return `<line x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${at}" y2="${at}" stroke="#ddd"/><text x="${PANEL.left - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${label(10 ** (low + step))}</text>`;
  });
  const ticks = [...new Set(results.map(({ sybils }) => sybils))].map((sybils) => `<text x="${x(sybils).toFixed(1)}" y="${PANEL.height - 14}" text-anchor="middle">${label(sybils)}</text>`);
  const lines = kinds.flatMap((kind, number) => {
    const points = results.filter((result) => result.kind === kind).flatMap((result) => {
      const value = of(result);
      return value === null || value <= 0 ? [] : [point(result.sybils, value)];
    });
    const marks = points.map((at) => `<circle cx="${at.split(',')[0]}" cy="${at.split(',')[1]}" r="2.5" fill="${COLOURS[number]}"/>`).join('');
    return [`<polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[number]}" stroke-width="1.5"/>${marks}`];
  });
  const [first, last] = [results[0]!, results.reduce((a, b) => (a.sybils > b.sybils ? a : b))];
  const dashed = line === undefined ? '' : `<polyline points="${point(1, line(first))} ${point(last.sybils, line(last))}" fill="none" stroke="#555" stroke-dasharray="4 3"/>`;
  const place = `translate(${(index % 2) * PANEL.width} ${Math.floor(index / 2) * PANEL.height})`;
  return `<g transform="${place}"><text x="${PANEL.left}" y="20" font-weight="bold">${escape(title)}</text>${[...grid, ...ticks, dashed, ...lines].join('')}</g>`;
}

/** Draws results against the number of Sybils, one colour a kind, as SVG. */
export function plotSybils(results: readonly Result[]): string {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  const [width, height] = [2 * PANEL.width, Math.ceil(PANELS.length / 2) * PANEL.height];
  const legend = kinds.map((kind, number) => {
    const [left, top] = [PANEL.left + (number % 4) * 195, height + 14 + Math.floor(number / 4) * 18];
    return `<rect x="${left}" y="${top - 8}" width="10" height="10" fill="${COLOURS[number]}"/><text x="${left + 15}" y="${top + 1}">${escape(kind.replaceAll('-', ' '))}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 44}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
${PANELS.map((_, index) => panel(results, kinds, index)).join('\n')}
${legend.join('')}
</svg>
`;
}
