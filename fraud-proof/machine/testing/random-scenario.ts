import { Opcode, WIDE } from '../../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../../deterministic-runtime/word-code/instruction.ts';
import { OperandKind } from '../descriptor.ts';
import { Status } from '../state.ts';
import { buildScenario } from './scenario.ts';
import type { Scenario, ScenarioParts } from './scenario.ts';
import { edgeNumber, edgeValue, edgeWord } from './random.ts';
import type { Random } from './random.ts';

/** All opcodes that do something, and a few that do not: HALT, the gap between the forms, the numbers just outside. */
export const DEFINED_OPCODES: readonly number[] = [
  ...Object.values(Opcode).filter((op) => op !== Opcode.HALT),
  ...Array.from({ length: Opcode.MAD }, (_, index) => Opcode.ADD + WIDE + index),
];
export const UNDEFINED_OPCODES: readonly number[] = Array.from({ length: 256 }, (_, op) => op).filter((op) => !DEFINED_OPCODES.includes(op));

const LOADS: readonly number[] = [Opcode.LOAD8, Opcode.LOAD32, Opcode.LOADWORD];
const THREE_SOURCES: readonly number[] = [Opcode.MAD, Opcode.MAD + WIDE, Opcode.SELECT, Opcode.REQUANTIZE];
const lanesOf = (op: number): number => (op === Opcode.LOAD8 ? 32 : op === Opcode.LOAD32 ? 8 : 1);

/** A random scenario around opcode `op`: mostly sensible programs with edge values, and now and then anything at all. */
export function randomScenario(op: number, random: Random): Scenario {
  return buildScenario(randomParts(op, random), random);
}

function randomParts(op: number, random: Random): ScenarioParts {
  const hostile = random.chance(0.1);
  const header = randomHeader(random, hostile);
  const shape = randomShape(random, hostile);
  const codeLength = hostile ? edgeNumber(random, 16) : 1 + random.below(40);
  const tensor = random.chance(0.9) ? { wordCount: randomWordCount(random, hostile), word: edgeWord(random) } : null;
  const operandCount = hostile ? random.below(256) : 1 + random.below(8);
  const state = randomState(random, header, shape, { codeLength, hostile });
  const isLoad = LOADS.includes(op) && tensor !== null;
  return {
    header, tensor,
    seed: edgeWord(random),
    instruction: randomInstruction(op, random, Math.min(operandCount, 8)),
    descriptor: { ...shape, codeLength, operandCount, operands: Array.from({ length: 8 }, () => randomOperand(random)), filler: hostile ? random.uint64() : 0n },
    state: isLoad ? { ...state, scalars: state.scalars.map((value) => (random.chance(0.8) ? nearTensorEnd(random, tensor.wordCount, lanesOf(op)) : value)) } : state,
  };
}

function randomHeader(random: Random, hostile: boolean): ScenarioParts['header'] {
  if (hostile && random.chance(0.5)) {
    const count = (): number => (random.chance(0.7) ? random.below(3) : random.pick([4095, 4096, 4097, 2 ** 32 - 1]));
    const maxIterations = random.chance(0.5) ? random.below(3) : random.pick([2 ** 20 - 1, 2 ** 20, 2 ** 32 - 1]);
    return { prologue: count(), body: count(), epilogue: count(), maxIterations, filler: random.uint64() };
  }
  return { prologue: 1 + random.below(4), body: random.below(4), epilogue: random.below(4), maxIterations: random.below(6) };
}

function randomShape(random: Random, hostile: boolean): { rows: number; columns: number; elementBytes: number } {
  if (hostile) return { rows: edgeNumber(random, 32), columns: random.chance(0.5) ? random.below(70) : edgeNumber(random, 32), elementBytes: random.pick([0, 1, 2, 4, 5, 255]) };
  return { rows: 1 + random.below(9), columns: 1 + random.below(70), elementBytes: random.pick([1, 4]) };
}

