import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import { requantize } from '../deterministic-runtime/language/scalar.ts';

/**
 * Brings i32 values to 8 bits, a scale a column: `y[r][c] = clamp(requantize(x[r][c], scale[c]) + zeroPoint, low, high)`.
 *
 * Shapes: x i32 [R][C], scale i32 [2][C], y i8 [R][C].
 */
export const requantizeSums = kernel('requantize-sums', {
  operands: { x: i32, scale: requantization },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x, scale }, parameters: { zeroPoint, low, high } }) =>
    requantize(x.at(row, column), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
});

/**
 * Brings i32 values with a scale a column to one scale: `y[r][c] = requantize(x[r][c], scale[c])`, so that columns compare.
 *
 * Shapes: x i32 [R][C], scale i32 [2][C], y i32 [R][C].
 */
export const rescaleSums = kernel('rescale-sums', {
  operands: { x: i32, scale: requantization },
  output: i32,
  element: ({ row, column, operands: { x, scale } }) => requantize(x.at(row, column), scale.at(column)),
});

/**
 * Another scale for 8-bit values: `y = clamp(requantize(x − xZero, multiplier, shift) + zeroPoint, low, high)`.
 *
 * Shapes: x, y i8 [R][C].
 */
export const rescale = kernel('rescale', {
  operands: { x: i8 },
  parameters: ['xZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x }, parameters: { xZero, multiplier, shift, zeroPoint, low, high } }) =>
    requantize(x.at(row, column).sub(xZero), { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
});

/** Unsigned bytes as signed ones with zero point −128: `y = (x & 255) − 128`. Shapes: x, y i8 [R][C]. */
export const fromUnsigned = kernel('from-unsigned', {
  operands: { x: i8 },
  output: i8,
  element: ({ row, column, operands: { x } }) => x.at(row, column).and(255).sub(128),
});

/** Eight-bit values as 32-bit ones: `y = x`. Shapes: x i8 [R][C], y i32 [R][C]. */
export const widen = kernel('widen', {
  operands: { x: i8 },
  output: i32,
  element: ({ row, column, operands: { x } }) => x.at(row, column),
});
