import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64 } from '../deterministic-runtime/language/scalar.ts';
import { bitLength } from './integer-mathematics.ts';

/* The logarithm of a softmax of bytes, in four operators: `rowMaximum` and `exponentialSums` of quantized-softmax.ts, the sums' logarithms, the differences. */

/** Bits behind the point of a logarithm. */
const LOGARITHM_BITS = 24;

/** `log(2)`, with 30 bits behind the point. */
const LOG_TWO = Math.round(Math.LN2 * 2 ** 30);

/** For the table below: row 0 has reciprocals `1/c` of the middles c of 256 parts of [1, 2), row 1 `log(c)` of what these reciprocals are; 30 bits behind the point. */
export function logarithmTable(): Int32Array {
  const reciprocals = Array.from({ length: 256 }, (_, part) => Math.round(2 ** 30 / (1 + (part + 0.5) / 256)));
  return Int32Array.from([...reciprocals, ...reciprocals.map((reciprocal) => Math.round(Math.log(2 ** 30 / reciprocal) * 2 ** 30))]);
}

/**
 * `round(2^24 · log(sum / 2^30))` for sums of at least 2^30, given as low 31 bits and the rest; error below 1 unit. The sum is `2^over · c · (1 + t)` with c the middle of a part of the
 * table and |t| ≤ 2^-9, and `log(1 + t)` three terms of its series.
 *
 * Shapes: sums i32 [R][2], table i32 [2][256] (`logarithmTable`), y i32 [R][1].
 */
export const rowLogarithms = kernel('row-logarithms', {
  operands: { sums: i32, table: i32 },
  output: i32,
  element: ({ row, operands: { sums, table } }) => {
    const total = sums.at(row, 1).wide().shl(31).or(sums.at(row, 0).wide());
    const length = bitLength(total);
    const mantissa = total.shl(int32(60).sub(length).max(0).wide()).shr(29);
    const part = mantissa.shr(22).narrow().sub(256);
    const t = mantissa.mul(table.at(0, part).wide()).sub(2n ** 60n).shr(30);
    const square = t.mul(t).shr(30);
    const series = t.sub(square.shr(1)).add(square.mul(t).div(int64(3n * 2n ** 30n)));
    const logarithm = length.sub(31).wide().mul(LOG_TWO).add(table.at(1, part).wide()).add(series);
    return logarithm.add(2 ** 5).shr(30 - LOGARITHM_BITS).narrow();
  },
});

/**
 * `y = clamp(zeroPoint − round((greatest[r] − x[r][c]) · multiplier / 2^shift + steps · logarithm[r] / 2^24), −128, 127)`, halves to even; shift is 1 … 30, steps 1 … 16.
 *
 * Shapes: x i8 [R][C], greatest i32 [R][1], logarithms i32 [R][1], y i8 [R][C].
 */
export const logarithmicShares = kernel('logarithmic-shares', {
  operands: { x: i8, greatest: i32, logarithms: i32 },
  parameters: ['multiplier', 'shift', 'steps', 'zeroPoint'],
  output: i8,
  element: ({ row, column, operands: { x, greatest, logarithms }, parameters: { multiplier, shift, steps, zeroPoint } }) => {
    const distance = greatest.at(row, 0).sub(x.at(row, column)).wide().mul(multiplier.wide());
    const logarithm = logarithms.at(row, 0).wide().mul(steps.wide()).shl(shift.wide()).shr(LOGARITHM_BITS);
    const value = distance.add(logarithm);
    const whole = value.shr(shift.wide());
    const fraction = value.sub(whole.shl(shift.wide()));
    const half = int64(1).shl(shift.wide()).shr(1);
    const up = half.lt(fraction).or(half.eq(fraction).and(whole.narrow().and(1)));
    return int32(0).sub(whole.min(512).narrow().add(up)).add(zeroPoint).clamp(-128, 127);
  },
});
