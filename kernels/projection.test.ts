import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { projection, wideProjection } from './projection.ts';
import { FIXED, byte } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

const COLUMNS = 3;
const matrix = (rows: number, data: readonly number[]): TestTensor => ({ rows, columns: data.length / rows, data });
const bytes = (rows: number, columns: number): fc.Arbitrary<number[]> => fc.array(byte, { minLength: rows * columns, maxLength: rows * columns });
const signed = (bits: number, value: bigint): bigint => BigInt.asIntN(bits, value);

/** The formula of the docstring, in big integers. */
function expected(total: bigint, scale: number, mantissa: number, exponent: number, drop: number, base: number): number {
  const dropped = signed(32, (total + (drop > 0 ? 1n << BigInt(drop - 1) : 0n)) >> BigInt(drop));
  const multiplier = signed(32, (BigInt(scale) * BigInt(mantissa)) >> 31n);
  const shift = BigInt(Math.min(62, Math.max(1, base - exponent)));
  const value = (dropped * multiplier + (1n << (shift - 1n))) >> shift;
  return Number(value < -(2n ** 31n) ? -(2n ** 31n) : value > 2n ** 31n - 1n ? 2n ** 31n - 1n : value);
}

const caseOf = (k: number): fc.Arbitrary<{ x: number[]; high: number[]; low: number[]; scales: number[]; mantissa: number; exponent: number; drop: number; base: number; added: number[] }> =>
  fc.record({
    x: bytes(2, k), high: bytes(COLUMNS, k), low: bytes(COLUMNS, k),
    scales: fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: COLUMNS, maxLength: COLUMNS }),
    mantissa: fc.oneof(fc.integer({ min: 2 ** 29, max: 2 ** 31 - 1 }), fc.constant(0)),
    exponent: fc.integer({ min: -60, max: 0 }), drop: fc.integer({ min: 0, max: 6 }), base: fc.integer({ min: -40, max: 30 }),
    added: fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), { minLength: 2 * COLUMNS, maxLength: 2 * COLUMNS }),
  });

describe.each([8, 16] as const)('activations of %i bits', (bits) => {
  const numbers = (x: readonly number[], k: number): bigint[] => Array.from({ length: k }, (_, index) => (bits === 8 ? BigInt(x[index]!) : BigInt(256 * x[index]! + x[k + index]!)));

  test('times weights of 8 bits, with everything that may be added', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }).chain((k) => caseOf(k).map((made) => ({ k, ...made }))), ({ k, x, high, scales, mantissa, exponent, drop, base, added }) => {
      const values = numbers(x, k);
      const dot = (column: number): bigint => values.reduce((total, value, index) => total + value * BigInt(high[column * k + index]!), 0n);
      const rows = Array.from({ length: COLUMNS }, (_, column) => expected(dot(column), scales[column]!, mantissa, exponent, drop, base));
      const operands = [matrix(bits / 8, x.slice(0, (bits / 8) * k)), matrix(COLUMNS, high), matrix(1, scales), matrix(1, [0, 0, mantissa, exponent, 0, 0, 0, 0])];
      const [first, second] = [added.slice(0, COLUMNS), added.slice(COLUMNS)];
      const run = (addition: 'none' | 'bias' | 'residual' | 'biasAndResidual', more: readonly number[][]): number[] =>
        runKernel(projection[bits][addition], [1, COLUMNS], [...operands, ...more.map((data) => matrix(1, data))], { drop, exponent: base });
      expect(run('none', [])).toEqual(rows);
      expect(run('bias', [first])).toEqual(rows.map((value, index) => (value + first[index]!) | 0));
      expect(run('residual', [first])).toEqual(rows.map((value, index) => (value + first[index]!) | 0));
      expect(run('biasAndResidual', [first, second])).toEqual(rows.map((value, index) => (value + first[index]! + second[index]!) | 0));
    }), FIXED);
  });

  test('times weights of 16 bits: all but the products of two low bytes, in units of 256 for 16 bits', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }).chain((k) => caseOf(k).map((made) => ({ k, ...made }))), ({ k, x, high, low, scales, mantissa, exponent, drop, base, added }) => {
      const total = (column: number): bigint => Array.from({ length: k }, (_, index) => {
        const [h, l] = [BigInt(high[column * k + index]!), BigInt(low[column * k + index]!)];
        const [xh, xl] = [BigInt(x[index]!), BigInt(x[k + index]!)];
        return bits === 8 ? xh * (256n * h + l) : 256n * xh * h + xh * l + xl * h;
      }).reduce((sum, value) => sum + value, 0n);
      const rows = Array.from({ length: COLUMNS }, (_, column) => expected(total(column), scales[column]!, mantissa, exponent, drop, base));
      const operands = [matrix(bits / 8, x.slice(0, (bits / 8) * k)), matrix(COLUMNS, high), matrix(COLUMNS, low), matrix(1, scales), matrix(1, [0, 0, mantissa, exponent, 0, 0, 0, 0])];
      const [first, second] = [added.slice(0, COLUMNS), added.slice(COLUMNS)];
      const run = (addition: 'none' | 'bias' | 'residual' | 'biasAndResidual', more: readonly number[][]): number[] =>
        runKernel(wideProjection[bits][addition], [1, COLUMNS], [...operands, ...more.map((data) => matrix(1, data))], { drop, exponent: base });
      expect(run('none', [])).toEqual(rows);
      expect(run('bias', [first])).toEqual(rows.map((value, index) => (value + first[index]!) | 0));
      expect(run('residual', [second])).toEqual(rows.map((value, index) => (value + second[index]!) | 0));
      expect(run('biasAndResidual', [first, second])).toEqual(rows.map((value, index) => (value + first[index]! + second[index]!) | 0));
    }), FIXED);
  });
});
