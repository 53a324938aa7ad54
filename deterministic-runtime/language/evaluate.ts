import { placeOf, slotCount, slotOf } from '../program/program.ts';
import type { Model, Program } from '../program/program.ts';
import { WORD_BYTES, byteLength, elementBytes, paddingIsZero, wordCount, wordsPerRow } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { applyBinary, applyRequantize, greatestOf, leastOf, storedAs, wrapTo } from './arithmetic.ts';
import type { Expression, ReductionOperator, ScalarType, WordExpression } from './expression.ts';
import type { Kernel } from './kernel.ts';
import { bindOperator, operatorsOf } from './specialize.ts';
import type { KernelBinding } from './specialize.ts';
import type { SpecializedExpression, SpecializedKernel, SpecializedWord } from './specialized.ts';

/**
 * The reference meaning of kernels and programs: evaluates expressions as they are written, with bigints, checking every read.
 * Slow and plain on purpose; every back end is tested against it.
 */

/** Where an element stands. */
export interface ElementPosition {
  readonly row: number;
  readonly column: number;
  readonly iteration: number;
}

/** An operand's padded words (in `iteration`, for iterated operands), or undefined where nothing is written. */
export type ReadTensor = (operand: number, iteration: number) => Uint8Array | undefined;

interface Operand {
  readonly shape: TensorShape;
  readonly kind: 'single' | 'iterated';
}

interface Context {
  readonly operands: readonly Operand[];
  readonly output: TensorShape;
  readonly indexOf: (operand: string | number) => number;
  /** For reads that do not say so themselves. */
  readonly latest: (operand: number) => 0 | -1;
  readonly parameters: Readonly<Record<string, number>>;
  readonly position: ElementPosition;
  readonly read: ReadTensor;
}

interface Scope {
  readonly context: Context;
  /** Running indices by level. */
  readonly indices: readonly bigint[];
  readonly known: Map<object, bigint>;
}

type AnyExpression = Expression | SpecializedExpression;
type AnyRead = Extract<AnyExpression, { readonly kind: 'load' }> | WordExpression | SpecializedWord;

/** One element of a specialised kernel; the flags that say which checks are needless are not looked at. */
export function evaluateElement(kernel: SpecializedKernel, position: ElementPosition, read: ReadTensor): bigint {
  const context: Context = {
    operands: kernel.operands,
    output: kernel.output,
    indexOf: Number,
    latest: () => 0,
    parameters: {},
    position,
    read,
  };
  return storedAs(kernel.output.element, evaluate(kernel.element, { context, indices: [], known: new Map() }));
}

/** One element of a kernel as it is written, without specialising it. */
export function evaluateKernelElement(kernel: Kernel, binding: KernelBinding, position: ElementPosition, read: ReadTensor): bigint {
  const context: Context = {
    operands: binding.operands,
    output: binding.output,
    indexOf: (name) => kernel.operands.findIndex((operand) => operand.name === name),
    latest: (operand) => binding.operands[operand]?.latest ?? 0,
    parameters: binding.parameters,
    position,
    read,
  };
  return storedAs(kernel.output, evaluate(kernel.element, { context, indices: [], known: new Map() }));
}

function evaluate(expression: AnyExpression, scope: Scope): bigint {
  const known = scope.known.get(expression);
  if (known !== undefined) return known;
  const value = compute(expression, scope);
  scope.known.set(expression, value);
  return value;
}

function compute(expression: AnyExpression, scope: Scope): bigint {
  const { context, indices } = scope;
  switch (expression.kind) {
    case 'constant': return expression.value;
    case 'parameter': return BigInt(context.parameters[expression.name] as number);
    case 'extent': {
      const shape = expression.operand === null ? context.output : (context.operands[context.indexOf(expression.operand)] as Operand).shape;
      return BigInt(expression.of === 'words' ? wordsPerRow(shape) : shape[expression.of]);
    }
    case 'coordinate': return BigInt(context.position[expression.of]);
    case 'index': return indices[expression.level] as bigint;
    case 'load': return elementAt(expression, evaluate(expression.column, scope), scope);
    case 'dot32': return dot32(expression.left, expression.right, scope);
    case 'binary': return applyBinary(expression.operator, expression.type, evaluate(expression.left, scope), evaluate(expression.right, scope));
    case 'select': return evaluate(evaluate(expression.condition, scope) !== 0n ? expression.whenTrue : expression.whenFalse, scope);
    case 'requantize':
      return applyRequantize(evaluate(expression.accumulator, scope), evaluate(expression.multiplier, scope), evaluate(expression.shift, scope));
    case 'convert': return wrapTo(expression.to, evaluate(expression.value, scope));
    case 'reduce': return reduce(expression, scope);
  }
}

