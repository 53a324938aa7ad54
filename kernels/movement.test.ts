import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatenated, copied, expanded, gathered, padded, reshaped, rowMajorShape, sliced, tiled, transposed } from './movement.ts';
import type { ProgramBuilder, Tensor } from './program-builder.ts';
import { embed, gatherElements } from './gather.ts';
import { resample, resizeBilinear } from './resample.ts';
import { FIXED } from './testing/arbitraries.ts';
import { runBuilder } from './testing/run-builder.ts';
import { runKernel } from './testing/run-kernel.ts';

const SOME = { ...FIXED, numRuns: 20 };
const dimensions = (least: number, most: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 1, max: 4 }), { minLength: least, maxLength: most });
const element = fc.constantFrom('i8' as const, 'i32' as const);
const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
const numbers = (length: number): number[] => Array.from({ length }, (_, index) => ((index * 37 + 11) % 251) - 125);

/** Every coordinate below `dims`, row-major. */
function coordinates(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>((all, dim) => all.flatMap((at) => Array.from({ length: dim }, (_, index) => [...at, index])), [[]]);
}
/** x's element at a coordinate; `otherwise` outside. */
function at(data: readonly number[], dims: readonly number[], coordinate: readonly number[], otherwise = NaN): number {
  if (coordinate.some((value, axis) => value < 0 || value >= dims[axis]!)) return otherwise;
  return data[coordinate.reduce((index, value, axis) => index * dims[axis]! + value, 0)]!;
}
/** Some rows and columns for so many elements: the input's own shape does not matter. */
const someShape = (type: 'i8' | 'i32', dims: readonly number[], pick: number): { element: 'i8' | 'i32'; rows: number; columns: number } => {
  const total = count(dims);
  const divisors = Array.from({ length: total }, (_, index) => index + 1).filter((divisor) => total % divisor === 0);
  const columns = divisors[pick % divisors.length]!;
  return { element: type, rows: total / columns, columns };
};

/** Compares what `move` gives for tensors of every shape with what `source` says each element of the result is. */
async function check(dims: number[], type: 'i8' | 'i32', pick: number, target: readonly number[], move: (builder: ProgramBuilder, x: Tensor) => Tensor, source: (at: number[]) => number): Promise<void> {
  const shape = someShape(type, dims, pick);
  // A copy after it makes sure that there is an operator even where nothing moves.
  const result = await runBuilder(shape, numbers(count(dims)), (builder, x) => {
    const moved = move(builder, x);
    return copied(builder, 'copy', moved, { element: type, rows: 1, columns: count(target) + 1 }, [{ size: count(target) + 1, step: 1, high: count(target) }], 0, 77);
  });
  expect(result).toEqual([...coordinates(target).map(source), 77]);
}

