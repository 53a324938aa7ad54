import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitDigits, joinDigits } from './digits.ts';
import { add, clamp, multiply } from './elementwise.ts';
import { lookup, gatherRows } from './lookup.ts';
import { fromUnsigned, requantizeSums, rescale, rescaleSums, widen } from './requantize.ts';
import { FIXED, byte, int32, scalesOf, tensorOf } from './testing/arbitraries.ts';
import { cut, referenceRequantize, runKernel } from './testing/run-kernel.ts';

const ROWS = 2;
const COLUMNS = 9;
const matrix = tensorOf(ROWS, COLUMNS, byte);
const range = { zeroPoint: -3, low: -100, high: 101 };
const finish = (value: number): number => cut(value - 3, -100, 101);

describe('add and multiply', () => {
  const broadcast = fc.constantFrom([ROWS, COLUMNS], [1, COLUMNS], [ROWS, 1], [1, 1]).chain(([rows = 1, columns = 1]) => tensorOf(rows, columns, byte));

  test('add rounds once, in 64 bits', () => {
    fc.assert(
      fc.property(matrix, broadcast, byte, byte, fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 40 }), (a, b, aZero, bZero, aMultiplier, bMultiplier, shift) => {
        const expected = a.data.map((value, index) => {
          const [row, column] = [Math.floor(index / COLUMNS), index % COLUMNS];
          const other = b.data[(b.rows === 1 ? 0 : row) * b.columns + (b.columns === 1 ? 0 : column)]!;
          const sum = BigInt(value - aZero) * BigInt(aMultiplier) + BigInt(other - bZero) * BigInt(bMultiplier) + 2n ** BigInt(shift - 1);
          const shifted = sum >= 0n ? sum / 2n ** BigInt(shift) : -((-sum + 2n ** BigInt(shift) - 1n) / 2n ** BigInt(shift));
          return Number(shifted < -97n ? -100n : shifted > 104n ? 101n : shifted - 3n);
        });
        expect(runKernel(add, [ROWS, COLUMNS], [a, b], { aZero, bZero, aMultiplier, bMultiplier, shift, ...range })).toEqual(expected);
      }),
      FIXED,
    );
  });

  test('multiply', () => {
    fc.assert(
      fc.property(matrix, broadcast, byte, byte, fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }), fc.integer({ min: 30, max: 48 }), (a, b, aZero, bZero, multiplier, shift) => {
        const expected = a.data.map((value, index) => {
          const other = b.data[(b.rows === 1 ? 0 : Math.floor(index / COLUMNS)) * b.columns + (b.columns === 1 ? 0 : index % COLUMNS)]!;
          return finish(referenceRequantize((value - aZero) * (other - bZero), multiplier, shift));
        });
        expect(runKernel(multiply, [ROWS, COLUMNS], [a, b], { aZero, bZero, multiplier, shift, ...range })).toEqual(expected);
      }),
      FIXED,
    );
  });

  test('clamp', () => {
    const x = { rows: 1, columns: 6, data: [-128, -6, -5, 6, 7, 127] };
    expect(runKernel(clamp, [1, 6], [x], { low: -5, high: 6 })).toEqual([-5, -5, -5, 6, 6, 6]);
  });
});

describe('requantisation', () => {
  test('of sums, a scale a column', () => {
    fc.assert(
      fc.property(tensorOf(ROWS, COLUMNS, int32), scalesOf(COLUMNS), (x, scale) => {
        const rescaled = x.data.map((value, index) => referenceRequantize(value, scale.data[index % COLUMNS]!, scale.data[COLUMNS + (index % COLUMNS)]!));
        expect(runKernel(rescaleSums, [ROWS, COLUMNS], [x, scale])).toEqual(rescaled);
        expect(runKernel(requantizeSums, [ROWS, COLUMNS], [x, scale], range)).toEqual(rescaled.map(finish));
      }),
      FIXED,
    );
  });

  test('of bytes', () => {
    fc.assert(
      fc.property(matrix, byte, fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }), fc.integer({ min: 28, max: 34 }), (x, xZero, multiplier, shift) => {
        const expected = x.data.map((value) => finish(referenceRequantize(value - xZero, multiplier, shift)));
        expect(runKernel(rescale, [ROWS, COLUMNS], [x], { xZero, multiplier, shift, ...range })).toEqual(expected);
      }),
      FIXED,
    );
  });

  test('unsigned bytes get the zero point −128; widening keeps the value', () => {
    const x = { rows: 1, columns: 5, data: [0, 1, 127, -128, -1] };
    expect(runKernel(fromUnsigned, [1, 5], [x])).toEqual([-128, -127, -1, 0, 127]);
    expect(runKernel(widen, [1, 5], [x])).toEqual(x.data);
  });
});

describe('tables', () => {
  test('lookup takes every byte as unsigned', () => {
    const every = { rows: 8, columns: 32, data: Array.from({ length: 256 }, (_, index) => index - 128) };
    const table = { rows: 1, columns: 256, data: Array.from({ length: 256 }, (_, index) => ((index * 7) % 256) - 128) };
    expect(runKernel(lookup, [8, 32], [every, table])).toEqual(every.data.map((value) => table.data[value < 0 ? value + 256 : value]));
  });

  test('rows by number; zeros for rows that are not there', () => {
    const table = { rows: 3, columns: 2, data: [1, 2, 3, 4, 5, 6] };
    const index = { rows: 6, columns: 1, data: [2, 0, 3, -1, 1, 2 ** 31 - 1] };
    expect(runKernel(gatherRows, [6, 2], [index, table])).toEqual([5, 6, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0]);
  });
});

describe('digits', () => {
  test('split digits are seven bits each, the most significant first', () => {
    fc.assert(
      fc.property(tensorOf(1, COLUMNS, fc.integer({ min: 0, max: 2 ** 14 - 1 })), (x) => {
        expect(runKernel(splitDigits, [2, COLUMNS], [x])).toEqual([...x.data.map((value) => Math.floor(value / 128)), ...x.data.map((value) => value % 128)]);
      }),
      FIXED,
    );
  });

  test('joined sums are the sums of what was split', () => {
    const sums = tensorOf(2, COLUMNS, fc.integer({ min: -(2 ** 20), max: 2 ** 20 }));
    fc.assert(
      fc.property(sums, tensorOf(1, COLUMNS, fc.integer({ min: -(2 ** 20), max: 2 ** 20 })), scalesOf(COLUMNS), (x, bias, scale) => {
        const expected = bias.data.map((value, c) => cut(referenceRequantize(128 * x.data[c]! + x.data[COLUMNS + c]! + value, scale.data[c]!, scale.data[COLUMNS + c]!), 0, 16383));
        expect(runKernel(joinDigits, [1, COLUMNS], [x, bias, scale], { low: 0, high: 16383 })).toEqual(expected);
      }),
      FIXED,
    );
  });
});
