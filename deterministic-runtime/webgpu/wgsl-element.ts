import type { BinaryOperator, ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedExpression, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { childrenOf } from './wgsl-reads.ts';
import type { ReadFunctions } from './wgsl-reads.ts';

type Binary = Extract<SpecializedExpression, { kind: 'binary' }>;

export interface ElementCode {
  /** The body of `fn element(row: i32, column: i32, …) -> i32`. */
  readonly body: string;
  /** Library functions that it calls. */
  readonly library: ReadonlySet<string>;
  /** `operator_type` of the reductions that a workgroup's invocations share. */
  readonly shared: ReadonlySet<string>;
}

export interface ElementOptions {
  readonly reads: ReadFunctions;
  /** Whether the invocations of a workgroup divide this outermost reduction among them: then `slice` and `SLICES` are in scope. */
  readonly isShared: (reduction: SpecializedReduction) => boolean;
}

/** A block of statements: the function's body, or a loop's. */
interface Scope {
  readonly parent: Scope | null;
  readonly level: number | null;
  readonly lines: string[];
  readonly names: Map<object, string>;
}

/**
 * Writes an expression as WGSL statements, one for each distinct node. A node goes into the innermost loop on
 * whose index it depends, so whatever does not change in a loop is computed before it; that is sound because every
 * expression is total. 64-bit values are `vec2<u32>(low, high)`.
 */
export function elementCode(element: SpecializedExpression, { reads, isShared }: ElementOptions): ElementCode {
  const library = new Set<string>();
  const shared = new Set<string>();
  const levels = freeLevels();
  let count = 0;

  const call: Call = (name, ...operands) => {
    library.add(name);
    return `${name}(${operands.join(', ')})`;
  };

  const scopeOf = (node: SpecializedExpression | SpecializedWord, from: Scope): Scope => {
    const free = levels(node);
    let scope = from;
    while (scope.parent !== null && !(scope.level !== null && free.has(scope.level))) scope = scope.parent;
    return scope;
  };

  const emit = (node: SpecializedExpression | SpecializedWord, from: Scope): string => {
    if (node.kind === 'constant') return literal(node.type, node.value);
    if (node.kind === 'coordinate') return node.of === 'iteration' ? 'i32(run.iteration)' : node.of;
    if (node.kind === 'index') return `k${node.level}`;
    const scope = scopeOf(node, from);
    const known = scope.names.get(node);
    if (known !== undefined) return known;
    const value = node.kind === 'reduce' ? reduction(node, scope) : valueOf(node, scope);
    count += 1;
    const name = `v${count}`;
    scope.lines.push(`let ${name} = ${value};`);
    scope.names.set(node, name);
    return name;
  };

  /** The expression over the names of the node's children. */
  const valueOf = (node: Exclude<SpecializedExpression | SpecializedWord, SpecializedReduction>, scope: Scope): string => {
    const at = (child: SpecializedExpression): string => emit(child, scope);
    switch (node.kind) {
      case 'load':
        return `${reads.load(node)}(${[...(node.iteration === null ? [] : [at(node.iteration)]), at(node.row), at(node.column)].join(', ')})`;
      case 'word':
        return `${reads.word(node)}(${[...(node.iteration === null ? [] : [at(node.iteration)]), at(node.row), at(node.index)].join(', ')})`;
      case 'dot32':
        return `${reads.dot(node.left, node.right)}(${emit(node.left, scope)}, ${emit(node.right, scope)})`;
      case 'binary':
        return binary(node, at(node.left), at(node.right));
      case 'select':
        return `select(${at(node.whenFalse)}, ${at(node.whenTrue)}, ${at(node.condition)} != 0i)`;
      case 'requantize':
        return call('requantize', at(node.accumulator), at(node.multiplier), at(node.shift));
      case 'convert':
        if (typeOfSpecialized(node.value) === node.to) return at(node.value);
        return node.to === 'i64' ? call('i64_from_i32', at(node.value)) : `i32(${at(node.value)}.x)`;
      case 'constant': case 'coordinate': case 'index':
        return emit(node, scope);
    }
  };

  // A constant expression that overflows is an error in WGSL, so two literals never meet.
  const binary = (node: Binary, left: string, right: string): string => {
    const constant = node.type === 'i32' && node.left.kind === 'constant' && node.right.kind === 'constant';
    return combine(node.operator, node.type, constant ? call('i32_identity', left) : left, right, call);
  };

  /** Writes the loop into `scope` and gives the accumulator's name. */
  const reduction = (node: SpecializedReduction, scope: Scope): string => {
    const divided = scope.parent === null && isShared(node);
    count += 1;
    const accumulator = `r${count}`;
    const index = `k${node.level}`;
    const inner: Scope = { parent: scope, level: node.level, lines: [], names: new Map() };
    const value = emit(node.body, inner);
    const { base, perIteration } = node.bound;
    const bound = perIteration === 0 ? `${base}i` : `${literal('i32', BigInt(base))} + ${literal('i32', BigInt(perIteration))} * i32(run.iteration)`;
    scope.lines.push(
      `var ${accumulator}: ${node.type === 'i32' ? 'i32' : 'vec2<u32>'} = ${literal(node.type, identity(node.operator, node.type))};`,
      `for (var ${index} = ${divided ? 'i32(slice)' : '0i'}; ${index} < ${bound}; ${index} = ${index} + ${divided ? 'i32(SLICES)' : '1i'}) {`,
      ...inner.lines.map((line) => `  ${line}`),
      `  ${accumulator} = ${combine(node.operator, node.type, accumulator, value, call)};`,
      '}',
    );
    if (!divided) return accumulator;
    shared.add(`${node.operator}_${node.type}`);
    return `share_${node.operator}_${node.type}(${accumulator}, local)`;
  };

  const root: Scope = { parent: null, level: null, lines: [], names: new Map() };
  const value = emit(element, root);
  return { body: [...root.lines, `return ${value};`].map((line) => `  ${line}`).join('\n'), library, shared };
}

const ARITHMETIC = { add: '+', sub: '-', mul: '*' } as const;
const BITWISE = { and: '&', or: '|', xor: '^' } as const;
const COMPARISON = { lt: '<', le: '<=', eq: '==' } as const;

type Call = (name: string, ...operands: string[]) => string;

/** `left operator right` as WGSL, for names or a name and a literal; `call` writes a call of a library function. */
export function combine(operator: BinaryOperator, type: ScalarType, left: string, right: string, call: Call): string {
  if (operator === 'lt' || operator === 'le' || operator === 'eq') return `select(0i, 1i, ${compare(operator, type, left, right, call)})`;
  if (operator === 'and' || operator === 'or' || operator === 'xor') return `${left} ${BITWISE[operator]} ${right}`;
  if (type === 'i64') return call(`i64_${operator}`, left, right);
  if (operator === 'min' || operator === 'max') return `${operator}(${left}, ${right})`;
  if (operator === 'add' || operator === 'sub' || operator === 'mul') return `${left} ${ARITHMETIC[operator]} ${right}`;
  return call(`i32_${operator}`, left, right);
}

function compare(operator: 'lt' | 'le' | 'eq', type: ScalarType, left: string, right: string, call: Call): string {
  if (type === 'i32') return `${left} ${COMPARISON[operator]} ${right}`;
  if (operator === 'le') return `!${call('i64_lt', right, left)}`;
  return call(`i64_${operator}`, left, right);
}

/** The value that a reduction starts from. */
export function identity(operator: ReductionOperator, type: ScalarType): bigint {
  const bits = type === 'i32' ? 31n : 63n;
  if (operator === 'min') return 2n ** bits - 1n;
  if (operator === 'max') return -(2n ** bits);
  return operator === 'and' ? -1n : 0n;
}

/** An integer as WGSL. `-2147483648i` is no literal there: the minus is an operator. */
export function literal(type: ScalarType, value: bigint): string {
  if (type === 'i64') return `vec2<u32>(${BigInt.asUintN(32, value)}u, ${BigInt.asUintN(32, value >> 32n)}u)`;
  if (value === -(2n ** 31n)) return 'i32(-2147483648)';
  return value < 0n ? `(${value}i)` : `${value}i`;
}

function typeOfSpecialized(node: SpecializedExpression): ScalarType {
  switch (node.kind) {
    case 'constant': case 'select': case 'reduce': return node.type;
    case 'binary': return node.operator === 'lt' || node.operator === 'le' || node.operator === 'eq' ? 'i32' : node.type;
    case 'convert': return node.to;
    default: return 'i32';
  }
}

/** Which reductions' indices an expression depends on, remembered by node. */
function freeLevels(): (node: SpecializedExpression | SpecializedWord) => ReadonlySet<number> {
  const known = new Map<object, ReadonlySet<number>>();
  const levels = (node: SpecializedExpression | SpecializedWord): ReadonlySet<number> => {
    const found = known.get(node);
    if (found !== undefined) return found;
    const free = new Set(childrenOf(node).flatMap((child) => [...levels(child)]));
    if (node.kind === 'index') free.add(node.level);
    if (node.kind === 'reduce') free.delete(node.level);
    known.set(node, free);
    return free;
  };
  return levels;
}
