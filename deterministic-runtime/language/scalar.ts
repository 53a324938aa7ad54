import { typeOf } from './expression.ts';
import type { BinaryOperator, Expression, ReductionOperator, ScalarType, WordExpression } from './expression.ts';

/** Deepest nesting of reductions in a kernel. */
export const MAX_REDUCTION_DEPTH = 3;

/** A value in a kernel: an expression with methods to build larger ones. Numbers stand for constants of the same type. */
export abstract class Scalar<Self> {
  readonly expression: Expression;

  constructor(expression: Expression) {
    this.expression = expression;
  }

  protected abstract readonly type: ScalarType;
  protected abstract wrap(expression: Expression): Self;

  #operand(value: Self | number | bigint): Expression {
    if (typeof value === 'number' || typeof value === 'bigint') return constant(this.type, value);
    return (value as unknown as Scalar<Self>).expression;
  }

  #binary(operator: BinaryOperator, right: Self | number | bigint): Expression {
    return { kind: 'binary', operator, type: this.type, left: this.expression, right: this.#operand(right) };
  }

  add(right: Self | number | bigint): Self { return this.wrap(this.#binary('add', right)); }
  sub(right: Self | number | bigint): Self { return this.wrap(this.#binary('sub', right)); }
  mul(right: Self | number | bigint): Self { return this.wrap(this.#binary('mul', right)); }
  /** Truncates towards zero; `x/0 = 0`, `MIN/-1 = MIN`. */
  div(right: Self | number | bigint): Self { return this.wrap(this.#binary('div', right)); }
  /** Has the dividend's sign; `x mod 0 = 0`. */
  mod(right: Self | number | bigint): Self { return this.wrap(this.#binary('mod', right)); }
  shl(right: Self | number | bigint): Self { return this.wrap(this.#binary('shl', right)); }
  /** Arithmetic shift to the right. */
  shr(right: Self | number | bigint): Self { return this.wrap(this.#binary('shr', right)); }
  /** Logical shift to the right. */
  shru(right: Self | number | bigint): Self { return this.wrap(this.#binary('shru', right)); }
  and(right: Self | number | bigint): Self { return this.wrap(this.#binary('and', right)); }
  or(right: Self | number | bigint): Self { return this.wrap(this.#binary('or', right)); }
  xor(right: Self | number | bigint): Self { return this.wrap(this.#binary('xor', right)); }
  min(right: Self | number | bigint): Self { return this.wrap(this.#binary('min', right)); }
  max(right: Self | number | bigint): Self { return this.wrap(this.#binary('max', right)); }
  clamp(low: Self | number | bigint, high: Self | number | bigint): Self {
    const atLeast = this.wrap(this.#binary('max', low)) as unknown as Scalar<Self>;
    return atLeast.min(high);
  }
  lt(right: Self | number | bigint): I32 { return new I32(this.#binary('lt', right)); }
  le(right: Self | number | bigint): I32 { return new I32(this.#binary('le', right)); }
  eq(right: Self | number | bigint): I32 { return new I32(this.#binary('eq', right)); }
}

/** A 32-bit signed integer; arithmetic wraps after each operation. */
export class I32 extends Scalar<I32> {
  protected readonly type = 'i32';
  protected wrap(expression: Expression): I32 { return new I32(expression); }
  /** Sign-extends to 64 bits. */
  wide(): I64 { return new I64({ kind: 'convert', to: 'i64', value: this.expression }); }
  /** `whenTrue` where this is not zero, else `whenFalse`. */
  select<T extends I32 | I64>(whenTrue: T, whenFalse: T | number | bigint): T {
    const type = typeOf(whenTrue.expression);
    const other = typeof whenFalse === 'object' ? whenFalse.expression : constant(type, whenFalse);
    const expression: Expression = { kind: 'select', type, condition: this.expression, whenTrue: whenTrue.expression, whenFalse: other };
    return (type === 'i64' ? new I64(expression) : new I32(expression)) as T;
  }
}

/** A 64-bit signed integer; arithmetic wraps. For products, sums of squares and comparisons. */
export class I64 extends Scalar<I64> {
  protected readonly type = 'i64';
  protected wrap(expression: Expression): I64 { return new I64(expression); }
  /** Keeps the low 32 bits. */
  narrow(): I32 { return new I32({ kind: 'convert', to: 'i32', value: this.expression }); }
}

/** A word of 32 signed bytes, for `dot32`. */
export class Word {
  readonly expression: WordExpression;
  constructor(expression: WordExpression) { this.expression = expression; }
}

function constant(type: ScalarType, value: number | bigint): Expression {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`a kernel's constants are integers, not ${value}`);
  const bits = type === 'i32' ? 32 : 64;
  const integer = BigInt(value);
  if (BigInt.asIntN(bits, integer) !== integer) throw new RangeError(`${value} does not fit ${type}`);
  return { kind: 'constant', type, value: integer };
}

/** A 32-bit constant. */
export const int32 = (value: number): I32 => new I32(constant('i32', value));
/** A 64-bit constant. */
export const int64 = (value: number | bigint): I64 => new I64(constant('i64', value));

/** Signed dot product of 32 byte lanes. */
export function dot32(left: Word, right: Word): I32 {
  return new I32({ kind: 'dot32', left: left.expression, right: right.expression });
}

/** `saturate32((accumulator · multiplier + 2^(shift-1)) >> shift)`: see `Expression`'s `requantize`. */
export function requantize(accumulator: I32, scale: { readonly multiplier: I32; readonly shift: I32 }): I32 {
  return new I32({
    kind: 'requantize',
    accumulator: accumulator.expression,
    multiplier: scale.multiplier.expression,
    shift: scale.shift.expression,
  });
}

/**
 * gemmlowp's two roundings, `RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(accumulator · 2^left, multiplier), right)` with `left − right = 31 − shift`, one of them 0
 * (github.com/google/gemmlowp, fixedpoint/fixedpoint.h): first to the nearest 2^-31, halves upwards, then to the nearest integer, halves away from zero. The multiplier is not
 * negative, and shift is 0…62. Composed of other operations: no instruction of its own.
 */
export function requantizeTwice(accumulator: I32, scale: { readonly multiplier: I32; readonly shift: I32 }): I32 {
  const left = int32(31).sub(scale.shift).max(0);
  const right = scale.shift.sub(31).max(0);
  const high = requantize(accumulator.shl(left), { multiplier: scale.multiplier, shift: int32(31) });
  const mask = int32(1).shl(right).sub(1);
  const threshold = mask.shr(1).add(high.lt(0));
  return high.shr(right).add(threshold.lt(high.and(mask)));
}

let depth = 0;

function reduce<T extends I32 | I64>(operator: ReductionOperator, bound: I32 | number, body: (index: I32) => T): T {
  const level = depth;
  if (level >= MAX_REDUCTION_DEPTH) throw new RangeError(`reductions nest ${MAX_REDUCTION_DEPTH} deep at most`);
  depth += 1;
  try {
    const value = body(new I32({ kind: 'index', level })).expression;
    const type = typeOf(value);
    const limit = typeof bound === 'number' ? constant('i32', bound) : bound.expression;
    const expression: Expression = { kind: 'reduce', operator, type, level, bound: limit, body: value };
    return (type === 'i64' ? new I64(expression) : new I32(expression)) as T;
  } finally {
    depth = level;
  }
}

/** Wrapping sum of `body(0) … body(bound-1)`. `bound` must come to `a + b·iteration ≥ 1` once shapes are known. */
export const sum = <T extends I32 | I64>(bound: I32 | number, body: (index: I32) => T): T => reduce('add', bound, body);
/** Least of `body(0) … body(bound-1)`. */
export const minimum = <T extends I32 | I64>(bound: I32 | number, body: (index: I32) => T): T => reduce('min', bound, body);
/** Greatest of `body(0) … body(bound-1)`. */
export const maximum = <T extends I32 | I64>(bound: I32 | number, body: (index: I32) => T): T => reduce('max', bound, body);
/** Bitwise and, or, exclusive or of `body(0) … body(bound-1)`. */
export const allBits = <T extends I32 | I64>(bound: I32 | number, body: (index: I32) => T): T => reduce('and', bound, body);
export const anyBits = <T extends I32 | I64>(bound: I32 | number, body: (index: I32) => T): T => reduce('or', bound, body);
export const parityBits = <T extends I32 | I64>(bound: I32 | number, body: (index: I32) => T): T => reduce('xor', bound, body);
