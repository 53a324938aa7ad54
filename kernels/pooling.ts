import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { rowOrNone, tapAt, windowParameters } from './image-window.ts';

/**
 * Maximum over a window (ONNX `MaxPool`, one image, NHWC): `y[Y·W'+X][c] = max over taps inside the image of x[tap][c]`, and −128
 * where there is none. Quantisation is monotonic, so y has x's scale and zero point.
 *
 * Shapes: x i8 [H·W][C], y i8 [H'·W'][C].
 */
export const maxPooling = kernel('max-pooling', {
  operands: { x: i8 },
  parameters: windowParameters,
  output: i8,
  element: ({ row, column, operands: { x }, parameters }) =>
    maximum(parameters.kernelHeight, (ky) =>
      maximum(parameters.kernelWidth, (kx) => {
        const tap = tapAt(parameters, row, ky, kx);
        return tap.inside.select(x.at(rowOrNone(tap), column), -128);
      })),
});

/**
 * Mean over a window (ONNX `AveragePool`, `GlobalAveragePool`): `y[Y·W'+X][c] = round(Σ x[tap][c] / n)`, halves away from zero, with n the
 * number of taps inside the image, or all of them if `countPadding` is 1 (then taps outside count as zero, which is right for a
 * zero point of 0 only). y has x's scale and zero point; 0 where n = 0.
 *
 * Shapes: x i8 [H·W][C], y i8 [H'·W'][C].
 */
export const averagePooling = kernel('average-pooling', {
  operands: { x: i8 },
  parameters: [...windowParameters, 'countPadding'],
  output: i8,
  element: ({ row, column, operands: { x }, parameters }) => {
    const { kernelHeight, kernelWidth, countPadding } = parameters;
    const total = sum(kernelHeight, (ky) => sum(kernelWidth, (kx) => x.at(rowOrNone(tapAt(parameters, row, ky, kx)), column)));
    const count = sum(kernelHeight, (ky) => sum(kernelWidth, (kx) => tapAt(parameters, row, ky, kx).inside.or(countPadding)));
    const half = count.div(2);
    return total.add(total.lt(0).select(int32(0).sub(half), half)).div(count);
  },
});
