import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chosen, compared, greater, lesser, logical, product, quotient, weightedSum } from './arithmetic.ts';
import { clamped, rescaled } from './rescale.ts';
import { fullTable, linesTable, wideLookup } from './table.ts';
import { FIXED, tensorOf } from './testing/arbitraries.ts';
import { cut, referenceRequantize, runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

const ROWS = 6;
const COLUMNS = 5;
const wide = fc.oneof(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), fc.constantFrom(-(2 ** 15), 2 ** 15 - 1, 0, 1, -1));
/** Shapes that broadcast to 2 × 3 rows of 5, with how often a row is repeated in a run. */
const shapes = fc.constantFrom([ROWS, COLUMNS, 1], [1, COLUMNS, ROWS], [ROWS, 1, 1], [2, COLUMNS, 3], [3, 1, 1], [1, 1, ROWS]);
const operand = shapes.chain(([rows = 1, columns = 1, divide = 1]) => fc.tuple(tensorOf(rows, columns, wide), fc.constant(divide)));
const at = ({ rows, columns, data }: TestTensor, divide: number, index: number): number => {
  const [row, column] = [Math.floor(index / COLUMNS), index % COLUMNS];
  return data[(Math.floor(row / divide) % rows) * columns + (columns === 1 ? 0 : column)]!;
};
const wideForm = { a: 'i32', b: 'i32', output: 'i32' } as const;
const range = { zeroPoint: 3, low: -30000, high: 30001 };
const finish = (value: bigint): number => Number(value < -30003n ? -30000n : value > 29998n ? 30001n : value + 3n);
const floorShift = (value: bigint, shift: number): bigint => (value >= 0n ? value / 2n ** BigInt(shift) : -((-value + 2n ** BigInt(shift) - 1n) / 2n ** BigInt(shift)));
const multiplier = fc.integer({ min: 1, max: 2 ** 30 });
const zero = fc.integer({ min: -200, max: 200 });

describe('two numbers of sixteen bits, broadcast', () => {
  /** Runs a kernel and compares every element with `expected(a − its zero point, b − its zero point)`. */
  const everywhere = (kernel: Parameters<typeof runKernel>[0], [a, aDivide]: [TestTensor, number], [b, bDivide]: [TestTensor, number], zeros: { aZero: number; bZero: number }, parameters: Record<string, number>, expected: (a: bigint, b: bigint) => number): void => {
    const own = runKernel(kernel, [ROWS, COLUMNS], [a, b], { aDivide, bDivide, ...zeros, ...parameters });
    expect(own).toEqual(Array.from({ length: ROWS * COLUMNS }, (_, index) => expected(BigInt(at(a, aDivide, index) - zeros.aZero), BigInt(at(b, bDivide, index) - zeros.bZero))));
  };

  test('weighted sums round once, halves upwards; differences have a negative weight', () => {
    fc.assert(fc.property(operand, operand, zero, zero, multiplier, multiplier, fc.boolean(), fc.integer({ min: 1, max: 40 }), (a, b, aZero, bZero, aMultiplier, other, minus, shift) => {
      const bMultiplier = minus ? -other : other;
      everywhere(weightedSum(wideForm), a, b, { aZero, bZero }, { aMultiplier, bMultiplier, shift, ...range }, (x, y) => finish(floorShift(x * BigInt(aMultiplier) + y * BigInt(bMultiplier) + 2n ** BigInt(shift - 1), shift)));
    }), FIXED);
  });

  test('products', () => {
    fc.assert(fc.property(operand, operand, multiplier, fc.integer({ min: 20, max: 50 }), (a, b, factor, shift) => {
      everywhere(product(wideForm), a, b, { aZero: 0, bZero: 1 }, { multiplier: factor, shift, ...range }, (x, y) => cut(referenceRequantize(Number(x * y), factor, shift) + 3, -30000, 30001));
    }), FIXED);
  });

  test('quotients round to nearest, halves away from zero; by zero they are the zero point', () => {
    fc.assert(fc.property(operand, operand, multiplier, fc.integer({ min: 1, max: 40 }), (a, b, factor, shift) => {
      everywhere(quotient(wideForm), a, b, { aZero: 0, bZero: 0 }, { multiplier: factor, shift, ...range }, (x, y) => {
        if (y === 0n) return 3;
        const [dividend, divisor] = [x * BigInt(factor), y * 2n ** BigInt(shift)];
        const positive = (dividend < 0n) === (divisor < 0n);
        const [over, under] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
        const magnitude = (over + under / 2n) / under;
        return finish(positive ? magnitude : -magnitude);
      });
    }), FIXED);
  });

  test('the lesser and the greater, on one scale', () => {
    fc.assert(fc.property(operand, operand, multiplier, multiplier, (a, b, aMultiplier, bMultiplier) => {
      const parameters = { aMultiplier, aShift: 30, bMultiplier, bShift: 31, ...range };
      const sides = (x: bigint, y: bigint): [number, number] => [referenceRequantize(Number(x), aMultiplier, 30), referenceRequantize(Number(y), bMultiplier, 31)];
      everywhere(lesser(wideForm), a, b, { aZero: 2, bZero: 0 }, parameters, (x, y) => cut(Math.min(...sides(x, y)) + 3, -30000, 30001));
      everywhere(greater(wideForm), a, b, { aZero: 2, bZero: 0 }, parameters, (x, y) => cut(Math.max(...sides(x, y)) + 3, -30000, 30001));
    }), FIXED);
  });

  test('comparisons and logic give 0 or 1', () => {
    fc.assert(fc.property(operand, operand, multiplier, (a, b, aMultiplier) => {
      for (const [comparison, holds] of [['equal', (x: bigint, y: bigint) => x === y], ['less', (x: bigint, y: bigint) => x < y], ['less-or-equal', (x: bigint, y: bigint) => x <= y]] as const) {
        everywhere(compared({ a: 'i32', b: 'i32', comparison }), a, b, { aZero: 1, bZero: 1 }, { aMultiplier, bMultiplier: 2 ** 29 }, (x, y) => Number(holds(x * BigInt(aMultiplier), y * 2n ** 29n)));
      }
      for (const [operator, holds] of [['and', (x: boolean, y: boolean) => x && y], ['or', (x: boolean, y: boolean) => x || y], ['xor', (x: boolean, y: boolean) => x !== y]] as const) {
        const own = runKernel(logical({ a: 'i32', b: 'i32', operator }), [ROWS, COLUMNS], [a[0], b[0]], { aDivide: a[1], bDivide: b[1] });
        expect(own).toEqual(own.map((_, index) => Number(holds(at(a[0], a[1], index) !== 0, at(b[0], b[1], index) !== 0))));
      }
    }), FIXED);
  });

  test('a choice between two', () => {
    fc.assert(fc.property(tensorOf(ROWS, 1, fc.integer({ min: -1, max: 1 })), operand, operand, multiplier, (condition, [a, aDivide], [b, bDivide], aMultiplier) => {
      const parameters = { conditionDivide: 1, aDivide, bDivide, aZero: 5, bZero: -5, aMultiplier, aShift: 30, bMultiplier: 2 ** 30, bShift: 30, ...range };
      const own = runKernel(chosen({ condition: 'i8', ...wideForm }), [ROWS, COLUMNS], [condition, a, b], parameters);
      expect(own).toEqual(own.map((_, index) => cut((condition.data[Math.floor(index / COLUMNS)] !== 0 ? referenceRequantize(at(a, aDivide, index) - 5, aMultiplier, 30) : at(b, bDivide, index) + 5) + 3, -30000, 30001)));
    }), FIXED);
  });
});

