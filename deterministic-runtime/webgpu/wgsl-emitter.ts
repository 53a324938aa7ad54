import { specializedTypeOf } from '../language/builder.ts';
import type { SpecializedExpression, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { KernelAnalysis } from './kernel-analysis.ts';
import type { Node } from './kernel-analysis.ts';
import { combine, identity, literal } from './wgsl-operators.ts';
import type { Call } from './wgsl-operators.ts';
import type { ReadFunctions } from './wgsl-reads.ts';
import { shareCode } from './wgsl-sharing.ts';
import type { Sharing } from './wgsl-sharing.ts';

/** What `row` and `column` are called for an element. */
export interface Coordinates {
  readonly row: string;
  readonly column: string;
}

/** An expression for one of the elements that are computed together. */
interface Instance<T extends Node = Node> {
  readonly node: T;
  readonly coordinates: Coordinates;
}

/** A block of statements: a function's body, or a loop's. */
interface Scope {
  readonly parent: Scope | null;
  /** The level of the loop. */
  readonly level: number | null;
  readonly lines: string[];
  /** What the block computes. */
  readonly instances: readonly Instance[];
  /** Names of values, by node and by those coordinates on which it depends. */
  readonly names: Map<Node, Map<string, string>>;
  /** Names of words that have been loaded. */
  readonly words: Map<Node, Map<string, string>>;
}

export interface EmitterOptions {
  readonly reads: ReadFunctions;
  /** How the invocations of a workgroup divide long outermost reductions among them: then `slice` and `local` are in scope. */
  readonly sharing?: Sharing;
}

type Reduced = Instance<SpecializedReduction> & { readonly accumulator: string };

/**
 * Writes expressions as WGSL statements, one for each distinct node and each element that it differs for. A node goes into the innermost loop on
 * whose index it depends, so whatever does not change in a loop is computed before it; that is sound because every
 * expression is total. Reductions that run equally often and do not need each other share a loop, so what several of them
 * read is loaded once: that is what makes tiles of elements worth while. 64-bit values are `vec2<u32>(low, high)`.
 */
export class Emitter {
  /** Library functions that were called. */
  readonly library = new Set<string>();
  /** Values of each type that a workgroup shares at a time. */
  readonly shared = { i32: 0, i64: 0 };
  readonly #options: EmitterOptions;
  readonly #analysis = new KernelAnalysis();
  /** Reductions whose loops are being written. */
  readonly #unfinished = new Set<Node>();
  readonly #identities = new Map<Node, number>();
  #count = 0;

  constructor(options: EmitterOptions) {
    this.#options = options;
  }

  /** The statements that compute an expression for all these elements, and what its values are called there. `given`: what a part of it is called for each of them already. */
  emitAll(
    expression: SpecializedExpression, elements: readonly Coordinates[], given?: { readonly node: SpecializedReduction; readonly names: readonly string[] },
  ): { readonly lines: readonly string[]; readonly values: readonly string[] } {
    const scope = this.#open(null, null, elements.map((coordinates) => ({ node: expression, coordinates })));
    if (given !== undefined) {
      const names = namesOf(scope.names, given.node);
      elements.forEach((coordinates, index) => names.set(this.#keyOf(given.node, coordinates), given.names[index] as string));
    }
    const values = elements.map((coordinates) => this.#emit(expression, scope, coordinates));
    return { lines: scope.lines, values };
  }

  /** The statements before the loops of these nested reductions and within each, that compute where words lie; and what those addresses are called in the innermost. */
  emitWords(reductions: readonly SpecializedReduction[], words: readonly { readonly word: SpecializedWord; readonly coordinates: Coordinates }[]): { readonly scopes: readonly (readonly string[])[]; readonly addresses: readonly string[] } {
    const scopes = [this.#open(null, null, [])];
    for (const { level } of reductions) scopes.push(this.#open(scopes.at(-1) as Scope, level, []));
    const addresses = words.map(({ word, coordinates }) => this.#emit(word, scopes.at(-1) as Scope, coordinates));
    return { scopes: scopes.map(({ lines }) => lines), addresses };
  }

  #open(parent: Scope | null, level: number | null, instances: readonly Instance[]): Scope {
    return { parent, level, lines: [], instances, names: new Map(), words: new Map() };
  }

  #name(prefix: string): string {
    this.#count += 1;
    return `${prefix}${this.#count}`;
  }

  /** Those coordinates on which a node depends: elements that agree in them share its value. */
  #keyOf(node: Node, { row, column }: Coordinates): string {
    const of = this.#analysis.coordinatesOf(node);
    return `${of.has('row') ? row : ''} ${of.has('column') ? column : ''}`;
  }

  /** The name (or literal) of a node's value, after writing what computes it into `from` or further out. */
  #emit(node: Node, from: Scope, coordinates: Coordinates): string {
    if (node.kind === 'constant') return literal(node.type, node.value);
    if (node.kind === 'coordinate') return node.of === 'iteration' ? 'i32(run.iteration)' : coordinates[node.of];
    if (node.kind === 'index') return `k${node.level}`;
    const scope = this.#scopeOf(node, from);
    const names = namesOf(scope.names, node);
    const key = this.#keyOf(node, coordinates);
    const known = names.get(key);
    if (known !== undefined) return known;
    if (node.kind === 'reduce') {
      this.#reductions(node, scope, coordinates);
      return names.get(key) as string;
    }
    const value = this.#value(node, scope, coordinates);
    const name = this.#name('v');
    scope.lines.push(`let ${name} = ${value};`);
    names.set(key, name);
    return name;
  }

  readonly #call: Call = (name, ...operands) => {
    this.library.add(name);
    return `${name}(${operands.join(', ')})`;
  };

  #scopeOf(node: Node, from: Scope): Scope {
    const free = this.#analysis.levelsOf(node);
    let scope = from;
    while (scope.parent !== null && !(scope.level !== null && free.has(scope.level))) scope = scope.parent;
    return scope;
  }

  /** The expression over the names of the node's children. */
  #value(node: Exclude<Node, SpecializedReduction>, scope: Scope, coordinates: Coordinates): string {
    const { reads } = this.#options;
    const at = (child: Node): string => this.#emit(child, scope, coordinates);
    switch (node.kind) {
      case 'load':
        return `${reads.load(node)}(${[...(node.iteration === null ? [] : [at(node.iteration)]), at(node.row), at(node.column)].join(', ')})`;
      case 'word':
        return `${reads.word(node)}(${[...(node.iteration === null ? [] : [at(node.iteration)]), at(node.row), at(node.index)].join(', ')})`;
      case 'dot32':
        return `${reads.dot()}(${this.#word(node.left, scope, coordinates)}, ${this.#word(node.right, scope, coordinates)})`;
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

  /** The name of a word's content. */
  #word(node: SpecializedWord, from: Scope, coordinates: Coordinates): string {
    const scope = this.#scopeOf(node, from);
    const names = namesOf(scope.words, node);
    const key = this.#keyOf(node, coordinates);
    const known = names.get(key);
    if (known !== undefined) return known;
    const address = this.#emit(node, scope, coordinates);
    const name = this.#name('w');
    scope.lines.push(`let ${name} = ${this.#options.reads.fetch(node)}(${address});`);
    names.set(key, name);
    return name;
  }

  /** Writes one loop for a reduction and all that go with it into `scope`. */
  #reductions(node: SpecializedReduction, scope: Scope, coordinates: Coordinates): void {
    const { sharing } = this.#options;
    const shares = sharing !== undefined && scope.parent === null && sharing.isShared(node);
    const group = this.#together(node, scope, coordinates).slice(0, shares ? sharing.most : undefined);
    const begun = group.map(({ node: reduction }) => reduction).filter((reduction) => !this.#unfinished.has(reduction));
    begun.forEach((reduction) => this.#unfinished.add(reduction));
    const reduced = group.map((instance): Reduced => ({ ...instance, accumulator: this.#name('r') }));
    const inner = this.#open(scope, node.level, group.map(({ node: { body }, coordinates: at }) => ({ node: body, coordinates: at })));
    const steps = reduced.map(({ node: { operator, type, body }, coordinates: at, accumulator }) =>
      `${accumulator} = ${combine(operator, type, accumulator, this.#emit(body, inner, at), this.#call)};`);
    begun.forEach((reduction) => this.#unfinished.delete(reduction));
    for (const { node: { operator, type }, accumulator } of reduced) {
      scope.lines.push(`var ${accumulator}: ${type === 'i32' ? 'i32' : 'vec2<u32>'} = ${literal(type, identity(operator, type))};`);
    }
    const { base, perIteration } = node.bound;
    const limit = perIteration === 0 ? `${base}i` : `${base}i + ${perIteration}i * i32(run.iteration)`;
    const [from, step] = shares ? ['i32(slice)', `${sharing.slices}i`] : ['0i', '1i'];
    const index = `k${node.level}`;
    scope.lines.push(`for (var ${index} = ${from}; ${index} < ${limit}; ${index} = ${index} + ${step}) {`, ...[...inner.lines, ...steps].map((line) => `  ${line}`), '}');

    const results = reduced.map(({ node: { operator, type }, accumulator }) => ({ operator, type, accumulator, name: this.#name('v') }));
    if (shares) {
      scope.lines.push(...shareCode(results, sharing, this.#call));
      for (const type of ['i32', 'i64'] as const) this.shared[type] = Math.max(this.shared[type], results.filter((result) => result.type === type).length);
    } else {
      scope.lines.push(...results.map(({ name, accumulator }) => `let ${name} = ${accumulator};`));
    }
    reduced.forEach((instance, position) => namesOf(scope.names, instance.node).set(this.#keyOf(instance.node, instance.coordinates), results[position]?.name as string));
  }

  /** The reduction, and all others of this scope that may run in the same loop: equally long, not written yet, none within another. */
  #together(first: SpecializedReduction, scope: Scope, coordinates: Coordinates): Instance<SpecializedReduction>[] {
    const group: Instance<SpecializedReduction>[] = [{ node: first, coordinates }];
    const nodes = new Set([first]);
    const seen = new Set([this.#identityOf({ node: first, coordinates })]);
    const apart = (one: Node, other: Node): boolean => one === other || (!this.#analysis.contains(one, other) && !this.#analysis.contains(other, one));
    for (const { node, coordinates: at } of scope.instances) {
      for (const candidate of this.#analysis.reductionsIn(node)) {
        const { level, bound: { base, perIteration } } = candidate;
        if (level !== first.level || base !== first.bound.base || perIteration !== first.bound.perIteration || this.#scopeFor(candidate, scope) !== scope) continue;
        const id = this.#identityOf({ node: candidate, coordinates: at });
        if (seen.has(id) || namesOf(scope.names, candidate).has(this.#keyOf(candidate, at))) continue;
        if (![...nodes, ...this.#unfinished].every((other) => apart(other, candidate))) continue;
        seen.add(id);
        nodes.add(candidate);
        group.push({ node: candidate, coordinates: at });
      }
    }
    return group;
  }

  /** Where a node that occurs within `scope` belongs; null when that is a loop within it. */
  #scopeFor(node: Node, scope: Scope): Scope | null {
    const open = new Set<number>();
    for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.level !== null) open.add(at.level);
    return [...this.#analysis.levelsOf(node)].every((level) => open.has(level)) ? this.#scopeOf(node, scope) : null;
  }

  #identityOf({ node, coordinates }: Instance): string {
    const id = this.#identities.get(node) ?? this.#identities.size;
    this.#identities.set(node, id);
    return `${id} ${this.#keyOf(node, coordinates)}`;
  }
}

function namesOf(names: Map<Node, Map<string, string>>, node: Node): Map<string, string> {
  const known = names.get(node) ?? new Map<string, string>();
  names.set(node, known);
  return known;
}
