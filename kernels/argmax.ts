import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { maximum } from '../deterministic-runtime/language/scalar.ts';

/**
 * Index of each row's greatest value, the first of equals (ONNX `ArgMax` on the last axis):
 * `y[r][0] = ~low32(max_k ((x[r][k] << 32) | ~k))`, since among equal values the greatest ~k (unsigned) has the least k.
 *
 * Shapes: x i32 [R][C], y i32 [R][1].
 */
export const argmax = kernel('argmax', {
  operands: { x: i32 },
  output: i32,
  element: ({ row, operands: { x } }) =>
    maximum(x.columns, (k) => x.at(row, k).wide().shl(32).or(k.xor(-1).wide().and(0xffff_ffffn))).narrow().xor(-1),
});
