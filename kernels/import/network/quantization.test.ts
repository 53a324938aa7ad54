import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activationQuantization, quantizeBiases, quantizeValue, quantizeWeights } from './quantization.ts';

describe('quantisation', () => {
  test('activations: every value of the range is within half a step, and 0 is exact', () => {
    const range = fc.tuple(fc.double({ min: -1e4, max: 1e4, noNaN: true }), fc.double({ min: 1e-3, max: 1e4, noNaN: true })).map(([low, size]) => ({ low, high: low + size }));
    fc.assert(
      fc.property(range, fc.double({ min: 0, max: 1, noNaN: true }), ({ low, high }, share) => {
        const quantization = activationQuantization({ low, high });
        const value = low + share * (high - low);
        const back = (q: number): number => quantization.scale * (q - quantization.zeroPoint);
        expect(Math.abs(back(quantizeValue(value, quantization)) - value)).toBeLessThanOrEqual(quantization.scale * 1.01);
        expect(back(quantizeValue(0, quantization))).toBe(0);
        expect(Number.isInteger(quantization.zeroPoint) && quantization.zeroPoint >= -128 && quantization.zeroPoint <= 127).toBe(true);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test('values beyond the range saturate', () => {
    const quantization = activationQuantization({ low: 0, high: 255 });
    expect(quantization).toEqual({ scale: 1, zeroPoint: -128 });
    expect([-5, 0, 7, 255, 900, Infinity, -Infinity].map((value) => quantizeValue(value, quantization))).toEqual([-128, -128, -121, 127, 127, 127, -128]);
    expect(activationQuantization({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
  });

  test('weights: a scale a channel, the greatest at ±127', () => {
    const { values, scales } = quantizeWeights({ dims: [3, 2], data: Float32Array.of(1, -2, 0, 0, 127, 63.6) });
    expect([...values]).toEqual([64, -127, 0, 0, 127, 64]);
    expect(scales).toEqual([2 / 127, 1, 1]);
  });

  test('a channel whose weights are next to nothing beside its bias keeps the bias', () => {
    const [bias, input] = [Float32Array.of(-9e-11, 0.75, 0.5), { scale: 0.02, zeroPoint: 3 }];
    const weights = quantizeWeights({ dims: [3, 2], data: Float32Array.of(1e-38, -1e-39, 0, 0, 1, -1) }, bias, input.scale);
    expect(weights.scales[2]).toBe(1 / 127);
    const integers = quantizeBiases(bias, weights, input);
    bias.forEach((value, channel) => expect(Math.abs((integers[channel] ?? 0) * input.scale * (weights.scales[channel] ?? 0) / value - 1)).toBeLessThan(3e-4));
  });

  test('biases: in the accumulator\'s steps, with the input\'s zero point taken out', () => {
    const weights = { values: Int8Array.of(1, 2, -3, 4), scales: [0.5, 0.25] };
    expect([...quantizeBiases(Float32Array.of(10, -1), weights, { scale: 2, zeroPoint: -128 })]).toEqual([10 + 128 * 3, -2 + 128]);
    expect(() => quantizeBiases(Float32Array.of(1e9, 0), weights, { scale: 0.01, zeroPoint: 0 })).toThrow('out of proportion');
  });
});
