import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../rollup-node/config.ts';
import { createProgram } from '../rollup-node/cli/program.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'assay-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const fenced = (text: string, language: string): string[] => [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '');

/** A heading's anchor, as GitHub makes it. */
const anchor = (heading: string): string => heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
const anchorsOf = (page: string): string[] => [...read(page).replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading ?? ''));

test.each(pages)('%s: what it links to is there', (page) => {
  const missing = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '').filter((link) => !/^https?:/.test(link)).filter((link) => {
    const [path = '', fragment] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    return !existsSync(join(root, target)) || (fragment !== undefined && !anchorsOf(target).includes(fragment));
  });
  expect(missing).toEqual([]);
});

test.each(pages)('%s: the files, scripts, commands and options that it names are there', (page) => {
  const text = read(page);
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts);
  const commands = createProgram().commands;
  const missing: string[] = [];
  for (const [, path = ''] of text.matchAll(/`((?:bench|contracts|deterministic-runtime|docs|fraud-proof|kernels|rollup-node|snapshots|test|training)\/[\w./-]*)`/g)) if (!existsSync(join(root, path))) missing.push(path);
  for (const [, script = ''] of text.matchAll(/\b(?:npm run |(?=(?:bench|evidence):[a-z]))([a-z][a-z0-9:-]*[a-z0-9])/g)) if (!scripts.includes(script)) missing.push(script);
  for (const [line, name = ''] of text.matchAll(/(?:^\$ (?:.*\| )?|npx |npm run |assay\.mjs )(?:assay )?(import|inspect|evaluate|run|dispute|register|request|node|watch|status|disputes|explain|devnet|demo)\b[^`\n]*/gm)) {
    const options = commands.find((command) => command.name() === name)?.options.map(({ long }) => long);
    for (const [flag] of line.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) if (options?.includes(flag) !== true) missing.push(`${name} ${flag}`);
  }
  expect(missing).toEqual([]);
});

test.each(['docs/node-operators.md', 'docs/challengers.md'])('%s: its configuration is one, and is for the devnet that it starts', async (page) => {
  const [example = ''] = fenced(read(page), 'json');
  const file = join(folder, 'config.json');
  writeFileSync(file, example);
  const config = await loadConfig({ file, environment: {} });
  expect(read('docs/cli.md')).toContain(`assertions  ${config.assertions}\n`);
});

test('docs/node-operators.md has the defaults of the settings', async () => {
  const defaults: Readonly<Record<string, unknown>> = await loadConfig({ flags: { rpcUrl: 'http://127.0.0.1:8545', assertions: `0x${'11'.repeat(20)}` }, environment: {} });
  const rows = [...read('docs/node-operators.md').matchAll(/^\| (`[a-z][A-Za-z]*`(?:, `[a-z][A-Za-z]*`)*) \| ([^|]*) \|/gm)]
    .flatMap(([, names = '', values = '']) => names.split(', ').map((name, index) => [name.replaceAll('`', ''), (values.split(', ')[index] ?? '').replaceAll('`', '')] as const))
    .filter(([, value]) => value !== '' && value !== '–');
  expect(rows.length).toBeGreaterThan(15);
  for (const [name, value] of rows) expect({ [name]: String(defaults[name]) }).toEqual({ [name]: value });
});

test('docs/dapps.md: the forum\'s functions are those of its contract, without their events', () => {
  const source = read('contracts/src/examples/Forum.sol').split('\n').map((line) => line.trim());
  const functions = fenced(read('docs/dapps.md'), 'solidity').filter((code) => !code.includes('struct '));
  expect(functions).toHaveLength(3);
  for (const code of functions) {
    const lines = code.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('import '));
    let place = 0;
    for (const line of lines) {
      const found = source.indexOf(line, place);
      expect(found, line).toBeGreaterThanOrEqual(place);
      place = found + 1;
    }
  }
});
