import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import { requantize, sum } from '../deterministic-runtime/language/scalar.ts';

/**
 * Splits a row of numbers 0 … 2^(7R)−1 into R rows of seven-bit digits, the most significant first, so that `linear-sums` may multiply
 * activations of more than eight bits: `y[r][c] = (x[0][c] >> 7·(R−1−r)) & 127`.
 *
 * Shapes: x i32 [1][C], y i8 [R][C].
 */
export const splitDigits = kernel('split-digits', {
  operands: { x: i32 },
  output: i8,
  element: ({ row, column, output, operands: { x } }) => x.at(column).shru(output.rows.sub(1).sub(row).mul(7)).and(127),
});

/**
 * Puts the sums of digits together again, adds a bias and brings the result to one scale:
 * `y[0][c] = clamp(requantize(Σ_r x[r][c] · 2^(7·(R−1−r)) + bias[c], scale[c]), low, high)`.
 *
 * Shapes: x i32 [R][C], bias i32 [1][C], scale i32 [2][C], y i32 [1][C].
 */
export const joinDigits = kernel('join-digits', {
  operands: { x: i32, bias: i32, scale: requantization },
  parameters: ['low', 'high'],
  output: i32,
  element: ({ column, operands: { x, bias, scale }, parameters: { low, high } }) => {
    const joined = sum(x.rows, (row) => x.at(row, column).shl(x.rows.sub(1).sub(row).mul(7)));
    return requantize(joined.add(bias.at(column)), scale.at(column)).clamp(low, high);
  },
});
