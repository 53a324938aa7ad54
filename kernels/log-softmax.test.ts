import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logarithmTable, logarithmicShares, rowLogarithms } from './log-softmax.ts';
import { FIXED } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';

const table = { rows: 2, columns: 256, data: [...logarithmTable()] };
const logarithmOf = (sum: bigint): number => runKernel(rowLogarithms, [1, 1], [{ rows: 1, columns: 2, data: [Number(sum & 0x7fff_ffffn), Number(sum >> 31n)] }, table])[0]!;

describe('logarithms of sums of exponentials', () => {
  test('are within one unit of 2^-24', () => {
    const sum = fc.tuple(fc.integer({ min: 30, max: 51 }), fc.bigInt({ min: 0n, max: 2n ** 51n })).map(([power, rest]) => 2n ** BigInt(power) + (rest % 2n ** BigInt(power)));
    fc.assert(fc.property(sum, (value) => { expect(Math.abs(logarithmOf(value) - Math.log(Number(value) / 2 ** 30) * 2 ** 24)).toBeLessThanOrEqual(1); }), { ...FIXED, numRuns: 500 });
  });

  test('of 1, of 2, and of the ends of parts of the table', () => {
    expect(logarithmOf(2n ** 30n)).toBe(0);
    expect(logarithmOf(2n ** 31n)).toBe(Math.round(Math.LN2 * 2 ** 24));
    for (const value of [2n ** 31n - 1n, 2n ** 30n + 2n ** 22n - 1n, 2n ** 30n + 2n ** 22n]) expect(Math.abs(logarithmOf(value) - Math.log(Number(value) / 2 ** 30) * 2 ** 24)).toBeLessThanOrEqual(1);
  });
});

test('differences round halves to the even neighbour, and are cut', () => {
  const x = { rows: 1, columns: 6, data: [10, 9, 8, 7, 6, -118] };
  const one = (value: number) => ({ rows: 1, columns: 1, data: [value] });
  const half = { multiplier: 2 ** 19, shift: 20, steps: 16, zeroPoint: 127 };
  expect(runKernel(logarithmicShares, [1, 6], [x, one(10), one(0)], half)).toEqual([127, 127, 126, 125, 125, 63]);
  expect(runKernel(logarithmicShares, [1, 6], [x, one(10), one(2 ** 24)], { ...half, multiplier: 2 ** 21 })).toEqual([111, 109, 107, 105, 103, -128]);
});
