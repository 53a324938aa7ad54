import { applyBinary, bitsOf, greatestOf, leastOf } from './arithmetic.ts';
import type { BinaryOperator, ElementType, ReductionOperator, ScalarType } from './expression.ts';

/** All integers from `least` to `greatest`. */
export interface Interval {
  readonly least: bigint;
  readonly greatest: bigint;
}

/** Where a value lies, and where its distance from the `iteration` coordinate (value − iteration) lies. */
export interface Range extends Interval {
  readonly ahead: Interval;
}

export const interval = (least: bigint, greatest: bigint): Interval => ({ least, greatest });
export const everything = (type: ScalarType): Interval => interval(leastOf(type), greatestOf(type));
export const elementInterval = (element: ElementType): Interval => (element === 'i8' ? interval(-128n, 127n) : everything('i32'));
/** 32 products of two signed bytes. */
export const DOT_INTERVAL = interval(-32n * 128n * 127n, 32n * 128n * 128n);

const smallest = (...values: bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b));
const largest = (...values: bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b));
const magnitude = ({ least, greatest }: Interval): bigint => largest(-least, greatest);
const fits = (type: ScalarType, value: Interval): Interval =>
  value.least < leastOf(type) || value.greatest > greatestOf(type) ? everything(type) : value;

export const union = (a: Interval, b: Interval): Interval => interval(smallest(a.least, b.least), largest(a.greatest, b.greatest));
export const plus = (a: Interval, b: Interval): Interval => interval(a.least + b.least, a.greatest + b.greatest);
export const minus = (a: Interval, b: Interval): Interval => interval(a.least - b.greatest, a.greatest - b.least);
/** Both statements hold. */
export const intersection = (a: Interval, b: Interval): Interval => interval(largest(a.least, b.least), smallest(a.greatest, b.greatest));

function corners(a: Interval, b: Interval, operation: (x: bigint, y: bigint) => bigint): Interval {
  const values = [operation(a.least, b.least), operation(a.least, b.greatest), operation(a.greatest, b.least), operation(a.greatest, b.greatest)];
  return interval(smallest(...values), largest(...values));
}

/** The two's complement numbers of the fewest bits that hold both intervals; bitwise operators stay within. */
function sameBits(a: Interval, b: Interval): Interval {
  const { least, greatest } = union(a, b);
  const bits = BigInt(largest(greatest, -least - 1n, 0n).toString(2).length);
  return interval(least < 0n ? -(1n << bits) : 0n, (1n << bits) - 1n);
}

function divided(type: ScalarType, a: Interval, b: Interval): Interval {
  if (b.least > 0n || b.greatest < 0n) return fits(type, corners(a, b, (x, y) => x / y));
  const bound = magnitude(a);
  return fits(type, interval(-bound, bound));
}

function remainder(a: Interval, b: Interval): Interval {
  const bound = largest(magnitude(b) - 1n, 0n);
  return interval(a.least < 0n ? -smallest(bound, -a.least) : 0n, a.greatest > 0n ? smallest(bound, a.greatest) : 0n);
}

function shifted(operator: 'shl' | 'shr' | 'shru', type: ScalarType, a: Interval, b: Interval): Interval {
  if (b.least === b.greatest) {
    const amount = b.least & BigInt(bitsOf(type) - 1);
    if (operator === 'shl') return fits(type, interval(a.least << amount, a.greatest << amount));
    if (operator === 'shr' || a.least >= 0n) return interval(a.least >> amount, a.greatest >> amount);
    return amount === 0n ? a : interval(0n, (1n << (BigInt(bitsOf(type)) - amount)) - 1n);
  }
  if (operator === 'shl') return everything(type);
  if (operator === 'shru') return a.least >= 0n ? interval(0n, a.greatest) : everything(type);
  return interval(smallest(a.least, 0n), largest(a.greatest, -1n));
}

function compared(operator: 'lt' | 'le' | 'eq', a: Interval, b: Interval): Interval {
  const certain = {
    lt: a.greatest < b.least,
    le: a.greatest <= b.least,
    eq: a.least === a.greatest && b.least === b.greatest && a.least === b.least,
  }[operator];
  if (certain) return interval(1n, 1n);
  const impossible = {
    lt: a.least >= b.greatest,
    le: a.least > b.greatest,
    eq: a.greatest < b.least || b.greatest < a.least,
  }[operator];
  return interval(0n, impossible ? 0n : 1n);
}

/** Where `left operator right` lies, for every pair of values of the two intervals. */
export function binaryInterval(operator: BinaryOperator, type: ScalarType, left: Interval, right: Interval): Interval {
  switch (operator) {
    case 'add': return fits(type, plus(left, right));
    case 'sub': return fits(type, minus(left, right));
    case 'mul': return fits(type, corners(left, right, (x, y) => x * y));
    case 'div': return divided(type, left, right);
    case 'mod': return remainder(left, right);
    case 'shl':
    case 'shr':
    case 'shru': return shifted(operator, type, left, right);
    case 'and':
      if (left.least >= 0n && right.least >= 0n) return interval(0n, smallest(left.greatest, right.greatest));
      if (left.least >= 0n) return interval(0n, left.greatest);
      if (right.least >= 0n) return interval(0n, right.greatest);
      return sameBits(left, right);
    case 'or':
    case 'xor': return sameBits(left, right);
    case 'min':
    case 'max': return corners(left, right, (x, y) => applyBinary(operator, type, x, y));
    case 'lt':
    case 'le':
    case 'eq': return compared(operator, left, right);
  }
}

/** Where a reduction lies whose body lies in `body` and runs `times`. */
export function reductionInterval(operator: ReductionOperator, type: ScalarType, body: Interval, times: Interval): Interval {
  switch (operator) {
    case 'add': return fits(type, corners(body, times, (x, n) => x * n));
    case 'min':
    case 'max': return body;
    case 'and':
    case 'or':
    case 'xor': return sameBits(body, body);
  }
}
