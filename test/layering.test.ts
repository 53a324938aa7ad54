import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Each layer may import itself and those before it; contracts' generated ABIs are open to all that speak to a chain. */
const LAYERS = ['deterministic-runtime', 'kernels', 'fraud-proof', 'rollup-node'];
const BROWSER_LAYERS = LAYERS.slice(0, 3);

function sources(layer: string): string[] {
  return readdirSync(join(ROOT, layer), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(layer, file));
}

const imports = (file: string): string[] =>
  [...readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g)].map(
    (match) => (match[1] ?? match[2]) as string,
  );

describe.each(LAYERS)('%s', (layer) => {
  const files = sources(layer);

  test('has sources, and imports only itself and lower layers', () => {
    expect(files.length).toBeGreaterThan(0);
    const allowed = LAYERS.slice(0, LAYERS.indexOf(layer) + 1);
    const upwards = files.flatMap((file) =>
      imports(file)
        .filter((target) => target.startsWith('.'))
        .map((target) => relative(ROOT, resolve(ROOT, dirname(file), target)))
        .filter((target) => LAYERS.includes(target.split('/')[0] as string) && !allowed.includes(target.split('/')[0] as string))
        .map((target) => `${file} → ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  test.runIf(BROWSER_LAYERS.includes(layer))('imports nothing from Node', () => {
    const node = files.flatMap((file) => imports(file).filter((target) => target.startsWith('node:')).map((target) => `${file} → ${target}`));
    expect(node).toEqual([]);
    const globals = files.filter((file) => /\b(?:Buffer\.|process\.|require\()/.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(globals).toEqual([]);
  });
});
