import { int32, int64, requantize } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { bitLength } from './integer-mathematics.ts';

/* Fixed-point arithmetic of gemmlowp (github.com/google/gemmlowp, fixedpoint/fixedpoint.h) on numbers of 32 bits, in the kernel language. */

/** `SaturatingRoundingDoublingHighMul`: `saturate((a · b + 2^30) >> 31)`, for all signs. */
export const roundingHigh = (a: I32, b: I32): I32 => requantize(a, { multiplier: b, shift: int32(31) });

/** `RoundingDivideByPOT`: `x / 2^power`, halves away from zero; 0 ≤ power ≤ 31. */
export function divideByPower(x: I32, power: I32): I32 {
  const mask = int32(1).shl(power).sub(1);
  return x.shr(power).add(mask.shru(1).add(x.lt(0)).lt(x.and(mask)));
}

/** Zeros above the highest bit of x, taken as unsigned; 32 for 0. */
export const leadingZeros = (x: I32): I32 => int32(32).sub(bitLength(x.wide().and(0xffff_ffffn)));

/** `x · 2^power`, saturated. */
const saturatingLeft = (x: I32, power: number): I32 => x.wide().shl(power).clamp(int64(-(2 ** 31)), int64(2 ** 31 - 1)).narrow();

/** `1 / (1 + a)`, for 0 ≤ a < 1, argument and result with 31 bits behind the point (`one_over_one_plus_x_for_x_in_0_1`): Newton and Raphson's division. */
export function oneOverOnePlus(a: I32): I32 {
  const half = a.wide().add(2 ** 31).shr(1).narrow();
  // Two integer bits from here on: 48/17 − 32/17 · half is the first guess at 1/half.
  let x = int32(1515870810).add(roundingHigh(half, int32(-1010580540)));
  for (let round = 0; round < 3; round += 1) x = x.add(saturatingLeft(roundingHigh(x, int32(2 ** 29).sub(roundingHigh(half, x))), 2));
  return saturatingLeft(x, 1);
}
