import fc from 'fast-check';
import { expect, test } from 'vitest';
import { embedding, learnedPosition, wideEmbedding } from './embedding.ts';
import { FIXED, byte, int32 } from './testing/arbitraries.ts';
import { referenceRequantize, runKernel } from './testing/run-kernel.ts';

const [ROWS, COLUMNS] = [4, 5];
const bytes = fc.array(byte, { minLength: ROWS * COLUMNS, maxLength: ROWS * COLUMNS });
const tensor = (rows: number, data: readonly number[]): { rows: number; columns: number; data: readonly number[] } => ({ rows, columns: data.length / rows, data });

test('rows are found by number and scaled; numbers that are no row give zeros', () => {
  fc.assert(fc.property(bytes, bytes, fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: ROWS, maxLength: ROWS }), fc.integer({ min: 1, max: 50 }), fc.oneof(fc.nat(ROWS), int32), (high, low, scales, shift, row) => {
    const index = tensor(1, [row]);
    const inside = row >= 0 && row < ROWS;
    const expected = (value: (column: number) => number): number[] => Array.from({ length: COLUMNS }, (_, column) => (inside ? referenceRequantize(value(row * COLUMNS + column), scales[row]!, shift) : 0));
    expect(runKernel(embedding, [1, COLUMNS], [index, tensor(ROWS, high), tensor(1, scales)], { shift })).toEqual(expected((place) => high[place]!));
    expect(runKernel(wideEmbedding, [1, COLUMNS], [index, tensor(ROWS, high), tensor(ROWS, low), tensor(1, scales)], { shift })).toEqual(expected((place) => 256 * high[place]! + low[place]!));
  }), FIXED);
});

test('a learned position is added; outside a body it is the first', () => {
  const [high, low, scales] = [[1, -2, 3, 4], [5, 6, -7, 8], [2 ** 30, 2 ** 29]];
  const x = tensor(1, [1000, -2000]);
  expect(runKernel(learnedPosition, [1, 2], [x, tensor(2, high), tensor(2, low), tensor(1, scales)], { shift: 30 })).toEqual([1000 + 261, -2000 - 506]);
});
