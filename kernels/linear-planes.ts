import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, sum } from '../deterministic-runtime/language/scalar.ts';
import { placed, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/**
 * Fully connected layer whose activations have sixteen bits, as two planes (`planes.ts`), or eight with results of sixteen:
 * `y[r][c] = clamp((acc · multiplier[c] + half) >> shift[c] + zeroPoint, low, high)` with `acc = Σ_k x[r][k] · w[c][k] + bias[c]` in 64 bits;
 * multipliers are below 2^24 so that the product fits.
 *
 * Shapes: high, low i8 [R][K], w i8 [C][K], bias i32 [1][C], scale i32 [2][C], y [R][C].
 */
export const linearPlanes = remembered((output: ElementType): Kernel =>
  kernel(`linear-planes-${output}`, {
    operands: { upper: i8, lower: i8, w: i8, bias: i32, scale: requantization },
    parameters: ['zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { upper, lower, w, bias, scale }, parameters }) => {
      const high = sum(upper.words, (k) => dot32(upper.word(row, k), w.word(column, k)));
      const low = sum(lower.words, (k) => dot32(lower.word(row, k), w.word(column, k)));
      const { multiplier, shift } = scale.at(column);
      return placed(scaled(high.wide().shl(8).add(low.wide()).add(bias.at(column).wide()), multiplier, shift), parameters);
    },
  }));

/** As `linearPlanes`, of activations of eight bits and results of sixteen. Shapes: x i8 [R][K], the rest alike; y i32 [R][C]. */
export const linearToWide = kernel('linear-to-wide', {
  operands: { x: i8, w: i8, bias: i32, scale: requantization },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i32,
  element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
    const dot = sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k)));
    const { multiplier, shift } = scale.at(column);
    return placed(scaled(dot.wide().add(bias.at(column).wide()), multiplier, shift), parameters);
  },
});
