import type { BinaryOperator, ElementType, ReductionOperator, ScalarType } from '../language/expression.ts';

/** What a value may depend on, as bits of `Node.free`. Row and column are the output element's. */
export const ITERATION = 1;
export const ROW = 2;
export const COLUMN = 4;
/** The running index of the reduction at nesting depth `level`. */
export const indexVariable = (level: number): number => 8 << level;

/** The language's operators and an unsigned comparison, which bounds checks use. */
export type GraphOperator = BinaryOperator | 'ltu';

interface Common {
  /** Nodes are equal exactly when their ids are. */
  readonly id: number;
  readonly type: ScalarType;
  /** The variables that the value depends on. */
  readonly free: number;
}
export interface ConstantNode extends Common { readonly kind: 'constant'; readonly value: bigint }
export interface VariableNode extends Common {
  readonly kind: 'variable';
  /** Vectors of lanes of this variable never cross a multiple of this; 1 where nothing is known. */
  readonly aligned: number;
}
/** The address of a tensor, which the caller gives: operand number `operand`, or the output for -1. */
export interface TensorNode extends Common { readonly kind: 'tensor'; readonly operand: number }
export interface BinaryNode extends Common { readonly kind: 'binary'; readonly operator: GraphOperator; readonly left: Node; readonly right: Node }
export interface SelectNode extends Common { readonly kind: 'select'; readonly condition: Node; readonly whenTrue: Node; readonly whenFalse: Node }
export interface ConvertNode extends Common { readonly kind: 'convert'; readonly value: Node }
export interface RequantizeNode extends Common { readonly kind: 'requantize'; readonly accumulator: Node; readonly multiplier: Node; readonly shift: Node }
/**
 * An element. `address` is where it stands, checks included; `base` is its row's address with all checks but the column's,
 * and `limit` the number of columns if `column` must be checked: then neighbouring elements can be loaded together.
 */
export interface LoadNode extends Common {
  readonly kind: 'load';
  readonly element: ElementType;
  readonly address: Node;
  readonly base: Node;
  readonly column: Node;
  readonly limit: number | null;
}
/** Dot product of the 32 bytes at two addresses, of which those from `bytes` on (a multiple of 8) are known to give zero. */
export interface DotNode extends Common { readonly kind: 'dot'; readonly left: Node; readonly right: Node; readonly bytes: number }
export interface ReduceNode extends Common { readonly kind: 'reduce'; readonly operator: ReductionOperator; readonly variable: number; readonly bound: Node; readonly body: Node }

/**
 * `Σ_{i < words} Σ_{b < 32} (256 · high[32·i + b] + low[32·i + b]) · weights[32·i + b]`, of bytes at addresses that depend on `variable`, which is i. Counts only where
 * `256 · high + low` fits 16 bits everywhere.
 */
export interface PlanesNode extends Common { readonly kind: 'planes'; readonly variable: number; readonly words: number; readonly high: Node; readonly low: Node; readonly weights: Node }

export type Node = ConstantNode | VariableNode | TensorNode | BinaryNode | SelectNode | ConvertNode | RequantizeNode | LoadNode | DotNode | ReduceNode | PlanesNode;

type NodeContent = Node extends infer N ? (N extends Node ? Omit<N, 'id'> : never) : never;

/** Makes nodes; equal ones are made once. Arithmetic on addresses is folded where that is free. */
export class Graph {
  #nodes = new Map<string, Node>();

  #intern(key: string, content: NodeContent): Node {
    const found = this.#nodes.get(key);
    if (found !== undefined) return found;
    const node = { id: this.#nodes.size, ...content } as Node;
    this.#nodes.set(key, node);
    return node;
  }

  constant(type: ScalarType, value: bigint | number): Node {
    const wrapped = BigInt.asIntN(type === 'i32' ? 32 : 64, BigInt(value));
    return this.#intern(`constant ${type} ${wrapped}`, { kind: 'constant', type, free: 0, value: wrapped });
  }

  /** `aligned` is the same whenever a variable is asked for. */
  variable(variable: number, aligned = 1): Node {
    return this.#intern(`variable ${variable}`, { kind: 'variable', type: 'i32', free: variable, aligned });
  }

