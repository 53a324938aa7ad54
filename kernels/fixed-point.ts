import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { int64 } from '../deterministic-runtime/language/scalar.ts';

/** `(value · multiplier + 2^(shift−1)) >> shift` in 64 bits, for values of more than 32: halves upwards; shift 1…62. The product must not pass 2^63. */
export const scaled = (value: I64, multiplier: I32, shift: I32): I64 =>
  value.mul(multiplier.wide()).add(int64(1).shl(shift.sub(1).wide())).shr(shift.wide());

/** Puts a value on an output's scale: `clamp(value, low − zeroPoint, high − zeroPoint) + zeroPoint`. */
export const placed = (value: I64, { zeroPoint, low, high }: { readonly zeroPoint: I32; readonly low: I32; readonly high: I32 }): I32 =>
  value.clamp(low.sub(zeroPoint).wide(), high.sub(zeroPoint).wide()).narrow().add(zeroPoint);

/** As `placed`, of 32 bits. */
export const placed32 = (value: I32, { zeroPoint, low, high }: { readonly zeroPoint: I32; readonly low: I32; readonly high: I32 }): I32 =>
  value.clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);

/** Quotient rounded to nearest, halves away from zero; 0 for a divisor of 0. */
export function roundedQuotient(dividend: I64, divisor: I64): I64 {
  const half = divisor.lt(0).select(int64(0).sub(divisor), divisor).div(2);
  return dividend.add(dividend.lt(0).select(int64(0).sub(half), half)).div(divisor);
}
