import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';

/** Sum of two i32 tensors, modulo 2^32: `y[r][c] = a[r][c] + b[r][c]`. Shapes: a, b, y i32 [R][C]. */
export const addSums = kernel('add-sums', {
  operands: { a: i32, b: i32 },
  output: i32,
  element: ({ row, column, operands: { a, b } }) => a.at(row, column).add(b.at(row, column)),
});
