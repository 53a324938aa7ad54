import { int32, int64 } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';

/** `|x|`, and `MIN` for the least number. */
export const absolute = <T extends I32 | I64>(x: T): T => (x as I64).max(int64(0).sub(x as I64)) as T;

/** `|x|` of a 32-bit number, as 64 bits: right for the least number too. */
export const wideAbsolute = (x: I32): I64 => absolute(x.wide());

/** How many bits a number ≥ 0 has: the least `b` with `x < 2^b`; 0 for 0. By halving: 32, 16, 8, 4, 2, 1 bits. */
export function bitLength(x: I64): I32 {
  let bits = int32(0);
  let rest = x;
  for (const step of [32, 16, 8, 4, 2, 1]) {
    const more = int64((1n << BigInt(step)) - 1n).lt(rest);
    bits = bits.add(more.mul(step));
    rest = more.select(rest.shr(step), rest);
  }
  return bits.add(int64(0).lt(rest));
}

/** Shifts by `bits` to the left, or to the right where it is negative (towards −∞). Both amounts below 64. */
export const shiftBoth = (x: I64, bits: I32): I64 => x.shl(bits.max(0).wide()).shr(int32(0).sub(bits).max(0).wide());

/** `shiftBoth` to the left, rounding halves upwards where it goes to the right. */
export function roundingShift(x: I64, bits: I32): I64 {
  const right = int32(0).sub(bits).max(0).wide();
  return x.shl(bits.max(0).wide()).add(int64(1).shl(right).shr(1)).shr(right);
}

/** A number ≥ 0 as `mantissa · 2^(bits − 31)`, the mantissa in [2^30, 2^31) and rounded down; 0 has mantissa 0. */
export function normalize(x: I64): { readonly mantissa: I32; readonly bits: I32 } {
  const bits = bitLength(x);
  return { mantissa: shiftBoth(x, int32(31).sub(bits)).narrow(), bits };
}

/**
 * `1/√x` of an integer x > 0 as `mantissa · 2^exponent`, the mantissa in [2^30, 2^31]. With `d` in [1/4, 1) and x = d · 4^h, `1/√d` lies in (1, 2]:
 * a linear first guess (relative error below 0.085), then four rounds of Newton's y ← y(3 − d y²)/2, each of which turns an error e into some 1.5e².
 */
export function reciprocalSquareRoot(x: I64): { readonly mantissa: I32; readonly exponent: I32 } {
  const half = bitLength(x).add(1).shr(1);
  // d in units of 2^−31, 29 to 31 bits.
  const d = shiftBoth(x, int32(31).sub(half.shl(1)));
  // y in units of 2^−30: 2.138 − 1.23 d, the straight line with the least relative error on [1/4, 1].
  let y = int64(Math.round(2.138 * 2 ** 30)).sub(d.mul(Math.round(1.23 * 2 ** 15)).shr(16));
  for (let round = 0; round < 4; round += 1) {
    const product = d.mul(y.mul(y).shr(30)).shr(31);
    y = y.mul(int64(3n << 30n).sub(product)).shr(31);
  }
  return { mantissa: y.min(0x7fff_ffff).narrow(), exponent: int32(-30).sub(half) };
}

/** Coefficients of f^0 … f^3 in (2^f − 1)/f, with the least greatest relative error of 2^f over [0, 1]: 2.9e-6 (found by reweighted least squares). */
const EXPONENTIAL = [0.6930448448537158, 0.24128020497925093, 0.05224247390300819, 0.013426684413504964];

/** Bits behind the point of `powerOfTwo`'s result. */
export const EXPONENTIAL_BITS = 22;

/** `2^x` for x ≤ 0 with 16 bits behind the point; the result has `EXPONENTIAL_BITS`, and is 0 below 2^−31. The polynomial is of degree four. */
export function powerOfTwo(x: I32): I32 {
  const least = x.max(-31 * 65536);
  const fraction = least.and(0xffff).shr(1);
  const terms = EXPONENTIAL.map((coefficient) => Math.round(coefficient * 65536));
  const inner = terms.reduceRight((value: I32 | null, term) => (value === null ? int32(term) : value.mul(fraction).shr(15).add(term)), null)!;
  const mantissa = inner.mul(fraction).shr(15).add(65536);
  return mantissa.shl(EXPONENTIAL_BITS - 16).shr(int32(0).sub(least.shr(16)));
}
