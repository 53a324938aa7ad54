import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import { requantizeFloat32 } from './rounding.ts';

/**
 * Brings i32 values to 8 bits as runtimes do that multiply in single precision (see `requantizeFloat32`):
 * `y[r][c] = clamp(rint(float32(x[r][c]) ⊗ scale[c]) + zeroPoint, low, high)`.
 *
 * Shapes: x i32 [R][C], scale i32 [2][C] with multipliers of 24 bits, y i8 [R][C].
 */
export const requantizeSinglePrecision = kernel('requantize-single-precision', {
  operands: { x: i32, scale: requantization },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x, scale }, parameters: { zeroPoint, low, high } }) =>
    requantizeFloat32(x.at(row, column), scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
});
