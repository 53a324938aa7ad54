import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64 } from '../deterministic-runtime/language/scalar.ts';
import { bitLength } from './integer-mathematics.ts';

/* The logarithm of a softmax of bytes, in four operators: `rowMaximum` and `exponentialSums` of quantized-softmax.ts, the sums' logarithms, the differences. */

/** Bits behind the point of a logarithm. */
const LOGARITHM_BITS = 24;

/** `log(2)`, with 32 bits behind the point. */
const LOG_TWO = BigInt(Math.round(Math.LN2 * 2 ** 32));

/**
 * `round(2^24 · log(sum / 2^30))` for sums of at least 2^30, given as low 31 bits and the rest; error below 2 units. A bit of the binary logarithm is whether the square of the number,
 * brought to [1, 2), is at least 2.
 *
 * Shapes: sums i32 [R][2], y i32 [R][1].
 */
export const rowLogarithms = kernel('row-logarithms', {
  operands: { sums: i32 },
  output: i32,
  element: ({ row, operands: { sums } }) => {
    const total = sums.at(row, 1).wide().shl(31).or(sums.at(row, 0).wide());
    const length = bitLength(total);
    const over = length.sub(31);
    let mantissa = total.shl(int32(60).sub(length).max(0).wide()).shr(29);
    let bits = over;
    for (let bit = 0; bit < LOGARITHM_BITS + 2; bit += 1) {
      const square = mantissa.mul(mantissa).shr(30);
      const more = square.shr(31).narrow();
      mantissa = square.shr(more.wide());
      bits = bits.shl(1).add(more);
    }
    return bits.wide().mul(int64(LOG_TWO)).add(int64(1n << 33n)).shr(34).narrow();
  },
});

/**
 * `y = clamp(zeroPoint − round((greatest[r] − x[r][c]) · multiplier / 2^shift + steps · logarithm[r] / 2^24), −128, 127)`, halves to even; shift is 0 … 30, steps 1 … 2^8.
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
