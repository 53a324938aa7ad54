import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { maximum, minimum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';

/*
 * ONNX's `DynamicQuantizeLinear` and what follows it, on fixed-point numbers: the range of the values is found while the program runs. With lo ≤ 0 ≤ hi the values' ends
 * and R = hi − lo, unsigned bytes stand for steps of R / 255: `zero = round(−lo · 255 / R)`, `q = clamp(round(x · 255 / R) + zero, 0, 255)`. Bytes are held 128 lower.
 */

/** `numerator / denominator` to the nearest integer, halves away from zero; 0 where the denominator is 0, which is not negative. */
function nearest(numerator: I64, denominator: I64): I64 {
  const half = denominator.shr(1);
  return numerator.add(numerator.lt(0).select(half.mul(-1), half)).div(denominator);
}

const steps = (value: I32, range: I32): I64 => nearest(value.wide().mul(255), range.wide());

/**
 * The values' range R in column 0, and the zero point less 128 in column 1. The values lie within ±2^30.
 *
 * Shapes: x i32 [R][C], y i32 [1][2].
 */
export const dynamicRange = kernel('dynamic-range', {
  operands: { x: i32 },
  output: i32,
  element: ({ column, operands: { x } }) => {
    const least = minimum(x.rows, (row) => minimum(x.columns, (k) => x.at(row, k))).min(0);
    const greatest = maximum(x.rows, (row) => maximum(x.columns, (k) => x.at(row, k))).max(0);
    const range = greatest.sub(least);
    const zero = steps(least.mul(-1), range).clamp(0, 255).narrow().sub(128);
    return column.eq(0).select(range, zero);
  },
});

/** The bytes, less 128. Shapes: x i32 [R][C], range as `dynamicRange` gives it, y i8 [R][C]. */
export const dynamicQuantize = kernel('dynamic-quantize', {
  operands: { x: i32, range: i32 },
  output: i8,
  element: ({ row, column, operands: { x, range } }) =>
    steps(x.at(row, column), range.at(0)).clamp(-512, 512).narrow().add(range.at(1)).clamp(-128, 127),
});

/** Bits that a sum times a range loses before it is multiplied by its factor. */
const DROPPED_BITS = 16;
/** What the factor of `rescaleDynamicSums` is a multiple of. */
export const DROPPED_STEPS = 2 ** DROPPED_BITS;

/**
 * Sums of such bytes as fixed-point numbers of another scale: `y[r][c] = ((s · R) >> 16) · multiplier[c] / 2^shift[c]`, rounded and saturated to 32 bits, with
 * `s = x[r][c] − zero · total[c]` where total is the sum of the column's weights.
 *
 * Shapes: x i32 [R][C], range i32 [1][2], totals i32 [1][C], scale i32 [2][C], y i32 [R][C].
 */
export const rescaleDynamicSums = kernel('rescale-dynamic-sums', {
  operands: { x: i32, range: i32, totals: i32, scale: i32 },
  output: i32,
  element: ({ row, column, operands: { x, range, totals, scale } }) => {
    const sum = x.at(row, column).sub(range.at(1).mul(totals.at(column)));
    const product = sum.wide().mul(range.at(0).wide()).shr(DROPPED_BITS).clamp(-(2 ** 31), 2 ** 31 - 1);
    // Rounded by adding a half, after all bits but one behind the point are gone.
    const twice = product.mul(scale.at(0, column).wide()).shr(scale.at(1, column).sub(1).wide());
    return twice.add(1).shr(1).clamp(-(2 ** 30), 2 ** 30).narrow();
  },
});

/** Fixed-point numbers with one a column added, then cut: `y[r][c] = clamp(x[r][c] + bias[c], low, 2^30)`. Shapes: x, y i32 [R][C], bias i32 [1][C]. */
export const addFixedBias = kernel('add-fixed-bias', {
  operands: { x: i32, bias: i32 },
  parameters: ['low'],
  output: i32,
  element: ({ row, column, operands: { x, bias }, parameters: { low } }) => x.at(row, column).add(bias.at(column)).clamp(low, 2 ** 30),
});
