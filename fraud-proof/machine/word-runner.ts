import { LOOP_COUNTERS, Opcode, SCALAR_REGISTERS, Source, VECTOR_REGISTERS, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../deterministic-runtime/word-code/instruction.ts';
import {
  borrow, carry, halvesAsNumber, joinHalves, lessThan, multiplyWideHigh, requantizeHalves,
  shiftLeftHigh, shiftLeftLow, shiftRightHigh, shiftRightLow,
} from './wide-arithmetic.ts';

const WORD_BYTES = 32;
const WORD_INTS = 8;
const SOURCES = 32;
const FIELDS = 8;
const W = WIDE;

/** A tensor's padded words as the runner reads them. */
export interface OperandWords {
  readonly bytes: Int8Array;
  /** The same memory as 32-bit lanes; typed arrays are little-endian wherever JavaScript runs. */
  readonly ints: Int32Array;
}

/** Views a tensor's padded words, copying them only if they are not aligned. */
export function operandWords(words: Uint8Array): OperandWords {
  const aligned = words.byteOffset % 4 === 0 ? words : words.slice();
  return {
    bytes: new Int8Array(aligned.buffer, aligned.byteOffset, aligned.length),
    ints: new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4),
  };
}

/**
 * What an operand reads: one tensor, or one an iteration; null where there is none that is written before the current slot.
 * Iterations are from 0 to 2^32 − 1, whatever the program's maximum is.
 */
export type OperandReader = OperandWords | null | ((iteration: number) => OperandWords | null);

/** Code spread out for running: eight fields an instruction. */
export interface PreparedCode { readonly fields: Int32Array; readonly length: number }

/** Prepares code; any instructions, admitted or not. */
export function prepareCode(code: readonly Instruction[]): PreparedCode {
  const fields = new Int32Array(code.length * FIELDS);
  const sourceIndex = (source: number): number => (source > Source.IMMEDIATE ? Source.ZERO : source);
  code.forEach(({ op, d, a, b, x }, index) => {
    const three = op === Opcode.MAD || op === Opcode.MAD + W || op === Opcode.SELECT || op === Opcode.REQUANTIZE;
    const plain = op === Opcode.DOT || op === Opcode.STORE || op === Opcode.LOOP;
    fields.set([op, d, plain ? a : sourceIndex(a), plain ? b : sourceIndex(b), sourceIndex(x & 0xff), three ? x >> 8 : x | 0, x & 0xff, 0], index * FIELDS);
  });
  return { fields, length: code.length };
}

/** Coordinates of the word that is computed: the sources ITERATION, ROW, COLUMN, LANES. */
export interface WordPlace {
  readonly iteration: number;
  readonly row: number;
  readonly column: number;
  readonly lanes: number;
  /** Elements in a word of the output: 32 or 8. */
  readonly lanesPerWord: number;
}

/** Registers, counters and `pc` while one word is computed. */
export class WordRegisters {
  pc = 0;
  /** Halves of all sources: scalar registers, counters, coordinates, the immediate, zero. */
  readonly low = new Int32Array(SOURCES);
  readonly high = new Int32Array(SOURCES);
  readonly vectorInts = new Int32Array(VECTOR_REGISTERS * WORD_INTS);
  readonly vectorBytes = new Int8Array(this.vectorInts.buffer);
  lanesPerWord = WORD_BYTES;

  /** Goes to a word's start. */
  start({ iteration, row, column, lanes, lanesPerWord }: WordPlace): void {
    this.pc = 0;
    this.low.fill(0);
    this.high.fill(0);
    this.vectorInts.fill(0);
    this.low[Source.ITERATION] = iteration;
    this.low[Source.ROW] = row;
    this.low[Source.COLUMN] = column;
    this.low[Source.LANES] = lanes;
    this.lanesPerWord = lanesPerWord;
  }

  /** As a machine state holds them. */
  get scalars(): bigint[] {
    return Array.from({ length: SCALAR_REGISTERS }, (_, register) => joinHalves(this.low[register] as number, this.high[register] as number));
  }
  get counters(): number[] {
    return Array.from({ length: LOOP_COUNTERS }, (_, counter) => (this.low[Source.COUNTER + counter] as number) >>> 0);
  }
  get vectors(): Uint8Array[] {
    return Array.from({ length: VECTOR_REGISTERS }, (_, vector) => new Uint8Array(this.vectorInts.buffer.slice(vector * WORD_BYTES, (vector + 1) * WORD_BYTES)));
  }
}

