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

/** Multipliers, then shifts: the two rows of a `requantization` operand. */
export function requantizationRows(factors: readonly number[]): Int32Array {
  const scales = factors.map(toRequantization);
  return Int32Array.from([...scales.map(({ multiplier }) => multiplier), ...scales.map(({ shift }) => shift)]);
}
