import { describe, expect, test } from 'vitest';
import { evaluateElement, evaluateTensor } from '../language/evaluate.ts';
import { i32, i8, kernel } from '../language/kernel.ts';
import type { Kernel } from '../language/kernel.ts';
import { dot32, int32, maximum, sum } from '../language/scalar.ts';
import type { I32 } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import { Random } from '../language/testing/random.ts';
import { byteLength, packTensor } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { liveColumns } from './live-columns.ts';
import type { ByIteration } from './live-columns.ts';
import { runKernel } from './testing/run-kernel.ts';

const shape = { element: 'i32', rows: 1, columns: 40 } as const;

/** What is known of the columns of an element. */
function columnsOf(element: (scope: { readonly column: I32; readonly iteration: I32; readonly x: I32 }) => I32, maxIterations = 40): ByIteration | null {
  const definition = kernel('element', {
    operands: { x: i32 }, output: i32, element: ({ column, iteration, operands: { x } }) => element({ column, iteration, x: x.at(column) }),
  });
  return liveColumns(specialize(definition, { operands: [{ shape, kind: 'single' }], parameters: {}, output: shape, maxIterations }));
}

describe('columns that can be other than zero', () => {
  test('are those that a condition lets through', () => {
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration).select(x, 0))).toEqual({ base: 1, perIteration: 1 });
    expect(columnsOf(({ column, iteration, x }) => column.lt(iteration.mul(2).add(3)).select(x, 0))).toEqual({ base: 3, perIteration: 2 });
    expect(columnsOf(({ column, iteration, x }) => iteration.lt(column).select(int32(0), x))).toEqual({ base: 1, perIteration: 1 });
    expect(columnsOf(({ column, iteration, x }) => column.eq(iteration).select(x, 0))).toEqual({ base: 1, perIteration: 1 });
    expect(columnsOf(({ column, iteration, x }) => x.lt(5).and(column.lt(iteration)).select(x, 0))).toEqual({ base: 0, perIteration: 1 });
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration).select(x, 0).mul(x).shr(2).div(3))).toEqual({ base: 1, perIteration: 1 });
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration).select(x, 0).add(column.lt(7).select(x, 0)))).toEqual({ base: 7, perIteration: 1 });
    expect(columnsOf(({ column, iteration, x }) => maximum(3, (k) => column.le(iteration).select(x.mul(k), 0)))).toEqual({ base: 1, perIteration: 1 });
  });

  test('are all columns where nothing says otherwise', () => {
    expect(columnsOf(({ x }) => x)).toBeNull();
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration).select(x, 1))).toBeNull();
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration).select(x, 0).add(1))).toBeNull();
    expect(columnsOf(({ column, iteration, x }) => iteration.le(column).select(x, 0))).toBeNull();
    expect(columnsOf(({ column, x }) => column.le(x).select(x, 0))).toBeNull();
    expect(columnsOf(({ column, iteration, x }) => column.le(int32(9).sub(iteration)).select(x, 0))).toBeNull();
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration.mul(2 ** 29)).select(x, 0))).toBeNull();
    expect(columnsOf(({ column, iteration, x }) => column.le(iteration.mul(65_535).mul(65_535)).select(x, 0))).toBeNull();
  });
});

/** Scores of attention, with what goes with them: rows of another iteration's tensor, and elements of it. */
const scores = kernel('scores', {
  operands: { queries: i8, keys: i8, scale: i32 },
  output: i32,
  element: ({ row, column, iteration, operands: { queries, keys, scale } }) => {
    const dot = sum(queries.words, (k) => dot32(queries.word(row, k), keys.word(row.shr(1), k, { iteration: column })));
    return column.le(iteration).select(dot.mul(scale.at(0, row, { iteration: column })).add(3), 0);
  },
});
/** The same of bytes, and of earlier iterations only. */
const earlier = kernel('earlier', {
  operands: { queries: i8, keys: i8, scale: i32 },
  output: i8,
  element: ({ row, column, iteration, operands: { queries, keys, scale } }) =>
    column.lt(iteration).select(queries.at(row, 1).mul(keys.at(0, 2, { iteration: column })).add(scale.at(0, row, { iteration: column })).add(1), 0),
});
/** Reads that the condition does not cover: the tensor of the iteration itself is not written where only earlier ones are. */
const uncovered = kernel('uncovered', {
  operands: { queries: i8, keys: i8, scale: i32 },
  output: i32,
  element: ({ row, column, iteration, operands: { queries, keys, scale } }) =>
    column.le(iteration).select(keys.at(0, 3, { iteration: column.add(1) }).add(scale.at(0, row, { iteration: column }).mul(queries.at(row, 0))), 0)
      .add(iteration.lt(column).select(int32(0), keys.at(0, 1, { iteration: column }))),
});

describe('kernels over the iterations so far', () => {
  const check = (definition: Kernel, columns: number, width: number, latest: 0 | -1, iteration: number, cuts: readonly number[] = []): void => {
    const random = new Random(columns * 100 + width + iteration);
    const shapes: readonly TensorShape[] = [{ element: 'i8', rows: 4, columns: width }, { element: 'i8', rows: 2, columns: width }, { element: 'i32', rows: 1, columns: 4 }];
    const output: TensorShape = { element: definition.output, rows: 4, columns };
    const specialized = specialize(definition, {
      operands: shapes.map((of, index) => (index === 0 ? { shape: of, kind: 'single' } : { shape: of, kind: 'iterated', latest })),
      parameters: {}, output, maxIterations: columns, iterations: { least: 0, greatest: columns - 1 },
    });
    const tensor = (of: TensorShape): Uint8Array => packTensor(of, Uint8Array.from({ length: of.rows * of.columns * (byteLength({ ...of, rows: 1, columns: 32 }) / 32) }, () => random.bits() & 255));
    // Tensors of iterations to come are in memory, from a run before; they must not show.
    const tensors = shapes.map((of, index) => Array.from({ length: index === 0 ? 1 : columns }, () => tensor(of)));
    const newest = iteration + latest;
    const expected = evaluateTensor(output, (row, column) => evaluateElement(specialized, { row, column, iteration }, (operand, at) =>
      (operand === 0 ? tensors[0]![0] : at <= newest ? tensors[operand]![at] : undefined)));
    for (const distinct of [false, true]) {
      const actual = runKernel(specialized, { iteration, operands: tensors, columnCuts: cuts }, { distinct });
      expect(Buffer.compare(actual, expected), `${definition.name}, ${columns} columns, width ${width}, latest ${latest}, iteration ${iteration}`).toBe(0);
    }
  };

  test.each([scores, earlier, uncovered])('$name: the same bits in every iteration, and zeros beyond', (definition) => {
    for (const [columns, width] of [[2, 8], [4, 8], [7, 5], [21, 16], [33, 33], [64, 70]] as const) {
      for (const latest of [0, -1] as const) {
        for (const iteration of [0, 1, Math.floor(columns / 2), columns - 1]) check(definition, columns, width, latest, iteration);
      }
    }
  });

  test('divided between calls', () => {
    for (const iteration of [0, 5, 70, 130, 149]) for (const definition of [scores, earlier]) check(definition, 150, 8, 0, iteration, [64, 128]);
  });
});
