import { ACTIVATIONS } from './schema.ts';
import type { FusedActivation } from './schema.ts';

/** A real factor as integers: `multiplier / 2^shift`. */
export interface IntegerFactor { readonly multiplier: number; readonly shift: number }

/** To the nearest integer, halves away from zero, as C's `round`. */
export const awayFromZero = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));

/** `value = fraction · 2^exponent` with 1/2 ≤ fraction < 1 (C's `frexp`); value > 0. */
function fractionAndExponent(value: number): readonly [fraction: number, exponent: number] {
  let exponent = Math.floor(Math.log2(value)) + 1;
  if (value / 2 ** exponent >= 1) exponent += 1;
  else if (value / 2 ** exponent < 0.5) exponent -= 1;
  return [value / 2 ** exponent, exponent];
}

/**
 * A factor as TensorFlow Lite's reference kernels have it (`QuantizeMultiplier`, tensorflow/lite/kernels/internal/quantization_util.cc): 31 bits, halves away from zero; factors
 * below 2^-32 are 0. There the exponent is the left shift; here it is `31 − shift`.
 *
 * @throws RangeError for factors that are negative, not finite, or 2^30 and more.
 */
export function quantizeMultiplier(factor: number): IntegerFactor {
  if (!(factor >= 0 && factor < 2 ** 30)) throw new RangeError(`a factor of ${factor} between scales: it lies in [0, 2^30)`);
  if (factor === 0) return { multiplier: 0, shift: 31 };
  const [fraction, exponent] = fractionAndExponent(factor);
  const rounded = Math.round(fraction * 2 ** 31);
  const [multiplier, left] = rounded === 2 ** 31 ? [2 ** 30, exponent + 1] : [rounded, exponent];
  return left < -31 ? { multiplier: 0, shift: 31 } : { multiplier, shift: 31 - left };
}

/**
 * A factor for 16-bit activations: the multiplier rounded to 15 bits, to be used with 64-bit sums and one rounding (`MultiplyByQuantizedMultiplier` of an int64, as above).
 */
export function reducedMultiplier(factor: number): IntegerFactor {
  const { multiplier, shift } = quantizeMultiplier(factor);
  return { multiplier: multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 2 ** 16) : 0x7fff, shift: shift - 16 };
}

/** A single-precision factor as its 24 bits and an exponent, for the rounding `float32`; 0 below 2^-39, where it brings any sum to 0. */
export function singlePrecisionFactor(factor: number): IntegerFactor {
  const single = Math.fround(factor);
  if (!(single >= 0 && single < 2 ** 20)) throw new RangeError(`a factor of ${factor} between scales: it lies in [0, 2^20)`);
  if (single < 2 ** -38) return { multiplier: 0, shift: 31 };
  const [fraction, exponent] = fractionAndExponent(single);
  return { multiplier: fraction * 2 ** 24, shift: 24 - exponent };
}

/** The integers that a fused activation cuts to (`CalculateActivationRangeQuantized`, tensorflow/lite/kernels/kernel_util.cc); null for one that does not cut. */
export function activationRange(code: number, { scale, zeroPoint }: { readonly scale: number; readonly zeroPoint: number }, [least, greatest]: readonly [number, number]): { readonly low: number; readonly high: number } | null {
  const activation: FusedActivation | undefined = ACTIVATIONS[code];
  const integer = (value: number): number => {
    const quotient = Math.fround(value / scale);
    return zeroPoint + Math.sign(quotient) * Math.round(Math.abs(quotient));
  };
  switch (activation) {
    case 'NONE': return { low: least, high: greatest };
    case 'RELU': return { low: Math.max(least, integer(0)), high: greatest };
    case 'RELU6': return { low: Math.max(least, integer(0)), high: Math.min(greatest, integer(6)) };
    case 'RELU_N1_TO_1': return { low: Math.max(least, integer(-1)), high: Math.min(greatest, integer(1)) };
    default: return null;
  }
}
