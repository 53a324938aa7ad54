import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum, requantize, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { rowOrNone, tapAt, windowParameters } from './image-window.ts';
import type { Tap } from './image-window.ts';

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

/** Fraction bits of a mean before it is brought to its scale; windows of up to 2^17 taps do not overflow. */
const MEAN_FRACTION_BITS = 6;
/** Steps in 1 of that mean. */
export const MEAN_STEPS = 2 ** MEAN_FRACTION_BITS;

/**
 * Mean over a window (ONNX `AveragePool`, `GlobalAveragePool`):
 * `y[Y·W'+X][c] = clamp(requantize(round(MEAN_STEPS · Σ (x[tap][c] − xZero) / n), multiplier, shift) + zeroPoint, low, high)` over the taps inside the image, halves
 * away from zero, with n their number, or that of all taps if `countPadding` is 1. Where n = 0 the mean is 0. The factor is x's scale / (MEAN_STEPS · y's).
 *
 * Shapes: x i8 [H·W][C], y i8 [H'·W'][C].
 */
export const averagePooling = kernel('average-pooling', {
  operands: { x: i8 },
  parameters: [...windowParameters, 'countPadding', 'xZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x }, parameters }) => {
    const { kernelHeight, kernelWidth, countPadding, xZero, multiplier, shift, zeroPoint, low, high } = parameters;
    const overTaps = (value: (tap: Tap) => I32): I32 => sum(kernelHeight, (ky) => sum(kernelWidth, (kx) => value(tapAt(parameters, row, ky, kx))));
    const total = overTaps((tap) => tap.inside.select(x.at(rowOrNone(tap), column).sub(xZero), 0)).shl(MEAN_FRACTION_BITS);
    const count = overTaps((tap) => tap.inside.or(countPadding));
    const half = count.div(2);
    const mean = total.add(total.lt(0).select(int32(0).sub(half), half)).div(count);
    return requantize(mean, { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});
