import { int32, int64, requantize, requantizeTwice } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';

/**
 * How runtimes of quantised networks multiply a sum by a real factor and round it; `{ multiplier, shift }` stands for `multiplier / 2^shift`, 0 ≤ multiplier, shift 1…62.
 * - `once`: `(x · multiplier + 2^(shift−1)) >> shift`: one rounding, halves upwards.
 * - `twice`: gemmlowp's two roundings, see `requantizeTwice`.
 * - `float32`: what a product of two numbers in single precision and its rounding to the nearest integer, halves to even, come to, computed in integers.
 */
export type Rounding = 'once' | 'twice' | 'float32';

/** A real factor in the kernel language. */
export interface Factor { readonly multiplier: I32; readonly shift: I32 }

/** `accumulator` times a factor, rounded; at most 32 bits, and with `float32` cut to ±65536. */
export function scaled(rounding: Rounding, accumulator: I32, factor: Factor): I32 {
  if (rounding === 'once') return requantize(accumulator, factor);
  return rounding === 'twice' ? requantizeTwice(accumulator, factor) : requantizeFloat32(accumulator, factor);
}

/** All bits below the highest one of a number of at most 16 bits, and that one. */
function filled(value: I32): I32 {
  return [1, 2, 4, 8].reduce((bits, distance) => bits.or(bits.shru(distance)), value);
}

/**
 * `rint(float32(accumulator) ⊗ factor)`, where ⊗ is the product of IEEE 754 single precision and the factor's multiplier has exactly its 24 bits (2^23 ≤ multiplier < 2^24, or 0): what
 * XNNPACK and onnxruntime compute with floats. All of it is round-to-nearest, halves to even. The result is cut to ±65536.
 *
 * A product of n whole units and a fraction is rounded to 24 bits before it is rounded to an integer. That moves it to n + 1/2, and from there to the even neighbour, whenever it is
 * nearer to n + 1/2 than half a unit in the last of the 24 bits, 2^(floor(log2(n + 1/2)) − 24).
 */
export function requantizeFloat32(accumulator: I32, { multiplier, shift }: Factor): I32 {
  const negative = accumulator.lt(0);
  const wide = accumulator.wide();
  const product = toSinglePrecision(negative.select(int64(0).sub(wide), wide)).mul(multiplier.wide());
  const s = shift.wide();
  const whole = product.shru(s).min(0xffff).narrow();
  const fraction = product.and(int64(1).shl(s).sub(1));
  const half = int64(1).shl(s.sub(1));
  const reach = filled(whole).add(1).wide().shl(s).shru(25);
  const limit = whole.and(1).select(half.sub(reach).sub(1), half.add(reach));
  const rounded = whole.add(limit.lt(fraction));
  return negative.select(int32(0).sub(rounded), rounded);
}

/** A number 0 … 2^31 rounded to 24 significant bits, halves to even, as its conversion to single precision does. */
function toSinglePrecision(magnitude: I64): I64 {
  const unit = filled(magnitude.shru(24).narrow()).add(1).wide();
  // Everything twice, so that half a unit is a whole number where the unit is 1.
  const twice = magnitude.shl(1);
  const odd = twice.and(unit.shl(1)).eq(0).eq(0);
  return twice.add(unit).sub(1).add(odd.wide()).and(int64(0).sub(unit.shl(1))).shru(1);
}

/** `(accumulator · multiplier + 2^(shift−1)) >> shift` for a 64-bit sum; the product must fit 63 bits. */
export function scaledWide(accumulator: I64, { multiplier, shift }: Factor): I64 {
  return accumulator.mul(multiplier.wide()).add(int64(1).shl(shift.sub(1).wide())).shr(shift.wide());
}