describe('one number', () => {
  const x = { rows: 1, columns: 8, data: [-(2 ** 15), 2 ** 15 - 1, 0, 1, -1, 1000, -1000, 77] };

  test('another scale and type; clamps', () => {
    const parameters = { xZero: 1, multiplier: 2 ** 30, shift: 38, zeroPoint: -3, low: -128, high: 127 };
    expect(runKernel(rescaled({ from: 'i32', to: 'i8' }), [1, 8], [x], parameters)).toEqual(x.data.map((value) => cut(referenceRequantize(value - 1, 2 ** 30, 38) - 3, -128, 127)));
    expect(runKernel(clamped('i32'), [1, 8], [x], { low: -1, high: 500 })).toEqual(x.data.map((value) => cut(value, -1, 500)));
  });

  test('tables of sixteen bits: an entry for each, or lines between entries', () => {
    const outside = { rows: 1, columns: 4, data: [40000, -40000, -32768, 32767] };
    const entries = { rows: 1, columns: 65536, data: Array.from({ length: 65536 }, (_, index) => (index * 7) % 1000) };
    expect(runKernel(fullTable('i32'), [1, 4], [outside, entries])).toEqual([65535, 0, 0, 65535].map((index) => entries.data[index]));
    const lines = { rows: 1, columns: 513, data: Array.from({ length: 513 }, (_, index) => (index * index) % 5000) };
    expect(runKernel(linesTable('i32'), [1, 8], [x, lines], { bits: 7 })).toEqual(x.data.map((value) => {
      const [entry, rest] = [(value + 32768) >> 7, (value + 32768) & 127];
      return lines.data[entry]! + Math.floor(((lines.data[entry + 1]! - lines.data[entry]!) * rest + 64) / 128);
    }));
    const every = { rows: 8, columns: 32, data: Array.from({ length: 256 }, (_, index) => index - 128) };
    const table = { rows: 1, columns: 256, data: Array.from({ length: 256 }, (_, index) => index * 1000 - 99999) };
    expect(runKernel(wideLookup, [8, 32], [every, table])).toEqual(every.data.map((value) => table.data[value & 255]));
  });
});