/** How a run of a word's instructions ended. */
export interface WordRun {
  /** Instructions executed; the one that stored or failed included. */
  readonly steps: number;
  /** `paused`: the limit was reached; `stored`: the last instruction was STORE; `failed`: the machine's next state is failed. */
  readonly outcome: 'paused' | 'stored' | 'failed';
  /** What STORE writes, its padding zeroed. */
  readonly word: Uint8Array | null;
}

/**
 * Executes up to `limit` instructions of one word: `step` of interpreter.ts without paths, a thousand times faster.
 * Continues where `registers` stand, so that a paused run goes on with another call.
 */
export function runWord(code: PreparedCode, registers: WordRegisters, operands: readonly OperandReader[], limit: number): WordRun {
  const { fields, length } = code;
  const { low, high, vectorInts, vectorBytes } = registers;
  let { pc } = registers;
  for (let steps = 0; steps < limit;) {
    steps += 1;
    if (pc >= length) return { steps, outcome: 'failed', word: null };
    const at = pc * FIELDS;
    const op = fields[at]!;
    const d = fields[at + 1]! & 15;
    const a = fields[at + 2]!;
    const b = fields[at + 3]!;
    const c = fields[at + 4]!;
    const immediate = fields[at + 5]!;
    low[Source.IMMEDIATE] = immediate;
    high[Source.IMMEDIATE] = immediate >> 31;
    const aLow = low[a & 31]!;
    const bLow = low[b & 31]!;
    let result = 0;
    switch (op) {
      case Opcode.ADD: result = aLow + bLow | 0; break;
      case Opcode.SUB: result = aLow - bLow | 0; break;
      case Opcode.MUL: result = Math.imul(aLow, bLow); break;
      case Opcode.DIV: result = bLow === 0 ? 0 : (aLow / bLow) | 0; break;
      case Opcode.MOD: result = bLow === 0 ? 0 : (aLow % bLow) | 0; break;
      case Opcode.SHL: result = aLow << bLow; break;
      case Opcode.SHR: result = aLow >> bLow; break;
      case Opcode.SHRU: result = aLow >>> bLow | 0; break;
      case Opcode.AND: result = aLow & bLow; break;
      case Opcode.OR: result = aLow | bLow; break;
      case Opcode.XOR: result = aLow ^ bLow; break;
      case Opcode.MIN: result = aLow < bLow ? aLow : bLow; break;
      case Opcode.MAX: result = aLow > bLow ? aLow : bLow; break;
      case Opcode.LT: result = aLow < bLow ? 1 : 0; break;
      case Opcode.LE: result = aLow <= bLow ? 1 : 0; break;
      case Opcode.EQ: result = aLow === bLow ? 1 : 0; break;
      case Opcode.MAD: result = Math.imul(aLow, bLow) + low[c]! | 0; break;
      case Opcode.REQUANTIZE: result = requantizeHalves(aLow, bLow, low[c]!); break;
      case Opcode.DOT: {
        const left = (a & 3) * WORD_BYTES;
        const right = (b & 3) * WORD_BYTES;
        let sum = low[d]!;
        for (let lane = 0; lane < WORD_BYTES; lane += 1) sum += vectorBytes[left + lane]! * vectorBytes[right + lane]!;
        result = sum | 0;
        break;
      }
      case Opcode.LOAD8: {
        const tensor = operandOf(operands, fields[at + 6]!, bLow, high[b & 31]!);
        const position = halvesAsNumber(aLow, high[a & 31]!);
        if (tensor !== null && position >= 0 && position < tensor.bytes.length) result = tensor.bytes[position]!;
        break;
      }
      case Opcode.LOAD32: {
        const tensor = operandOf(operands, fields[at + 6]!, bLow, high[b & 31]!);
        const position = halvesAsNumber(aLow, high[a & 31]!);
        if (tensor !== null && position >= 0 && position < tensor.ints.length) result = tensor.ints[position]!;
        break;
      }
      case Opcode.LOADWORD: {
        const tensor = operandOf(operands, fields[at + 6]!, bLow, high[b & 31]!);
        const start = halvesAsNumber(aLow, high[a & 31]!) * WORD_INTS;
        const target = (d & 3) * WORD_INTS;
        const exists = tensor !== null && start >= 0 && start < tensor.ints.length;
        for (let lane = 0; lane < WORD_INTS; lane += 1) vectorInts[target + lane] = exists ? tensor.ints[start + lane]! : 0;
        pc += 1;
        continue;
      }
      case Opcode.PUT8:
        vectorBytes[(d & 3) * WORD_BYTES + (aLow & 31)] = bLow;
        pc += 1;
        continue;
      case Opcode.PUT32:
        vectorInts[(d & 3) * WORD_INTS + (aLow & 7)] = bLow;
        pc += 1;
        continue;
      case Opcode.LOOP: {
        const x = immediate >>> 0;
        const counter = Source.COUNTER + (d & 3);
        const bound = b === 1 ? low[Source.LANES]! >>> 0 : (x >>> 10) + a * (low[Source.ITERATION]! >>> 0);
        const next = (low[counter]! >>> 0) + 1;
        low[counter] = next < bound ? next : 0;
        pc = next < bound ? x & 1023 : pc + 1;
        continue;
      }
      case Opcode.STORE:
        registers.pc = pc;
        return { steps, outcome: 'stored', word: storedWord(registers, a & 3) };
      default: {
        if (!isWide(op)) return { steps, outcome: 'failed', word: null };
        wide(registers, op, d, a, b, c);
        pc += 1;
        continue;
      }
    }
    low[d] = result;
    high[d] = result >> 31;
    pc += 1;
  }
  registers.pc = pc;
  return { steps: limit, outcome: 'paused', word: null };
}

