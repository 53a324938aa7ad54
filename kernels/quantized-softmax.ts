import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int64, maximum, sum } from '../deterministic-runtime/language/scalar.ts';

/*
 * Softmax of bytes by a table of exponentials, in three operators: a row's maximum, the sum of its exponentials, the quotients. `table[d]` is `2^30 · exp(−scale · d)` for d = 0 … 255.
 */

/** A row's greatest element. Shapes: x i8 [R][C], y i32 [R][1]. */
export const rowMaximum = kernel('row-maximum', {
  operands: { x: i8 },
  output: i32,
  element: ({ row, operands: { x } }) => maximum(x.columns, (k) => x.at(row, k)),
});

/**
 * A row's sum of exponentials, `Σ_k table[greatest[r] − x[r][k]]`, as its low 31 bits (column 0) and the rest (column 1).
 *
 * Shapes: x i8 [R][C], greatest i32 [R][1], table i32 [1][256], y i32 [R][2].
 */
export const exponentialSums = kernel('exponential-sums', {
  operands: { x: i8, greatest: i32, table: i32 },
  output: i32,
  element: ({ row, column, operands: { x, greatest, table } }) => {
    const total = sum(x.columns, (k) => table.at(greatest.at(row, 0).sub(x.at(row, k))).wide());
    return total.shru(column.mul(31).wide()).and(0x7fff_ffff).narrow();
  },
});

/**
 * `y = clamp(round(table[greatest[r] − x[r][c]] · steps / sum[r]) + zeroPoint, −128, 127)`, halves upwards.
 *
 * Shapes: x i8 [R][C], greatest i32 [R][1], sums i32 [R][2], table i32 [1][256], y i8 [R][C]; steps is 1 … 2^16.
 */
export const exponentialShares = kernel('exponential-shares', {
  operands: { x: i8, greatest: i32, sums: i32, table: i32 },
  parameters: ['steps', 'zeroPoint'],
  output: i8,
  element: ({ row, column, operands: { x, greatest, sums, table }, parameters: { steps, zeroPoint } }) => {
    const total = sums.at(row, 1).wide().shl(31).or(sums.at(row, 0).wide());
    const exponential = table.at(greatest.at(row, 0).sub(x.at(row, column))).wide();
    const share = exponential.mul(steps.wide()).mul(int64(2)).add(total).div(total.shl(1));
    return share.min(512).narrow().add(zeroPoint).clamp(-128, 127);
  },
});