const EMPTY: Record<ReductionOperator, (type: ScalarType) => bigint> = {
  add: () => 0n, or: () => 0n, xor: () => 0n, and: () => -1n, min: greatestOf, max: leastOf,
};

function reduce(expression: Extract<AnyExpression, { readonly kind: 'reduce' }>, { context, indices, ...scope }: Scope): bigint {
  const { operator, type, level, bound, body } = expression;
  const times = 'kind' in bound
    ? evaluate(bound, { context, indices, ...scope })
    : BigInt(bound.base) + BigInt(bound.perIteration) * BigInt(context.position.iteration);
  let total = EMPTY[operator](type);
  for (let index = 0n; index < times; index += 1n) {
    const inner = indices.slice(0, level);
    inner[level] = index;
    total = applyBinary(operator, type, total, evaluate(body, { context, indices: inner, known: new Map() }));
  }
  return total;
}

/** The tensor that a read sees, or undefined where it sees zeros. */
function tensorOf(read: AnyRead, scope: Scope): { readonly shape: TensorShape; readonly words: Uint8Array } | undefined {
  const { context } = scope;
  const operand = context.indexOf(read.operand);
  const { shape, kind } = context.operands[operand] as Operand;
  let iteration = BigInt(context.position.iteration);
  if (kind === 'iterated') {
    const newest = iteration + BigInt('latest' in read ? read.latest : context.latest(operand));
    if (read.iteration !== null) iteration = evaluate(read.iteration, scope);
    if (iteration < 0n || iteration > newest) return undefined;
  }
  const words = context.read(operand, Number(iteration));
  return words === undefined ? undefined : { shape, words };
}

const inside = (value: bigint, count: number): boolean => value >= 0n && value < BigInt(count);

function elementAt(read: Extract<AnyExpression, { readonly kind: 'load' }>, column: bigint, scope: Scope): bigint {
  const tensor = tensorOf(read, scope);
  const row = evaluate(read.row, scope);
  if (tensor === undefined || !inside(row, tensor.shape.rows) || !inside(column, tensor.shape.columns)) return 0n;
  const { shape, words } = tensor;
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  const offset = Number(row) * wordsPerRow(shape) * WORD_BYTES + Number(column) * elementBytes(shape.element);
  return BigInt(shape.element === 'i8' ? view.getInt8(offset) : view.getInt32(offset, true));
}

function wordAt(read: WordExpression | SpecializedWord, scope: Scope): Int8Array {
  const tensor = tensorOf(read, scope);
  const row = evaluate(read.row, scope);
  const index = evaluate(read.index, scope);
  if (tensor === undefined || !inside(row, tensor.shape.rows) || !inside(index, wordsPerRow(tensor.shape))) return new Int8Array(WORD_BYTES);
  const first = (Number(row) * wordsPerRow(tensor.shape) + Number(index)) * WORD_BYTES;
  return Int8Array.from(tensor.words.subarray(first, first + WORD_BYTES), (byte) => (byte << 24) >> 24);
}

function dot32(left: WordExpression | SpecializedWord, right: WordExpression | SpecializedWord, scope: Scope): bigint {
  const [a, b] = [wordAt(left, scope), wordAt(right, scope)];
  return BigInt(a.reduce((total, value, lane) => total + value * (b[lane] as number), 0));
}

