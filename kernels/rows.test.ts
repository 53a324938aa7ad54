import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linearPlanes, linearToWide } from './linear-planes.ts';
import { byteRowSums, matrixProduct } from './matrix-product.ts';
import { centredSums, normalizationFactors, normalized } from './normalization.ts';
import { highPlane, lowPlane } from './planes.ts';
import { argumentOf, reduceColumns, reduceRows } from './reduce.ts';
import { LOGARITHM_BITS, exponentials, logarithmTable, logarithmicShares, naturalLogarithm, rowMaximum, rowSums, shares } from './softmax.ts';
import { FIXED, byte, tensorOf } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

const wide = fc.integer({ min: -32639, max: 32639 });
const rowsOf = ({ columns, data }: TestTensor): number[][] => Array.from({ length: data.length / columns }, (_, row) => [...data.slice(row * columns, (row + 1) * columns)]);
const whole = { zeroPoint: 0, low: -(2 ** 31) + 1, high: 2 ** 31 - 1 };
const tensor = (rows: number, columns: number, data: number[]): TestTensor => ({ rows, columns, data });

describe('sixteen bits as two planes', () => {
  test('the planes make the number', () => {
    fc.assert(fc.property(tensorOf(2, 9, wide), (x) => {
      const [high, low] = [runKernel(highPlane, [2, 9], [x]), runKernel(lowPlane, [2, 9], [x])];
      expect(high.map((value, index) => 256 * value + low[index]!)).toEqual(x.data);
    }), FIXED);
  });

  test('linear layers and products of matrices of them', () => {
    fc.assert(fc.property(tensorOf(3, 40, wide), tensorOf(4, 40, byte), tensorOf(4, 40, wide), (x, w, b) => {
      const planes = (of: TestTensor): TestTensor[] => [highPlane, lowPlane].map((kernel) => tensor(of.rows, of.columns, runKernel(kernel, [of.rows, of.columns], [of])));
      const bias = tensor(1, 4, [5, -5, 1000000, 0]);
      const scale = tensor(2, 4, [1, 2, 4, 2 ** 22, 8, 9, 10, 30]);
      const expected = rowsOf(x).flatMap((row) => rowsOf(w).map((weights, c) => Math.floor((row.reduce((sum, value, k) => sum + value * weights[k]!, bias.data[c]!) * scale.data[c]!) / 2 ** scale.data[4 + c]! + 0.5)));
      expect(runKernel(linearPlanes('i32'), [3, 4], [...planes(x), w, bias, scale], whole)).toEqual(expected);
      const product = (factor: number): number[] => rowsOf(x).flatMap((row) => rowsOf(b).map((other) => Math.floor(row.reduce((sum, value, k) => sum + value * other[k]!, 0) / factor + 0.5)));
      const parameters = { m: 3, aDivide: 1, aBatches: 1, bDivide: 1, bBatches: 1, aZero: 0, bZero: 0, inner: 40, multiplier: 1, shift: 16, ...whole };
      const none = tensor(1, 1, [0]);
      expect(runKernel(matrixProduct({ a: 2, b: 2, output: 'i32' }), [3, 4], [...planes(x), ...planes(b), none, none], parameters)).toEqual(product(2 ** 16));
    }), FIXED);
  });

  test('eight bits to sixteen', () => {
    const [x, w] = [tensor(1, 3, [127, -128, 5]), tensor(2, 3, [1, 2, 3, -4, 5, -6])];
    expect(runKernel(linearToWide, [1, 2], [x, w, tensor(1, 2, [10, 20]), tensor(2, 2, [3, 1, 1, 1])], whole)).toEqual([Math.floor((127 - 256 + 15 + 10) * 1.5 + 0.5), Math.floor((-508 - 640 - 30 + 20) / 2 + 0.5)]);
  });
});

test('products of bytes with zero points, in batches that repeat', () => {
  fc.assert(fc.property(tensorOf(4, 7, byte), tensorOf(3, 7, byte), byte, byte, (a, b, aZero, bZero) => {
    const sums = (x: TestTensor): TestTensor => tensor(x.rows, 1, runKernel(byteRowSums, [x.rows, 1], [x, tensor(1, 32, new Array<number>(32).fill(1))]));
    // Two batches of two rows, one batch of b for both.
    const parameters = { m: 2, aDivide: 1, aBatches: 2, bDivide: 1, bBatches: 1, aZero, bZero, inner: 7, multiplier: 1, shift: 1, ...whole };
    const own = runKernel(matrixProduct({ a: 1, b: 1, output: 'i32' }), [4, 3], [a, b, sums(a), sums(b)], parameters);
    expect(own).toEqual(rowsOf(a).flatMap((row) => rowsOf(b).map((other) => Math.floor(row.reduce((sum, value, k) => sum + (value - aZero) * (other[k]! - bZero), 0) / 2 + 0.5))));
  }), FIXED);
});

