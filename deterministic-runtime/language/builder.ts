import { applyBinary, applyRequantize, leastOf, wrapTo } from './arithmetic.ts';
import type { BinaryOperator, ScalarType } from './expression.ts';
import type { SpecializedExpression, SpecializedLoad, SpecializedReduction, SpecializedWord } from './specialized.ts';

type Node = SpecializedExpression | SpecializedWord;
type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;
type Fields<T> = Omit<T, 'kind'>;

const COMMUTATIVE: ReadonlySet<BinaryOperator> = new Set(['add', 'mul', 'and', 'or', 'xor', 'min', 'max', 'eq']);
const COMPARISONS: ReadonlySet<BinaryOperator> = new Set(['lt', 'le', 'eq']);

/** Type of a specialised expression's value. */
export function specializedTypeOf(expression: SpecializedExpression): ScalarType {
  switch (expression.kind) {
    case 'constant':
    case 'select':
    case 'reduce': return expression.type;
    case 'binary': return COMPARISONS.has(expression.operator) ? 'i32' : expression.type;
    case 'convert': return expression.to;
    default: return 'i32';
  }
}

/** What a value varies with, as bits: see `ExpressionBuilder.variablesOf`. */
export const Variable = { ROW: 1, COLUMN: 2, ITERATION: 4, INDEX: 8 } as const;
/** The bit of the running index at `level`. */
export const indexVariable = (level: number): number => Variable.INDEX << level;

/**
 * Makes expressions such that equal ones are one object, and folds constants on the way. Every rewriting holds for all
 * values under the language's wrapping arithmetic, so it never changes a meaning.
 */
export class ExpressionBuilder {
  readonly #nodes = new Map<string, Node>();
  readonly #identities = new Map<Node, number>();
  readonly #variables = new Map<Node, number>();

