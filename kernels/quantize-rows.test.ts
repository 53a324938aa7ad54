import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layerNormStatistics, rootMeanSquareStatistics } from './norm-statistics.ts';
import { ACTIVATION_LIMIT, plainStatistics, quantizeFlat, quantizeNormalized, quantizeRow } from './quantize-rows.ts';
import type { ActivationBits } from './quantize-rows.ts';
import { FIXED, int32 } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

const row = (data: readonly number[]): TestTensor => ({ rows: 1, columns: data.length, data });
const values = fc.tuple(fc.integer({ min: 0, max: 31 }), fc.array(int32, { minLength: 1, maxLength: 40 })).map(([shift, data]) => data.map((value) => value >> shift));

/** Numbers of the rows of bytes that a kernel writes. */
const numbers = (bytes: readonly number[], bits: ActivationBits): number[] =>
  bits === 8 ? [...bytes] : bytes.slice(0, bytes.length / 2).map((high, index) => 256 * high + bytes[index + bytes.length / 2]!);

/** What the greatest quantised value stands for, from the statistics. */
const scaleOf = (statistics: readonly number[]): number => statistics[2]! * 2 ** statistics[3]!;

describe.each([8, 16] as const)('plain rows, %i bits', (bits) => {
  const limit = ACTIVATION_LIMIT[bits];

  test('are within half a step, and a thousandth, of real division; the greatest is the limit', () => {
    fc.assert(fc.property(values, (data) => {
      const statistics = runKernel(plainStatistics, [1, 8], [row(data)]);
      const quantized = numbers(runKernel(quantizeRow[bits], [bits / 8, data.length], [row(data), row(statistics)]), bits);
      const greatest = Math.max(...data.map(Math.abs));
      if (greatest === 0) {
        expect(quantized.every((value) => value === 0)).toBe(true);
        expect(scaleOf(statistics)).toBe(0);
        return;
      }
      quantized.forEach((value, index) => expect(Math.abs(value - (data[index]! / greatest) * limit)).toBeLessThan(0.501));
      expect(Math.abs(scaleOf(statistics) / (greatest / 65536) - 1)).toBeLessThan(1e-9);
      expect(Math.max(...quantized.map(Math.abs))).toBe(limit);
    }), FIXED);
  });

  test('a matrix counts as one row', () => {
    const data = Array.from({ length: 3 * 10 }, (_, index) => (index * 7919) % 1000 - 400);
    const matrix = { rows: 3, columns: 10, data };
    const statistics = runKernel(plainStatistics, [1, 8], [matrix]);
    expect(statistics).toEqual(runKernel(plainStatistics, [1, 8], [row(data)]));
    expect(runKernel(quantizeFlat[bits], [bits / 8, 30], [matrix, row(statistics)])).toEqual(runKernel(quantizeRow[bits], [bits / 8, 30], [row(data), row(statistics)]));
  });
});

describe.each([
  ['RMSNorm', rootMeanSquareStatistics, false],
  ['LayerNorm', layerNormStatistics, true],
] as const)('%s', (_, kernel, centred) => {
  /** The formula in floats; x in 65,536ths, the gain in 2^-14. */
  const reference = (x: readonly number[], gain: readonly number[], epsilon: number): number[] => {
    const mean = centred ? x.reduce((total, value) => total + value, 0) / x.length : 0;
    const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / x.length / 2 ** 32;
    return x.map((value, index) => (((value - mean) / 65536) * (gain[index]! / 2 ** 14)) / Math.sqrt(variance + epsilon));
  };
  const compute = (x: readonly number[], gain: readonly number[], epsilon: number, bits: ActivationBits): number[] => {
    const units = Math.round(epsilon * 2 ** 32);
    const statistics = runKernel(kernel, [1, 8], [row(x), row(gain)], { epsilonHigh: Math.floor(units / 2 ** 31), epsilonLow: units % 2 ** 31, gainExponent: -14 });
    const quantized = numbers(runKernel(quantizeNormalized[bits], [bits / 8, x.length], [row(x), row(gain), row(statistics)]), bits);
    return quantized.map((value) => (value * scaleOf(statistics)) / ACTIVATION_LIMIT[bits]);
  };
  const cases = fc.tuple(fc.integer({ min: 4, max: 20 }), fc.integer({ min: 2, max: 24 }), fc.integer()).map(([size, columns, salt]) => {
    // A row of numbers of one order of magnitude, from 2^-12 to 2^11, some with a mean that is not zero.
    const next = (index: number): number => ((Math.imul(salt + index, 0x9e3779b1) ^ (Math.imul(salt ^ index, 0x85ebca6b) >>> 7)) >> 0) / 2 ** 31;
    const x = Array.from({ length: columns }, (_unused, index) => Math.round((next(index) + (salt % 3) / 4) * 2 ** (size + 7)));
    return { x, gain: x.map((__, index) => Math.round((1 + next(index + 1000)) * 2 ** 14)) };
  });

  test.each([[16, 3e-5], [8, 0.0045]] as const)('of %i bits, is within %f of the greatest element of the formula', (bits, tolerance) => {
    fc.assert(fc.property(cases, ({ x, gain }) => {
      const exact = reference(x, gain, 1e-5);
      const greatest = Math.max(...exact.map(Math.abs));
      // One unit of the mean, and of ε, is what integers cannot say.
      const unit = centred ? 2 ** 15 / 65536 / 65536 / Math.sqrt(1e-5) : 0;
      compute(x, gain, 1e-5, bits).forEach((value, index) => expect(Math.abs(value - exact[index]!)).toBeLessThan(tolerance * greatest + unit + 1e-12));
    }), { ...FIXED, numRuns: 15 });
  });

  test('rows of zeros, of the greatest numbers and of one element have values', () => {
    expect(compute([0, 0, 0], [16384, 16384, 16384], 0, 16)).toEqual([0, 0, 0]);
    const extreme = Array.from({ length: 20 }, (_unused, index) => (index % 2 === 0 ? 2 ** 31 - 1 : -(2 ** 31)));
    compute(extreme, extreme.map(() => 2 ** 20 - 1), 1e-5, 16).forEach((value, index) => expect(Math.abs(value / ((index % 2 === 0 ? 1 : -1) * ((2 ** 20 - 1) / 2 ** 14)) - 1)).toBeLessThan(1e-4));
    const one = compute([65536 * 3], [16384], 1e-5, 16);
    if (centred) expect(one).toEqual([0]);
    else expect(Math.abs(one[0]! - 1)).toBeLessThan(1e-4);
  });
});