/** Words of the tensor that operands name: mostly few, so that paths are short. */
function randomWordCount(random: Random, hostile: boolean): number {
  if (hostile) return random.pick([0, 1, 2 ** 28 - 1, 2 ** 28, 2 ** 28 + 1, 2 ** 32, 2 ** 40]);
  return random.chance(0.1) ? random.below(2 ** 20) : 1 + random.below(17);
}

function nearTensorEnd(random: Random, wordCount: number, lanes: number): bigint {
  const element = random.chance(0.4) ? (wordCount - random.below(2)) * lanes + random.below(3) - 1 : random.below(wordCount * lanes + 3);
  return BigInt(element);
}

function randomOperand(random: Random): ScenarioParts['descriptor']['operands'][number] {
  const kind = random.chance(0.9) ? 1 + random.below(6) : random.pick([OperandKind.NONE, 7, 255]);
  const index = random.chance(0.9) ? random.below(5) : edgeNumber(random, 24);
  return { kind, index, commitment: new Uint8Array(32).fill(random.chance(0.95) ? 1 : 0) };
}

interface CodeShape { readonly codeLength: number; readonly hostile: boolean }

function randomState(random: Random, header: ScenarioParts['header'], shape: { rows: number; columns: number; elementBytes: number }, { codeLength, hostile }: CodeShape): ScenarioParts['state'] {
  const slots = header.prologue + header.maxIterations * header.body + header.epilogue;
  const wordsPerRow = Math.ceil(shape.columns / (shape.elementBytes === 4 ? 8 : 32));
  const wordCount = shape.rows * wordsPerRow;
  const usual = random.chance(0.5) ? slots - 1 - random.below(3) : random.below(slots);
  const slot = random.chance(0.03) ? slots : hostile && random.chance(0.3) ? edgeNumber(random, 32) : usual;
  const word = random.pick([0, 0, wordCount - 1, random.below(wordCount), random.below(wordCount), hostile ? edgeNumber(random, 32) : wordCount - 1]);
  const pc = hostile && random.chance(0.3) ? edgeNumber(random, 16) : random.below(codeLength);
  return {
    slot: clamp(slot, 2 ** 32), word: clamp(word, 2 ** 32), pc: clamp(pc, 2 ** 16),
    status: hostile && random.chance(0.1) ? random.pick([Status.FINISHED, Status.FAILED]) : Status.RUNNING,
    counters: Array.from({ length: 4 }, () => (random.chance(0.7) ? random.below(34) : edgeNumber(random, 32))),
    scalars: Array.from({ length: 16 }, () => edgeValue(random)),
    vectors: Array.from({ length: 4 }, () => edgeWord(random)),
  };
}

const clamp = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1);

function randomInstruction(op: number, random: Random, operandCount: number): Instruction {
  const source = (): number => (random.chance(0.95) ? random.below(26) : random.below(256));
  const register = (): number => (random.chance(0.9) ? random.below(16) : random.below(256));
  const instruction = { op, d: register(), a: source(), b: source(), x: random.uint32() };
  if (LOADS.includes(op)) return { ...instruction, x: randomOperandNumber(random, operandCount) };
  if (THREE_SOURCES.includes(op)) return { ...instruction, x: (Number(BigInt.asUintN(24, edgeValue(random))) * 256 + source()) >>> 0 };
  if (op === Opcode.LOOP) {
    const bound = random.chance(0.8) ? random.below(35) : random.below(2 ** 22);
    return { ...instruction, a: random.chance(0.7) ? random.below(4) : random.below(256), b: random.below(3), x: bound * 1024 + random.below(1024) };
  }
  return { ...instruction, x: random.chance(0.7) ? Number(BigInt.asUintN(32, edgeValue(random))) : instruction.x };
}

const randomOperandNumber = (random: Random, operandCount: number): number =>
  (random.chance(0.95) ? random.below(operandCount) : random.below(256)) + (random.chance(0.3) ? random.below(2 ** 24) * 256 : 0);
