import type { TensorShape } from '../program/tensor.ts';
import type { BinaryOperator, ElementType, ReductionOperator, ScalarType } from './expression.ts';

/**
 * A kernel bound to an operator's parameters and shapes: what every back end compiles. Constants are folded, equal
 * subtrees are one object (so a back end may memoise by identity, anew in each reduction's body: a running index means
 * the enclosing reduction of its level), and reads say which checks interval analysis could not prove away. A read
 * whose check fails gives zero. What is proven holds for the output's elements: a back end that computes padding
 * lanes as well must keep their reads inside memory itself. In the prologue the iteration is 0, in the epilogue
 * `maxIterations`; both are constants then.
 */
export interface SpecializedKernel {
  readonly name: string;
  readonly operands: readonly SpecializedOperand[];
  readonly output: TensorShape;
  /** The largest value of `iteration`: the program's maximum. */
  readonly maxIterations: number;
  readonly element: SpecializedExpression;
}

/** An operand as its reader sees it. */
export interface SpecializedOperand {
  readonly name: string;
  readonly shape: TensorShape;
  /**
   * `single`: one tensor that is certainly written. `iterated`: one an iteration (a body operator's), read in
   * the iteration that the read names.
   */
  readonly kind: 'single' | 'iterated';
}

export interface SpecializedRead {
  /** Index into the kernel's operands. */
  readonly operand: number;
  /** For iterated operands, which iteration's tensor; null for single ones. Always explicit once specialised. */
  readonly iteration: SpecializedExpression | null;
  readonly row: SpecializedExpression;
  /** True when `0 ≤ row < rows` must be checked while running. */
  readonly checkRow: boolean;
  /** True when the column (or word index) must be checked while running. */
  readonly checkColumn: boolean;
  /** True when `0 ≤ iteration ≤ (the reader's own iteration) + latest` must be checked while running; see `latest`. */
  readonly checkIteration: boolean;
  /**
   * The newest iteration whose tensor this reader may see, relative to its own `iteration` coordinate: 0 for an earlier operator
   * of the body, else -1; in the epilogue that is `maxIterations - 1`. A body that stopped early leaves the tensors of
   * later iterations unwritten, whatever is proven here: the epilogue reads zeros there.
   */
  readonly latest: 0 | -1;
}

export interface SpecializedWord extends SpecializedRead {
  readonly kind: 'word';
  /** Word index within the row. */
  readonly index: SpecializedExpression;
}

export type SpecializedExpression =
  | { readonly kind: 'constant'; readonly type: ScalarType; readonly value: bigint }
  | { readonly kind: 'coordinate'; readonly of: 'row' | 'column' | 'iteration' }
  | { readonly kind: 'index'; readonly level: number }
  | SpecializedLoad
  | { readonly kind: 'dot32'; readonly left: SpecializedWord; readonly right: SpecializedWord }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly type: ScalarType; readonly left: SpecializedExpression; readonly right: SpecializedExpression }
  | { readonly kind: 'select'; readonly type: ScalarType; readonly condition: SpecializedExpression; readonly whenTrue: SpecializedExpression; readonly whenFalse: SpecializedExpression }
  | { readonly kind: 'requantize'; readonly accumulator: SpecializedExpression; readonly multiplier: SpecializedExpression; readonly shift: SpecializedExpression }
  | { readonly kind: 'convert'; readonly to: ScalarType; readonly value: SpecializedExpression }
  | SpecializedReduction;

export interface SpecializedLoad extends SpecializedRead {
  readonly kind: 'load';
  readonly element: ElementType;
  readonly column: SpecializedExpression;
}

export interface SpecializedReduction {
  readonly kind: 'reduce';
  readonly operator: ReductionOperator;
  readonly type: ScalarType;
  /** The number of enclosing reductions: 0, 1 or 2. */
  readonly level: number;
  /** Runs `base + perIteration · iteration` times: at least once for every iteration in [0, maxIterations]. */
  readonly bound: { readonly base: number; readonly perIteration: number };
  readonly body: SpecializedExpression;
}
