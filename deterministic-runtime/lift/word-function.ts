import type { TensorShape } from '../program/tensor.ts';
import { elementBytes, lanesPerWord, WORD_BYTES } from '../program/tensor.ts';
import type { FunctionBuilder, Local, ModuleBuilder } from '../wasm/assembler.ts';
import { LOOP_COUNTERS, Opcode, SCALAR_REGISTERS, Source, VECTOR_REGISTERS, WIDE } from '../word-code/instruction.ts';
import type { Instruction } from '../word-code/instruction.ts';
import { emitArithmetic, emitRequantize } from './arithmetic.ts';
import type { OperandMemory } from './memory-layout.ts';
import { parseStructure } from '../word-code/structure.ts';
import type { CodeBlock, LoopBound } from '../word-code/structure.ts';
import { emitDot, emitFirstBytes, emitPut } from './vector.ts';
import type { VectorPair } from './vector.ts';

/** What a word's code needs around it. */
export interface WordFunction {
  readonly name: string;
  readonly code: readonly Instruction[];
  readonly output: TensorShape;
  /** Null where every load is zero. */
  readonly operands: readonly (OperandMemory | null)[];
}

/** The machine's registers as WebAssembly locals. */
interface Registers {
  readonly scalars: readonly Local[];
  readonly vectors: readonly VectorPair[];
  readonly counters: readonly Local[];
  readonly iteration: Local;
  readonly row: Local;
  readonly column: Local;
  readonly lanes: Local;
  readonly target: Local;
}

const IMMEDIATE_THREE_SOURCES = 8;
/** Where the memory holds a word of zeros (memory-layout.ts). */
const ZERO_WORD_ADDRESS = 0;

/**
 * Adds the function `name(iteration, target, firstRow, endRow)` to a module: it computes the words of at least one row
 * of an operator's output and writes them to `target`. Instruction by instruction it does what the machine does;
 * registers become locals, and structured loops WebAssembly's loops.
 * @throws Error when the code is not structured
 */
export function emitWordFunction(module: ModuleBuilder, word: WordFunction): void {
  const blocks = parseStructure(word.code);
  module.function({ export: word.name, parameters: ['i32', 'i32', 'i32', 'i32'] }, (code, [iteration, target, firstRow, endRow]) => {
    const many = (type: 'i32' | 'i64', count: number): Local[] => Array.from({ length: count }, () => code.local(type));
    const registers: Registers = {
      scalars: many('i64', SCALAR_REGISTERS),
      vectors: Array.from({ length: VECTOR_REGISTERS }, () => [code.local('v128'), code.local('v128')] as const),
      counters: many('i32', LOOP_COUNTERS),
      iteration: code.local('i64'), row: code.local('i64'), column: code.local('i64'), lanes: code.local('i64'),
      target,
    };
    const { columns, element } = word.output;
    const lanes = lanesPerWord(element);
    const lift = new WordLift(code, registers, word);
    code.get(iteration).op('i64.extend_i32_u').set(registers.iteration);
    code.get(firstRow).op('i64.extend_i32_u').set(registers.row);
    code.loop((nextRow) => {
      code.i64(0).set(registers.column);
      code.loop((nextWord) => {
        code.i64(lanes).i64(columns).get(registers.column).op('i64.sub');
        code.i64(lanes).i64(columns).get(registers.column).op('i64.sub').op('i64.lt_u').op('select').set(registers.lanes);
        lift.emitWord(blocks);
        code.get(target).i32(WORD_BYTES).op('i32.add').set(target);
        code.get(registers.column).i64(lanes).op('i64.add').tee(registers.column).i64(columns).op('i64.lt_u').branchIf(nextWord);
      });
      code.get(registers.row).i64(1).op('i64.add').tee(registers.row).get(endRow).op('i64.extend_i32_u').op('i64.lt_u').branchIf(nextRow);
    });
  });
}

/** Emits the instructions of one word. */
class WordLift {
  readonly #code: FunctionBuilder;
  readonly #registers: Registers;
  readonly #word: WordFunction;
  readonly #index: Local;
  readonly #iteration: Local;
  readonly #address: Local;

  constructor(code: FunctionBuilder, registers: Registers, word: WordFunction) {
    this.#code = code;
    this.#registers = registers;
    this.#word = word;
    this.#index = code.local('i64');
    this.#iteration = code.local('i64');
    this.#address = code.local('i32');
  }

  /** All registers are zero at a word's start. */
  emitWord(blocks: readonly CodeBlock[]): void {
    const { scalars, vectors, counters } = this.#registers;
    for (const scalar of scalars) this.#code.i64(0).set(scalar);
    for (const half of vectors.flat()) this.#code.i64(0).op('i64x2.splat').set(half);
    for (const counter of counters) this.#code.i32(0).set(counter);
    this.#emitBlocks(blocks);
  }