describe('movement of tensors of any rank, of both types', () => {
  test('transposed', async () => {
    await fc.assert(fc.asyncProperty(dimensions(2, 5).chain((dims) => fc.tuple(fc.constant(dims), fc.shuffledSubarray(dims.map((_, axis) => axis), { minLength: dims.length }))), element, fc.nat(20), async ([dims, order], type, pick) => {
      const target = order.map((axis) => dims[axis]!);
      await check(dims, type, pick, target, (builder, x) => transposed(builder, 't', x, dims, order), (to) => {
        const from: number[] = [];
        order.forEach((axis, index) => { from[axis] = to[index]!; });
        return at(numbers(count(dims)), dims, from);
      });
    }), SOME);
  });

  test('sliced, with steps and backwards', async () => {
    const slice = dimensions(1, 4).chain((dims) => fc.tuple(fc.constant(dims), fc.tuple(...dims.map((dim) => fc.tuple(fc.nat(dim - 1), fc.constantFrom(-2, -1, 1, 2))))));
    await fc.assert(fc.asyncProperty(slice, element, fc.nat(20), async ([dims, cuts], type, pick) => {
      const [starts, steps] = [cuts.map(([start]) => start), cuts.map(([, step]) => step)];
      const sizes = dims.map((dim, axis) => (steps[axis]! > 0 ? Math.ceil((dim - starts[axis]!) / steps[axis]!) : Math.floor(starts[axis]! / -steps[axis]!) + 1));
      await check(dims, type, pick, sizes, (builder, x) => sliced(builder, 's', x, dims, starts, sizes, steps), (to) => at(numbers(count(dims)), dims, to.map((value, axis) => starts[axis]! + value * steps[axis]!)));
    }), SOME);
  });

  test('expanded and tiled', async () => {
    await fc.assert(fc.asyncProperty(dimensions(2, 4), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }), element, fc.nat(20), async (dims, by, type, pick) => {
      const narrow = dims.map((dim, axis) => (by[axis]! > 1 ? 1 : dim));
      const target = [by[3]!, ...dims];
      await check(narrow, type, pick, target, (builder, x) => expanded(builder, 'e', x, narrow, target), (to) => at(numbers(count(narrow)), narrow, to.slice(1).map((value, axis) => (narrow[axis] === 1 ? 0 : value))));
      const tiles = dims.map((dim, axis) => dim * by[axis]!);
      await check(dims, type, pick, tiles, (builder, x) => tiled(builder, 't', x, dims, by), (to) => at(numbers(count(dims)), dims, to.map((value, axis) => value % dims[axis]!)));
    }), SOME);
  });

  test('padded, and cut where a border is negative', async () => {
    const borders = dimensions(1, 4).chain((dims) => fc.tuple(fc.constant(dims), fc.array(fc.integer({ min: 0, max: 2 }), { minLength: dims.length, maxLength: dims.length }), fc.tuple(...dims.map((dim) => fc.integer({ min: 1 - dim, max: 2 })))));
    await fc.assert(fc.asyncProperty(borders, element, fc.nat(20), async ([dims, before, after], type, pick) => {
      const target = dims.map((dim, axis) => dim + before[axis]! + after[axis]!);
      await check(dims, type, pick, target, (builder, x) => padded(builder, 'p', x, dims, before, after, -9), (to) => at(numbers(count(dims)), dims, to.map((value, axis) => value - before[axis]!), -9));
    }), SOME);
  });

  test('gathered along an axis, with a fill for negative numbers', async () => {
    const cases = dimensions(1, 4).chain((dims) => fc.tuple(fc.constant(dims), fc.nat(dims.length - 1))).chain(([dims, axis]) => fc.tuple(fc.constant(dims), fc.constant(axis), fc.array(fc.integer({ min: -1, max: dims[axis]! - 1 }), { minLength: 1, maxLength: 5 })));
    await fc.assert(fc.asyncProperty(cases, element, fc.nat(20), async ([dims, axis, indices], type, pick) => {
      const target = dims.map((dim, index) => (index === axis ? indices.length : dim));
      await check(dims, type, pick, target, (builder, x) => gathered(builder, 'g', x, dims, axis, indices, 5), (to) => at(numbers(count(dims)), dims, to.map((value, index) => (index === axis ? indices[value]! : value)), 5));
    }), SOME);
  });

  test('concatenated along an axis, more than eight too', async () => {
    const cases = dimensions(1, 3).chain((dims) => fc.tuple(fc.constant(dims), fc.nat(dims.length - 1), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 10 })));
    await fc.assert(fc.asyncProperty(cases, element, fc.nat(20), async ([dims, axis, sizes], type, pick) => {
      const whole = dims.map((dim, index) => (index === axis ? sizes.reduce((sum, size) => sum + size, 0) : dim));
      await check(whole, type, pick, whole, (builder, x) => {
        let start = 0;
        const parts = sizes.map((size) => {
          const own = whole.map((dim, index) => (index === axis ? size : dim));
          const tensor = sliced(builder, 'part', x, whole, whole.map((_, index) => (index === axis ? start : 0)), own);
          start += size;
          return { tensor, dims: own };
        });
        return concatenated(builder, 'c', parts, axis);
      }, (to) => at(numbers(count(whole)), whole, to));
    }), { ...SOME, numRuns: 12 });
  });

  test('reshaped keeps the order; a wrong number of elements is refused', async () => {
    await check([4, 6], 'i32', 3, [24], (builder, x) => reshaped(builder, 'r', x, rowMajorShape('i32', [3, 8])), ([index]) => numbers(24)[index!]!);
    await expect(runBuilder({ element: 'i8', rows: 1, columns: 6 }, numbers(6), (builder, x) => reshaped(builder, 'r', x, { element: 'i8', rows: 1, columns: 7 }))).rejects.toThrow('6 elements into 1 × 7');
  });
});