  tensor(operand: number): Node {
    return this.#intern(`tensor ${operand}`, { kind: 'tensor', type: 'i32', free: 0, operand });
  }

  /** `type` is that of both sides. */
  binary(operator: GraphOperator, type: ScalarType, left: Node, right: Node): Node {
    if (operator === 'add' || operator === 'mul') {
      if (left.kind === 'constant' && right.kind !== 'constant') return this.binary(operator, type, right, left);
      if (right.kind === 'constant') {
        if (left.kind === 'constant') return this.constant(type, operator === 'add' ? left.value + right.value : left.value * right.value);
        if (operator === 'add' && right.value === 0n) return left;
        if (operator === 'mul' && right.value === 1n) return left;
        if (operator === 'mul' && right.value === 0n) return this.constant(type, 0);
        if (left.kind === 'binary' && left.operator === operator && left.right.kind === 'constant') {
          const both = operator === 'add' ? left.right.value + right.value : left.right.value * right.value;
          return this.binary(operator, type, left.left, this.constant(type, both));
        }
      }
    }
    const comparison = isComparison(operator);
    return this.#intern(`${operator} ${type} ${left.id} ${right.id}`, {
      kind: 'binary', type: comparison ? 'i32' : type, free: left.free | right.free, operator, left, right,
    });
  }

  select(condition: Node, whenTrue: Node, whenFalse: Node): Node {
    if (whenTrue === whenFalse) return whenTrue;
    if (condition.kind === 'constant') return condition.value !== 0n ? whenTrue : whenFalse;
    return this.#intern(`select ${condition.id} ${whenTrue.id} ${whenFalse.id}`, {
      kind: 'select', type: whenTrue.type, free: condition.free | whenTrue.free | whenFalse.free, condition, whenTrue, whenFalse,
    });
  }

  convert(to: ScalarType, value: Node): Node {
    if (value.type === to) return value;
    return this.#intern(`convert ${value.id}`, { kind: 'convert', type: to, free: value.free, value });
  }

  requantize(accumulator: Node, multiplier: Node, shift: Node): Node {
    return this.#intern(`requantize ${accumulator.id} ${multiplier.id} ${shift.id}`, {
      kind: 'requantize', type: 'i32', free: accumulator.free | multiplier.free | shift.free, accumulator, multiplier, shift,
    });
  }

  load(element: ElementType, address: Node, base: Node, column: Node, limit: number | null): Node {
    return this.#intern(`load ${element} ${address.id} ${base.id} ${column.id} ${limit}`, {
      kind: 'load', type: 'i32', free: address.free, element, address, base, column, limit,
    });
  }

  dot(left: Node, right: Node, bytes: number): Node {
    return this.#intern(`dot ${left.id} ${right.id} ${bytes}`, { kind: 'dot', type: 'i32', free: left.free | right.free, left, right, bytes });
  }

  planes({ variable, words, high, low, weights }: Pick<PlanesNode, 'variable' | 'words' | 'high' | 'low' | 'weights'>): Node {
    return this.#intern(`planes ${variable} ${words} ${high.id} ${low.id} ${weights.id}`, {
      kind: 'planes', type: 'i64', free: (high.free | low.free | weights.free) & ~variable, variable, words, high, low, weights,
    });
  }

  reduce(operator: ReductionOperator, variable: number, bound: Node, body: Node): Node {
    return this.#intern(`reduce ${operator} ${variable} ${bound.id} ${body.id}`, {
      kind: 'reduce', type: body.type, free: (body.free & ~variable) | bound.free, operator, variable, bound, body,
    });
  }
}

/** Comparisons give an i32, 0 or 1. */
export const isComparison = (operator: GraphOperator): boolean =>
  operator === 'lt' || operator === 'le' || operator === 'eq' || operator === 'ltu';

/** Remembers a function of nodes: nodes are shared, so plain recursion could take exponential time. */
function memoized<T>(compute: (node: Node) => T): (node: Node) => T {
  const known = new WeakMap<Node, { readonly value: T }>();
  return (node) => {
    const found = known.get(node);
    if (found !== undefined) return found.value;
    const value = compute(node);
    known.set(node, { value });
    return value;
  };
}

