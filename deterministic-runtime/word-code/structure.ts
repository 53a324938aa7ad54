import { LIMITS } from '../program/program.ts';
import { Opcode, WIDE } from './instruction.ts';
import type { Instruction } from './instruction.ts';

/** How often a loop's body runs: `base + perIteration · ITERATION`, or once a lane of the word. */
export type LoopBound = 'lanes' | { readonly base: number; readonly perIteration: number };

/** Structured code: instructions and loops in order. The LOOP instruction that ends a loop runs once a round. */
export type CodeBlock =
  | { readonly kind: 'instruction'; readonly pc: number; readonly instruction: Instruction }
  | { readonly kind: 'loop'; readonly pc: number; readonly counter: number; readonly bound: LoopBound; readonly body: readonly CodeBlock[] };

/** Most rounds of one loop. */
export const MAX_LOOP_BOUND = 2 ** 24;

/** The bound that a LOOP instruction names. */
export const loopBound = ({ a, b, x }: Instruction): LoopBound => (b === 1 ? 'lanes' : { base: x >>> 10, perIteration: a });

/** Rounds of a loop in a word of `lanes` lanes. */
export const loopRounds = (bound: LoopBound, iteration: number, lanes: number): number =>
  bound === 'lanes' ? lanes : bound.base + bound.perIteration * iteration;

/**
 * The loops of a word's code. Code is structured when each LOOP's target lies before it, loops are nested or
 * disjoint, nested ones have distinct counters, the only STORE is the last instruction, and every opcode is one.
 * @throws Error that says which instruction breaks a rule
 */
export function parseStructure(code: readonly Instruction[]): readonly CodeBlock[] {
  if (code.length === 0) throw new Error('the code is empty: it must end with STORE');
  if (code.length > LIMITS.instructionsPerKernel) throw new Error(`the code has ${code.length} instructions, more than ${LIMITS.instructionsPerKernel}`);
  const blocks: CodeBlock[] = [];
  const startOf = (block: CodeBlock): number => (block.kind === 'loop' ? firstPc(block) : block.pc);
  code.forEach((instruction, pc) => {
    const last = pc === code.length - 1;
    if ((instruction.op === Opcode.STORE) !== last) throw new Error(`instruction ${pc}: the one STORE must be the last instruction`);
    if (!isKnown(instruction.op)) throw new Error(`instruction ${pc}: opcode ${instruction.op} halts the machine`);
    if (instruction.op !== Opcode.LOOP) {
      blocks.push({ kind: 'instruction', pc, instruction });
      return;
    }
    const target = instruction.x & 1023;
    if (target >= pc) throw new Error(`instruction ${pc}: LOOP goes forward, to ${target}`);
    const from = blocks.findIndex((block) => startOf(block) === target);
    if (from < 0) throw new Error(`instruction ${pc}: LOOP goes to ${target}, inside another loop`);
    const body = blocks.splice(from);
    const counter = instruction.d & 3;
    if (usesCounter(body, counter)) throw new Error(`instruction ${pc}: nested loops share counter ${counter}`);
    blocks.push({ kind: 'loop', pc, counter, bound: loopBound(instruction), body });
  });
  return blocks;
}

/** Calls `visit` for each loop, outer ones first. */
export function forEachLoop(blocks: readonly CodeBlock[], visit: (loop: CodeBlock & { readonly kind: 'loop' }) => void): void {
  for (const block of blocks) {
    if (block.kind !== 'loop') continue;
    visit(block);
    forEachLoop(block.body, visit);
  }
}

/** Instructions that a word of `lanes` lanes takes. */
export function countWordSteps(blocks: readonly CodeBlock[], iteration: number, lanes: number): bigint {
  return blocks.reduce(
    (steps, block) => steps + (block.kind === 'instruction' ? 1n : BigInt(loopRounds(block.bound, iteration, lanes)) * (1n + countWordSteps(block.body, iteration, lanes))),
    0n,
  );
}

/** Where a word's code stands before one of its steps. */
export interface CodePosition {
  readonly pc: number;
  readonly counters: readonly [number, number, number, number];
}

/** The position before step `step` (from 0) of a word of `lanes` lanes. @throws RangeError when the word has no such step */
export function positionAt(blocks: readonly CodeBlock[], iteration: number, lanes: number, step: bigint): CodePosition {
  const counters: [number, number, number, number] = [0, 0, 0, 0];
  let rest = step;
  let list = blocks;
  for (let index = 0; index < list.length; index += 1) {
    const block = list[index]!;
    if (block.kind === 'instruction') {
      if (rest === 0n) return { pc: block.pc, counters };
      rest -= 1n;
      continue;
    }
    const round = 1n + countWordSteps(block.body, iteration, lanes);
    const rounds = BigInt(loopRounds(block.bound, iteration, lanes));
    if (rest >= round * rounds) {
      rest -= round * rounds;
      continue;
    }
    counters[block.counter] = Number(rest / round);
    rest %= round;
    if (rest === round - 1n) return { pc: block.pc, counters };
    list = block.body;
    index = -1;
  }
  throw new RangeError(`a word of this code has no step ${step}`);
}

/** False for HALT and for opcodes that the machine does not have. */
function isKnown(op: number): boolean {
  return (op > Opcode.HALT && op <= Opcode.STORE) || (op >= Opcode.ADD + WIDE && op <= Opcode.MAD + WIDE);
}

function firstPc(block: CodeBlock): number {
  return block.kind === 'instruction' ? block.pc : firstPc(block.body[0]!);
}

function usesCounter(blocks: readonly CodeBlock[], counter: number): boolean {
  return blocks.some((block) => block.kind === 'loop' && (block.counter === counter || usesCounter(block.body, counter)));
}
