import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64, requantize } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/** `operand` at (row, column), with a dimension of one element repeated (ONNX broadcasting in two dimensions). */
function broadcast(operand: TensorOperand, row: I32, column: I32): I32 {
  return operand.at(operand.rows.eq(1).select(int32(0), row), operand.columns.eq(1).select(int32(0), column));
}

/**
 * Sum of two quantised tensors, each with a scale of its own, with one rounding:
 * `y = clamp(((a − aZero) · aMultiplier + (b − bZero) · bMultiplier + 2^(shift−1)) >> shift + zeroPoint, low, high)`, in 64 bits.
 * The multipliers are the scales divided by y's, times 2^shift; shift is 1…40.
 *
 * Shapes: a i8 [R][C]; b i8 [R][C], [1][C], [R][1] or [1][1]; y i8 [R][C].
 */
export const add = kernel('add', {
  operands: { a: i8, b: i8 },
  parameters: ['aZero', 'bZero', 'aMultiplier', 'bMultiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { a, b }, parameters }) => {
    const { aZero, bZero, aMultiplier, bMultiplier, shift, zeroPoint, low, high } = parameters;
    const left = a.at(row, column).sub(aZero).wide().mul(aMultiplier.wide());
    const right = broadcast(b, row, column).sub(bZero).wide().mul(bMultiplier.wide());
    const half = int64(1).shl(shift.sub(1).wide());
    const rounded = left.add(right).add(half).shr(shift.wide());
    return rounded.clamp(low.sub(zeroPoint).wide(), high.sub(zeroPoint).wide()).narrow().add(zeroPoint);
  },
});

/**
 * Product of two quantised tensors (ONNX `Mul`): `y = clamp(requantize((a − aZero) · (b − bZero), multiplier, shift) + zeroPoint, low, high)`.
 *
 * Shapes: a i8 [R][C]; b i8 [R][C], [1][C], [R][1] or [1][1]; y i8 [R][C].
 */
export const multiply = kernel('multiply', {
  operands: { a: i8, b: i8 },
  parameters: ['aZero', 'bZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { a, b }, parameters }) => {
    const { aZero, bZero, multiplier, shift, zeroPoint, low, high } = parameters;
    const product = a.at(row, column).sub(aZero).mul(broadcast(b, row, column).sub(bZero));
    return requantize(product, { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});

/** `y = clamp(x, low, high)` (ONNX `Clip`; `Relu` with `low` = x's zero point, `high` = 127). Shapes: x, y i8 [R][C]. */
export const clamp = kernel('clamp', {
  operands: { x: i8 },
  parameters: ['low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x }, parameters: { low, high } }) => x.at(row, column).clamp(low, high),
});
