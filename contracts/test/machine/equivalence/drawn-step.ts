import { Opcode, WIDE } from '../../../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../../../deterministic-runtime/word-code/instruction.ts';
import type { Status } from '../../../../fraud-proof/machine/state.ts';
import { buildScenario } from '../../../../fraud-proof/machine/testing/scenario.ts';
import type { Scenario, ScenarioParts } from '../../../../fraud-proof/machine/testing/scenario.ts';
import { edgeNumber, edgeScalar, edgeWord, Draws } from './draws.ts';

const LOADS: readonly number[] = [Opcode.LOAD8, Opcode.LOAD32, Opcode.LOADWORD];
const THREE_SOURCES: readonly number[] = [Opcode.MAD, Opcode.MAD + WIDE, Opcode.SELECT, Opcode.REQUANTIZE];
/** The defined opcodes one after another, then any at all. */
const OPCODES = 45;
const HOSTILE_COUNTS = [4095, 4096, 4097, 2 ** 32 - 1];
const HOSTILE_ITERATIONS = [2 ** 20 - 1, 2 ** 20, 2 ** 32 - 1];
const HOSTILE_ELEMENT_BYTES = [0, 1, 2, 4, 5, 255];
const HOSTILE_TENSORS = [0, 1, 2 ** 28 - 1, 2 ** 28, 2 ** 28 + 1, 2 ** 32, 2 ** 40];
const OTHER_KINDS = [0, 7, 255];
/** A commitment that `buildScenario` replaces by the tensor's. */
const WRITTEN = new Uint8Array(32).fill(1);
const NOT_WRITTEN = new Uint8Array(32);

/** A case of the generator that DrawnStep.sol is too, with what is left to draw from. */
export interface DrawnStep {
  readonly parts: ScenarioParts;
  readonly scenario: Scenario;
  readonly draws: Draws;
}

/** Case `number` of a seed: mostly a sensible program in a state of edge values, and one time out of eight anything at all. */
export function drawnStep(seed: number, number: number): DrawnStep {
  const draws = new Draws(seed, number);
  const parts = drawnParts(draws, number);
  return { parts, scenario: buildScenario(parts, draws), draws };
}

function drawnParts(draws: Draws, number: number): ScenarioParts {
  const shape = draws.numbers();
  const place = draws.numbers();
  const code = draws.numbers();
  const operands = draws.numbers();
  const present = draws.numbers();
  const registers = draws.numbers();
  const hostile = shape[0]! % 8 === 0;
  const header = drawnHeader(shape, hostile);
  const rows = hostile ? edgeNumber(shape[5]!) : 1 + (shape[5]! % 9);
  const columns = hostile && shape[7]! % 2 === 0 ? edgeNumber(shape[6]!) : 1 + (shape[6]! % 70);
  const elementBytes = hostile ? HOSTILE_ELEMENT_BYTES[(shape[7]! >>> 8) % 6]! : shape[7]! % 2 === 0 ? 4 : 1;
  const codeLength = hostile ? edgeNumber(place[0]!) % 65536 : 1 + (place[0]! % 40);
  const tensorWords = drawnTensorWords(place[1]!, hostile);
  const operandCount = hostile ? place[2]! % 256 : 1 + (place[2]! % 8);
  const opcode = drawnOpcode(number, code[7]!);
  const lanes = opcode === Opcode.LOAD8 ? 32 : opcode === Opcode.LOAD32 ? 8 : 1;
  const limit = (tensorWords ?? 0) * lanes;
  const scalars = Array.from({ length: 4 }, () => draws.numbers()).flat();
  const vectors = registers.slice(4).map((selector) => edgeWord(draws.word(), selector));
  const seed = draws.word();
  const tensorWord = edgeWord(draws.word(), code[7]! >>> 8);
  const filler = draws.numbers();
  return {
    header: { ...header, filler: hostile ? (BigInt(filler[0]!) << 32n) | BigInt(filler[1]!) : 0n },
    tensor: tensorWords === null ? null : { wordCount: tensorWords, word: tensorWord },
    seed,
    instruction: drawnInstruction(opcode, code, Math.min(operandCount, 8), limit),
    descriptor: {
      codeLength, rows, columns, elementBytes, operandCount,
      operands: operands.map((drawn, operand) => ({
        kind: drawn % 10 < 9 ? 1 + ((drawn >>> 8) % 6) : OTHER_KINDS[(drawn >>> 8) % 3]!,
        index: (drawn >>> 16) % 10 < 9 ? (drawn >>> 20) % 5 : drawn >>> 8,
        commitment: present[operand]! % 20 > 0 ? WRITTEN : NOT_WRITTEN,
      })),
      filler: hostile ? (BigInt(filler[2]!) << 32n) | BigInt(filler[3]!) : 0n,
    },
    state: {
      slot: drawnSlot(place[3]!, hostile, header),
      word: drawnWord(place[4]!, place[7]!, hostile, rows * Math.ceil(columns / (elementBytes === 4 ? 8 : 32))),
      pc: drawnPc(place[5]!, hostile, codeLength),
      status: (hostile && place[6]! % 10 === 0 ? 1 + ((place[6]! >>> 8) % 2) : 0) as Status,
      counters: registers.slice(0, 4).map((drawn) => (drawn % 10 < 7 ? (drawn >>> 8) % 34 : drawn % 10 === 7 ? 2 ** 32 - 1 - ((drawn >>> 8) % 4) : drawn)),
      scalars: Array.from({ length: 16 }, (_, register) => edgeScalar(scalars[2 * register]!, scalars[2 * register + 1]!, limit, LOADS.includes(opcode))),
      vectors,
    },
  };
}

