import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, sum } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';
import { scaled, scaledWide } from './rounding.ts';
import type { Rounding } from './rounding.ts';

/**
 * Products of matrices that are both computed, one for each of a batch (TensorFlow Lite `BATCH_MATMUL`), the second one transposed:
 * `y[b·rows + r][n] = clamp(scaled(Σ_k (x[b·rows + r][k] − xZero) · (w[b·N + n][k] − wZero), factor) + zeroPoint, low, high)`. The zero points are taken out with the rows' sums.
 *
 * Shapes: x i8 [B·rows][K], w i8 [B·N][K], xSum i32 [B·rows][1] and wSum i32 [B·N][1] (Σ_k of each), y i8 [B·rows][N].
 */
export const quantizedMatrixProduct = remembered((rounding: Rounding): Kernel =>
  kernel(`quantized-matrix-product-${rounding}`, {
    operands: { x: i8, w: i8, xSum: i32, wSum: i32 },
    parameters: ['rows', 'inner', 'xZero', 'wZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: i8,
    element: ({ row, column, output, operands: { x, w, xSum, wSum }, parameters: p }) => {
      const other = row.div(p.rows).mul(output.columns).add(column);
      const dot = sum(x.words, (k) => dot32(x.word(row, k), w.word(other, k)));
      const total = dot.sub(xSum.at(row, 0).mul(p.wZero)).sub(wSum.at(other, 0).mul(p.xZero)).add(p.inner.mul(p.xZero).mul(p.wZero));
      return scaled(rounding, total, { multiplier: p.multiplier, shift: p.shift }).clamp(p.low.sub(p.zeroPoint), p.high.sub(p.zeroPoint)).add(p.zeroPoint);
    },
  }));

/** The same for 16-bit numbers with zero points of 0, with 64-bit sums and one rounding. Shapes: x i32 [B·rows][K], w i32 [B·N][K], y i32 [B·rows][N]. */
export const matrixProductWide = kernel('matrix-product-wide', {
  operands: { x: i32, w: i32 },
  parameters: ['rows', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: i32,
  element: ({ row, column, output, operands: { x, w }, parameters: { rows, multiplier, shift, zeroPoint, low, high } }) => {
    const other = row.div(rows).mul(output.columns).add(column);
    const total = sum(x.columns, (k) => x.at(row, k).mul(w.at(other, k)).wide());
    return scaledWide(total, { multiplier, shift }).add(zeroPoint.wide()).clamp(low.wide(), high.wide()).narrow();
  },
});
