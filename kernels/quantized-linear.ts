import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand, Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';
import { scaled, scaledWide } from './rounding.ts';
import type { Rounding } from './rounding.ts';

const dotRows = (x: ByteOperand, xRow: I32, w: ByteOperand, wRow: I32): I32 => sum(x.words, (k) => dot32(x.word(xRow, k), w.word(wRow, k)));

/**
 * Fully connected layer of a network that is quantised already (TensorFlow Lite `FULLY_CONNECTED`, `CONV_2D` of patches; ONNX `QLinearMatMul`):
 * `y[r][c] = clamp(scaled(Σ_k x[r][k] · w[c][k] + bias[c], scale[c]) + zeroPoint, low, high)`, rounded as the form says. A zero point of x belongs in the bias.
 *
 * Shapes: x i8 [R][K], w i8 [C][K], bias i32 [1][C], scale i32 [2][C], y i8 [R][C].
 */
export const quantizedLinear = remembered((rounding: Rounding): Kernel =>
  kernel(`quantized-linear-${rounding}`, {
    operands: { x: i8, w: i8, bias: i32, scale: requantization },
    parameters: ['zeroPoint', 'low', 'high'],
    output: i8,
    element: ({ row, column, operands: { x, w, bias, scale }, parameters: { zeroPoint, low, high } }) =>
      scaled(rounding, dotRows(x, row, w, column).add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
  }));

/** As `quantizedLinear` with results of more than eight bits. Shapes: as there, but y i32 [R][C]. */
export const quantizedLinearToWide = remembered((rounding: Rounding): Kernel =>
  kernel(`quantized-linear-to-wide-${rounding}`, {
    operands: { x: i8, w: i8, bias: i32, scale: requantization },
    parameters: ['zeroPoint', 'low', 'high'],
    output: i32,
    element: ({ row, column, operands: { x, w, bias, scale }, parameters: { zeroPoint, low, high } }) =>
      scaled(rounding, dotRows(x, row, w, column).add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
  }));

/**
 * As `quantizedLinear`, for weights with a zero point: the accumulator is `Σ_k x[r][k] · w[c][k] − weightZero · rowSum[r] + bias[c]`, where `rowSum[r] = Σ_k x[r][k]` comes from
 * `linearSums` with weights of one. The bias holds `weightZero · xZero · K` too.
 *
 * Shapes: as there, and rowSum i32 [R][1].
 */
export const quantizedLinearOffset = remembered((rounding: Rounding): Kernel =>
  kernel(`quantized-linear-offset-${rounding}`, {
    operands: { x: i8, w: i8, bias: i32, scale: requantization, rowSum: i32 },
    parameters: ['weightZero', 'zeroPoint', 'low', 'high'],
    output: i8,
    element: ({ row, column, operands: { x, w, bias, scale, rowSum }, parameters: { weightZero, zeroPoint, low, high } }) => {
      const accumulator = dotRows(x, row, w, column).add(bias.at(column)).sub(rowSum.at(row, 0).mul(weightZero));
      return scaled(rounding, accumulator, scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
    },
  }));

/**
 * Fully connected layer of 16-bit activations `256 · coarse + fine + 128` (`coarseBytes`, `fineBytes`) and 8-bit weights (TensorFlow Lite 16x8), with 64-bit sums and one rounding:
 * `y[r][c] = clamp(((Σ_k (256 · coarse[r][k] + fine[r][k]) · w[c][k] + bias[c]) · multiplier[c] + 2^(shift−1)) >> shift + zeroPoint, low, high)`. The bias holds `128 · Σ_k w[c][k]`.
 *
 * Shapes: coarse, fine i8 [R][K], w i8 [C][K], bias i32 [2][C] (low and high 32 bits), scale i32 [2][C] (the multiplier of at most 15 bits), y i32 [R][C].
 */
export const linearWide = kernel('linear-wide', {
  operands: { coarse: i8, fine: i8, w: i8, bias: i32, scale: requantization },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i32,
  element: ({ row, column, operands: { coarse, fine, w, bias, scale }, parameters: { zeroPoint, low, high } }) => {
    const dot = dotRows(coarse, row, w, column).wide().shl(8).add(dotRows(fine, row, w, column).wide());
    const offset = bias.at(1, column).wide().shl(32).or(bias.at(0, column).wide().and(0xffff_ffffn));
    const rounded = scaledWide(dot.add(offset), scale.at(column));
    return rounded.add(zeroPoint.wide()).clamp(low.wide(), high.wide()).narrow();
  },
});

/**
 * The same with 32-bit sums, which wrap, and gemmlowp's two roundings: what TensorFlow Lite and CMSIS-NN compute where the biases have 32 bits.
 *
 * Shapes: as there, but bias i32 [1][C], and multipliers of 31 bits.
 */
export const linearSplit = kernel('linear-split', {
  operands: { coarse: i8, fine: i8, w: i8, bias: i32, scale: requantization },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i32,
  element: ({ row, column, operands: { coarse, fine, w, bias, scale }, parameters: { zeroPoint, low, high } }) => {
    const dot = dotRows(coarse, row, w, column).shl(8).add(dotRows(fine, row, w, column));
    return scaled('twice', dot.add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});

/** 16-bit numbers as two planes of signed bytes, `x = 256 · coarse + fine + 128`: `coarse = x >> 8` or `fine = (x & 255) − 128`. Shapes: x i32 [R][C], y i8 [R][C]. */
export const coarseBytes = kernel('coarse-bytes', { operands: { x: i32 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column).shr(8) });
export const fineBytes = kernel('fine-bytes', { operands: { x: i32 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column).and(255).sub(128) });
