import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pad, permute, reshape, transpose } from './layout.ts';
import { FIXED, byte, tensorOf } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';

describe('layout', () => {
  test('reshape keeps the order of elements across padded rows', () => {
    fc.assert(
      fc.property(fc.constantFrom([1, 72], [72, 1], [36, 2], [2, 36], [8, 9]), fc.constantFrom([1, 72], [72, 1], [18, 4], [2, 36]), fc.infiniteStream(byte), ([r = 1, c = 1], [rows = 1, columns = 1], stream) => {
        const data = [...stream.take(r * c)];
        expect(runKernel(reshape, [rows, columns], [{ rows: r, columns: c, data }])).toEqual(data);
      }),
      FIXED,
    );
  });

  test('transpose', () => {
    const x = { rows: 2, columns: 3, data: [1, 2, 3, 4, 5, 6] };
    expect(runKernel(transpose, [3, 2], [x])).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test('permute orders four axes as nested loops do', () => {
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(sizes, orders, (from, order) => {
        const [a = 1, b = 1, c = 1, d = 1] = from;
        const data = Array.from({ length: a * b * c * d }, (_, index) => ((index * 37) % 256) - 128);
        const sourceStrides = [b * c * d, c * d, d, 1];
        const [size0 = 1, size1 = 1, size2 = 1, size3 = 1] = order.map((axis) => from[axis]!);
        const [stride0 = 1, stride1 = 1, stride2 = 1, stride3 = 1] = order.map((axis) => sourceStrides[axis]!);
        const expected: number[] = [];
        const at = [0, 0, 0, 0];
        for (let i = 0; i < size0; i += 1) for (let j = 0; j < size1; j += 1) for (let k = 0; k < size2; k += 1) for (let l = 0; l < size3; l += 1) {
          [i, j, k, l].forEach((coordinate, index) => { at[order[index]!] = coordinate; });
          expected.push(data[((at[0]! * b + at[1]!) * c + at[2]!) * d + at[3]!]!);
        }
        const parameters = { size1, size2, size3, stride0, stride1, stride2, stride3 };
        expect(runKernel(permute, [size0 * size1, size2 * size3], [{ rows: a, columns: b * c * d, data }], parameters)).toEqual(expected);
      }),
      FIXED,
    );
  });

  test('pad puts a border of the fill around an image', () => {
    fc.assert(
      fc.property(tensorOf(6, 2, byte), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 }), (x, top, left, bottom, right) => {
        const [height, width] = [2, 3];
        const outputWidth = width + left + right;
        const expected = Array.from({ length: (height + top + bottom) * outputWidth * 2 }, () => 99);
        for (let y = 0; y < height; y += 1) for (let column = 0; column < width; column += 1) for (let c = 0; c < 2; c += 1) {
          expected[((y + top) * outputWidth + column + left) * 2 + c] = x.data[(y * width + column) * 2 + c]!;
        }
        expect(runKernel(pad, [(height + top + bottom) * outputWidth, 2], [x], { height, width, outputWidth, top, left, fill: 99 })).toEqual(expected);
      }),
      FIXED,
    );
  });
});
