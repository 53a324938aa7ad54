import { specializedTypeOf } from '../language/builder.ts';
import type { SpecializedExpression, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { combine, identity, literal } from './wgsl-operators.ts';
import type { Call } from './wgsl-operators.ts';
import { childrenOf } from './wgsl-reads.ts';
import type { ReadFunctions } from './wgsl-reads.ts';

type Node = SpecializedExpression | SpecializedWord;

/** A block of statements: a function's body, or a loop's. */
export interface Scope {
  readonly parent: Scope | null;
  /** The level of the loop. */
  readonly level: number | null;
  readonly lines: string[];
  readonly names: Map<Coordinates, Map<Node, string>>;
}

/** What `row` and `column` are called: one name for a whole function, or several for a tile. */
export interface Coordinates {
  readonly row: string;
  readonly column: string;
}

export interface EmitterOptions {
  readonly reads: ReadFunctions;
  /** Whether the invocations of a workgroup divide this outermost reduction among them: then `slice`, `local` and `SLICES` are in scope. */
  readonly isShared?: (reduction: SpecializedReduction) => boolean;
  /** A reduction whose value is a variable already. */
  readonly given?: { readonly node: SpecializedReduction; readonly name: string };
}

/** A block within `parent`; without one, a function's body. */
export const openScope = (parent: Scope | null = null, level: number | null = null): Scope => ({ parent, level, lines: [], names: new Map() });

/**
 * Writes expressions as WGSL statements, one for each distinct node. A node goes into the innermost loop on whose
 * index it depends, so whatever does not change in a loop is computed before it; that is sound because every
 * expression is total. 64-bit values are `vec2<u32>(low, high)`.
 */
export class Emitter {
  /** Library functions that were called. */
  readonly library = new Set<string>();
  /** `operator_type` of the reductions that a workgroup shares. */
  readonly shared = new Set<string>();
  readonly #options: EmitterOptions;
  readonly #levels = freeLevels();
  #count = 0;

  constructor(options: EmitterOptions) {
    this.#options = options;
  }

  /** The name (or literal) of a node's value in `scope`, after writing what computes it there or further out. */
  emit(node: Node, from: Scope, coordinates: Coordinates): string {
    if (node.kind === 'constant') return literal(node.type, node.value);
    if (node.kind === 'coordinate') return node.of === 'iteration' ? 'i32(run.iteration)' : coordinates[node.of];
    if (node.kind === 'index') return `k${node.level}`;
    if (node === this.#options.given?.node) return this.#options.given.name;
    const scope = this.#scopeOf(node, from);
    const names = scope.names.get(coordinates) ?? new Map<Node, string>();
    scope.names.set(coordinates, names);
    const known = names.get(node);
    if (known !== undefined) return known;
    const value = node.kind === 'reduce' ? this.#reduction(node, scope, coordinates) : this.#value(node, scope, coordinates);
    this.#count += 1;
    const name = `v${this.#count}`;
    scope.lines.push(`let ${name} = ${value};`);
    names.set(node, name);
    return name;
  }

  readonly #call: Call = (name, ...operands) => {
    this.library.add(name);
    return `${name}(${operands.join(', ')})`;
  };

  #scopeOf(node: Node, from: Scope): Scope {
    const free = this.#levels(node);
    let scope = from;
    while (scope.parent !== null && !(scope.level !== null && free.has(scope.level))) scope = scope.parent;
    return scope;
  }

  /** The expression over the names of the node's children. */
  #value(node: Exclude<Node, SpecializedReduction>, scope: Scope, coordinates: Coordinates): string {
    const { reads } = this.#options;
    const at = (child: Node): string => this.emit(child, scope, coordinates);
    switch (node.kind) {
      case 'load':
        return `${reads.load(node)}(${[...(node.iteration === null ? [] : [at(node.iteration)]), at(node.row), at(node.column)].join(', ')})`;
      case 'word':
        return `${reads.word(node)}(${[...(node.iteration === null ? [] : [at(node.iteration)]), at(node.row), at(node.index)].join(', ')})`;
      case 'dot32':
        return `${reads.dot(node.left, node.right)}(${at(node.left)}, ${at(node.right)})`;
      case 'binary': {
        // A constant expression that overflows is an error in WGSL, so two literals never meet.
        const constant = node.type === 'i32' && node.left.kind === 'constant' && node.right.kind === 'constant';
        return combine(node.operator, node.type, constant ? this.#call('i32_identity', at(node.left)) : at(node.left), at(node.right), this.#call);
      }
      case 'select':
        return `select(${at(node.whenFalse)}, ${at(node.whenTrue)}, ${at(node.condition)} != 0i)`;
      case 'requantize':
        return this.#call('requantize', at(node.accumulator), at(node.multiplier), at(node.shift));
      case 'convert':
        if (specializedTypeOf(node.value) === node.to) return at(node.value);
        return node.to === 'i64' ? this.#call('i64_from_i32', at(node.value)) : `i32(${at(node.value)}.x)`;
      case 'constant': case 'coordinate': case 'index':
        return at(node);
    }
  }

  /** Writes the loop into `scope` and gives the accumulator's name. */
  #reduction(node: SpecializedReduction, scope: Scope, coordinates: Coordinates): string {
    const divided = scope.parent === null && this.#options.isShared?.(node) === true;
    this.#count += 1;
    const accumulator = `r${this.#count}`;
    const inner = openScope(scope, node.level);
    const value = this.emit(node.body, inner, coordinates);
    inner.lines.push(`${accumulator} = ${combine(node.operator, node.type, accumulator, value, this.#call)};`);
    scope.lines.push(`var ${accumulator}: ${node.type === 'i32' ? 'i32' : 'vec2<u32>'} = ${literal(node.type, identity(node.operator, node.type))};`);
    closeLoop(scope, inner, node, divided ? { from: 'i32(slice)', step: 'i32(SLICES)' } : undefined);
    if (!divided) return accumulator;
    this.shared.add(`${node.operator}_${node.type}`);
    return `share_${node.operator}_${node.type}(${accumulator}, local)`;
  }
}

/** Writes the loop over a reduction's index around `inner` into `scope`. */
export function closeLoop(scope: Scope, inner: Scope, { level, bound }: SpecializedReduction, { from, step } = { from: '0i', step: '1i' }): void {
  const { base, perIteration } = bound;
  const limit = perIteration === 0 ? `${base}i` : `${base}i + ${perIteration}i * i32(run.iteration)`;
  scope.lines.push(`for (var k${level} = ${from}; k${level} < ${limit}; k${level} = k${level} + ${step}) {`, ...inner.lines.map((line) => `  ${line}`), '}');
}

/** Which reductions' indices an expression depends on, remembered by node. */
function freeLevels(): (node: Node) => ReadonlySet<number> {
  const known = new Map<object, ReadonlySet<number>>();
  const levels = (node: Node): ReadonlySet<number> => {
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
