import { describe, expect, test } from 'vitest';
import { i32, i8, kernel } from '../language/kernel.ts';
import type { Kernel } from '../language/kernel.ts';
import { dot32, maximum, requantize, sum } from '../language/scalar.ts';
import type { I32 } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import type { TensorShape } from '../program/tensor.ts';
import { chooseSchedule, tilingFor } from './schedule.ts';

const shape = (element: 'i8' | 'i32', rows: number, columns: number): TensorShape => ({ element, rows, columns });
const bind = (definition: Kernel, operands: readonly TensorShape[], output: TensorShape): SpecializedKernel =>
  specialize(definition, { operands: operands.map((operand) => ({ shape: operand, kind: 'single' })), parameters: {}, output, maxIterations: 0 });

const matrix = kernel('matrix', {
  operands: { x: i8, w: i8 }, output: i32,
  element: ({ row, column, operands: { x, w } }) => sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))),
});
const product = (rows: number, columns: number, depth: number): SpecializedKernel => bind(matrix, [shape('i8', rows, depth), shape('i8', columns, depth)], shape('i32', rows, columns));
const greatest = kernel('greatest', { operands: { x: i32 }, output: i32, element: ({ row, operands: { x } }) => maximum(x.columns, (k) => x.at(row, k)) });

describe('on a GPU', () => {
  const schedule = (specialized: SpecializedKernel): string => chooseSchedule(specialized, { isSoftware: false });

  test('a product of matrices is tiled; of a row and a matrix, or a small one, it is shared', () => {
    expect(schedule(product(512, 512, 512))).toBe('block');
    expect(schedule(product(128, 128, 512))).toBe('tile');
    expect(schedule(product(4, 32_000, 4096))).toBe('tile');
    const both = kernel('both', {
      operands: { high: i8, low: i8, w: i8 }, output: i32,
      element: ({ row, column, operands: { high, low, w } }) =>
        sum(w.words, (k) => dot32(high.word(row, k), w.word(column, k))).shl(8).add(sum(w.words, (k) => dot32(low.word(row, k), w.word(column, k)))),
    });
    expect(schedule(bind(both, [shape('i8', 512, 512), shape('i8', 512, 512), shape('i8', 512, 512)], shape('i32', 512, 512)))).toBe('tile');
    expect(schedule(product(1, 32_000, 4096))).toBe('workgroup');
    expect(schedule(product(8, 64, 4096))).toBe('workgroup');
  });

  test('a slice reads what lies next to another slice’s; the longer the reduction, the more slices', () => {
    expect(tilingFor(product(1, 4096, 4096), 'workgroup')).toEqual({ rows: 1, columns: 4, slices: 64, tiles: 1, slicesAdjacent: true });
    expect(tilingFor(product(1, 4096, 1024), 'workgroup')).toEqual({ rows: 1, columns: 4, slices: 16, tiles: 4, slicesAdjacent: true });
    expect(tilingFor(bind(greatest, [shape('i32', 1, 32_000)], shape('i32', 1, 1)), 'workgroup')).toEqual({ rows: 1, columns: 8, slices: 256, tiles: 1, slicesAdjacent: true });
  });

  test('short reductions and heavy elements are not divided', () => {
    expect(tilingFor(product(1, 4096, 31 * 32), 'workgroup')).toBeNull();
    let heavy = kernel('light', { operands: { x: i8 }, output: i8, element: ({ row, operands: { x } }) => sum(x.words, (k) => dot32(x.word(row, k), x.word(row, k))) });
    const specialized = bind(heavy, [shape('i8', 1, 4096)], shape('i8', 1, 8));
    expect(tilingFor(specialized, 'workgroup')).not.toBeNull();
    heavy = kernel('heavy', {
      operands: { x: i8 }, output: i8,
      element: ({ row, column, operands: { x } }) => Array.from({ length: 13 }).reduce<I32>(
        (value) => requantize(value, { multiplier: value, shift: value }), sum(x.words, (k) => dot32(x.word(row, k), x.word(column, k)))),
    });
    expect(tilingFor(bind(heavy, [shape('i8', 1, 4096)], shape('i8', 1, 8)), 'workgroup')).toBeNull();
  });

  test('workgroups stay within the portable limits', () => {
    for (const columns of [1, 8, 40, 4096]) {
      for (const depth of [1024, 4096, 2 ** 20]) {
        const { slices, tiles } = tilingFor(product(1, columns, depth), 'workgroup') as NonNullable<ReturnType<typeof tilingFor>>;
        expect(slices * tiles).toBeGreaterThanOrEqual(64);
        expect(slices * tiles).toBeLessThanOrEqual(256);
        expect(Number.isInteger(Math.log2(slices))).toBe(true);
      }
    }
  });
});

test('a driver on the processor has an invocation a unit', () => {
  expect(chooseSchedule(product(512, 512, 512), { isSoftware: true })).toBe('invocation');
});
