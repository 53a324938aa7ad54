import { wordsPerRow } from '../program/tensor.ts';
import { wrapTo } from './arithmetic.ts';
import { ExpressionBuilder, indexVariable, specializedTypeOf } from './builder.ts';
import type { Expression, ScalarType, WordExpression } from './expression.ts';
import {
  DOT_INTERVAL, binaryInterval, elementInterval, everything, intersection, interval, minus, plus, reductionInterval, union,
} from './interval.ts';
import type { Interval, Range } from './interval.ts';
import type { Kernel } from './kernel.ts';
import { MAX_REDUCTION_DEPTH } from './scalar.ts';
import type { KernelBinding, OperandBinding } from './specialize.ts';
import type { SpecializedExpression, SpecializedRead, SpecializedReduction, SpecializedWord } from './specialized.ts';

/** Visits of subexpressions before a kernel is refused as too large. */
const MAX_VISITS = 2 ** 16;
/** What LOOP's encoding and admission allow. */
const MAX_BASE = 2 ** 22 - 1;
const MAX_PER_ITERATION = 255;
const MAX_BOUND = 2 ** 24;

interface Value {
  readonly node: SpecializedExpression;
  readonly range: Range;
}

/** What surrounds an expression: the running indices by their level in the source, and how deep it really stands. */
interface Scope {
  readonly indices: readonly (Value | undefined)[];
  readonly depth: number;
  /** How often a word may still run a reduction's body, by the reduction's level in the source: one of an outer level is computed outside of the inner loops. */
  readonly steps: readonly number[];
  readonly known: Map<Expression | WordExpression, Value | SpecializedWord>;
}

/** One specialisation: from the source's expressions to specialised ones with their ranges, from the leaves up. */
export class SpecializationWalk {
  readonly #builder = new ExpressionBuilder();
  readonly #binding: KernelBinding;
  readonly #kernel: Kernel;
  readonly #operands: ReadonlyMap<string, number>;
  readonly #iterations: Interval;
  readonly #fail: (reason: string) => never;
  #visits = 0;

  constructor(kernel: Kernel, binding: KernelBinding, iterations: { readonly least: number; readonly greatest: number }, fail: (reason: string) => never) {
    this.#kernel = kernel;
    this.#binding = binding;
    this.#operands = new Map(kernel.operands.map(({ name }, index) => [name, index]));
    this.#iterations = interval(BigInt(iterations.least), BigInt(iterations.greatest));
    this.#fail = fail;
  }

  /** The specialised element. `steps`: how many runs of a reduction's body one element may take. */
  run(steps: number): SpecializedExpression {
    return this.#value(this.#kernel.element, { indices: [], depth: 0, steps: [steps], known: new Map() }).node;
  }

  #range(value: Interval, ahead?: Interval): Range {
    const apart = minus(value, this.#iterations);
    return { ...value, ahead: ahead === undefined ? apart : intersection(apart, ahead) };
  }

  /** A value that can be only one number is that number. */
  #of(node: SpecializedExpression, value: Interval, ahead?: Interval): Value {
    const constant = value.least === value.greatest ? this.#builder.constant(specializedTypeOf(node), value.least) : node;
    return { node: constant, range: this.#range(value, ahead) };
  }

