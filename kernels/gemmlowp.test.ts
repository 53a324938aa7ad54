import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { divideByPower, leadingZeros, oneOverOnePlus, roundingHigh } from './gemmlowp.ts';
import { FIXED, int32 } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';

const one = (value: number) => ({ rows: 1, columns: 1, data: [value] });
const high = kernel('test-high', { operands: { a: i32, b: i32 }, output: i32, element: ({ operands: { a, b } }) => roundingHigh(a.at(0), b.at(0)) });
const divided = kernel('test-divided', { operands: { a: i32, b: i32 }, output: i32, element: ({ operands: { a, b } }) => divideByPower(a.at(0), b.at(0)) });
const zeros = kernel('test-zeros', { operands: { a: i32 }, output: i32, element: ({ operands: { a } }) => leadingZeros(a.at(0)) });
const reciprocal = kernel('test-reciprocal', { operands: { a: i32 }, output: i32, element: ({ operands: { a } }) => oneOverOnePlus(a.at(0)) });
const run = (definition: typeof high, ...values: readonly number[]): number => runKernel(definition, [1, 1], values.map(one))[0]!;

/** gemmlowp's own form: a nudge by the product's sign, then C's division; the one product that does not fit is cut. */
function nudged(a: number, b: number): number {
  const product = BigInt(a) * BigInt(b);
  const quotient = (product + (product >= 0n ? 2n ** 30n : 1n - 2n ** 30n)) / 2n ** 31n;
  return a === -(2 ** 31) && b === a ? 2 ** 31 - 1 : Number(quotient);
}

describe('gemmlowp\'s arithmetic', () => {
  test('the rounding doubling high product', () => {
    fc.assert(fc.property(int32, int32, (a, b) => { expect(run(high, a, b)).toBe(nudged(a, b)); }), FIXED);
    for (const [a, b] of [[-(2 ** 31), -(2 ** 31)], [1, 2 ** 30], [-1, 2 ** 30], [3, 2 ** 30], [-3, 2 ** 30], [2 ** 31 - 1, -(2 ** 31)]] as const) expect(run(high, a, b)).toBe(nudged(a, b));
  });

  test('the rounding division by a power of two', () => {
    const away = (x: number, power: number): number => Math.sign(x) * Math.floor(Math.abs(x) / 2 ** power + 0.5);
    fc.assert(fc.property(int32, fc.integer({ min: 0, max: 31 }), (x, power) => { expect(run(divided, x, power) + 0).toBe(away(x, power) + 0); }), FIXED);
    for (const x of [6, -6, 5, -5, 2, -2, 0, -1, 1]) expect(run(divided, x, 2) + 0).toBe(away(x, 2) + 0);
  });

  test('zeros above the highest bit', () => {
    fc.assert(fc.property(int32, (x) => { expect(run(zeros, x)).toBe(Math.clz32(x)); }), FIXED);
    for (const x of [0, 1, -1, 2 ** 30, 2 ** 31 - 1]) expect(run(zeros, x)).toBe(Math.clz32(x));
  });

  test('1 / (1 + a) is right to some 28 bits', () => {
    const near = (a: number): void => { expect(Math.abs(run(reciprocal, a) / 2 ** 31 - 1 / (1 + a / 2 ** 31))).toBeLessThan(2 ** -27); };
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), near), FIXED);
    for (const a of [0, 1, 2 ** 31 - 1]) near(a);
  });
});
