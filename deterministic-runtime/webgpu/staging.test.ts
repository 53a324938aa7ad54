import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stagingParts } from './staging.ts';

test('every byte of every range is staged once, in parts within the limit', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 8 });
  fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 16 }), (lengths, limit) => {
    const ranges = lengths.map((size, range) => ({ buffer: {} as GPUBuffer, offset: range * 100, size }));
    const parts = stagingParts(ranges, limit);
    const staged = ranges.map(() => [] as number[]);
    for (const { size, pieces } of parts) {
      expect(size).toBeLessThanOrEqual(limit);
      // Pieces fill the buffer from its start without gaps.
      expect(pieces.map((piece) => piece.staged)).toEqual(pieces.map((_, index) => pieces.slice(0, index).reduce((sum, piece) => sum + piece.size, 0)));
      for (const piece of pieces) {
        expect(piece.source).toBe(ranges[piece.range]);
        for (let byte = 0; byte < piece.size; byte += 1) staged[piece.range]?.push(piece.from + byte);
      }
    }
    expect(staged).toEqual(lengths.map((size) => Array.from({ length: size }, (_, byte) => byte)));
  }), { seed: 7 });
});

test('little fits one part', () => {
  const range = { buffer: {} as GPUBuffer, offset: 0, size: 32 };
  expect(stagingParts([range, range])).toHaveLength(1);
  expect(stagingParts([])).toEqual([]);
});
