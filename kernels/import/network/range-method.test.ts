import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activationQuantization, quantizeValue } from './quantization.ts';
import { countElements, histogramOf, typicalRange } from './range-method.ts';
import type { Range } from './layer.ts';

/** Numbers of a normal distribution (sums of twelve uniform ones), the same every time. */
function normal(count: number, seed: number): Float32Array {
  let state = seed;
  const uniform = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Float32Array.from({ length: count }, () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6));
}
const seen = (data: Float32Array): Range => ({ low: data.reduce((a, b) => Math.min(a, b)), high: data.reduce((a, b) => Math.max(a, b)) });
function ranged(data: Float32Array, method: 'percentile' | 'meanSquaredError'): Range {
  const histogram = histogramOf(seen(data));
  countElements(histogram, data);
  return typicalRange(histogram, method);
}
/** What eight bits over a range cost, element by element. */
function squaredError(data: Float32Array, range: Range): number {
  const quantization = activationQuantization(range);
  return data.reduce((sum, value) => sum + (quantization.scale * (quantizeValue(value, quantization) - quantization.zeroPoint) - value) ** 2, 0);
}

describe('ranges for eight bits', () => {
  test('the least squared error: no other of a hundred ranges has one that is lower by more than 3%', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 1, max: 60, noNaN: true }), fc.double({ min: -60, max: -1, noNaN: true }), fc.boolean(), (seed, above, below, rectified) => {
        const data = Float32Array.from([...normal(4000, seed), above, below], (value) => (rectified ? Math.max(value, 0) : value));
        const [whole, chosen] = [seen(data), ranged(data, 'meanSquaredError')];
        const error = squaredError(data, chosen);
        expect(error).toBeLessThanOrEqual(squaredError(data, whole) * 1.03);
        for (let a = 1; a <= 10; a += 1) for (let b = 2; b <= 10; b += 1) expect(error).toBeLessThan(1.03 * squaredError(data, { low: (whole.low * a) / 10, high: (whole.high * b) / 10 }));
      }),
      { seed: 5, numRuns: 20 },
    );
  });

  test('a percentile: outliers are cut off, and no more than one in 10,000 elements', () => {
    const data = Float32Array.from([...normal(60000, 7), 100, -80]);
    const { low, high } = ranged(data, 'percentile');
    expect(high).toBeLessThan(6);
    expect(low).toBeGreaterThan(-6);
    expect(data.filter((value) => value < low || value > high).length).toBeLessThanOrEqual(6);
  });

  test('few elements: the percentile is everything that was seen', () => {
    const data = Float32Array.of(-3, 1, 2, 8);
    expect(ranged(data, 'percentile')).toEqual({ low: -3, high: 8 });
  });

  test('what is only zeros, or of no width, stays as it is', () => {
    const histogram = histogramOf({ low: 0, high: 2 });
    countElements(histogram, new Float32Array(9));
    expect(typicalRange(histogram, 'meanSquaredError')).toEqual({ low: 0, high: 2 });
  });
});
