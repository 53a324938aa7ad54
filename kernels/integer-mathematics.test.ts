import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { EXPONENTIAL_BITS, absolute, bitLength, normalize, powerOfTwo, reciprocalSquareRoot, roundingShift, shiftBoth, wideAbsolute } from './integer-mathematics.ts';
import { FIXED, int32 } from './testing/arbitraries.ts';
import { runCompiled } from './testing/run-compiled.ts';
import { runKernel } from './testing/run-kernel.ts';

/** A function of 64 bits as a kernel: columns of x are numbers, high halves above low ones. */
const ofWide = (name: string, element: (x: I64) => I32): ReturnType<typeof kernel> =>
  kernel(name, {
    operands: { x: i32 },
    output: i32,
    element: ({ column, operands: { x } }) => element(x.at(0, column).wide().shl(32).or(x.at(1, column).wide().and(0xffff_ffffn))),
  });

const halves = (numbers: readonly bigint[]): { rows: number; columns: number; data: number[] } => ({
  rows: 2, columns: numbers.length, data: [...numbers.map((x) => Number(BigInt.asIntN(32, x >> 32n))), ...numbers.map((x) => Number(BigInt.asIntN(32, x)))],
});

/** Numbers of 1 to 62 bits: the least and greatest of each length, and others between. */
const lengths = Array.from({ length: 62 }, (_, bits) => {
  const least = 1n << BigInt(bits);
  return [least, least + least / 3n, least + least / 2n, 2n * least - 1n];
}).flat();

describe('lengths and shifts', () => {
  test('bitLength is the number of binary digits', () => {
    const numbers = [0n, ...lengths, 2n ** 63n - 1n];
    expect(runKernel(ofWide('bit-length', bitLength), [1, numbers.length], [halves(numbers)])).toEqual(numbers.map((x) => (x === 0n ? 0 : x.toString(2).length)));
  });

  test('normalize gives the 31 highest digits', () => {
    const mantissas = runKernel(ofWide('mantissa', (x) => normalize(x).mantissa), [1, lengths.length], [halves(lengths)]);
    expect(mantissas).toEqual(lengths.map((x) => Number(BigInt(`0b${x.toString(2).padEnd(31, '0').slice(0, 31)}`))));
    expect(runKernel(ofWide('mantissa', (x) => normalize(x).mantissa), [1, 1], [halves([0n])])).toEqual([0]);
  });

  test('shiftBoth rounds down and roundingShift to the nearest, halves upwards', () => {
    fc.assert(fc.property(int32, fc.integer({ min: -40, max: 20 }), (x, bits) => {
      const shift = (name: string, by: typeof shiftBoth): number => {
        const shifted = kernel(name, { operands: { x: i32 }, output: i32, element: ({ operands: { x: operand } }) => by(operand.at(0).wide(), operand.at(1)).narrow() });
        return runKernel(shifted, [1, 1], [{ rows: 1, columns: 2, data: [x, bits] }])[0]!;
      };
      const exact = (half: bigint): number => Number(BigInt.asIntN(32, bits >= 0 ? BigInt(x) << BigInt(bits) : (BigInt(x) + half) >> BigInt(-bits)));
      expect(shift('shift-both', shiftBoth)).toBe(exact(0n));
      expect(shift('rounding-shift', roundingShift)).toBe(exact(bits < 0 ? 1n << BigInt(-bits - 1) : 0n));
    }), FIXED);
  });

  test('absolute values', () => {
    const numbers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
    const operand = { rows: 1, columns: numbers.length, data: numbers };
    const narrow = kernel('absolute', { operands: { x: i32 }, output: i32, element: ({ column, operands: { x } }) => absolute(x.at(column).wide()).shr(1).narrow() });
    expect(runKernel(narrow, [1, numbers.length], [operand])).toEqual(numbers.map((x) => Math.floor(Math.abs(x) / 2)));
    const wide = kernel('wide-absolute', { operands: { x: i32 }, output: i32, element: ({ column, operands: { x } }) => wideAbsolute(x.at(column)).shr(1).narrow() });
    expect(runKernel(wide, [1, numbers.length], [operand])).toEqual(numbers.map((x) => Math.floor(Math.abs(x) / 2)));
  });
});

describe('docs/numerics.md', () => {
  test('reciprocalSquareRoot: relative error at most 1.5e-9, from 1 to 2^62', async () => {
    // Mantissas all along [1/4, 1) at several exponents, and the ends of each length.
    const numbers = [...lengths, ...[2n, 28n, 30n, 31n, 45n].flatMap((exponent) => Array.from({ length: 20_000 }, (_, step) => ((2n ** 30n + BigInt(step) * 161_061n) << exponent) >> 16n))].filter((x) => x > 0n);
    const operand = halves(numbers);
    const mantissas = await runCompiled(ofWide('root-mantissa', (x) => reciprocalSquareRoot(x).mantissa), [1, numbers.length], [operand]);
    const exponents = await runCompiled(ofWide('root-exponent', (x) => reciprocalSquareRoot(x).exponent), [1, numbers.length], [operand]);
    let worst = 0;
    numbers.forEach((x, index) => { worst = Math.max(worst, Math.abs(mantissas[index]! * 2 ** exponents[index]! * Math.sqrt(Number(x)) - 1)); });
    expect(worst).toBeLessThan(1.5e-9);
    expect(worst).toBeGreaterThan(1e-11);
  });

  test('powerOfTwo: relative error at most 4e-5 and one unit, on every argument from −31 to 0, and 0 below', async () => {
    const exponential = kernel('power', { operands: { x: i32 }, output: i32, element: ({ column, operands: { x } }) => powerOfTwo(x.at(column)) });
    const count = 31 * 65536;
    const numbers = Int32Array.from({ length: count + 3 }, (_, index) => (index <= count ? -index : [-(2 ** 31), -40 * 65536][index - count - 1]!));
    const values = await runCompiled(exponential, [1, numbers.length], [{ rows: 1, columns: numbers.length, data: numbers }]);
    let worst = 0;
    numbers.subarray(0, count + 1).forEach((x, index) => {
      const exact = 2 ** (x / 65536 + EXPONENTIAL_BITS);
      worst = Math.max(worst, Math.max(0, Math.abs(values[index]! - exact) - 1) / exact);
    });
    expect(values[0]).toBe(2 ** EXPONENTIAL_BITS);
    expect([...values.slice(-2)]).toEqual([0, 0]);
    expect(worst).toBeLessThan(4e-5);
    expect(worst).toBeGreaterThan(1e-6);
  });
});
