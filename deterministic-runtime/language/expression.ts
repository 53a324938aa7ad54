/**
 * The kernel language's expressions: what one element of an operator's output is, as a tree (shared
 * subtrees are computed once). Expressions are plain immutable data; `scalar.ts` builds them with methods,
 * `specialize.ts` binds a kernel's parameters and shapes, and the back ends read the result.
 */

/** Element types of tensors in memory. Eight-bit elements are read as sign-extended 32-bit values. */
export type ElementType = 'i8' | 'i32';

/** Types of values while they are computed. */
export type ScalarType = 'i32' | 'i64';

/**
 * Binary operators, on two values of one type. `add sub mul` wrap modulo 2^32 or 2^64; `div mod` truncate
 * towards zero, with `x/0 = 0`, `x mod 0 = 0`, `MIN/-1 = MIN`, `MIN mod -1 = 0`; shift amounts are taken modulo
 * the width (`shr` arithmetic, `shru` logical); `lt le eq` are signed comparisons that give an i32, 0 or 1.
 */
export type BinaryOperator =
  | 'add' | 'sub' | 'mul' | 'div' | 'mod'
  | 'shl' | 'shr' | 'shru'
  | 'and' | 'or' | 'xor'
  | 'min' | 'max'
  | 'lt' | 'le' | 'eq';

/** Associative and commutative operators, so that a reduction has one value in any order. */
export type ReductionOperator = 'add' | 'min' | 'max' | 'and' | 'or' | 'xor';

/** A word (32 bytes) of an i8 operand: word `index` of row `row`; the zero word where there is none. */
export interface WordExpression {
  readonly kind: 'word';
  readonly operand: string;
  /** Which iteration's tensor, for operands that body operators write; null: the one that the reader sees by default. */
  readonly iteration: Expression | null;
  readonly row: Expression;
  readonly index: Expression;
}

export type Expression =
  | { readonly kind: 'constant'; readonly type: ScalarType; readonly value: bigint }
  /** An i32 that the operator fixes when it is made. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** A shape, fixed when the operator is made: `words` is the number of words in a row. `operand: null` is the output. */
  | { readonly kind: 'extent'; readonly operand: string | null; readonly of: 'rows' | 'columns' | 'words' }
  /** Where the element stands. `iteration` is 0 in the prologue and the program's maximum in the epilogue. */
  | { readonly kind: 'coordinate'; readonly of: 'row' | 'column' | 'iteration' }
  /** The running index of the enclosing reduction at nesting depth `level` (0 is the outermost). */
  | { readonly kind: 'index'; readonly level: number }
  /** One element, sign-extended; 0 where the operand has none (outside its rows or columns, or not yet written). */
  | { readonly kind: 'load'; readonly operand: string; readonly iteration: Expression | null; readonly row: Expression; readonly column: Expression }
  /** Signed dot product of 32 byte lanes; cannot overflow. */
  | { readonly kind: 'dot32'; readonly left: WordExpression; readonly right: WordExpression }
  /** `type` is that of both sides; comparisons give an i32. */
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly type: ScalarType; readonly left: Expression; readonly right: Expression }
  /** `condition` is an i32; any non-zero value is true. Both branches are total, so both may be evaluated. */
  | { readonly kind: 'select'; readonly type: ScalarType; readonly condition: Expression; readonly whenTrue: Expression; readonly whenFalse: Expression }
  /**
   * `saturate32((i64(accumulator) * i64(multiplier) + (s > 0 ? 2^(s-1) : 0)) >> s)` with `s = shift mod 64` and
   * 64-bit wrapping addition: one rounding, as TensorFlow Lite's and onnxruntime's kernels compute it.
   */
  | { readonly kind: 'requantize'; readonly accumulator: Expression; readonly multiplier: Expression; readonly shift: Expression }
  /** i32 → i64 extends the sign; i64 → i32 keeps the low 32 bits. */
  | { readonly kind: 'convert'; readonly to: ScalarType; readonly value: Expression }
  /**
   * `body` over `index(level) = 0 … bound-1`. Once specialised, `bound` must be `a + b·iteration` and at least 1.
   * Reductions nest three deep at most: the machine has four loop counters, and the loop over a word's lanes takes one.
   */
  | { readonly kind: 'reduce'; readonly operator: ReductionOperator; readonly type: ScalarType; readonly level: number; readonly bound: Expression; readonly body: Expression };

/** The type of an expression's value. */
export function typeOf(expression: Expression): ScalarType {
  switch (expression.kind) {
    case 'constant':
    case 'select':
    case 'reduce':
      return expression.type;
    case 'binary':
      return expression.operator === 'lt' || expression.operator === 'le' || expression.operator === 'eq' ? 'i32' : expression.type;
    case 'convert':
      return expression.to;
    default:
      return 'i32';
  }
}
