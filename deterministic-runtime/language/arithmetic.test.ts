import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyBinary, applyRequantize } from './arithmetic.ts';
import type { BinaryOperator } from './expression.ts';

const EDGES = [0, 1, -1, 2, 31, 32, 33, 127, 128, -128, 65535, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1];
const int32 = fc.oneof(fc.constantFrom(...EDGES), fc.integer());

/** JavaScript's own 32-bit operators, which know nothing of bigints. */
const NUMBERS: Record<BinaryOperator, (a: number, b: number) => number> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  div: (a, b) => (b === 0 ? 0 : Math.trunc(a / b) | 0),
  mod: (a, b) => (b === 0 ? 0 : (a % b) | 0),
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
  shru: (a, b) => (a >>> b) | 0,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  min: Math.min,
  max: Math.max,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
};

describe('32 bits', () => {
  test.each(Object.keys(NUMBERS) as BinaryOperator[])('%s is what JavaScript computes', (operator) => {
    fc.assert(fc.property(int32, int32, (a, b) => {
      expect(applyBinary(operator, 'i32', BigInt(a), BigInt(b))).toBe(BigInt(NUMBERS[operator](a, b)));
    }), { seed: 1, numRuns: 400 });
  });
});

describe('64 bits', () => {
  const MIN = -(2n ** 63n);
  const MAX = 2n ** 63n - 1n;
  test.each([
    ['add', MAX, 1n, MIN],
    ['sub', MIN, 1n, MAX],
    ['mul', 2n ** 62n, 2n, MIN],
    ['mul', MIN, -1n, MIN],
    ['div', MIN, -1n, MIN],
    ['div', -7n, 2n, -3n],
    ['div', 5n, 0n, 0n],
    ['mod', MIN, -1n, 0n],
    ['mod', -7n, 4n, -3n],
    ['mod', 7n, 0n, 0n],
    ['shl', 1n, 63n, MIN],
    ['shl', 1n, 64n, 1n],
    ['shl', 1n, -1n, MIN],
    ['shr', MIN, 63n, -1n],
    ['shru', MIN, 63n, 1n],
    ['shru', -1n, 0n, -1n],
    ['min', MIN, MAX, MIN],
    ['max', MIN, MAX, MAX],
    ['lt', MIN, MAX, 1n],
    ['le', MAX, MAX, 1n],
    ['eq', MIN, MAX, 0n],
    ['xor', MIN, MAX, -1n],
  ] as const)('%s of %d and %d is %d', (operator, a, b, result) => {
    expect(applyBinary(operator, 'i64', a, b)).toBe(result);
  });
});

describe('requantize', () => {
  const floor = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;

  test('is the nearest integer, halves upwards, saturated', () => {
    fc.assert(fc.property(int32, int32, fc.integer({ min: 1, max: 62 }), (accumulator, multiplier, shift) => {
      const product = BigInt(accumulator) * BigInt(multiplier);
      const nearest = floor(2n * product + 2n ** BigInt(shift), 2n ** BigInt(shift + 1));
      const saturated = nearest > 2n ** 31n - 1n ? 2n ** 31n - 1n : nearest < -(2n ** 31n) ? -(2n ** 31n) : nearest;
      expect(applyRequantize(BigInt(accumulator), BigInt(multiplier), BigInt(shift))).toBe(saturated);
    }), { seed: 2, numRuns: 2000 });
  });

  test.each([
    [5n, 1n, 1n, 3n],
    [-5n, 1n, 1n, -2n],
    [100n, 7n, 0n, 700n],
    [100n, 7n, 64n, 700n],
    [2n ** 31n - 1n, 2n ** 31n - 1n, 0n, 2n ** 31n - 1n],
    // 2^62 + 2^62 wraps to -2^63, which is -1 after 63 places.
    [-(2n ** 31n), -(2n ** 31n), 63n, -1n],
  ])('(%d · %d) >> %d = %d', (accumulator, multiplier, shift, result) => {
    expect(applyRequantize(accumulator, multiplier, shift)).toBe(result);
  });
});