/** True for values that are 0 or 1 by construction. */
export const isBoolean: (node: Node) => boolean = memoized((node) => {
  if (node.kind !== 'binary') return false;
  if (isComparison(node.operator)) return true;
  const bitwise = node.operator === 'and' || node.operator === 'or' || node.operator === 'xor';
  return bitwise && node.type === 'i32' && isBoolean(node.left) && isBoolean(node.right);
});

/** Most dot products that one sum's code may hold. */
const MAX_DOT_TERMS = 64;

/** Dot products in a sum of them; 0 for anything else. */
const dotTerms: (node: Node) => number = memoized((node) => {
  if (node.kind === 'dot') return 1;
  if (node.kind === 'reduce') return node.operator === 'add' ? dotTerms(node.body) : 0;
  if (node.kind !== 'binary' || node.operator !== 'add' || node.type !== 'i32') return 0;
  const left = dotTerms(node.left);
  const right = dotTerms(node.right);
  return left > 0 && right > 0 && left + right <= MAX_DOT_TERMS ? left + right : 0;
});

/** True for sums of dot products, which are kept as four partial sums until they are complete. */
export const isDotSum = (node: Node): boolean => dotTerms(node) > 0;

const coefficients = new Map<number, (node: Node) => number | null>();

/**
 * By how much an i32 value grows, modulo 2^32, when `variable` grows by one within a vector of lanes: null when that is not the same everywhere.
 */
export function coefficient(node: Node, variable: number): number | null {
  let known = coefficients.get(variable);
  if (known === undefined) {
    known = memoized((of) => coefficientOf(of, variable));
    coefficients.set(variable, known);
  }
  return known(node);
}

function coefficientOf(node: Node, variable: number): number | null {
  if ((node.free & variable) === 0) return 0;
  if (node.kind === 'variable') return 1;
  if (node.kind === 'select') {
    if (coefficient(node.condition, variable) !== 0) return null;
    const [whenTrue, whenFalse] = [coefficient(node.whenTrue, variable), coefficient(node.whenFalse, variable)];
    return whenTrue === whenFalse ? whenTrue : null;
  }
  if (node.kind !== 'binary') return null;
  if (coefficient(node.left, variable) === 0 && coefficient(node.right, variable) === 0) return 0;
  if (node.type !== 'i32') return null;
  const inGroups = growthInGroups(node);
  if (inGroups !== null) return inGroups;
  if (node.operator === 'add' || node.operator === 'sub') {
    const left = coefficient(node.left, variable);
    const right = coefficient(node.right, variable);
    if (left === null || right === null) return null;
    return (node.operator === 'add' ? left + right : left - right) | 0;
  }
  if (node.right.kind !== 'constant') return null;
  const left = coefficient(node.left, variable);
  if (left === null) return null;
  if (node.operator === 'mul') return Math.imul(left, Number(node.right.value));
  return node.operator === 'shl' ? left << Number(node.right.value & 31n) : null;
}

/** Quotient and remainder, also as shift and mask, of a variable whose lanes all lie between two multiples of the divisor. Variables are not negative. */
function growthInGroups({ operator, left, right }: BinaryNode): number | null {
  if (left.kind !== 'variable' || left.aligned === 1 || right.kind !== 'constant') return null;
  const isGroup = (size: bigint): boolean => size > 0n && size % BigInt(left.aligned) === 0n;
  const isPower = (size: bigint): boolean => (size & (size - 1n)) === 0n;
  switch (operator) {
    case 'div': return isGroup(right.value) ? 0 : null;
    case 'mod': return isGroup(right.value) ? 1 : null;
    case 'shr': case 'shru': return isGroup(1n << (right.value & 31n)) ? 0 : null;
    case 'and': return isGroup(right.value + 1n) && isPower(right.value + 1n) ? 1 : null;
    default: return null;
  }
}

/** True for values that lanes of `variable` differ in. */
export const variesWith = (node: Node, variable: number): boolean => (node.free & variable) !== 0 && coefficient(node, variable) !== 0;