const drawnOpcode = (number: number, drawn: number): number => {
  const which = number % OPCODES;
  return which < 27 ? which + 1 : which < 44 ? which - 26 + WIDE : drawn % 256;
};

function drawnHeader(drawn: readonly number[], hostile: boolean): { prologue: number; body: number; epilogue: number; maxIterations: number } {
  const [flags, prologue, body, epilogue, maxIterations] = drawn as [number, number, number, number, number];
  if (!hostile || (flags >>> 8) % 2 === 0) return { prologue: 1 + (prologue % 4), body: body % 4, epilogue: epilogue % 4, maxIterations: maxIterations % 6 };
  const count = (value: number): number => (value % 8 < 5 ? (value >>> 8) % 3 : HOSTILE_COUNTS[(value >>> 8) % 4]!);
  return {
    prologue: count(prologue), body: count(body), epilogue: count(epilogue),
    maxIterations: maxIterations % 2 === 1 ? (maxIterations >>> 8) % 3 : HOSTILE_ITERATIONS[(maxIterations >>> 8) % 3]!,
  };
}

function drawnTensorWords(drawn: number, hostile: boolean): number | null {
  if (drawn % 10 === 0) return null;
  if (hostile) return HOSTILE_TENSORS[(drawn >>> 8) % 7]!;
  return drawn % 10 === 1 ? drawn >>> 12 : 1 + ((drawn >>> 8) % 17);
}

function drawnSlot(drawn: number, hostile: boolean, { prologue, body, epilogue, maxIterations }: { prologue: number; body: number; epilogue: number; maxIterations: number }): number {
  const slots = Math.min(prologue + maxIterations * body + epilogue, 2 ** 32 - 1);
  const [mode, rest] = [drawn % 16, drawn >>> 8];
  if (mode === 0) return slots;
  if (hostile && mode < 5) return edgeNumber(rest);
  return mode < 11 ? Math.max(slots - 1 - (rest % 3), 0) : slots === 0 ? 0 : rest % slots;
}

function drawnWord(drawn: number, other: number, hostile: boolean, words: number): number {
  const count = Math.min(words, 2 ** 32 - 1);
  const [mode, rest] = [drawn % 6, drawn >>> 8];
  if (mode < 2) return 0;
  if (mode === 5 && hostile) return edgeNumber(other);
  if (mode === 5 && rest % 8 === 0) return count;
  return mode === 2 || mode === 5 ? Math.max(count - 1, 0) : count === 0 ? 0 : rest % count;
}

function drawnPc(drawn: number, hostile: boolean, codeLength: number): number {
  if (hostile && drawn % 4 === 0) return (drawn >>> 8) % 65536;
  if (drawn % 64 === 1) return codeLength;
  return codeLength === 0 ? 0 : (drawn >>> 8) % codeLength;
}

function drawnInstruction(op: number, drawn: readonly number[], operandCount: number, limit: number): Instruction {
  const [first, second, third, x, low, high, immediate] = drawn as [number, number, number, number, number, number, number];
  const source = (value: number): number => (value % 20 < 19 ? (value >>> 8) % 26 : (value >>> 8) % 256);
  const edge = edgeScalar(high, immediate, limit, false);
  const instruction = { op, d: first % 10 < 9 ? (first >>> 8) % 16 : (first >>> 8) % 256, a: source(second), b: source(third) };
  if (LOADS.includes(op)) {
    const operand = x % 20 < 19 ? (operandCount === 0 ? 0 : (x >>> 8) % operandCount) : (x >>> 8) % 256;
    return { ...instruction, x: (operand | (low % 3 === 0 ? low & 0xffffff00 : 0)) >>> 0 };
  }
  if (THREE_SOURCES.includes(op)) return { ...instruction, x: (Number(BigInt.asUintN(24, edge)) * 256 + source(low)) >>> 0 };
  if (op === Opcode.LOOP) {
    const bound = x % 5 < 4 ? (x >>> 8) % 35 : x >>> 10;
    return { ...instruction, a: second % 10 < 7 ? (second >>> 8) % 4 : (second >>> 8) % 256, b: (third >>> 8) % 3, x: bound * 1024 + (low % 1024) };
  }
  return { ...instruction, x: x % 10 < 7 ? Number(BigInt.asUintN(32, edge)) : low };
}
