import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import { requantize } from '../deterministic-runtime/language/scalar.ts';
import { depthwiseDot, windowDot, windowParameters } from './image-window.ts';

/**
 * Two-dimensional convolution, directly (ONNX `Conv`, TensorFlow Lite `CONV_2D`, one image, NHWC), for images of 32 channels or
 * more; below that use `patches` and `linear`:
 * `y[Y·W'+X][o] = clamp(requantize(Σ_ky Σ_kx Σ_c x[tap(ky,kx)][c] · w[(o·kH + ky)·kW + kx][c] + bias[o], scale[o]) + zeroPoint, low, high)`.
 * Taps outside the image count as zero, so with a zero point of x other than 0 a padded image has to be made first (`pad`).
 *
 * Shapes: x i8 [H·W][C], w i8 [O·kH·kW][C], bias i32 [1][O], scale i32 [2][O], y i8 [H'·W'][O].
 */
export const convolution = kernel('convolution', {
  operands: { x: i8, w: i8, bias: i32, scale: requantization },
  parameters: [...windowParameters, 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
    const { zeroPoint, low, high } = parameters;
    const dot = windowDot(parameters, row, column, x, w);
    return requantize(dot.add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});

/**
 * Depthwise convolution (ONNX `Conv` with `group` = channels, TensorFlow Lite `DEPTHWISE_CONV_2D` with multiplier 1):
 * `y[Y·W'+X][c] = clamp(requantize(Σ_ky Σ_kx x[tap(ky,kx)][c] · w[ky·kW + kx][c] + bias[c], scale[c]) + zeroPoint, low, high)`.
 * Taps outside the image count as zero.
 *
 * Shapes: x i8 [H·W][C], w i8 [kH·kW][C], bias i32 [1][C], scale i32 [2][C], y i8 [H'·W'][C].
 */
export const depthwiseConvolution = kernel('depthwise-convolution', {
  operands: { x: i8, w: i8, bias: i32, scale: requantization },
  parameters: [...windowParameters, 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
    const { zeroPoint, low, high } = parameters;
    const dot = depthwiseDot(parameters, row, column, x, w);
    return requantize(dot.add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});
