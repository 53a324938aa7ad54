import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { requantize } from '../deterministic-runtime/language/scalar.ts';

/**
 * A row of a table of 8-bit weights as fixed-point numbers: `y[0][c] = requantize(table[index][c], scale[index], shift)`, zeros where there is no such row.
 *
 * Shapes: index i32 [1][1], table i8 [V][C], scale i32 [1][V], y i32 [1][C].
 */
export const embedding = kernel('embedding', {
  operands: { index: i32, table: i8, scale: i32 },
  parameters: ['shift'],
  output: i32,
  element: ({ column, operands: { index, table, scale }, parameters: { shift } }) =>
    requantize(table.at(index.at(0), column), { multiplier: scale.at(index.at(0)), shift }),
});

/** The same for weights of 16 bits, 256 · high + low. Shapes: high, low i8 [V][C]. */
export const wideEmbedding = kernel('wide-embedding', {
  operands: { index: i32, high: i8, low: i8, scale: i32 },
  parameters: ['shift'],
  output: i32,
  element: ({ column, operands: { index, high, low, scale }, parameters: { shift } }) => {
    const row = index.at(0);
    return requantize(high.at(row, column).mul(256).add(low.at(row, column)), { multiplier: scale.at(row), shift });
  },
});

/**
 * Adds a learned position's row (GPT-2), of 16 bits, to a row: `y[0][c] = x[0][c] + requantize(256 · high[t][c] + low[t][c], scale[t], shift)`, t being the iteration.
 *
 * Shapes: x i32 [1][C], high, low i8 [T][C], scale i32 [1][T], y i32 [1][C].
 */
export const learnedPosition = kernel('learned-position', {
  operands: { x: i32, high: i8, low: i8, scale: i32 },
  parameters: ['shift'],
  output: i32,
  element: ({ column, iteration, operands: { x, high, low, scale }, parameters: { shift } }) =>
    requantize(high.at(iteration, column).mul(256).add(low.at(iteration, column)), { multiplier: scale.at(iteration), shift }).add(x.at(column)),
});
