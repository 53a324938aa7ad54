import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int64, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I64 } from '../deterministic-runtime/language/scalar.ts';
import { half } from './wide-integers.ts';

/** Bits of a weight: the most probable token's is 2^24 − 1. */
export const WEIGHT_BITS = 24;

/** log2(e) · 2^30. */
const LOG2_E = 1_549_082_005;
const FRACTION_BITS = 28;
/** 2^−31 of a weight is nothing. */
const LARGEST_EXPONENT = 31 * 2 ** FRACTION_BITS;
/** Coefficients, times 2^32, of a polynomial that is within 2^−28 (relative) of 2^−f for 0 ≤ f ≤ 1, and exact at both ends. */
const POWER_OF_TWO = [4_294_967_296n, -2_977_044_470n, 1_031_764_842n, -238_386_455n, 41_300_355n, -5_704_530n, 633_126n, -46_516n] as const;

/** 2^−f · 2^32 for a fraction `f` of 28 bits, by Horner's rule. */
function powerOfTwo(fraction: I64): I64 {
  return POWER_OF_TWO.slice(0, -1).reduceRight<I64>(
    (value, coefficient) => value.mul(fraction).shr(FRACTION_BITS).add(coefficient),
    int64(POWER_OF_TWO[7]),
  );
}

/**
 * What tokens weigh against each other at a temperature: `y[0][k] = round((2^24 − 1) · exp((x[0][k] − max x) / T))`, off by 1 at most.
 * Both `x` and the temperature `T = settings[0][1]` are in 65,536ths. Where T ≤ 0 the weights mean nothing.
 *
 * Shapes: x i32 [1][V], greatest (its arg-max) i32 [1][1], settings i32 [1][4], y i32 [1][V].
 */
export const samplingWeights = kernel('sampling-weights', {
  operands: { x: i32, greatest: i32, settings: i32 },
  output: i32,
  element: ({ column, operands: { x, greatest, settings } }) => {
    const distance = x.at(0, greatest.at(0, 0)).wide().sub(x.at(0, column).wide());
    const exponent = distance.mul(LOG2_E).div(settings.at(0, 1).wide()).shr(30 - FRACTION_BITS).clamp(0, LARGEST_EXPONENT);
    const shift = exponent.shr(FRACTION_BITS).add(32);
    const rounding = int64(1).shl(shift.sub(1));
    return powerOfTwo(exponent.and(2 ** FRACTION_BITS - 1)).mul(2 ** WEIGHT_BITS - 1).add(rounding).shr(shift).narrow();
  },
});

/**
 * The sum of all weights, 64 bits: `y[0][0]` the low half, `y[0][1]` the high one.
 *
 * Shapes: weights i32 [1][V], y i32 [1][2].
 */
export const samplingTotal = kernel('sampling-total', {
  operands: { weights: i32 },
  output: i32,
  element: ({ column, operands: { weights } }) => {
    const total = sum(weights.columns, (k) => weights.at(0, k).wide());
    return half(total, column);
  },
});