/** All elements of an operator's output in one iteration, as padded words. */
export function evaluateTensor(shape: TensorShape, element: (row: number, column: number) => bigint): Uint8Array {
  const words = new Uint8Array(byteLength(shape));
  const view = new DataView(words.buffer);
  const rowBytes = wordsPerRow(shape) * WORD_BYTES;
  for (let row = 0; row < shape.rows; row += 1) {
    for (let column = 0; column < shape.columns; column += 1) {
      const offset = row * rowBytes + column * elementBytes(shape.element);
      const value = Number(element(row, column));
      if (shape.element === 'i8') view.setInt8(offset, value);
      else view.setInt32(offset, value, true);
    }
  }
  return words;
}

/** What a run of a whole program gives. */
export interface Evaluation {
  /** Iterations of the body that ran. */
  readonly iterations: number;
  /** The last slot's padded words. */
  readonly output: Uint8Array;
  /** A slot's padded words; undefined when never written. */
  tensor(slot: number): Uint8Array | undefined;
}

/**
 * Runs a whole program by its kernels' definitions: the oracle that every executor is tested against, for small programs.
 * @param input the input tensor's padded words. @param seed 32 bytes; zero when absent. @param override replaces one slot's tensor, as a fault does.
 * @throws RangeError on an input of the wrong length or with non-zero padding.
 */
export function evaluateProgram(model: Model, input: Uint8Array, seed: Uint8Array = new Uint8Array(WORD_BYTES), override?: { readonly slot: number; readonly words: Uint8Array }): Evaluation {
  const { program } = model;
  if (input.length !== byteLength(program.input)) throw new RangeError(`the input has ${input.length} bytes, expected ${byteLength(program.input)} (padded words)`);
  if (!paddingIsZero(program.input, input)) throw new RangeError('the input has bytes other than zero in its padding');
  const slots = new Map<number, Uint8Array>();
  const run = (slot: number): Uint8Array => {
    const words = override?.slot === slot ? override.words : evaluateSlot(model, input, seed, slots, slot);
    slots.set(slot, words);
    return words;
  };
  for (let index = 0; index < program.prologue.length; index += 1) run(slotOf(program, 'prologue', index));
  const iterations = runBody(program, run);
  for (let index = 0; index < program.epilogue.length; index += 1) run(slotOf(program, 'epilogue', index));
  const output = slots.get(slotCount(program) - 1);
  if (output === undefined) throw new RangeError('the program writes no result: its last slot belongs to an iteration that did not run');
  return { iterations, output, tensor: (slot) => slots.get(slot) };
}

function runBody(program: Program, run: (slot: number) => Uint8Array): number {
  if (program.body.length === 0) return 0;
  for (let iteration = 0; iteration < program.maxIterations; iteration += 1) {
    let last = new Uint8Array(WORD_BYTES);
    for (let index = 0; index < program.body.length; index += 1) last = Uint8Array.from(run(slotOf(program, 'body', index, iteration)));
    const { output } = program.body[program.body.length - 1] as { readonly output: TensorShape };
    const lastWord = (wordCount(output) - 1) * WORD_BYTES;
    if (last.subarray(lastWord).some((byte) => byte !== 0)) return iteration + 1;
  }
  return program.maxIterations;
}

function evaluateSlot(model: Model, input: Uint8Array, seed: Uint8Array, slots: ReadonlyMap<number, Uint8Array>, slot: number): Uint8Array {
  const { program } = model;
  const { section, index, iteration, operator } = placeOf(program, slot);
  const binding = bindOperator(program, section, index);
  const kernel = program.kernels[operator.kernel] as Kernel;
  const read: ReadTensor = (operand, at) => {
    const source = operatorsOf(program, section)[index]?.operands[operand];
    switch (source?.kind) {
      case 'constant': return model.constants[source.constant];
      case 'input': return input;
      case 'seed': return seed;
      case 'body': return at < program.maxIterations ? slots.get(slotOf(program, 'body', source.operator, at)) : undefined;
      case 'prologue':
      case 'epilogue': return slots.get(slotOf(program, source.kind, source.operator));
      default: return undefined;
    }
  };
  return evaluateTensor(operator.output, (row, column) => evaluateKernelElement(kernel, binding, { row, column, iteration }, read));
}
