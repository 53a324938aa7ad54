import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requantizeHalfEven } from './requantize-half-even.ts';
import { requantizeSinglePrecision } from './requantize-single-precision.ts';
import { FIXED, int32 } from './testing/arbitraries.ts';
import { cut, runKernel } from './testing/run-kernel.ts';

/** The integer nearest to `value · multiplier / 2^shift`, halves to the even one, by long division. */
function halfEven(value: number, multiplier: number, shift: number): number {
  const one = 1n << BigInt(shift);
  const product = BigInt(value) * BigInt(multiplier);
  const rest = ((product % one) + one) % one;
  const floor = (product - rest) / one;
  const up = rest * 2n > one || (rest * 2n === one && floor % 2n !== 0n);
  return Number(up ? floor + 1n : floor);
}

test('halves to even, exceptions, zero point and range', () => {
  fc.assert(fc.property(
    fc.array(int32, { minLength: 40, maxLength: 40 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 62 }), fc.integer({ min: -128, max: 127 }), fc.integer({ min: 0, max: 39 }),
    (values, multiplier, shift, zeroPoint, exceptional) => {
      const [low, high] = [-100, 90];
      const shape = (data: readonly number[], rows: number) => ({ rows, columns: 1, data });
      const exception = values[exceptional] ?? 0;
      const result = runKernel(requantizeHalfEven, [40, 1], [shape(values, 40), shape([multiplier, shift], 2), shape([exception, 5], 2), shape([1, 0], 2)], { zeroPoint, low, high });
      expect(result).toEqual(values.map((value) => ((cut(halfEven(value, multiplier, shift) + zeroPoint, low, high) + (value === exception ? 1 : 0)) << 24) >> 24));
    },
  ), FIXED);
});

test('powers of two: every second sum is a half', () => {
  const values = Array.from({ length: 41 }, (_, index) => index - 20);
  const result = runKernel(requantizeHalfEven, [1, 41], [{ rows: 1, columns: 41, data: values }, { rows: 2, columns: 41, data: [...values.map(() => 1), ...values.map(() => 1)] }, { rows: 1, columns: 41, data: values.map(() => -(2 ** 31)) }, { rows: 1, columns: 41, data: values.map(() => 0) }], { zeroPoint: 0, low: -128, high: 127 });
  // −10 … 10 in halves: whole numbers stay, halves go to the even neighbour.
  expect(result).toEqual(values.map((value) => (value % 2 === 0 ? value / 2 : 2 * Math.round(value / 4)) + 0));
});

test('single precision, range included', () => {
  const values = [-(2 ** 31), -16777217, -50, 0, 1, 49, 50, 51, 150, 16777217, 2 ** 31 - 1];
  const scale = Math.fround(0.01);
  const shift = 23 - Math.floor(Math.log2(scale));
  const bits = values.map(() => scale * 2 ** shift);
  const result = runKernel(requantizeSinglePrecision, [1, 11], [{ rows: 1, columns: 11, data: values }, { rows: 2, columns: 11, data: [...bits, ...values.map(() => shift)] }], { zeroPoint: 3, low: -120, high: 110 });
  const nearest = (value: number): number => Math.sign(value) * (Math.abs(value) + 2 ** 52 - 2 ** 52);
  expect(result).toEqual(values.map((value) => cut(nearest(Math.fround(Math.fround(value) * scale)) + 3, -120, 110)));
});