  #emitBlocks(blocks: readonly CodeBlock[]): void {
    for (const block of blocks) {
      if (block.kind === 'instruction') this.#emitInstruction(block.instruction);
      else this.#emitLoop(block.counter, block.bound, block.body);
    }
  }

  #emitLoop(number: number, bound: LoopBound, body: readonly CodeBlock[]): void {
    const code = this.#code;
    const { lanes, iteration, counters } = this.#registers;
    const counter = counters[number]!;
    code.loop((again) => {
      this.#emitBlocks(body);
      code.get(counter).i32(1).op('i32.add').tee(counter);
      if (bound === 'lanes') code.get(lanes).op('i32.wrap_i64');
      else code.get(iteration).op('i32.wrap_i64').i32(bound.perIteration).op('i32.mul').i32(bound.base).op('i32.add');
      code.op('i32.lt_u').branchIf(again);
    });
    code.i32(0).set(counter);
  }

  #emitInstruction(instruction: Instruction): void {
    const code = this.#code;
    const { op, d, a, b, x } = instruction;
    const scalar = this.#registers.scalars[d % SCALAR_REGISTERS]!;
    const vector = (number: number): VectorPair => this.#registers.vectors[number % VECTOR_REGISTERS]!;
    const immediate = x | 0;
    const short = immediate >> IMMEDIATE_THREE_SOURCES;
    const c = x & 0xff;
    switch (op) {
      case Opcode.SELECT:
        this.#source(b, short).#source(c, short).#source(a, short);
        code.i64(0).op('i64.ne').op('select').set(scalar);
        return;
      case Opcode.REQUANTIZE:
        emitRequantize(code, () => this.#source(a, short), () => this.#source(b, short), () => this.#source(c, short));
        code.set(scalar);
        return;
      case Opcode.LOAD8:
        this.#emitAddress(instruction, 1);
        code.memory('i64.load8_s').set(scalar);
        return;
      case Opcode.LOAD32:
        this.#emitAddress(instruction, 4);
        code.memory('i64.load32_s').set(scalar);
        return;
      case Opcode.LOADWORD:
        this.#emitAddress(instruction, WORD_BYTES);
        code.tee(this.#address).memory('v128.load').set(vector(d)[0]);
        code.get(this.#address).memory('v128.load', 16).set(vector(d)[1]);
        return;
      case Opcode.DOT:
        emitDot(code, vector(a), vector(b));
        code.get(scalar).op('i32.wrap_i64').op('i32.add').op('i64.extend_i32_s').set(scalar);
        return;
      case Opcode.PUT8:
      case Opcode.PUT32:
        emitPut(code, op === Opcode.PUT8 ? 1 : 4, vector(d), () => this.#source(a, immediate), () => this.#source(b, immediate));
        return;
      case Opcode.STORE:
        this.#emitStore(vector(a));
        return;
      default: {
        const narrow = op >= WIDE ? op - WIDE : op;
        const value = narrow === Opcode.MAD ? short : immediate;
        emitArithmetic(code, op, () => this.#source(a, value), () => this.#source(b, value), () => this.#source(c, value));
        code.set(scalar);
      }
    }
  }

  /** Pushes the address of element `a`, of `bytes` bytes, of the operand; that of the zero word where there is none. */
  #emitAddress({ a, b, x }: Instruction, bytes: number): void {
    const code = this.#code;
    const operand = this.#word.operands[x & 0xff] ?? null;
    if (operand === null) {
      code.i32(ZERO_WORD_ADDRESS);
      return;
    }
    const { address, words, iterated } = operand;
    this.#source(a, x | 0);
    code.tee(this.#index).op('i32.wrap_i64').i32(bytes).op('i32.mul').i32(address).op('i32.add');
    if (iterated !== null) {
      this.#source(b, x | 0);
      code.tee(this.#iteration).op('i32.wrap_i64').i32(iterated.stride).op('i32.mul').op('i32.add');
    }
    code.i32(ZERO_WORD_ADDRESS).get(this.#index).i64((words * WORD_BYTES) / bytes).op('i64.lt_u');
    if (iterated !== null) {
      code.get(this.#iteration);
      if (typeof iterated.limit === 'number') code.i64(iterated.limit).op('i64.lt_u');
      else code.get(this.#registers.iteration).op(iterated.limit === 'upTo' ? 'i64.le_u' : 'i64.lt_u');
      code.op('i32.and');
    }
    code.op('select');
  }

  /** Writes the word, with the lanes past the row's end zeroed. */
  #emitStore(vector: VectorPair): void {
    const { columns, element } = this.#word.output;
    const bytes = columns % lanesPerWord(element) === 0 ? null : elementBytes(element);
    vector.forEach((half, number) => {
      this.#code.get(this.#registers.target);
      if (bytes === null) this.#code.get(half);
      else emitFirstBytes(this.#code, half, number, () => this.#code.get(this.#registers.lanes).op('i32.wrap_i64').i32(bytes).op('i32.mul'));
      this.#code.memory('v128.store', number * 16);
    });
  }

  /** Pushes a source's 64-bit value. */
  #source(number: number, immediate: number): this {
    const code = this.#code;
    const { scalars, counters, iteration, row, column, lanes } = this.#registers;
    if (number < SCALAR_REGISTERS) code.get(scalars[number]!);
    else if (number < Source.COUNTER + LOOP_COUNTERS) code.get(counters[number - Source.COUNTER]!).op('i64.extend_i32_u');
    else if (number === Source.ITERATION) code.get(iteration);
    else if (number === Source.ROW) code.get(row);
    else if (number === Source.COLUMN) code.get(column);
    else if (number === Source.LANES) code.get(lanes);
    else code.i64(number === Source.IMMEDIATE ? immediate : 0);
    return this;
  }
}
