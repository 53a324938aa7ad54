import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remainder } from './remainder.ts';
import { FIXED, tensorOf } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';

const whole = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -9, max: 9 }));
const exact = { aDivide: 1, bDivide: 1, aZero: 0, bZero: 0, aMultiplier: 1, bMultiplier: 1, multiplier: 2, shift: 1, zeroPoint: 0, low: -(2 ** 31), high: 2 ** 31 - 1 };
const form = { a: 'i32', b: 'i32', output: 'i32' } as const;

describe('remainders of whole numbers', () => {
  const pairs = fc.integer({ min: 1, max: 12 }).chain((columns) => fc.tuple(tensorOf(1, columns, whole), tensorOf(1, columns, whole.filter((value) => value !== 0))));
  test('with the dividend\'s sign: JavaScript\'s %', () => {
    fc.assert(fc.property(pairs, ([a, b]) => {
      expect(runKernel(remainder({ ...form, sign: 'dividend' }), [1, a.columns], [a, b], exact)).toEqual(a.data.map((value, index) => (value % (b.data[index] ?? 1)) + 0));
    }), FIXED);
  });
  test('with the divisor\'s sign: what is left of floor', () => {
    fc.assert(fc.property(pairs, ([a, b]) => {
      expect(runKernel(remainder({ ...form, sign: 'divisor' }), [1, a.columns], [a, b], exact)).toEqual(a.data.map((value, index) => {
        const divisor = b.data[index] ?? 1;
        return Number(BigInt(value) - BigInt(Math.floor(value / divisor)) * BigInt(divisor));
      }));
    }), FIXED);
  });
  test('scales and zero points of their own: 3.5 and 0.75 leave 0.5', () => {
    const parameters = { ...exact, aZero: 3, bZero: -1, aMultiplier: 2, bMultiplier: 1, multiplier: 2 ** 29, shift: 29, zeroPoint: 10, low: -100, high: 100 };
    // In quarters: (10 − 3) · 2 = 14, and 2 + 1 = 3.
    expect(runKernel(remainder({ ...form, sign: 'divisor' }), [1, 1], [{ rows: 1, columns: 1, data: [10] }, { rows: 1, columns: 1, data: [2] }], parameters)).toEqual([12]);
  });
});
