/** A positive real factor as `multiplier / 2^shift`, for `requantize`. */
export interface Requantization { readonly multiplier: number; readonly shift: number }

/**
 * The nearest `multiplier / 2^shift` with shift in 1…62 and the multiplier below 2^31, in [2^30, 2^31) wherever the shift's range
 * allows it, so with a relative error of at most 2^-31. Factors below 2^-63 become 0.
 *
 * @throws RangeError for a factor that is negative, not finite, or 2^30 and more.
 */
export function toRequantization(factor: number): Requantization {
  if (!(factor >= 0 && factor < 2 ** 30)) throw new RangeError(`a requantisation factor lies in [0, 2^30), not ${factor}`);
  if (factor === 0) return { multiplier: 0, shift: 1 };
  let shift = Math.min(62, 30 - Math.floor(Math.log2(factor)));
  let multiplier = Math.round(factor * 2 ** shift);
  while (multiplier >= 2 ** 31 || shift > 62) {
    shift -= 1;
    multiplier = Math.round(factor * 2 ** shift);
  }
  return { multiplier, shift };
}

/**
 * As `toRequantization`, with a multiplier below 2^bits, for accumulators of more than 32 bits; factors that are too large to stand for become the greatest that is not.
 *
 * @throws RangeError for a factor that is negative or not a number.
 */
export function toShortRequantization(factor: number, bits: number): Requantization {
  if (!(factor >= 0)) throw new RangeError(`a requantisation factor is at least 0, not ${factor}`);
  if (factor >= 2 ** (bits - 2)) return { multiplier: 2 ** bits - 1, shift: 1 };
  if (factor === 0) return { multiplier: 0, shift: 1 };
  const shift = Math.max(1, Math.min(62, bits - 1 - Math.floor(Math.log2(factor))));
  const multiplier = Math.round(factor * 2 ** shift);
  return multiplier < 2 ** bits ? { multiplier, shift } : { multiplier: Math.round(factor * 2 ** (shift - 1)), shift: shift - 1 };
}

/** Multipliers, then shifts: the two rows of a `requantization` operand. */
export function requantizationRows(factors: readonly number[], convert: (factor: number) => Requantization = toRequantization): Int32Array {
  const scales = factors.map((factor) => convert(factor));
  return Int32Array.from([...scales.map(({ multiplier }) => multiplier), ...scales.map(({ shift }) => shift)]);
}
