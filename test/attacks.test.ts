import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/attacks.md'), 'utf8');
const quoted = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text as string);

describe('docs/attacks.md', () => {
  test('names forge tests that exist', () => {
    const sources = readdirSync(join(root, 'contracts/test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.sol')).map((file) => readFileSync(join(root, 'contracts/test', file), 'utf8')).join('\n');
    const named = quoted.filter((text) => /^test_\w+$/.test(text));
    expect(named.length).toBeGreaterThan(60);
    expect(named.filter((name) => !sources.includes(`function ${name}(`))).toEqual([]);
  });

  test('names files and folders that exist', () => {
    const named = quoted.filter((text) => /^[\w-]+(\/[\w.-]+)+$/.test(text));
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('answers every published attack', () => {
    const numbers = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
    // 43 are published; what follows was thought of here.
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThanOrEqual(43);
  });
});
