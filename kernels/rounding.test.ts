import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { scaled } from './rounding.ts';
import type { Rounding } from './rounding.ts';
import { int32 } from './testing/arbitraries.ts';
import { cut, runKernel } from './testing/run-kernel.ts';

const kernelOf = (rounding: Rounding): ReturnType<typeof kernel> => kernel(`scaled-${rounding}`, {
  operands: { x: i32 },
  parameters: ['multiplier', 'shift'],
  output: 'i32',
  element: ({ row, column, operands: { x }, parameters: { multiplier, shift } }) => scaled(rounding, x.at(row, column), { multiplier, shift }),
});

const apply = (rounding: Rounding, values: readonly number[], multiplier: number, shift: number): number[] =>
  runKernel(kernelOf(rounding), [1, values.length], [{ rows: 1, columns: values.length, data: values }], { multiplier, shift });

/** To the nearest integer, halves to even: adding 2^52 leaves a double no fraction bits. */
const nearestEven = (value: number): number => Math.sign(value) * (Math.abs(value) + 2 ** 52 - 2 ** 52);

describe('float32', () => {
  /** Up to where results are not cut. */
  const LIMIT = 65535;
  const float = (value: number, multiplier: number, shift: number): number =>
    cut(nearestEven(Math.fround(Math.fround(value) * (multiplier / 2 ** shift))), -LIMIT, LIMIT) + 0;
  const mantissa = fc.oneof(fc.integer({ min: 2 ** 23, max: 2 ** 24 - 1 }), fc.constantFrom(2 ** 23, 2 ** 24 - 1, 2 ** 23 + 1));

  test('agrees with single precision', () => {
    fc.assert(
      fc.property(fc.array(int32, { minLength: 200, maxLength: 200 }), mantissa, fc.integer({ min: 8, max: 55 }), (values, multiplier, shift) => {
        expect(apply('float32', values, multiplier, shift).map((value) => cut(value, -LIMIT, LIMIT))).toEqual(values.map((value) => float(value, multiplier, shift)));
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  test('agrees with it where the result is next to a half', () => {
    fc.assert(
      fc.property(mantissa, fc.integer({ min: 24, max: 44 }), (multiplier, shift) => {
        const values = Array.from({ length: 260 }, (_, whole) => Math.round(((whole + 0.5) * 2 ** shift) / multiplier)).filter((value) => value < 2 ** 31 - 2).flatMap((value) => [value - 1, value, value + 1, -value]);
        expect(apply('float32', values, multiplier, shift).map((value) => cut(value, -LIMIT, LIMIT))).toEqual(values.map((value) => float(value, multiplier, shift)));
      }),
      { seed: 4, numRuns: 80 },
    );
  });

  test('a product that is rounded to a half in single precision goes to the even neighbour', () => {
    const [value, multiplier, shift] = [16777215, 10485761, 46];
    expect((value * multiplier) / 2 ** shift).toBeGreaterThan(2.5);
    expect(Math.fround((value * multiplier) / 2 ** shift)).toBe(2.5);
    expect(apply('float32', [value, -value], multiplier, shift)).toEqual([2, -2]);
    expect(apply('once', [value, -value], multiplier, shift)).toEqual([3, -3]);
  });
});

describe('twice', () => {
  /** As gemmlowp's fixedpoint.h has it, with exact integers. */
  function gemmlowp(value: number, multiplier: number, shift: number): number {
    const left = BigInt(Math.max(31 - shift, 0));
    const right = BigInt(Math.max(shift - 31, 0));
    const product = BigInt.asIntN(32, BigInt(value) << left) * BigInt(multiplier);
    const high = (product + (product >= 0n ? 2n ** 30n : 1n - 2n ** 30n)) / 2n ** 31n;
    const magnitude = ((high < 0n ? -high : high) + (2n ** right >> 1n)) >> right;
    return Number(high < 0n ? -magnitude : magnitude);
  }

  test('agrees with exact arithmetic', () => {
    fc.assert(
      fc.property(fc.array(int32, { minLength: 100, maxLength: 100 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 20, max: 62 }), (values, multiplier, shift) => {
        expect(apply('twice', values, multiplier, shift)).toEqual(values.map((value) => gemmlowp(value, multiplier, shift)));
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test('rounds twice: 0.37… becomes 0.5 and then 1', () => {
    expect(apply('twice', [1, -1], 2 ** 30 + 2 ** 29 - 1, 32)).toEqual([1, -1]);
    expect(apply('twice', [3, -3], 2 ** 30, 31)).toEqual([2, -1]);
  });
});
