import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { depthwiseDot, windowDot, windowParameters } from './image-window.ts';

/**
 * Two-dimensional convolution that keeps its sums (ONNX `ConvInteger` with a bias), for images of 32 channels or more:
 * `y[Y·W'+X][o] = Σ_ky Σ_kx Σ_c x[tap(ky,kx)][c] · w[(o·kH + ky)·kW + kx][c] + bias[o]`. Taps outside the image count as zero.
 *
 * Shapes: x i8 [H·W][C], w i8 [O·kH·kW][C], bias i32 [1][O], y i32 [H'·W'][O].
 */
export const convolutionSums = kernel('convolution-sums', {
  operands: { x: i8, w: i8, bias: i32 },
  parameters: windowParameters,
  output: i32,
  element: ({ row, column, operands: { x, w, bias }, parameters }) => windowDot(parameters, row, column, x, w).add(bias.at(column)),
});

/**
 * Depthwise convolution that keeps its sums: `y[Y·W'+X][c] = Σ_ky Σ_kx x[tap(ky,kx)][c] · w[ky·kW + kx][c] + bias[c]`.
 * Taps outside the image count as zero.
 *
 * Shapes: x i8 [H·W][C], w i8 [kH·kW][C], bias i32 [1][C], y i32 [H'·W'][C].
 */
export const depthwiseConvolutionSums = kernel('depthwise-convolution-sums', {
  operands: { x: i8, w: i8, bias: i32 },
  parameters: windowParameters,
  output: i32,
  element: ({ row, column, operands: { x, w, bias }, parameters }) => depthwiseDot(parameters, row, column, x, w).add(bias.at(column)),
});
