import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfRows, linearRows, rowMagnitudes } from './linear-rows.ts';
import { FIXED, byte, scalesOf, tensorOf } from './testing/arbitraries.ts';
import { cut, runKernel } from './testing/run-kernel.ts';

const short = fc.oneof(fc.integer({ min: -32639, max: 32639 }), fc.constantFrom(0, 1, -1, 32639, -32639));
const rowOf = ({ data, columns }: { readonly data: readonly number[]; readonly columns: number }, row: number): readonly number[] => data.slice(row * columns, (row + 1) * columns);

describe('rows of bytes', () => {
  test('each row\'s greatest magnitude becomes 127, and no element is off by more than half a step', () => {
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })).chain(([rows, columns]) => tensorOf(rows, columns, short)), (x) => {
        const magnitudes = runKernel(rowMagnitudes, [x.rows, 1], [x]);
        const bytes = runKernel(bytesOfRows, [x.rows, x.columns], [x, { rows: x.rows, columns: 1, data: magnitudes }]);
        for (let row = 0; row < x.rows; row += 1) {
          const own = rowOf(x, row);
          const greatest = Math.max(...own.map(Math.abs));
          expect(magnitudes[row]).toBe(greatest);
          own.forEach((value, k) => expect(Math.abs((bytes[row * x.columns + k] ?? NaN) * greatest - value * 127)).toBeLessThanOrEqual(greatest / 2));
          expect(Math.max(...rowOf({ data: bytes, columns: x.columns }, row).map(Math.abs))).toBe(greatest === 0 ? 0 : 127);
        }
      }),
      FIXED,
    );
  });

  test('halves go away from zero', () => {
    expect(runKernel(bytesOfRows, [1, 4], [{ rows: 1, columns: 4, data: [254, 1, -1, 3] }, { rows: 1, columns: 1, data: [254] }])).toEqual([127, 1, -1, 2]);
  });
});

describe('a layer of such rows', () => {
  test('the docstring\'s formula in whole numbers of any size', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 4 })).chain(([rows, inputs, outputs]) => fc.record({
          x: tensorOf(rows, inputs, byte), magnitudes: tensorOf(rows, 1, fc.integer({ min: 0, max: 32639 })), w: tensorOf(outputs, inputs, byte),
          bias: tensorOf(1, outputs, fc.integer({ min: -(2 ** 29), max: 2 ** 29 })), scale: scalesOf(outputs), zeroPoint: byte,
        })),
        ({ x, magnitudes, w, bias, scale, zeroPoint }) => {
          // Multipliers of the test's scales have 31 bits; the kernel's have fewer.
          const short = { ...scale, data: scale.data.map((value, index) => (index < w.rows ? value >> 14 : value)) };
          const expected = Array.from({ length: x.rows * w.rows }, (_, index) => {
            const [row, output] = [Math.floor(index / w.rows), index % w.rows];
            const dot = rowOf(x, row).reduce((sum, value, k) => sum + value * (rowOf(w, output)[k] ?? NaN), 0);
            const accumulator = BigInt(dot) * BigInt(magnitudes.data[row] ?? 0) + 127n * BigInt(bias.data[output] ?? 0);
            const shift = BigInt(short.data[w.rows + output] ?? 0);
            return Number((accumulator * BigInt(short.data[output] ?? 0) + (1n << (shift - 1n))) >> shift);
          });
          const limits = { zeroPoint, low: -30000, high: 30000 };
          expect(runKernel(linearRows('i32'), [x.rows, w.rows], [x, magnitudes, w, bias, short], limits)).toEqual(expected.map((value) => cut(value + zeroPoint, -30000, 30000)));
          expect(runKernel(linearRows('i8'), [x.rows, w.rows], [x, magnitudes, w, bias, short], { zeroPoint, low: -100, high: 90 })).toEqual(expected.map((value) => cut(value + zeroPoint, -100, 90)));
        },
      ),
      FIXED,
    );
  });
});