  #constant(type: ScalarType, value: bigint | number): Value {
    const node = this.#builder.constant(type, value);
    return this.#of(node, interval(node.value, node.value));
  }

  #count(): void {
    this.#visits += 1;
    if (this.#visits > MAX_VISITS) this.#fail('is too large: it shares too many subexpressions between nested reductions');
  }

  #value(expression: Expression, scope: Scope): Value {
    const known = scope.known.get(expression);
    if (known !== undefined) return known as Value;
    this.#count();
    const value = this.#compute(expression, scope);
    scope.known.set(expression, value);
    return value;
  }

  #compute(expression: Expression, scope: Scope): Value {
    const builder = this.#builder;
    switch (expression.kind) {
      case 'constant': return this.#constant(expression.type, expression.value);
      case 'parameter': return this.#constant('i32', this.#binding.parameters[expression.name] as number);
      case 'extent': return this.#constant('i32', this.#extent(expression.operand, expression.of));
      case 'coordinate': return this.#coordinate(expression.of);
      case 'index': return scope.indices[expression.level] as Value;
      case 'load': {
        const row = this.#value(expression.row, scope);
        const column = this.#value(expression.column, scope);
        const { shape } = this.#operand(expression.operand);
        const read = this.#read(expression, row, column, shape.columns, scope);
        return this.#of(builder.load({ ...read, element: shape.element, column: column.node }), elementInterval(shape.element));
      }
      case 'dot32': return this.#of(builder.dot32(this.#word(expression.left, scope), this.#word(expression.right, scope)), DOT_INTERVAL);
      case 'binary': return this.#binary(expression, this.#value(expression.left, scope), this.#value(expression.right, scope));
      case 'select': return this.#select(expression.type, this.#value(expression.condition, scope), this.#value(expression.whenTrue, scope), this.#value(expression.whenFalse, scope));
      case 'requantize': {
        const parts = [expression.accumulator, expression.multiplier, expression.shift].map((part) => this.#value(part, scope).node);
        const [accumulator, multiplier, shift] = parts as [SpecializedExpression, SpecializedExpression, SpecializedExpression];
        const node = builder.requantize(accumulator, multiplier, shift);
        return this.#of(node, node.kind === 'constant' ? interval(node.value, node.value) : everything('i32'));
      }
      case 'convert': {
        const { node, range } = this.#value(expression.value, scope);
        const type = everything(expression.to);
        const whole = range.least >= type.least && range.greatest <= type.greatest;
        return this.#of(builder.convert(expression.to, node), whole ? range : type, whole ? range.ahead : undefined);
      }
      case 'reduce': return this.#reduce(expression, scope);
    }
  }

  #operand(name: string): OperandBinding {
    return this.#binding.operands[this.#operands.get(name) as number] as OperandBinding;
  }

  #extent(operand: string | null, of: 'rows' | 'columns' | 'words'): number {
    const shape = operand === null ? this.#binding.output : this.#operand(operand).shape;
    return of === 'words' ? wordsPerRow(shape) : shape[of];
  }

  #coordinate(of: 'row' | 'column' | 'iteration'): Value {
    const node = this.#builder.coordinate(of);
    if (of === 'iteration') return this.#of(node, this.#iterations, interval(0n, 0n));
    const { rows, columns } = this.#binding.output;
    return this.#of(node, interval(0n, BigInt(of === 'row' ? rows : columns) - 1n));
  }

  #word(expression: WordExpression, scope: Scope): SpecializedWord {
    const known = scope.known.get(expression);
    if (known !== undefined) return known as SpecializedWord;
    this.#count();
    const row = this.#value(expression.row, scope);
    const index = this.#value(expression.index, scope);
    const read = this.#read(expression, row, index, wordsPerRow(this.#operand(expression.operand).shape), scope);
    const word = this.#builder.word({ ...read, index: index.node });
    scope.known.set(expression, word);
    return word;
  }

  /** `positions`: how many columns, or words, a row has. */
  #read(expression: { readonly operand: string; readonly iteration: Expression | null }, row: Value, position: Value, positions: number, scope: Scope): SpecializedRead {
    const { kind, shape, latest = 0 } = this.#operand(expression.operand);
    const within = (range: Interval, count: number): boolean => range.least >= 0n && range.greatest < BigInt(count);
    const read = {
      operand: this.#operands.get(expression.operand) as number,
      row: row.node,
      checkRow: !within(row.range, shape.rows),
      checkColumn: !within(position.range, positions),
      latest,
    };
    if (kind === 'single') {
      if (expression.iteration !== null) this.#fail(`reads '${expression.operand}' in a certain iteration, but no body operator writes it`);
      return { ...read, iteration: null, checkIteration: false };
    }
    if (expression.iteration === null && latest !== 0) {
      this.#fail(`reads '${expression.operand}' without saying in which iteration: the reader's own iteration of it is not written yet`);
    }
    const iteration = expression.iteration === null ? this.#coordinate('iteration') : this.#value(expression.iteration, scope);
    const written = iteration.range.least >= 0n && iteration.range.ahead.greatest <= BigInt(latest);
    return { ...read, iteration: iteration.node, checkIteration: !written };
  }

  #binary({ operator, type }: Extract<Expression, { kind: 'binary' }>, left: Value, right: Value): Value {
    const builder = this.#builder;
    const value = binaryInterval(operator, type, left.range, right.range);
    const node = (): SpecializedExpression => builder.binary(operator, type, left.node, right.node);
    const [a, b] = [left.range, right.range];
    const power = b.least === b.greatest && b.least > 0n && (b.least & (b.least - 1n)) === 0n;
    switch (operator) {
      case 'add':
      case 'sub': {
        const exact = operator === 'add' ? plus(a, b) : minus(a, b);
        if (exact.least !== value.least || exact.greatest !== value.greatest) return this.#of(node(), value);
        const ahead = operator === 'add' ? intersection(plus(a.ahead, b), plus(a, b.ahead)) : minus(a.ahead, b);
        return this.#of(node(), value, ahead);
      }
      case 'min':
        if (a.greatest <= b.least) return left;
        if (b.greatest <= a.least) return right;
        return this.#of(node(), value, interval(a.ahead.least < b.ahead.least ? a.ahead.least : b.ahead.least, a.ahead.greatest < b.ahead.greatest ? a.ahead.greatest : b.ahead.greatest));
      case 'max':
        if (a.least >= b.greatest) return left;
        if (b.least >= a.greatest) return right;
        return this.#of(node(), value, interval(a.ahead.least > b.ahead.least ? a.ahead.least : b.ahead.least, a.ahead.greatest > b.ahead.greatest ? a.ahead.greatest : b.ahead.greatest));
      case 'div':
        if (power && a.least >= 0n) return this.#of(builder.binary('shr', type, left.node, this.#exponent(type, b.least)), value);
        return this.#of(node(), value);
      case 'mod':
        if (a.least >= 0n && b.least > a.greatest) return left;
        if (power && a.least >= 0n) return this.#of(builder.binary('and', type, left.node, builder.constant(type, b.least - 1n)), value);
        return this.#of(node(), value);
      default:
        return this.#of(node(), value);
    }
  }

  #exponent(type: ScalarType, power: bigint): SpecializedExpression {
    return this.#builder.constant(type, power.toString(2).length - 1);
  }

  #select(type: ScalarType, condition: Value, whenTrue: Value, whenFalse: Value): Value {
    if (condition.range.least > 0n || condition.range.greatest < 0n) return whenTrue;
    if (condition.range.least === 0n && condition.range.greatest === 0n) return whenFalse;
    const node = this.#builder.select(type, condition.node, whenTrue.node, whenFalse.node);
    return this.#of(node, union(whenTrue.range, whenFalse.range), union(whenTrue.range.ahead, whenFalse.range.ahead));
  }

  #reduce(expression: Extract<Expression, { kind: 'reduce' }>, scope: Scope): Value {
    const { operator, type, level } = expression;
    const bound = this.#bound(this.#value(expression.bound, scope).node);
    const greatest = BigInt(bound.base) + BigInt(bound.perIteration) * this.#iterations.greatest;
    const withIndex = (index: Value, inside: Scope): Value => {
      const indices = scope.indices.slice(0, level);
      indices[level] = index;
      return this.#value(expression.body, { ...inside, indices, known: new Map() });
    };
    const available = scope.steps[level] ?? scope.steps.at(-1)!;
    const bodySteps = (steps: number): readonly number[] => [...scope.steps.slice(0, level + 1), steps];
    const once = (): Value => withIndex(this.#constant('i32', 0), { ...scope, steps: bodySteps(available) });
    if (greatest === 1n) return once();
    if (scope.depth >= MAX_REDUCTION_DEPTH) this.#fail(`nests reductions more than ${MAX_REDUCTION_DEPTH} deep`);
    const steps = available / Number(greatest);
    if (steps < 1) this.#fail('takes more than 2^24 steps a word: split it into several operators');
    const inside = withIndex(this.#index(scope.depth, bound, greatest), { ...scope, depth: scope.depth + 1, steps: bodySteps(steps) });
    const varies = (this.#builder.variablesOf(inside.node) & indexVariable(scope.depth)) !== 0;
    const body = varies ? inside : once();
    const node = this.#builder.reduce({ operator, type, level: scope.depth, bound, body: body.node });
    const least = BigInt(bound.base) + BigInt(bound.perIteration) * this.#iterations.least;
    return this.#of(node, reductionInterval(operator, type, body.range, interval(least, greatest)));
  }

  #index(level: number, { base, perIteration }: SpecializedReduction['bound'], bound: bigint): Value {
    const growth = BigInt(perIteration) - 1n;
    const at = growth > 0n ? this.#iterations.greatest : this.#iterations.least;
    const ahead = interval(-this.#iterations.greatest, BigInt(base) - 1n + growth * at);
    return this.#of(this.#builder.index(level), interval(0n, bound - 1n), ahead);
  }

  #bound(node: SpecializedExpression): SpecializedReduction['bound'] {
    const affine = affineIn(node);
    if (affine === null) return this.#fail('has a reduction whose bound is not a + b·iteration once shapes and parameters are known');
    const { base, slope } = affine;
    const greatest = base + slope * this.#iterations.greatest;
    if (base < 1n || slope < 0n) this.#fail(`has a reduction that runs ${base} + ${slope}·iteration times; that must be at least 1 in every iteration`);
    if (base > MAX_BASE || slope > MAX_PER_ITERATION || greatest > MAX_BOUND) {
      this.#fail(`has a reduction that runs ${base} + ${slope}·iteration times; at most ${MAX_BASE} + ${MAX_PER_ITERATION}·iteration and ${MAX_BOUND} in all are possible`);
    }
    return { base: Number(base), perIteration: Number(slope) };
  }
}

