import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import { int64, sum } from '../deterministic-runtime/language/scalar.ts';

/**
 * Brings i32 values to 8 bits with halves to the even neighbour, as ONNX's `QuantizeLinear` rounds:
 * `y[r][c] = clamp(halfEven(x[r][c] · multiplier[c] / 2^shift[c]), low − zeroPoint, high − zeroPoint) + zeroPoint + Σ_j (x[r][c] = exceptions[j][c] ? steps[j][c] : 0)`.
 * The exceptions are the few values that a runtime which multiplies in single precision rounds to the other neighbour.
 *
 * Shapes: x i32 [R][C], scale i32 [2][C] with shifts 1…62, exceptions i32 [E][C], steps i8 [E][C], y i8 [R][C].
 */
export const requantizeHalfEven = kernel('requantize-half-even', {
  operands: { x: i32, scale: requantization, exceptions: i32, steps: i8 },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x, scale, exceptions, steps }, parameters: { zeroPoint, low, high } }) => {
    const value = x.at(row, column);
    const { multiplier, shift } = scale.at(column);
    const product = value.wide().mul(multiplier.wide());
    const odd = product.shr(shift.wide()).and(1);
    const justBelowHalf = int64(1).shl(shift.sub(1).wide()).sub(1);
    const rounded = product.add(justBelowHalf).add(odd).shr(shift.wide());
    const cut = rounded.clamp(low.sub(zeroPoint).wide(), high.sub(zeroPoint).wide()).narrow();
    const step = sum(exceptions.rows, (j) => value.eq(exceptions.at(j, column)).select(steps.at(j, column), 0));
    return cut.add(step).add(zeroPoint);
  },
});
