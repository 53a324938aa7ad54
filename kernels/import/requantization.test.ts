import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requantizationRows, toRequantization } from './requantization.ts';

describe('requantisation factors', () => {
  test('are within 2^-31 of the real ones wherever the shift allows', () => {
    fc.assert(
      fc.property(fc.double({ min: -31, max: 29.9, noNaN: true }), (power) => {
        const factor = 2 ** power;
        const { multiplier, shift } = toRequantization(factor);
        expect(shift >= 1 && shift <= 62 && Number.isInteger(multiplier)).toBe(true);
        expect(multiplier).toBeLessThan(2 ** 31);
        expect(Math.abs(multiplier / 2 ** shift / factor - 1)).toBeLessThanOrEqual(2 ** -31);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('at the edges', () => {
    expect(toRequantization(1)).toEqual({ multiplier: 2 ** 30, shift: 30 });
    expect(toRequantization(0.5)).toEqual({ multiplier: 2 ** 30, shift: 31 });
    expect(toRequantization(2 - 2 ** -52)).toEqual({ multiplier: 2 ** 30, shift: 29 });
    expect(toRequantization(2 ** 29)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    expect(toRequantization(2 ** -40)).toEqual({ multiplier: 2 ** 22, shift: 62 });
    expect(toRequantization(2 ** -70).multiplier).toBe(0);
    expect(toRequantization(0).multiplier).toBe(0);
    for (const factor of [-1, NaN, Infinity, 2 ** 30]) expect(() => toRequantization(factor)).toThrow('[0, 2^30)');
    expect([...requantizationRows([1, 0.25])]).toEqual([2 ** 30, 2 ** 30, 30, 32]);
  });
});