  #intern<T extends Node>(node: T, key: string, variables: number): T {
    const full = `${node.kind}:${key}`;
    const known = this.#nodes.get(full);
    if (known !== undefined) return known as T;
    this.#identities.set(node, this.#nodes.size);
    this.#variables.set(node, variables);
    this.#nodes.set(full, node);
    return node;
  }

  /** The node's number in the order of creation: deterministic, and larger than its children's. */
  identityOf(node: Node): number {
    const identity = this.#identities.get(node);
    if (identity === undefined) throw new TypeError('the expression was not made by this builder');
    return identity;
  }

  #key(...nodes: readonly Node[]): string {
    return nodes.map((node) => this.identityOf(node)).join(',');
  }

  /** Bits of `Variable` and `indexVariable` for the coordinates and enclosing indices that the value may vary with. */
  variablesOf(...nodes: readonly Node[]): number {
    return nodes.reduce((bits, node) => bits | (this.#variables.get(node) ?? 0), 0);
  }

  constant(type: ScalarType, value: bigint | number): NodeOf<'constant'> {
    const wrapped = wrapTo(type, BigInt(value));
    return this.#intern({ kind: 'constant', type, value: wrapped }, `${type},${wrapped}`, 0);
  }

  coordinate(of: 'row' | 'column' | 'iteration'): SpecializedExpression {
    const variable = { row: Variable.ROW, column: Variable.COLUMN, iteration: Variable.ITERATION }[of];
    return this.#intern({ kind: 'coordinate', of }, of, variable);
  }

  index(level: number): SpecializedExpression {
    return this.#intern({ kind: 'index', level }, String(level), indexVariable(level));
  }

  #read(read: Fields<SpecializedLoad> | Fields<SpecializedWord>, position: SpecializedExpression): { key: string; variables: number } {
    const parts = [read.row, position, ...(read.iteration === null ? [] : [read.iteration])];
    const flags = [read.checkRow, read.checkColumn, read.checkIteration].map(Number).join('');
    return { key: `${read.operand},${read.latest},${flags},${this.#key(...parts)}`, variables: this.variablesOf(...parts) };
  }

  load(read: Fields<SpecializedLoad>): SpecializedLoad {
    const { key, variables } = this.#read(read, read.column);
    return this.#intern({ kind: 'load', ...read }, key, variables);
  }

  word(read: Fields<SpecializedWord>): SpecializedWord {
    const { key, variables } = this.#read(read, read.index);
    return this.#intern({ kind: 'word', ...read }, key, variables);
  }

  dot32(left: SpecializedWord, right: SpecializedWord): SpecializedExpression {
    const [first, second] = this.identityOf(left) <= this.identityOf(right) ? [left, right] : [right, left];
    return this.#intern({ kind: 'dot32', left: first, right: second }, this.#key(first, second), this.variablesOf(first, second));
  }

  binary(operator: BinaryOperator, type: ScalarType, left: SpecializedExpression, right: SpecializedExpression): SpecializedExpression {
    if (left.kind === 'constant' && right.kind === 'constant') {
      return this.constant(COMPARISONS.has(operator) ? 'i32' : type, applyBinary(operator, type, left.value, right.value));
    }
    if (left.kind === 'constant' && COMMUTATIVE.has(operator)) return this.binary(operator, type, right, left);
    if (left === right) {
      const same = this.#ofEqual(operator, type, left);
      if (same !== null) return same;
    }
    if (right.kind === 'constant') {
      const simpler = this.#byConstant(operator, type, left, right.value);
      if (simpler !== null) return simpler;
    }
    const zeroStays = operator === 'div' || operator === 'mod' || operator === 'shl' || operator === 'shr' || operator === 'shru';
    if (left.kind === 'constant' && left.value === 0n && zeroStays) return left;
    return this.#intern({ kind: 'binary', operator, type, left, right }, `${operator},${type},${this.#key(left, right)}`, this.variablesOf(left, right));
  }

  #ofEqual(operator: BinaryOperator, type: ScalarType, value: SpecializedExpression): SpecializedExpression | null {
    switch (operator) {
      case 'sub':
      case 'xor': return this.constant(type, 0n);
      case 'lt': return this.constant('i32', 0n);
      case 'le':
      case 'eq': return this.constant('i32', 1n);
      case 'and':
      case 'or':
      case 'min':
      case 'max': return value;
      default: return null;
    }
  }

  #byConstant(operator: BinaryOperator, type: ScalarType, left: SpecializedExpression, right: bigint): SpecializedExpression | null {
    const zero = (): SpecializedExpression => this.constant(type, 0n);
    const inner = left.kind === 'binary' && left.type === type && left.operator === operator && left.right.kind === 'constant' ? left : null;
    const combined = (): SpecializedExpression | null => {
      if (inner === null || inner.right.kind !== 'constant') return null;
      return this.binary(operator, type, inner.left, this.constant(type, applyBinary(operator, type, inner.right.value, right)));
    };
    switch (operator) {
      case 'add': return right === 0n ? left : combined();
      case 'sub': return right === leastOf(type) ? null : this.binary('add', type, left, this.constant(type, -right));
      case 'mul': return right === 0n ? zero() : right === 1n ? left : combined();
      case 'div': return right === 0n ? zero() : right === 1n ? left : null;
      case 'mod': return right === 0n || right === 1n || right === -1n ? zero() : null;
      case 'shl':
      case 'shr':
      case 'shru': return (right & (type === 'i32' ? 31n : 63n)) === 0n ? left : null;
      case 'and': return right === 0n ? zero() : right === -1n ? left : combined();
      case 'or': return right === 0n ? left : right === -1n ? this.constant(type, -1n) : combined();
      case 'xor': return right === 0n ? left : combined();
      case 'min':
      case 'max': return combined();
      default: return null;
    }
  }

  select(type: ScalarType, condition: SpecializedExpression, whenTrue: SpecializedExpression, whenFalse: SpecializedExpression): SpecializedExpression {
    if (whenTrue === whenFalse) return whenTrue;
    if (condition.kind === 'constant') return condition.value !== 0n ? whenTrue : whenFalse;
    const children = [condition, whenTrue, whenFalse];
    return this.#intern({ kind: 'select', type, condition, whenTrue, whenFalse }, `${type},${this.#key(...children)}`, this.variablesOf(...children));
  }

  requantize(accumulator: SpecializedExpression, multiplier: SpecializedExpression, shift: SpecializedExpression): SpecializedExpression {
    if (accumulator.kind === 'constant' && multiplier.kind === 'constant' && shift.kind === 'constant') {
      return this.constant('i32', applyRequantize(accumulator.value, multiplier.value, shift.value));
    }
    const children = [accumulator, multiplier, shift];
    return this.#intern({ kind: 'requantize', accumulator, multiplier, shift }, this.#key(...children), this.variablesOf(...children));
  }

  convert(to: ScalarType, value: SpecializedExpression): SpecializedExpression {
    if (specializedTypeOf(value) === to) return value;
    if (value.kind === 'constant') return this.constant(to, value.value);
    if (to === 'i32' && value.kind === 'convert') return value.value;
    return this.#intern({ kind: 'convert', to, value }, `${to},${this.#key(value)}`, this.variablesOf(value));
  }

  /** A body that does not vary with the running index is computed once. */
  reduce(reduction: Fields<SpecializedReduction>): SpecializedExpression {
    const { operator, type, level, bound, body } = reduction;
    if ((this.variablesOf(body) & indexVariable(level)) === 0) {
      if (operator === 'min' || operator === 'max' || operator === 'and' || operator === 'or') return body;
      const times = this.convert(type, this.#times(bound));
      if (operator === 'add') return this.binary('mul', type, body, times);
      return this.binary('mul', type, body, this.binary('and', type, times, this.constant(type, 1n)));
    }
    const varies = (this.variablesOf(body) & ~indexVariable(level)) | (bound.perIteration > 0 ? Variable.ITERATION : 0);
    return this.#intern({ kind: 'reduce', ...reduction }, `${operator},${type},${level},${bound.base},${bound.perIteration},${this.#key(body)}`, varies);
  }

  #times({ base, perIteration }: SpecializedReduction['bound']): SpecializedExpression {
    const growing = this.binary('mul', 'i32', this.coordinate('iteration'), this.constant('i32', perIteration));
    return this.binary('add', 'i32', growing, this.constant('i32', base));
  }
}
