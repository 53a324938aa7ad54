import { describe, expect, test } from 'vitest';
import { evaluateElement, evaluateTensor } from '../language/evaluate.ts';
import { i32, i8, kernel } from '../language/kernel.ts';
import type { Kernel } from '../language/kernel.ts';
import { dot32, sum } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import { Random } from '../language/testing/random.ts';
import { packTensor } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { COLUMN, ROW } from './graph.ts';
import { lowerKernel } from './lower.ts';
import { mergePlanes } from './planes.ts';
import { runKernel } from './testing/run-kernel.ts';

/** `Σ x · w` for x of two planes, as 64 bits: shifted down, and the low half. */
const products = kernel('products', {
  operands: { high: i8, low: i8, w: i8 },
  output: i32,
  element: ({ row, column, operands: { high, low, w } }) => {
    const upper = sum(high.words, (k) => dot32(high.word(row, k), w.word(column, k)));
    const lower = sum(low.words, (k) => dot32(low.word(row, k), w.word(column, k)));
    const total = upper.wide().shl(8).add(lower.wide());
    return total.shr(16).narrow().xor(total.narrow().mul(7));
  },
});

/** Weights of two planes too, without the product of both low ones. */
const wideProducts = kernel('wide-products', {
  operands: { high: i8, low: i8, w: i8, v: i8 },
  output: i32,
  element: ({ row, column, operands: { high, low, w, v } }) => {
    const dot = (x: typeof high, y: typeof w) => sum(high.words, (k) => dot32(x.word(row, k), y.word(column, k)));
    return dot(high, w).wide().shl(8).add(dot(high, v).add(dot(low, w)).wide()).shr(9).narrow();
  },
});

type Fill = (random: Random, index: number) => number;
const anything: Fill = (random) => random.integer(-128, 127);
const fill = (random: Random, shape: TensorShape, of: Fill): Uint8Array =>
  packTensor(shape, Uint8Array.from({ length: shape.rows * shape.columns }, (_, index) => of(random, index) & 255));

function check(definition: Kernel, rows: number, columns: number, depth: number, fills: readonly Fill[]): void {
  const random = new Random(rows * 1000 + columns * 100 + depth);
  const shapes = definition.operands.map((_, index): TensorShape => ({ element: 'i8', rows: index < 2 ? rows : columns, columns: depth }));
  const output = { element: 'i32', rows, columns } as const;
  const specialized = specialize(definition, { operands: shapes.map((shape) => ({ shape, kind: 'single' })), parameters: {}, output, maxIterations: 0 });
  const tensors = shapes.map((shape, index) => fill(random, shape, fills[index] ?? anything));
  const expected = evaluateTensor(output, (row, column) => evaluateElement(specialized, { row, column, iteration: 0 }, (operand) => tensors[operand]));
  const actual = runKernel(specialized, { iteration: 0, operands: tensors.map((tensor) => [tensor]) });
  expect(Buffer.compare(actual, expected), `${definition.name} ${rows} × ${columns} × ${depth}`).toBe(0);
}

describe('numbers of two planes', () => {
  const merged = (definition: Kernel, columns: number): number => {
    const shape: TensorShape = { element: 'i8', rows: 1, columns: 64 };
    const output = { element: 'i32', rows: 1, columns } as const;
    const operands = definition.operands.map((_, index) => ({ shape: index < 2 ? shape : { ...shape, rows: columns }, kind: 'single' as const }));
    const { graph, element } = lowerKernel(specialize(definition, { operands, parameters: {}, output, maxIterations: 0 }), []);
    expect(element.free & (ROW | COLUMN)).not.toBe(0);
    return mergePlanes(graph, element)?.planes.length ?? 0;
  };

  test('are found', () => {
    expect(merged(products, 8)).toBe(1);
    expect(merged(wideProducts, 8)).toBe(1);
  });

  test.each([products, wideProducts])('$name: the same bits, whether they fit 16 bits or not, at every length', (definition) => {
    const fitting: Fill = (random) => random.integer(-127, 127);
    const leastHigh: Fill = (_, index) => (index % 50 === 49 ? -128 : 3);
    for (const [rows, columns, depth] of [[1, 4, 1], [1, 5, 32], [2, 8, 33], [3, 9, 64], [1, 16, 97], [2, 3, 64], [5, 7, 40]] as const) {
      check(definition, rows, columns, depth, [fitting]);
      check(definition, rows, columns, depth, []);
      check(definition, rows, columns, depth, [leastHigh]);
      check(definition, rows, columns, depth, [leastHigh, () => 5]);
    }
  });

  test('the greatest sums, of one block and of several', () => {
    for (const depth of [2016, 2017, 2048, 4100]) {
      check(products, 1, 4, depth, [() => -128, () => 0, () => -128]);
      check(products, 1, 4, depth, [() => 127, () => 127, () => -128]);
      check(products, 1, 4, depth, [() => -128, () => -1, () => -128]);
      check(products, 2, 5, depth, []);
    }
  });
});
