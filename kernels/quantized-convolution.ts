import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { sum } from '../deterministic-runtime/language/scalar.ts';
import { rowOrNone, tapAt, windowDot, windowParameters } from './image-window.ts';
import { remembered } from './remembered.ts';
import { scaled, scaledWide } from './rounding.ts';
import type { Rounding } from './rounding.ts';

/**
 * Two-dimensional convolution of a network that is quantised already, directly, for images of 32 channels or more (TensorFlow Lite `CONV_2D`, ONNX `QLinearConv`; one image, NHWC):
 * `y[Y·W'+X][o] = clamp(scaled(Σ_ky Σ_kx Σ_c x[tap(ky,kx)][c] · w[(o·kH + ky)·kW + kx][c] + bias[o], scale[o]) + zeroPoint, low, high)`, rounded as the form says.
 * Taps outside the image count as zero, so with a zero point of x other than 0 a padded image has to be made first.
 *
 * Shapes: x i8 [H·W][C], w i8 [O·kH·kW][C], bias i32 [1][O], scale i32 [2][O], y i8 [H'·W'][O].
 */
export const quantizedConvolution = remembered((rounding: Rounding): Kernel =>
  kernel(`quantized-convolution-${rounding}`, {
    operands: { x: i8, w: i8, bias: i32, scale: requantization },
    parameters: [...windowParameters, 'zeroPoint', 'low', 'high'],
    output: i8,
    element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
      const { zeroPoint, low, high } = parameters;
      const dot = windowDot(parameters, row, column, x, w);
      return scaled(rounding, dot.add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
    },
  }));

/**
 * Depthwise convolution of a network that is quantised already (TensorFlow Lite `DEPTHWISE_CONV_2D`); output channel o reads channel `o div multiplier`:
 * `y[Y·W'+X][o] = clamp(scaled(Σ_ky Σ_kx x[tap(ky,kx)][o div multiplier] · (w[ky·kW + kx][o] − weightZero) + bias[o], scale[o]) + zeroPoint, low, high)`.
 * Taps outside the image count as zero.
 *
 * Shapes: x i8 [H·W][C], w i8 [kH·kW][C·multiplier], bias i32 [1][C·multiplier], scale i32 [2][C·multiplier], y i8 [H'·W'][C·multiplier].
 */
export const quantizedDepthwise = remembered((rounding: Rounding): Kernel =>
  kernel(`quantized-depthwise-${rounding}`, {
    operands: { x: i8, w: i8, bias: i32, scale: requantization },
    parameters: [...windowParameters, 'channelMultiplier', 'weightZero', 'zeroPoint', 'low', 'high'],
    output: i8,
    element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
      const { kernelHeight, kernelWidth, channelMultiplier, weightZero, zeroPoint, low, high } = parameters;
      const channel = column.div(channelMultiplier);
      const total = sum(kernelHeight, (ky) =>
        sum(kernelWidth, (kx) => x.at(rowOrNone(tapAt(parameters, row, ky, kx)), channel).mul(w.at(ky.mul(kernelWidth).add(kx), column).sub(weightZero))));
      return scaled(rounding, total.add(bias.at(column)), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
    },
  }));

/**
 * Depthwise convolution of 16-bit activations with 64-bit sums and one rounding (TensorFlow Lite 16x8).
 *
 * Shapes: x i32 [H·W][C] of 16-bit numbers, w i8 [kH·kW][C·multiplier], bias i32 [2][C·multiplier] (low and high 32 bits), scale i32 [2][C·multiplier], y i32 [H'·W'][C·multiplier].
 */
export const depthwiseWide = kernel('depthwise-wide', {
  operands: { x: i32, w: i8, bias: i32, scale: requantization },
  parameters: [...windowParameters, 'channelMultiplier', 'zeroPoint', 'low', 'high'],
  output: i32,
  element: ({ row, column, operands: { x, w, bias, scale }, parameters }) => {
    const { kernelHeight, kernelWidth, channelMultiplier, zeroPoint, low, high } = parameters;
    const channel = column.div(channelMultiplier);
    const total = sum(kernelHeight, (ky) =>
      sum(kernelWidth, (kx) => x.at(rowOrNone(tapAt(parameters, row, ky, kx)), channel).mul(w.at(ky.mul(kernelWidth).add(kx), column)).wide()));
    const offset = bias.at(1, column).wide().shl(32).or(bias.at(0, column).wide().and(0xffff_ffffn));
    return scaledWide(total.add(offset), scale.at(column)).add(zeroPoint.wide()).clamp(low.wide(), high.wide()).narrow();
  },
});