describe('numbers that are computed', () => {
  test('rows of a table, counted from the end where negative; zeros where there is none', () => {
    const table = { rows: 3, columns: 2, data: [1, 2, 3, 4, 5, 6] };
    const index = { rows: 5, columns: 1, data: [2, -1, -3, 3, -4] };
    expect(runKernel(embed('i8'), [5, 2], [index, table])).toEqual([5, 6, 5, 6, 1, 2, 0, 0, 0, 0]);
  });
  test('elements of each row', () => {
    expect(runKernel(gatherElements('i32'), [2, 2], [{ rows: 2, columns: 3, data: [1, 2, 3, 4, 5, 6] }, { rows: 2, columns: 2, data: [2, 0, -1, 1] }])).toEqual([3, 1, 6, 5]);
  });
});

describe('resampling', () => {
  const [height, width, channels] = [3, 4, 2];
  const image = { rows: height * width, columns: channels, data: numbers(height * width * channels) };

  test('weighted sums along the vertical and the horizontal axis', () => {
    const [source, weight] = [[0, 1, 2, 1, 1, 0], [64, 128, -32, 64, 0, 32]];
    const table = (data: number[]): { rows: number; columns: number; data: number[] } => ({ rows: 2, columns: 3, data });
    const pixel = (y: number, x: number, c: number): number => image.data[(y * width + x) * channels + c]!;
    const mean = (t: (tap: number) => number, at: number): number => Math.floor((t(0) * weight[at]! + t(1) * weight[3 + at]! + 64) / 128);
    const vertical = [0, 1, 2].flatMap((p) => [0, 1, 2, 3].flatMap((x) => [0, 1].map((c) => mean((tap) => pixel(source[tap * 3 + p]!, x, c), p))));
    expect(runKernel(resample('i8'), [3 * width, channels], [image, table(source), table(weight)], { length: height, inner: width, shift: 7 })).toEqual(vertical);
    const horizontal = [0, 1, 2].flatMap((y) => [0, 1, 2].flatMap((p) => [0, 1].map((c) => mean((tap) => pixel(y, source[tap * 3 + p]!, c), p))));
    expect(runKernel(resample('i8'), [height * 3, channels], [image, table(source), table(weight)], { length: width, inner: 1, shift: 7 })).toEqual(horizontal);
  });

  test('bilinear rounds once, halves away from zero', () => {
    const x = { rows: 4, columns: 1, data: [0, 1, -1, -128] };
    const half = { rows: 3, columns: 3, data: [0, 0, 1, 0, 1, 1, 0, 512, 0] };
    const expected = [[0, 0.5, 1], [-0.5, (0 + 1 - 1 - 128) / 4, (1 - 128) / 2], [-1, (-1 - 128) / 2, -128]].flat().map((value) => Math.sign(value) * Math.round(Math.abs(value)));
    expect(runKernel(resizeBilinear, [9, 1], [x, half, half], { width: 2 })).toEqual(expected.map((value) => value + 0));
  });
});
