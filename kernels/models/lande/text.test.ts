import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { MAXIMUM_TEXT_BYTES, encodeText, normalizeText, truncateText } from './text.ts';

const folder = dirname(createRequire(import.meta.url).resolve('lande'));
const size = (text: string): number => new TextEncoder().encode(text).length;

describe('text for lande', () => {
  let packageNormalize: (text: string) => string;

  beforeAll(async () => {
    expect(readFileSync(join(folder, 'utils.js'), 'utf8')).toContain('getNormalized');
    packageNormalize = ((await import(pathToFileURL(join(folder, 'utils.js')).href)) as { getNormalized: (text: string) => string }).getNormalized;
  });

  test('is normalised as the package does', () => {
    const parts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(' ', '\n', '--', '\u00a0', 'İ', 'ΑΣ', 'ß', 'é', 'e\u0301', '😀', '\ud800', '\0', '.', '1')), { maxLength: 12 });
    fc.assert(fc.property(parts, (list) => { expect(normalizeText(list.join(''))).toBe(packageNormalize(list.join(''))); }), { seed: 3, numRuns: 150 });
    expect(normalizeText('¡Hola-mundo!  Ça va?\n')).toBe(' hola mundo ça va ');
  });

  test('is cut at a character, and normalised text stays what it is', () => {
    const letters = fc.array(fc.constantFrom('a', 'é', '是', '𐐨', ' b', ' '), { minLength: 1, maxLength: 60 }).map((list) => normalizeText(list.join('')));
    fc.assert(
      fc.property(letters, fc.integer({ min: 2, max: 120 }), (normalized, limit) => {
        const cut = truncateText(normalized, limit);
        expect(size(cut)).toBeLessThanOrEqual(limit);
        if (size(normalized) <= limit) expect(cut).toBe(normalized);
        else {
          expect(normalized.startsWith(cut.slice(0, -1))).toBe(true);
          expect(cut.endsWith(' ')).toBe(true);
          expect(size(cut.trimEnd()) + 6 >= limit || normalized.slice(cut.length - 1).startsWith(' ')).toBe(true);
        }
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  test('is its bytes, padded with zeros', () => {
    const words = encodeText(' né ');
    expect(words).toHaveLength(MAXIMUM_TEXT_BYTES);
    expect([...words.subarray(0, 7)]).toEqual([0x20, 0x6e, 0xc3, 0xa9, 0x20, 0, 0]);
    expect(encodeText('x'.repeat(1024)).every((byte) => byte === 0x78)).toBe(true);
  });

  test('too long, or with a NUL character, is an error that says so', () => {
    expect(() => encodeText(`${'é'.repeat(512)}a`)).toThrow('the text has 1025 bytes of UTF-8 and the model reads 1024: shorten it');
    expect(() => encodeText('a\0b')).toThrow('NUL');
  });
});
