import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';

/**
 * A function of one byte by table (sigmoid, tanh, …): `y[r][c] = table[0][x[r][c] & 255]`, so the entry of a negative x stands at `256 + x`.
 *
 * Shapes: x i8 [R][C], table i8 [1][256], y i8 [R][C].
 */
export const lookup = kernel('lookup', {
  operands: { x: i8, table: i8 },
  output: i8,
  element: ({ row, column, operands: { x, table } }) => table.at(x.at(row, column).and(255)),
});

/**
 * Rows of a table by number (ONNX `Gather` on axis 0; embeddings, labels): `y[r][c] = table[index[r][0]][c]`; zeros where the table has no such row.
 *
 * Shapes: index i32 [R][1], table i8 [N][C], y i8 [R][C].
 */
export const gatherRows = kernel('gather-rows', {
  operands: { index: i32, table: i8 },
  output: i8,
  element: ({ row, column, operands: { index, table } }) => table.at(index.at(row, 0), column),
});
