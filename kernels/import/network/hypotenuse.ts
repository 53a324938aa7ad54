import { dimsOf } from './layer.ts';
import type { FunctionLayer, Layer, Network } from './layer.ts';

const PROBES = [0, 0.25, 1, 2, 3, 100];
const is = (layer: Layer | undefined, reference: (x: number) => number, probes: readonly number[]): layer is FunctionLayer =>
  layer?.kind === 'function' && probes.every((x) => Math.abs(layer.apply(x) - reference(x)) <= 1e-6 * Math.abs(reference(x)));

/** Below this a magnitude counts as 0 where something is divided by it. */
const TINY = 1e-30;

/**
 * The same network with `√(a² + b²)`, the magnitudes of a Fourier transform, computed as `m · √(1 + (n/m)²)` with m and n the greater and the smaller of |a| and |b|. A square
 * of 16 bits has as many digits as a number of 8; so none is taken.
 */
export function withHypotenuses(network: Network): Network {
  const writers = new Map(network.layers.map((layer) => [layer.output, layer]));
  const readers = new Map<string, number>();
  for (const layer of network.layers) for (const [key, value] of Object.entries(layer)) if ((key === 'x' || key === 'b' || key === 'a') && typeof value === 'string') readers.set(value, (readers.get(value) ?? 0) + 1);
  const dims = new Map(network.dims);
  const squared = (x: number): number => x * x;
  const layers = network.layers.flatMap((root): Layer[] => {
    const total = is(root, Math.sqrt, PROBES) ? writers.get(root.x) : undefined;
    if (total?.kind !== 'add' || total.range !== null || readers.get(total.output) !== 1) return [root];
    const parts = [total.x, total.b].map((name) => behind(writers, name));
    const [left, right] = parts.map((name) => writers.get(name));
    if (!is(left, squared, [...PROBES, -3]) || !is(right, squared, [...PROBES, -3])) return [root];
    const shape = dimsOf(network, root.output);
    const value = (what: string): string => {
      dims.set(`${root.output}.${what}`, shape);
      return `${root.output}.${what}`;
    };
    const names = { a: value('a'), b: value('b'), ra: value('ra'), rb: value('rb'), most: value('most'), least: value('least'), divisor: value('divisor'), ratio: value('ratio'), factor: value('factor') };
    const layer = (what: string, parts: object): Layer => ({ name: `${root.name}.${what}`, ...parts }) as Layer;
    return [
      layer('a', { kind: 'reshape', x: left.x, output: names.ra }),
      layer('b', { kind: 'reshape', x: right.x, output: names.rb }),
      layer('absoluteA', { kind: 'function', x: names.ra, output: names.a, apply: Math.abs }),
      layer('absoluteB', { kind: 'function', x: names.rb, output: names.b, apply: Math.abs }),
      layer('most', { kind: 'operation', operation: 'maximum', x: names.a, b: names.b, output: names.most }),
      layer('least', { kind: 'operation', operation: 'minimum', x: names.a, b: names.b, output: names.least }),
      layer('divisor', { kind: 'clamp', x: names.most, output: names.divisor, range: { low: TINY, high: 3.4e38 } }),
      layer('ratio', { kind: 'operation', operation: 'divide', x: names.least, b: names.divisor, output: names.ratio }),
      layer('factor', { kind: 'function', x: names.ratio, output: names.factor, apply: (x: number) => Math.sqrt(1 + x * x) }),
      layer('product', { kind: 'multiply', x: names.most, b: names.factor, output: root.output, range: null }),
    ];
  });
  return { ...network, layers: withoutUnread(layers, network.outputs), dims };
}

/** The value behind reshapes of it. */
function behind(writers: ReadonlyMap<string, Layer>, name: string): string {
  const layer = writers.get(name);
  return layer?.kind === 'reshape' ? behind(writers, layer.x) : name;
}

function withoutUnread(layers: readonly Layer[], outputs: readonly string[]): Layer[] {
  const wanted = new Set(outputs);
  return [...layers].reverse().filter((layer) => {
    if (!wanted.has(layer.output)) return false;
    for (const value of Object.values(layer)) {
      if (typeof value === 'string') wanted.add(value);
      if (Array.isArray(value)) for (const item of value) if (typeof item === 'string') wanted.add(item);
    }
    return true;
  }).reverse();
}