interface Affine {
  readonly base: bigint;
  readonly slope: bigint;
}

/** `base + slope·iteration` modulo 2^32 as the value of an i32 expression, or null. */
function affineIn(node: SpecializedExpression, known = new Map<SpecializedExpression, Affine | null>()): Affine | null {
  const seen = known.get(node);
  if (seen !== undefined) return seen;
  const affine = ((): Affine | null => {
    const modulo = (base: bigint, slope: bigint): Affine => ({ base: wrapTo('i32', base), slope: wrapTo('i32', slope) });
    if (node.kind === 'constant') return modulo(node.value, 0n);
    if (node.kind === 'coordinate') return node.of === 'iteration' ? modulo(0n, 1n) : null;
    if (node.kind !== 'binary') return null;
    const left = affineIn(node.left, known);
    const right = affineIn(node.right, known);
    if (left === null || right === null) return null;
    switch (node.operator) {
      case 'add': return modulo(left.base + right.base, left.slope + right.slope);
      case 'sub': return modulo(left.base - right.base, left.slope - right.slope);
      case 'mul': return right.slope === 0n ? modulo(left.base * right.base, left.slope * right.base) : null;
      case 'shl': return right.slope === 0n ? modulo(left.base << (right.base & 31n), left.slope << (right.base & 31n)) : null;
      default: return null;
    }
  })();
  known.set(node, affine);
  return affine;
}
