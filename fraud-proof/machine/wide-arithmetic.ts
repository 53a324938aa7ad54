/**
 * 64-bit integers as two signed 32-bit halves: JavaScript's own numbers are exact on halves, and several times
 * faster than bigints.
 */

const TWO_32 = 2 ** 32;
const HALF_WORD = 2 ** 16;

/** High 32 bits of the unsigned product of two unsigned 32-bit numbers. */
function multiplyHighUnsigned(left: number, right: number): number {
  const [leftLow, leftHigh] = [left & 0xffff, left >>> 16];
  const [rightLow, rightHigh] = [right & 0xffff, right >>> 16];
  const middle = leftHigh * rightLow + leftLow * rightHigh + Math.floor((leftLow * rightLow) / HALF_WORD);
  return leftHigh * rightHigh + Math.floor(middle / HALF_WORD);
}

/** High 32 bits of the signed product of two signed 32-bit numbers. */
export function multiplyHigh(left: number, right: number): number {
  return (multiplyHighUnsigned(left >>> 0, right >>> 0) - (left < 0 ? right : 0) - (right < 0 ? left : 0)) | 0;
}

/** High half of the product of two 64-bit numbers; the low half is `Math.imul` of the low halves. */
export function multiplyWideHigh(leftLow: number, leftHigh: number, rightLow: number, rightHigh: number): number {
  return (multiplyHighUnsigned(leftLow >>> 0, rightLow >>> 0) + Math.imul(leftLow, rightHigh) + Math.imul(leftHigh, rightLow)) | 0;
}

/** What a sum of two low halves carries into the high halves. */
export const carry = (sum: number, left: number): number => (sum >>> 0 < left >>> 0 ? 1 : 0);

/** What a difference of two low halves borrows from the high halves. */
export const borrow = (left: number, right: number): number => (left >>> 0 < right >>> 0 ? 1 : 0);

/** Signed comparison of two 64-bit numbers. */
export const lessThan = (leftLow: number, leftHigh: number, rightLow: number, rightHigh: number): boolean =>
  leftHigh < rightHigh || (leftHigh === rightHigh && leftLow >>> 0 < rightLow >>> 0);

/** Low and high half of `value << shift`, `shift` from 0 to 63. */
export const shiftLeftLow = (low: number, shift: number): number => (shift < 32 ? low << shift : 0);
export const shiftLeftHigh = (low: number, high: number, shift: number): number => {
  if (shift === 0) return high;
  return shift < 32 ? (high << shift) | (low >>> (32 - shift)) : low << (shift - 32);
};

/** Low half of `value >> shift`, `shift` from 0 to 63; `fill` is what the empty places get: 0 or −1. */
export const shiftRightLow = (low: number, high: number, shift: number, fill: number): number => {
  if (shift === 0) return low;
  if (shift < 32) return (low >>> shift) | (high << (32 - shift));
  return shift === 32 ? high : (high >>> (shift - 32)) | (fill << (64 - shift));
};
export const shiftRightHigh = (high: number, shift: number, fill: number): number => {
  if (shift === 0) return high;
  return shift < 32 ? (high >>> shift) | (fill << (32 - shift)) : fill;
};

/** REQUANTIZE of the low halves of its sources; see `requantize` in arithmetic.ts. */
export function requantizeHalves(accumulator: number, multiplier: number, shift: number): number {
  const productLow = Math.imul(accumulator, multiplier);
  const productHigh = multiplyHigh(accumulator, multiplier);
  const places = shift & 63;
  const halfLow = places > 0 ? shiftLeftLow(1, places - 1) : 0;
  const halfHigh = places > 0 ? shiftLeftHigh(1, 0, places - 1) : 0;
  const low = (productLow + halfLow) | 0;
  const high = (productHigh + halfHigh + carry(low, productLow)) | 0;
  const resultLow = shiftRightLow(low, high, places, high >> 31);
  const resultHigh = shiftRightHigh(high, places, high >> 31);
  if (resultHigh === resultLow >> 31) return resultLow;
  return resultHigh < 0 ? -0x80000000 : 0x7fffffff;
}

/** The 64-bit number of two halves. */
export const joinHalves = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);

/** The halves' value as a double: exact below 2^53, and never below it when the value is not. */
export const halvesAsNumber = (low: number, high: number): number => high * TWO_32 + (low >>> 0);
