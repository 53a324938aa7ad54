import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { placed, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/*
 * A fully connected layer whose activations of sixteen bits become bytes with a scale a row that is found while the program runs: each row's greatest magnitude M stands for 127. One dot product
 * of bytes then does what takes two with both planes (`linear-planes.ts`), and rows of small numbers keep their precision beside rows of large ones.
 */

/** The greatest byte of a row. */
export const ROW_STEPS = 127;

/** Each row's greatest magnitude; elements lie above −2^31. Shapes: x i32 [R][K], y i32 [R][1]. */
export const rowMagnitudes = kernel('row-magnitudes', {
  operands: { x: i32 },
  output: i32,
  element: ({ row, operands: { x } }) => maximum(x.columns, (k) => x.at(row, k).max(int32(0).sub(x.at(row, k)))),
});

/** `y[r][k] = round(x[r][k] · 127 / M[r])`, halves away from zero; 0 in a row of zeros. Elements lie within ±2^22. Shapes: x i32 [R][K], magnitudes i32 [R][1], y i8 [R][K]. */
export const bytesOfRows = kernel('bytes-of-rows', {
  operands: { x: i32, magnitudes: i32 },
  output: i8,
  element: ({ row, column, operands: { x, magnitudes } }) => {
    const [value, magnitude] = [x.at(row, column), magnitudes.at(row, 0)];
    const half = value.lt(0).select(int32(0).sub(magnitude), magnitude);
    return value.mul(2 * ROW_STEPS).add(half).div(magnitude.mul(2));
  },
});

/**
 * `y[r][c] = clamp((acc · multiplier[c] + half) >> shift[c] + zeroPoint, low, high)` with `acc = M[r] · Σ_k x[r][k] · w[c][k] + 127 · bias[c]` in 64 bits; the products of accumulators and multipliers must
 * stay below 2^62.
 *
 * Shapes: x i8 [R][K] as `bytesOfRows` gives it, magnitudes i32 [R][1], w i8 [C][K], bias i32 [1][C], scale i32 [2][C], y [R][C].
 */
export const linearRows = remembered((output: ElementType): Kernel =>
  kernel(`linear-rows-${output}`, {
    operands: { x: i8, magnitudes: i32, w: i8, bias: i32, scale: requantization },
    parameters: ['zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { x, magnitudes, w, bias, scale }, parameters }) => {
      const dot = sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k)));
      const { multiplier, shift } = scale.at(column);
      return placed(scaled(dot.wide().mul(magnitudes.at(row, 0).wide()).add(bias.at(column).wide().mul(ROW_STEPS)), multiplier, shift), parameters);
    },
  }));
