import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand } from '../deterministic-runtime/language/kernel.ts';
import { dot32, requantize, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/** Σ_k x[xRow][k] · w[wRow][k], a word at a time; both rows end in zeros. */
function dotRows(x: ByteOperand, xRow: I32, w: ByteOperand, wRow: I32): I32 {
  return sum(x.words, (k) => dot32(x.word(xRow, k), w.word(wRow, k)));
}

/**
 * Fully connected layer (ONNX `QLinearMatMul`, TensorFlow Lite `FULLY_CONNECTED`):
 * `y[r][c] = clamp(requantize(Σ_k x[r][k] · w[c][k] + bias[c], scale[c]) + zeroPoint, low, high)`.
 *
 * Shapes: x i8 [R][K], w i8 [C][K] (one row an output channel), bias i32 [1][C], scale i32 [2][C], y i8 [R][C]. A zero point
 * of x belongs in the bias: `bias[c] − zx · Σ_k w[c][k]`.
 */
export const linear = kernel('linear', {
  operands: { x: i8, w: i8, bias: i32, scale: requantization },
  parameters: ['zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { x, w, bias, scale }, parameters: { zeroPoint, low, high } }) => {
    const accumulator = dotRows(x, row, w, column).add(bias.at(column));
    return requantize(accumulator, scale.at(column)).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});

/**
 * Fully connected layer that keeps its sums (ONNX `MatMulInteger` with a bias): `y[r][c] = Σ_k x[r][k] · w[c][k] + bias[c]`.
 *
 * Shapes: x i8 [R][K], w i8 [C][K], bias i32 [1][C], y i32 [R][C].
 */
export const linearSums = kernel('linear-sums', {
  operands: { x: i8, w: i8, bias: i32 },
  output: i32,
  element: ({ row, column, operands: { x, w, bias } }) => dotRows(x, row, w, column).add(bias.at(column)),
});
