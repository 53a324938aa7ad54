import type { BinaryOperator, ElementType, ScalarType } from './expression.ts';

/** Width of a scalar type in bits. */
export const bitsOf = (type: ScalarType): 32 | 64 => (type === 'i32' ? 32 : 64);
/** Least value of a scalar type. */
export const leastOf = (type: ScalarType): bigint => (type === 'i32' ? -(1n << 31n) : -(1n << 63n));
/** Greatest value of a scalar type. */
export const greatestOf = (type: ScalarType): bigint => (type === 'i32' ? (1n << 31n) - 1n : (1n << 63n) - 1n);
/** The value of `type` that is congruent to `value`. */
export const wrapTo = (type: ScalarType, value: bigint): bigint => BigInt.asIntN(bitsOf(type), value);
/** What is left of an i32 when it is stored as an element: an i8 keeps the low eight bits. */
export const storedAs = (element: ElementType, value: bigint): bigint => BigInt.asIntN(element === 'i8' ? 8 : 32, value);

/** The language's binary operators on values of `type`; total, as `BinaryOperator` says. */
export function applyBinary(operator: BinaryOperator, type: ScalarType, left: bigint, right: bigint): bigint {
  const bits = bitsOf(type);
  const amount = right & BigInt(bits - 1);
  switch (operator) {
    case 'add': return wrapTo(type, left + right);
    case 'sub': return wrapTo(type, left - right);
    case 'mul': return wrapTo(type, left * right);
    case 'div': return right === 0n ? 0n : wrapTo(type, left / right);
    case 'mod': return right === 0n ? 0n : left % right;
    case 'shl': return wrapTo(type, left << amount);
    case 'shr': return left >> amount;
    case 'shru': return wrapTo(type, BigInt.asUintN(bits, left) >> amount);
    case 'and': return left & right;
    case 'or': return left | right;
    case 'xor': return left ^ right;
    case 'min': return left < right ? left : right;
    case 'max': return left > right ? left : right;
    case 'lt': return left < right ? 1n : 0n;
    case 'le': return left <= right ? 1n : 0n;
    case 'eq': return left === right ? 1n : 0n;
  }
}

/** `saturate32((accumulator · multiplier + (s > 0 ? 2^(s-1) : 0)) >> s)`, `s = shift mod 64`, 64-bit wrapping addition. */
export function applyRequantize(accumulator: bigint, multiplier: bigint, shift: bigint): bigint {
  const amount = shift & 63n;
  const rounding = amount > 0n ? 1n << (amount - 1n) : 0n;
  const scaled = wrapTo('i64', accumulator * multiplier + rounding) >> amount;
  const least = leastOf('i32');
  const greatest = greatestOf('i32');
  return scaled < least ? least : scaled > greatest ? greatest : scaled;
}
