import { specializedTypeOf } from '../language/builder.ts';
import type { BinaryOperator, ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedExpression, SpecializedKernel, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { wordsPerRow } from '../program/tensor.ts';
import { OUTPUT_VECTOR } from './allocate.ts';
import { Opcode, Source, WIDE } from './instruction.ts';
import { depthOf, flattenReads } from './lower.ts';
import type { FlatKernel } from './lower.ts';
import { countUses, leavesOf, registersNeeded } from './shape.ts';
import type { VirtualBlock, VirtualCode, VirtualSource } from './virtual-code.ts';

type Node = SpecializedExpression | SpecializedWord;
type Binary = Extract<SpecializedExpression, { readonly kind: 'binary' }>;
type Register = Extract<VirtualSource, { readonly kind: 'register' }>;

/** A place where code is being put together: the word, one lane, or the body of a reduction. */
interface Scope {
  readonly blocks: VirtualBlock[];
  readonly values: Map<Node, VirtualSource>;
}

/** The enclosing scopes by their depth (`depthOf`); unset where no such loop is open. */
type Scopes = readonly (Scope | undefined)[];

/** `early`: a value is computed in the outermost loop that it may stand in; `late`: where it is first used. */
export type Placement = 'early' | 'late';

const ZERO: VirtualSource = { kind: 'source', number: Source.ZERO };
const counterOf = (level: number): VirtualSource => ({ kind: 'source', number: Source.COUNTER + level + 1 });
const LANE: VirtualSource = { kind: 'source', number: Source.COUNTER };

const OPCODES: Record<BinaryOperator, number> = {
  add: Opcode.ADD, sub: Opcode.SUB, mul: Opcode.MUL, div: Opcode.DIV, mod: Opcode.MOD, shl: Opcode.SHL, shr: Opcode.SHR, shru: Opcode.SHRU,
  and: Opcode.AND, or: Opcode.OR, xor: Opcode.XOR, min: Opcode.MIN, max: Opcode.MAX, lt: Opcode.LT, le: Opcode.LE, eq: Opcode.EQ,
};
const opcode = (operator: BinaryOperator, type: ScalarType): number => OPCODES[operator] + (type === 'i64' ? WIDE : 0);

/** The value of a reduction over nothing, from which it starts. */
const NEUTRAL: Record<ReductionOperator, (type: ScalarType) => bigint> = {
  add: () => 0n, or: () => 0n, xor: () => 0n, and: () => -1n,
  min: (type) => (type === 'i32' ? 2n ** 31n - 1n : 2n ** 63n - 1n),
  max: (type) => (type === 'i32' ? -(2n ** 31n) : -(2n ** 63n)),
};

/** Code that computes one word of the kernel's output, for an unlimited number of registers. */
export function emitWord(kernel: SpecializedKernel, placement: Placement): VirtualCode {
  return new Emitter(kernel, flattenReads(kernel), placement).run();
}

class Emitter {
  readonly #kernel: SpecializedKernel;
  readonly #flat: FlatKernel;
  readonly #placement: Placement;
  readonly #uses: ReadonlyMap<Node, number>;
  readonly #registers: ('scalar' | 'vector')[] = [];
  readonly #needs = new Map<Node, number>();

  constructor(kernel: SpecializedKernel, flat: FlatKernel, placement: Placement) {
    this.#kernel = kernel;
    this.#flat = flat;
    this.#placement = placement;
    this.#uses = countUses(flat.element);
  }

  run(): VirtualCode {
    const word: Scope = { blocks: [], values: new Map() };
    const lane: Scope = { blocks: [], values: new Map() };
    const value = this.#scalar(this.#flat.element, [word, lane], 'low');
    const op = this.#kernel.output.element === 'i8' ? Opcode.PUT8 : Opcode.PUT32;
    this.#push(lane, op, { kind: 'fixed', number: OUTPUT_VECTOR }, LANE, value, { updates: true });
    word.blocks.push({ kind: 'loop', counter: 0, bound: 'lanes', body: lane.blocks });
    this.#push(word, Opcode.STORE, null, { kind: 'source', number: OUTPUT_VECTOR }, { kind: 'source', number: 0 });
    return { blocks: word.blocks, registers: this.#registers };
  }

  #register(kind: 'scalar' | 'vector'): Register {
    return { kind: 'register', register: this.#registers.push(kind) - 1 };
  }

  #push(
    scope: Scope, op: number, d: Register | { readonly kind: 'fixed'; readonly number: number } | null, a: VirtualSource, b: VirtualSource,
    more: { readonly c?: VirtualSource; readonly operand?: number; readonly updates?: boolean } = {},
  ): void {
    scope.blocks.push({ kind: 'instruction', op, d, updates: more.updates ?? false, a, b, c: more.c ?? null, operand: more.operand ?? null });
  }

  #depth(node: Node): number {
    return depthOf(this.#flat.builder, node);
  }

  /** The scopes that a value is computed in. */
  #scopesFor(node: Node, scopes: Scopes): Scopes {
    const early = this.#placement === 'early' || (node.kind === 'reduce' && this.#depth(node) < scopes.length - 1);
    return early ? scopes.slice(0, this.#depth(node) + 1) : scopes;
  }

  #known(node: Node, scopes: Scopes): VirtualSource | undefined {
    for (let depth = scopes.length - 1; depth >= 0; depth -= 1) {
      const value = scopes[depth]?.values.get(node);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** The node's value, computed now if it is not known yet. `low`: only its low 32 bits matter. */
  #scalar(node: SpecializedExpression, scopes: Scopes, bits: 'low' | 'all'): VirtualSource {
    switch (node.kind) {
      case 'constant':
        if (node.value === 0n) return ZERO;
        if (BigInt.asIntN(32, node.value) === node.value) return { kind: 'immediate', value: Number(node.value) };
        break;
      case 'coordinate':
        if (node.of !== 'column') return { kind: 'source', number: node.of === 'row' ? Source.ROW : Source.ITERATION };
        if (wordsPerRow(this.#kernel.output) === 1) return LANE;
        break;
      case 'index':
        return counterOf(node.level);
      case 'convert':
        if (node.to === 'i64' || bits === 'low') return this.#scalar(node.value, scopes, 'all');
        break;
      default:
    }
    const known = this.#known(node, scopes);
    if (known !== undefined) return known;
    const place = this.#scopesFor(node, scopes);
    const value = this.#compute(node, place);
    top(place).values.set(node, value);
    return value;
  }

  #compute(node: SpecializedExpression, scopes: Scopes): Register {
    switch (node.kind) {
      case 'constant': return this.#wideConstant(node.value, scopes);
      case 'coordinate': return this.#instruction(Opcode.ADD, { kind: 'source', number: Source.COLUMN }, LANE, scopes);
      case 'load': {
        const [address, iteration] = this.#sources([[node.column, 'all'], [node.iteration, 'all']], scopes);
        const d = this.#register('scalar');
        const op = node.element === 'i8' ? Opcode.LOAD8 : Opcode.LOAD32;
        const [a, b] = [this.#inRegister(address, scopes), this.#inRegister(iteration, scopes)];
        this.#push(top(scopes), op, d, a, b, { operand: node.operand });
        return d;
      }
      case 'dot32': return this.#accumulation('add', 'i32', node, scopes);
      case 'binary': return this.#binary(node, scopes);
      case 'select': {
        const [condition, whenTrue, whenFalse] = this.#sources([[node.condition, 'all'], [node.whenTrue, 'all'], [node.whenFalse, 'all']], scopes);
        return this.#instruction(Opcode.SELECT, condition, whenTrue, scopes, whenFalse);
      }
      case 'requantize': {
        const [accumulator, multiplier, shift] = this.#sources([[node.accumulator, 'low'], [node.multiplier, 'low'], [node.shift, 'low']], scopes);
        return this.#instruction(Opcode.REQUANTIZE, accumulator, multiplier, scopes, shift);
      }
      case 'convert': return this.#instruction(Opcode.ADD, this.#scalar(node.value, scopes, 'all'), ZERO, scopes);
      case 'reduce': return this.#accumulation(node.operator, node.type, node, scopes);
      case 'index': throw new TypeError('a running index is a source of its own');
    }
  }

  /** Values of several nodes, the one that needs most registers first. Null stands for zero. */
  #sources<const T extends readonly (readonly [SpecializedExpression | null, 'low' | 'all'])[]>(nodes: T, scopes: Scopes): { [K in keyof T]: VirtualSource } {
    const values: VirtualSource[] = nodes.map(() => ZERO);
    const order = nodes.map((_, index) => index).sort((left, right) => this.#need(nodes[right]?.[0]) - this.#need(nodes[left]?.[0]) || left - right);
    for (const index of order) {
      const [node, bits] = nodes[index] as readonly [SpecializedExpression | null, 'low' | 'all'];
      if (node !== null) values[index] = this.#scalar(node, scopes, bits);
    }
    return values as { [K in keyof T]: VirtualSource };
  }

  #need(node: SpecializedExpression | null | undefined): number {
    return node === null || node === undefined ? 0 : registersNeeded(node, this.#needs);
  }

  /** An instruction with a new register for its result. Immediates that the encoding has no room for go into registers. */
  #instruction(op: number, a: VirtualSource, b: VirtualSource, scopes: Scopes, c?: VirtualSource, into?: Register): Register {
    const bits = c === undefined ? 32 : 24;
    let immediate: number | null = null;
    const sources = [a, b, ...(c === undefined ? [] : [c])].map((source) => {
      if (source.kind !== 'immediate') return source;
      const fits = Number(BigInt.asIntN(bits, BigInt(source.value))) === source.value && (immediate === null || immediate === source.value);
      if (!fits) return this.#inRegister(source, scopes);
      immediate = source.value;
      return source;
    });
    const d = into ?? this.#register('scalar');
    this.#push(top(scopes), op, d, sources[0] as VirtualSource, sources[1] as VirtualSource, sources[2] === undefined ? {} : { c: sources[2] });
    return d;
  }

  #inRegister(source: VirtualSource, scopes: Scopes): VirtualSource {
    if (source.kind !== 'immediate') return source;
    const node = this.#flat.builder.constant('i32', source.value);
    const known = this.#known(node, scopes);
    if (known !== undefined) return known;
    const place = this.#scopesFor(node, scopes);
    const register = this.#instruction(Opcode.ADD, source, ZERO, place);
    top(place).values.set(node, register);
    return register;
  }

  /** A constant of more than 32 bits, in two or three instructions. */
  #wideConstant(value: bigint, scopes: Scopes): Register {
    const immediate = (part: bigint): VirtualSource => (part === 0n ? ZERO : { kind: 'immediate', value: Number(part) });
    const ones = BigInt(value.toString(2).length);
    if (value === (1n << ones) - 1n) {
      const register = this.#instruction(Opcode.ADD, immediate(-1n), ZERO, scopes);
      return this.#instruction(Opcode.SHRU + WIDE, register, immediate(64n - ones), scopes, undefined, register);
    }
    for (let shift = 1n; shift < 64n; shift += 1n) {
      const short = value >> shift;
      if (BigInt.asIntN(32, short) === short && BigInt.asIntN(64, short << shift) === value) {
        const register = this.#instruction(Opcode.ADD, immediate(short), ZERO, scopes);
        return this.#instruction(Opcode.SHL + WIDE, register, immediate(shift), scopes, undefined, register);
      }
    }
    const low = BigInt.asIntN(32, value);
    const high = BigInt.asIntN(32, (value - low) >> 32n);
    const register = this.#instruction(Opcode.ADD, immediate(high), ZERO, scopes);
    this.#instruction(Opcode.SHL + WIDE, register, immediate(32n), scopes, undefined, register);
    return this.#instruction(Opcode.ADD + WIDE, register, immediate(low), scopes, undefined, register);
  }

  #binary(node: Binary, scopes: Scopes): Register {
    const { operator, type, left, right } = node;
    if (isReduction(operator)) {
      const leaves = leavesOf(node, operator, type, (leaf) => leaf === node || this.#onlyHere(leaf, scopes));
      if (leaves.some((leaf) => this.#accumulates(leaf, operator, type, scopes))) return this.#accumulation(operator, type, node, scopes);
    }
    const bits = type === 'i32' ? 'low' : 'all';
    if (operator === 'add') {
      const product = this.#product(left, scopes) ?? this.#product(right, scopes);
      if (product !== null) {
        const other = product.of === left ? right : left;
        const [a, b, c] = this.#sources([[product.left, bits], [product.right, bits], [other, bits]], scopes);
        return this.#instruction(opcodeOfMad(type), a, b, scopes, c);
      }
    }
    const [a, b] = this.#sources([[left, bits], [right, bits]], scopes);
    return this.#instruction(opcode(operator, type), a, b, scopes);
  }

  /** A product that is not known yet, so that MAD computes it for nothing; shifts to the left are products. */
  #product(node: SpecializedExpression, scopes: Scopes): { readonly of: SpecializedExpression; readonly left: SpecializedExpression; readonly right: SpecializedExpression } | null {
    if (node.kind !== 'binary' || this.#known(node, scopes) !== undefined) return null;
    if (node.operator === 'mul') return { of: node, left: node.left, right: node.right };
    if (node.operator !== 'shl' || node.right.kind !== 'constant') return null;
    const shift = node.right.value & (node.type === 'i32' ? 31n : 63n);
    return shift > 22n ? null : { of: node, left: node.left, right: this.#flat.builder.constant(node.type, 1n << shift) };
  }

  /** True when the node is used by one other alone, and computed in the same scope as that. */
  #onlyHere(node: SpecializedExpression, scopes: Scopes): boolean {
    return this.#uses.get(node) === 1 && this.#depth(node) === scopes.length - 1 && this.#known(node, scopes) === undefined;
  }

  /** True when the node may be added (or otherwise joined) to an accumulator by instructions of its own. */
  #accumulates(node: SpecializedExpression, operator: ReductionOperator, type: ScalarType, scopes: Scopes): boolean {
    if (!this.#onlyHere(node, scopes)) return false;
    return (node.kind === 'reduce' && node.operator === operator && node.type === type) || (node.kind === 'dot32' && operator === 'add');
  }

  /** `node` computed in a register that starts with one of its parts, or with nothing, and takes in the rest. */
  #accumulation(operator: ReductionOperator, type: ScalarType, node: SpecializedExpression, scopes: Scopes): Register {
    const leaves = leavesOf(node, operator, type, (leaf) => leaf === node || this.#onlyHere(leaf, scopes));
    const first = leaves.findIndex((leaf) => leaf !== node && !this.#accumulates(leaf, operator, type, scopes));
    const start = leaves[first] ?? this.#flat.builder.constant(type, NEUTRAL[operator](type));
    const accumulator = this.#copy(start, scopes);
    leaves.filter((_, index) => index !== first).forEach((leaf) => this.#accumulate(accumulator, operator, type, leaf, scopes, leaf === node));
    return accumulator;
  }

  /** A register of its own that holds the node's value. */
  #copy(node: SpecializedExpression, scopes: Scopes): Register {
    if (node.kind === 'constant' && scopes.length === 1 && BigInt.asIntN(32, node.value) !== node.value) return this.#wideConstant(node.value, scopes);
    const fresh = node.kind !== 'convert' && node.kind !== 'constant' && node.kind !== 'coordinate' && this.#onlyHere(node, scopes);
    const value = this.#scalar(node, scopes, 'all');
    if (fresh && value.kind === 'register') {
      top(scopes).values.delete(node);
      return value;
    }
    return this.#instruction(opcode('add', specializedTypeOf(node)), value, ZERO, scopes);
  }

  /** `accumulator = accumulator operator node`. `whole`: the node is the accumulation itself, so nobody else has its value. */
  #accumulate(accumulator: Register, operator: ReductionOperator, type: ScalarType, node: SpecializedExpression, scopes: Scopes, whole = false): void {
    const direct = whole || this.#onlyHere(node, scopes);
    if (direct && node.kind === 'reduce' && node.operator === operator && node.type === type) return this.#loop(accumulator, node, scopes);
    if (direct && node.kind === 'dot32' && operator === 'add') {
      const [left, right] = [this.#vector(node.left, scopes), this.#vector(node.right, scopes)];
      return this.#push(top(scopes), Opcode.DOT, accumulator, left, right, { updates: true });
    }
    const bits = type === 'i32' ? 'low' : 'all';
    if (direct && operator === 'add' && node.kind === 'binary' && node.type === type) {
      const product = this.#product(node, scopes);
      if (product !== null) {
        const [a, b] = this.#sources([[product.left, bits], [product.right, bits]], scopes);
        this.#instruction(opcodeOfMad(type), a, b, scopes, accumulator, accumulator);
        return;
      }
    }
    const value = this.#scalar(node, scopes, bits);
    this.#instruction(opcode(operator, type), accumulator, value, scopes, undefined, accumulator);
  }

  #loop(accumulator: Register, { operator, type, level, bound, body }: SpecializedReduction, scopes: Scopes): void {
    const inner: (Scope | undefined)[] = [...scopes];
    const depth = level + 2;
    while (inner.length < depth) inner.push(undefined);
    const scope: Scope = { blocks: [], values: new Map() };
    inner[depth] = scope;
    for (const leaf of leavesOf(body, operator, type, (node) => this.#onlyHere(node, inner))) this.#accumulate(accumulator, operator, type, leaf, inner);
    top(scopes).blocks.push({ kind: 'loop', counter: level + 1, bound, body: scope.blocks });
  }

  #vector(node: SpecializedWord, scopes: Scopes): Register {
    const known = this.#known(node, scopes);
    if (known !== undefined) return known as Register;
    const place = this.#scopesFor(node, scopes);
    const [address, iteration] = this.#sources([[node.index, 'all'], [node.iteration, 'all']], place);
    const d = this.#register('vector');
    const [a, b] = [this.#inRegister(address, place), this.#inRegister(iteration, place)];
    this.#push(top(place), Opcode.LOADWORD, d, a, b, { operand: node.operand });
    top(place).values.set(node, d);
    return d;
  }
}

const opcodeOfMad = (type: ScalarType): number => Opcode.MAD + (type === 'i64' ? WIDE : 0);

const isReduction = (operator: BinaryOperator): operator is ReductionOperator =>
  operator === 'add' || operator === 'min' || operator === 'max' || operator === 'and' || operator === 'or' || operator === 'xor';

function top(scopes: Scopes): Scope {
  const scope = scopes[scopes.length - 1];
  if (scope === undefined) throw new TypeError('no scope is open at this depth');
  return scope;
}
