import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { characterTable, packNgrams } from './models/lande/character-table.ts';
import { characterClasses, ngramCounts, ngramFrequencies, ngramWindows, utf16Length } from './ngrams.ts';
import { runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

const VOCABULARY = ['a', 'é', 'ह', '是', ' ', 'ab', 'éa', '是是', 'aba', 'ह a', ' ab ', '是abé'];
const table = characterTable(VOCABULARY);
const LENGTH = 48;

const asTensor = (bytes: ArrayLike<number>): TestTensor => ({ rows: 1, columns: LENGTH, data: Array.from({ length: LENGTH }, (_, index) => bytes[index] ?? 0) });
const pages = { rows: 1, columns: 256, data: [...table.pages] };
const rows = { rows: table.rows.length, columns: 256, data: table.rows.flatMap((row) => [...row]) };
const ngrams = { rows: 2, columns: VOCABULARY.length, data: [...packNgrams(VOCABULARY, table.classes)] };

function analyse(text: TestTensor): { readonly classes: number[]; readonly counts: number[]; readonly length: number } {
  const classes = runKernel(characterClasses, [1, LENGTH], [text, pages, rows]);
  const windows = { rows: 1, columns: LENGTH, data: runKernel(ngramWindows, [1, LENGTH], [text, { rows: 1, columns: LENGTH, data: classes }]) };
  const counts = runKernel(ngramCounts, [1, VOCABULARY.length], [windows, ngrams]);
  const [length = -1] = runKernel(utf16Length, [1, 1], [text]);
  return { classes, counts, length };
}

/** Overlapping occurrences, counted on the string. */
const occurrences = (text: string, ngram: string): number => {
  let count = 0;
  for (let at = text.indexOf(ngram); at >= 0; at = text.indexOf(ngram, at + 1)) count += 1;
  return count;
};

describe('n-grams of UTF-8 text', () => {
  const characters = fc.constantFrom('a', 'b', 'é', 'ह', '是', ' ', 'z', 'ø', '€', '😀', '\u{10ffff}', '\u07ff', '\u0800', '\uffff');

  test('counts and length are those of the JavaScript string', () => {
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 14 }), (parts) => {
        const text = parts.join('');
        const bytes = new TextEncoder().encode(text);
        fc.pre(bytes.length <= LENGTH);
        const { counts, length } = analyse(asTensor(bytes));
        expect(counts).toEqual(VOCABULARY.map((ngram) => occurrences(text, ngram)));
        expect(length).toBe(text.length);
      }),
      { seed: 7, numRuns: 40 },
    );
  });

  test('windows are the classes of four characters in a row, whatever their lengths', () => {
    const text = 'aé是😀ह';
    const tensor = asTensor(new TextEncoder().encode(text));
    const classes = runKernel(characterClasses, [1, LENGTH], [tensor, pages, rows]);
    const windows = runKernel(ngramWindows, [1, LENGTH], [tensor, { rows: 1, columns: LENGTH, data: classes }]);
    const pack = (...characters: string[]): number => characters.reduce((packed, character, index) => packed | ((table.classes.get(character) ?? 0) << (8 * index)), 0);
    expect([windows[0], windows[1], windows[3], windows[6], windows[10]]).toEqual([pack('a', 'é', '是', '😀'), pack('é', '是', '😀', 'ह'), pack('是', '😀', 'ह'), pack('😀', 'ह'), pack('ह')]);
  });

  test('upper case has the classes of lower case', () => {
    const upper = analyse(asTensor(new TextEncoder().encode('ÉABA')));
    expect(upper.counts).toEqual(analyse(asTensor(new TextEncoder().encode('éaba'))).counts);
    expect(upper.counts[VOCABULARY.indexOf('aba')]).toBe(1);
  });

  test('ill-formed bytes have a defined reading', () => {
    // A stray continuation byte is no character; a lead byte takes the low bits of whatever follows; bytes from 0xf8 on are one unknown character of two units.
    expect(analyse(asTensor([0x80, 0x61, 0xbf])).counts[VOCABULARY.indexOf('a')]).toBe(1);
    expect(analyse(asTensor([0x80, 0x61, 0xbf])).length).toBe(1);
    expect(analyse(asTensor([0xc3, 0x69])).counts[VOCABULARY.indexOf('é')]).toBe(1);
    expect(analyse(asTensor([0xff, 0xff, 0xff])).length).toBe(6);
    expect(analyse(asTensor([0x61, 0x00, 0x62])).counts[VOCABULARY.indexOf('ab')]).toBe(0);
  });

  test('every byte string is read the same way twice over: classes are zero or those of a character', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: LENGTH, maxLength: LENGTH }), (bytes) => {
        const { classes, length } = analyse(asTensor(Array.from(bytes, (value) => (value << 24) >> 24)));
        bytes.forEach((value, index) => {
          const continuation = value === 0 || (value >= 0x80 && value < 0xc0);
          if (continuation || value >= 0xf0) expect(classes[index]).toBe(0);
        });
        expect(length).toBe([...bytes].reduce((sum, value) => sum + (value === 0 || (value >= 0x80 && value < 0xc0) ? 0 : value >= 0xf0 ? 2 : 1), 0));
      }),
      { seed: 8, numRuns: 20 },
    );
  });

  test('frequencies are rounded shares of the n-grams of their length', () => {
    const counts = { rows: 1, columns: 4, data: [3, 10, 1, 0] };
    const n = { rows: 1, columns: 4, data: [1, 1, 2, 4] };
    const run = (length: number): number[] => runKernel(ngramFrequencies, [1, 4], [counts, { rows: 1, columns: 1, data: [length] }, n], { bits: 14 });
    expect(run(10)).toEqual([4915, 16383, 1820, 0]);
    // 3·16384/12 = 4096; 10·16384/12 = 13653.33; 16384/11 = 1489.45. 3·16384/13 = 3780.92; 10·16384/13 = 12603.08; 16384/12 = 1365.33.
    expect(run(12)).toEqual([4096, 13653, 1489, 0]);
    expect(run(13)).toEqual([3781, 12603, 1365, 0]);
    expect(run(0)).toEqual([0, 0, 0, 0]);
  });
});
