import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';

/** The 32 bits as an integer in [0, 2^32). */
export const unsigned = (bits: I32): I64 => bits.wide().and(0xffff_ffffn);

/** The 64-bit number with these halves. */
export const joined = (low: I32, high: I32): I64 => high.wide().shl(32).or(unsigned(low));

/** Half `index` of a number: the low 32 bits where it is 0, else the high ones. */
export const half = (value: I64, index: I32): I32 => index.select(value.shru(32), value).narrow();

/** `floor(a · b / 2^64)` of unsigned numbers, by products of 32 bits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm M). */
export function multiplyHigh(a: I64, b: I64): I64 {
  const low = (value: I64): I64 => value.and(0xffff_ffffn);
  const [aHigh, bHigh] = [a.shru(32), b.shru(32)];
  const middle = aHigh.mul(low(b)).add(low(a).mul(low(b)).shru(32));
  const other = low(a).mul(bHigh).add(low(middle));
  return aHigh.mul(bHigh).add(middle.shru(32)).add(other.shru(32));
}
