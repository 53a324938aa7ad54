/*
 * Fixed-point functions of gemmlowp (github.com/google/gemmlowp, fixedpoint/fixedpoint.h), which TensorFlow Lite's kernels are written in; here they make tables. A number of `bits`
 * bits with `integerBits` integer bits stands for `raw / 2^(bits − 1 − integerBits)`.
 */

/** `SaturatingRoundingDoublingHighMul`: with both signs it comes to `(a · b + 2^(bits−2)) >> (bits − 1)`, saturated. */
export function roundingHigh(bits: Bits, a: number, b: number): number {
  if (bits === 16) return Math.min(32767, Math.floor((a * b + 2 ** 14) / 2 ** 15));
  const product = (BigInt(a) * BigInt(b) + (1n << 30n)) >> 31n;
  return Number(product > 0x7fff_ffffn ? 0x7fff_ffffn : product);
}

/** Numbers of 16 or of 32 bits. */
export type Bits = 16 | 32;

const greatest = (bits: Bits): number => 2 ** (bits - 1) - 1;
const saturate = (bits: Bits, value: number): number => Math.max(-(2 ** (bits - 1)), Math.min(greatest(bits), value));

/** `RoundingDivideByPOT`: halves away from zero. */
export const divideByPower = (value: number, power: number): number => Math.sign(value) * Math.floor(Math.abs(value) / 2 ** power + 0.5);

/** `SaturatingRoundingMultiplyByPOT`. */
const byPower = (bits: Bits, value: number, power: number): number => (power < 0 ? divideByPower(value, -power) : saturate(bits, value * 2 ** power));

/** A constant that is written with 31 bits behind the point and `integerBits` fewer here. */
const constant = (bits: Bits, value: number): number => (bits === 32 ? value : divideByPower(value, 16));

/** `RoundingHalfSum`. */
const halfSum = (a: number, b: number): number => Math.trunc((a + b + (a + b >= 0 ? 1 : -1)) / 2);

/** `exp(x)` for −1/4 ≤ x < 0 with no integer bits: Taylor's series around −1/8. */
function nearZero(bits: Bits, a: number): number {
  const term = constant(bits, 1895147668);
  const x = a + 2 ** (bits - 4);
  const times = (p: number, q: number): number => roundingHigh(bits, p, q);
  const square = times(x, x);
  const cube = times(square, x);
  const fourth = divideByPower(times(square, square), 2);
  const rest = divideByPower(times(fourth + cube, constant(bits, 715827883)) + square, 1);
  const sum = term + times(term, x + rest);
  return bits === 16 ? saturate(bits, sum) : sum;
}

/** `exp(−2^k)` for k = −2 … 4, with 31 bits behind the point. */
const POWERS: readonly number[] = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** `exp_on_negative_values`: `exp(x)` for x ≤ 0 of `integerBits` integer bits, with none. */
export function exponential(bits: Bits, raw: number, integerBits: number): number {
  if (raw === 0) return greatest(bits);
  const fraction = bits - 1 - integerBits;
  const quarter = 2 ** (fraction - 2);
  const rest = (((raw % quarter) + quarter) % quarter) - quarter;
  let result = nearZero(bits, byPower(bits, rest, integerBits));
  const remainder = rest - raw;
  POWERS.forEach((power, index) => {
    const exponent = index - 2;
    if (integerBits > exponent && Math.floor(remainder / 2 ** (fraction + exponent)) % 2 === 1) result = roundingHigh(bits, result, constant(bits, power));
  });
  return integerBits > 5 && raw < -(2 ** (fraction + 5)) ? 0 : result;
}

/** `2 / (1 + x)`, for x in [0, 1) with no integer bits, with two: Newton and Raphson's division. */
function twoOverOnePlus(bits: Bits, a: number): number {
  const times = (p: number, q: number): number => roundingHigh(bits, p, q);
  const half = halfSum(a, greatest(bits));
  let x = constant(bits, 1515870810) + times(half, constant(bits, -1010580540));
  for (let round = 0; round < 3; round += 1) x += byPower(bits, times(x, 2 ** (bits - 3) - times(half, x)), 2);
  return x;
}

/** `1 / (1 + exp(−x))` of a number with `integerBits` integer bits, with none. */
export function logistic(bits: Bits, raw: number, integerBits: number): number {
  if (raw === 0) return 2 ** (bits - 2);
  const positive = byPower(bits, twoOverOnePlus(bits, exponential(bits, -Math.abs(raw), integerBits)), 1);
  return raw > 0 ? positive : greatest(bits) - positive;
}

/** The hyperbolic tangent of a number with `integerBits` integer bits, with none. */
export function hyperbolicTangent(bits: Bits, raw: number, integerBits: number): number {
  if (raw === 0) return 0;
  const size = byPower(bits, twoOverOnePlus(bits, exponential(bits, -Math.abs(raw), integerBits + 1)) - 2 ** (bits - 3), 2);
  return raw < 0 ? -size : size;
}
