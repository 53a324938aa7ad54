import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cut, fitHalfEven, fitHalfUp, roundHalfEven } from './rounding.ts';
import type { StepFunction } from './rounding.ts';

const FIXED = { seed: 20261122, numRuns: 150 } as const;

/** What a product in single precision is rounded to; adding 2^52 leaves a double no fraction bits. */
const singlePrecision = (slope: number) => (sum: number): number => {
  const product = Math.fround(Math.fround(sum) * slope);
  return Math.sign(product) * (Math.abs(product) + 2 ** 52 - 2 ** 52) + 0;
};

const stepsOf = (slope: number, range: number): StepFunction => ({
  arithmetic: 'single-precision', apply: singlePrecision(slope), slope, leastSum: -range, greatestSum: range + 7, low: -131, high: 124,
});

/** Scales as files have them: any, decimal fractions and powers of two, whose products with integers lie on halves. */
const slope = fc.oneof(
  fc.double({ min: 2 ** -14, max: 3, noNaN: true }),
  fc.integer({ min: 1, max: 400 }).map((part) => part / 1000),
  fc.integer({ min: -12, max: 1 }).map((power) => 2 ** power),
  fc.integer({ min: 2, max: 300 }).map((divisor) => 1 / divisor),
).map(Math.fround);

/** `(sum · multiplier + 2^(shift−1)) >> shift`, exactly. */
const halfUp = (sum: number, multiplier: number, shift: number): number => Number((BigInt(sum) * BigInt(multiplier) + (1n << BigInt(shift - 1))) >> BigInt(shift));

/** The integer nearest to `sum · multiplier / 2^shift`, halves to the even one, exactly. */
function halfEven(sum: number, multiplier: number, shift: number): number {
  const product = BigInt(sum) * BigInt(multiplier);
  const floor = product >> BigInt(shift);
  const twice = (product - (floor << BigInt(shift))) * 2n;
  const one = 1n << BigInt(shift);
  return Number(twice > one || (twice === one && floor % 2n !== 0n) ? floor + 1n : floor);
}

describe('steps of single precision as integers', () => {
  test('what is fitted gives every sum\'s result', () => {
    let [plain, excepted] = [0, 0];
    fc.assert(fc.property(slope, fc.integer({ min: 1, max: 30000 }), (factor, range) => {
      const steps = stepsOf(factor, range);
      const up = fitHalfUp(steps);
      const even = fitHalfEven(steps);
      for (let sum = steps.leastSum; sum <= steps.greatestSum; sum += 1) {
        const wanted = cut(steps.apply(sum), steps.low, steps.high);
        if (up !== null && cut(halfUp(sum, up.multiplier, up.shift), steps.low, steps.high) !== wanted) throw new Error(`half up: ${sum}`);
        if (even !== null && cut(halfEven(sum, even.multiplier, even.shift), steps.low, steps.high) + (even.exceptions.get(sum) ?? 0) !== wanted) throw new Error(`half even: ${sum}`);
      }
      if (up !== null) plain += 1;
      else if (even !== null) excepted += 1;
    }), FIXED);
    // Both ways occur.
    expect(plain).toBeGreaterThan(20);
    expect(excepted).toBeGreaterThan(20);
  });

  test('sums on halves: upwards is refused, to even needs no exceptions', () => {
    const steps = stepsOf(0.5, 300);
    expect(fitHalfUp(steps)).toBeNull();
    expect(fitHalfEven(steps)?.exceptions.size).toBe(0);
  });

  test('a sum that single precision rounds to a half is an exception', () => {
    // 50 · 0.01 is below a half in exact arithmetic and a half in single precision; so are its odd multiples.
    const steps = { ...stepsOf(Math.fround(0.01), 200), low: -2, high: 2 };
    expect(fitHalfUp(steps)).toBeNull();
    expect([...(fitHalfEven(steps)?.exceptions ?? [])].length).toBeGreaterThan(0);
  });
});

test('halves to even', () => {
  expect([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999999, 2.5000001].map((value) => roundHalfEven(value) + 0)).toEqual([-2, -2, 0, 0, 2, 2, 2, 3]);
});