describe('reductions', () => {
  const scaling = { multiplier: 1, shift: 2, ...whole };
  test('over columns, and over an axis among the rows', () => {
    fc.assert(fc.property(tensorOf(12, 3, wide), fc.integer({ min: -5, max: 5 }), (x, xZero) => {
      for (const [what, of] of [['sum', (list: number[]) => list.reduce((sum, value) => sum + value - xZero, 0)], ['max', (list: number[]) => Math.max(...list) - xZero], ['min', (list: number[]) => Math.min(...list) - xZero]] as const) {
        const rounded = (list: number[]): number => Math.floor((of(list) + 2) / 4);
        expect(runKernel(reduceColumns({ what, x: 'i32', output: 'i32' }), [12, 1], [x], { xZero, ...scaling })).toEqual(rowsOf(x).map(rounded));
        // Rows are [2][3][2], reduced over the middle.
        const expected = [0, 1].flatMap((o) => [0, 1].flatMap((i) => [0, 1, 2].map((c) => rounded([0, 1, 2].map((k) => x.data[((o * 3 + k) * 2 + i) * 3 + c]!)))));
        expect(runKernel(reduceRows({ what, x: 'i32', output: 'i32' }), [4, 3], [x], { xZero, length: 3, inner: 2, ...scaling })).toEqual(expected);
      }
    }), FIXED);
  });

  test('the place of the greatest and the least, first or last of equals', () => {
    fc.assert(fc.property(tensorOf(3, 6, fc.integer({ min: -2, max: 2 })), (x) => {
      for (const least of [false, true]) for (const last of [false, true]) {
        const place = (row: number[]): number => (last ? row.lastIndexOf((least ? Math.min : Math.max)(...row)) : row.indexOf((least ? Math.min : Math.max)(...row)));
        expect(runKernel(argumentOf({ x: 'i8', least, last }), [3, 1], [x])).toEqual(rowsOf(x).map(place));
      }
    }), FIXED);
    expect(runKernel(argumentOf({ x: 'i32', least: true, last: false }), [1, 3], [tensor(1, 3, [2 ** 31 - 1, -(2 ** 31), 0])])[0]).toBe(1);
  });
});

describe('softmax', () => {
  const SCALE = 0.05;
  const ONE = 24;
  test('shares and logarithms are those of real numbers', () => {
    fc.assert(fc.property(tensorOf(2, 6, byte), (x) => {
      const single = [2, 1] as const;
      const table = tensor(1, 257, Array.from({ length: 257 }, (_, index) => Math.round(2 ** ONE * Math.exp(-index * SCALE))));
      const greatest = tensor(2, 1, runKernel(rowMaximum('i8'), single, [x]));
      const powers = tensor(2, 6, runKernel(exponentials('i8'), [2, 6], [x, greatest, table], { bits: 0 }));
      const total = tensor(2, 1, runKernel(rowSums, single, [powers]));
      const own = runKernel(shares('i32'), [2, 6], [powers, total], { multiplier: 2 ** 28, shift: 14, zeroPoint: 0, low: 0, high: 2 ** 15 });
      const logarithm = tensor(2, 1, runKernel(naturalLogarithm, single, [total, tensor(1, 4097, [...logarithmTable()])], { one: ONE }));
      const logs = runKernel(logarithmicShares({ x: 'i8', output: 'i32' }), [2, 6], [x, greatest, logarithm], { multiplier: Math.round(SCALE * 2 ** 20), logarithmMultiplier: 2 ** (20 - LOGARITHM_BITS), shift: 8, ...whole });
      rowsOf(x).forEach((row, r) => {
        const exact = row.map((value) => Math.exp(value * SCALE));
        const sum = exact.reduce((left, right) => left + right, 0);
        exact.forEach((value, c) => {
          expect(Math.abs(own[r * 6 + c]! / 2 ** 14 - value / sum)).toBeLessThan(2 ** -14);
          expect(Math.abs(logs[r * 6 + c]! / 2 ** 12 - Math.log(value / sum))).toBeLessThan(2 ** -11);
        });
      });
    }), FIXED);
  });

  test('logarithms of numbers of any size', () => {
    const x = tensor(9, 1, [1, 2, 3, 1000, 4095, 4097, 123456789, 2 ** 30, 2 ** 31 - 1]);
    const own = runKernel(naturalLogarithm, [9, 1], [x, tensor(1, 4097, [...logarithmTable()])], { one: 3 });
    own.forEach((value, index) => expect(Math.abs(value / 2 ** LOGARITHM_BITS - Math.log(x.data[index]! / 8))).toBeLessThan(3e-5));
  });
});

test('normalised rows are those of real numbers', () => {
  fc.assert(fc.property(tensorOf(2, 11, wide), fc.boolean(), (x, centred) => {
    const sums = tensor(2, 1, runKernel(centredSums('i32'), [2, 1], [x], { xZero: 7 }));
    const factor = { factorMultiplier: Math.round(Math.sqrt(11) * 2 ** 28), factorShift: 28 - 10 };
    const form = { x: 'i32', centred } as const;
    const epsilon = { epsilonMantissa: 1000, epsilonShift: 3 };
    const factors = tensor(2, 2, runKernel(normalizationFactors(form), [2, 2], [x, sums], { xZero: 7, t: 0, ...epsilon, ...factor }));
    const own = runKernel(normalized({ ...form, output: 'i32' }), [2, 11], [x, sums, factors], { xZero: 7, t: 0, ...whole });
    rowsOf(x).forEach((row, r) => {
      const mean = centred ? row.reduce((sum, value) => sum + value - 7, 0) / 11 : 0;
      const distances = row.map((value) => (value - 7 - mean) * (centred ? 11 : 1));
      const root = Math.sqrt(distances.reduce((sum, value) => sum + value ** 2, 0) + 8000);
      distances.forEach((value, c) => expect(Math.abs(own[r * 11 + c]! / 1024 - (value * Math.sqrt(11)) / root)).toBeLessThan(1 / 1024));
    });
  }), FIXED);
});