const isWide = (op: number): boolean => op === Opcode.SELECT || (op >= Opcode.ADD + W && op <= Opcode.MAD + W);

/** SELECT and the 64-bit arithmetic. */
function wide({ low, high }: WordRegisters, op: number, d: number, a: number, b: number, c: number): void {
  const [aLow, aHigh, bLow, bHigh] = [low[a]!, high[a]!, low[b]!, high[b]!];
  const shift = bLow & 63;
  const set = (resultLow: number, resultHigh: number): void => {
    low[d] = resultLow;
    high[d] = resultHigh;
  };
  switch (op) {
    case Opcode.SELECT: return (aLow | aHigh) !== 0 ? set(bLow, bHigh) : set(low[c]!, high[c]!);
    case Opcode.ADD + W: return set(aLow + bLow, aHigh + bHigh + carry(aLow + bLow, aLow));
    case Opcode.SUB + W: return set(aLow - bLow, aHigh - bHigh - borrow(aLow, bLow));
    case Opcode.MUL + W: return set(Math.imul(aLow, bLow), multiplyWideHigh(aLow, aHigh, bLow, bHigh));
    case Opcode.SHL + W: return set(shiftLeftLow(aLow, shift), shiftLeftHigh(aLow, aHigh, shift));
    case Opcode.SHR + W: return set(shiftRightLow(aLow, aHigh, shift, aHigh >> 31), shiftRightHigh(aHigh, shift, aHigh >> 31));
    case Opcode.SHRU + W: return set(shiftRightLow(aLow, aHigh, shift, 0), shiftRightHigh(aHigh, shift, 0));
    case Opcode.AND + W: return set(aLow & bLow, aHigh & bHigh);
    case Opcode.OR + W: return set(aLow | bLow, aHigh | bHigh);
    case Opcode.XOR + W: return set(aLow ^ bLow, aHigh ^ bHigh);
    case Opcode.MIN + W: return lessThan(aLow, aHigh, bLow, bHigh) ? set(aLow, aHigh) : set(bLow, bHigh);
    case Opcode.MAX + W: return lessThan(aLow, aHigh, bLow, bHigh) ? set(bLow, bHigh) : set(aLow, aHigh);
    case Opcode.LT + W: return set(lessThan(aLow, aHigh, bLow, bHigh) ? 1 : 0, 0);
    case Opcode.LE + W: return set(lessThan(bLow, bHigh, aLow, aHigh) ? 0 : 1, 0);
    case Opcode.EQ + W: return set(aLow === bLow && aHigh === bHigh ? 1 : 0, 0);
    case Opcode.MAD + W: {
      const product = Math.imul(aLow, bLow);
      return set(product + low[c]!, multiplyWideHigh(aLow, aHigh, bLow, bHigh) + high[c]! + carry(product + low[c]!, product));
    }
    default: {
      const [dividend, divisor] = [joinHalves(aLow, aHigh), joinHalves(bLow, bHigh)];
      const value = divisor === 0n ? 0n : op === Opcode.DIV + W ? dividend / divisor : dividend % divisor;
      return set(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    }
  }
}

/** The tensor of operand `number`; `low` and `high` are the iteration's halves. */
function operandOf(operands: readonly OperandReader[], number: number, low: number, high: number): OperandWords | null {
  const reader = operands[number] ?? null;
  if (typeof reader !== 'function') return reader;
  return high === 0 ? reader(low >>> 0) : null;
}

function storedWord({ vectorInts, low, lanesPerWord }: WordRegisters, vector: number): Uint8Array {
  const word = new Uint8Array(vectorInts.buffer.slice(vector * WORD_BYTES, (vector + 1) * WORD_BYTES));
  return word.fill(0, ((low[Source.LANES]! >>> 0) * WORD_BYTES) / lanesPerWord);
}
