import { describe, expect, test } from 'vitest';
import { Opcode } from '../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../deterministic-runtime/word-code/instruction.ts';
import { OperandKind } from './descriptor.ts';
import { step } from './interpreter.ts';
import { Status } from './state.ts';
import type { MachineState } from './state.ts';
import { GOLDEN_ARITHMETIC } from './testing/golden-arithmetic.ts';
import { MemoryMachine } from './testing/memory-machine.ts';
import type { MachineOperator } from './testing/memory-machine.ts';
import { DEFINED_OPCODES } from './testing/random-scenario.ts';
import { edgeValue, edgeWord, Random } from './testing/random.ts';
import { SMALL_INPUT, SMALL_LAST_SLOT, SMALL_OUTPUT, SMALL_PROGRAM, SMALL_STEPS } from './testing/small-program.ts';
import { operandWords, prepareCode, runWord, WordRegisters } from './word-runner.ts';
import type { OperandReader, OperandWords, PreparedCode } from './word-runner.ts';

const CONSTANT = Uint8Array.from({ length: 96 }, (_, byte) => (byte * 89 + 7) & 0xff);
const INPUT = Uint8Array.from({ length: 64 }, (_, byte) => (byte * 57 + 3) & 0xff);

test('arithmetic worked out by hand', () => {
  for (const [name, op, a, b, c, result] of GOLDEN_ARITHMETIC) {
    const registers = new WordRegisters();
    registers.start({ iteration: 0, row: 0, column: 0, lanes: 1, lanesPerWord: 32 });
    [a, b, c].forEach((value, index) => {
      registers.low[index + 1] = Number(BigInt.asIntN(32, value));
      registers.high[index + 1] = Number(value >> 32n);
    });
    expect(runWord(prepareCode([{ op, d: 0, a: 1, b: 2, x: 3 }]), registers, [], 1)).toEqual({ steps: 1, outcome: 'paused', word: null });
    expect(registers.scalars.slice(0, 4), name).toEqual([result, a, b, c]);
  }
});

/** Random code for one operator of a machine whose slot 1 reads slot 0, a constant, the input and the seed. */
function randomCode(random: Random): Instruction[] {
  const source = (): number => random.below(random.chance(0.97) ? 26 : 256);
  const code = Array.from({ length: 4 + random.below(24) }, (_, pc): Instruction => {
    const op = random.chance(0.99) ? random.pick(DEFINED_OPCODES) : random.below(256);
    const fields = { op, d: random.below(32), a: source(), b: source(), x: random.uint32() };
    if (op === Opcode.LOOP) return { ...fields, a: random.below(3), b: random.below(3), x: random.below(5) * 1024 + Math.max(0, pc - random.below(6)) };
    if (op === Opcode.STORE && random.chance(0.8)) return { ...fields, op: Opcode.ADD };
    if (op >= Opcode.LOAD8 && op <= Opcode.LOADWORD) return { ...fields, a: random.pick([16, 17, 20, 21, 22, 24, 31, source()]), x: random.below(9) };
    return random.chance(0.5) ? { ...fields, x: Number(BigInt.asUintN(32, edgeValue(random))) } : fields;
  });
  return [...code, { op: Opcode.STORE, d: 0, a: random.below(4), b: 0, x: 0 }];
}

const OPERANDS: MachineOperator['operands'] = [
  { kind: OperandKind.CONSTANT, constant: 0 }, { kind: OperandKind.INPUT }, { kind: OperandKind.SEED }, { kind: OperandKind.BODY, index: 0 },
  { kind: OperandKind.BODY, index: 1 }, { kind: OperandKind.NONE }, { kind: OperandKind.PROLOGUE, index: 0 },
];

/** The registers as the runner has them, in the form of a machine state. */
const registersOf = ({ pc, counters, scalars, vectors }: WordRegisters | MachineState): unknown => ({ pc, counters, scalars, vectors });

describe('random code: the runner does what the interpreter does', () => {
  test.each([1, 2, 3, 4])('seed %i', (seed) => {
    const random = new Random(seed);
    const outcomes = { stored: 0, failed: 0, paused: 0 };
    for (let round = 0; round < 150; round += 1) {
      const code = randomCode(random);
      const operator: MachineOperator = { rows: 3, columns: 40, elementBytes: random.pick([1, 4]), operands: OPERANDS, code };
      const constants = [CONSTANT];
      const machine = new MemoryMachine({ prologue: 1, body: 2, epilogue: 0, maxIterations: 3, constants, operators: [operator, operator, operator] }, INPUT, edgeWord(random));
      const wordsPerRow = operator.elementBytes === 4 ? 5 : 2;
      const lanesPerWord = operator.elementBytes === 4 ? 8 : 32;
      // Slot 4 is body operator 1 in iteration 1: slots 0 to 3 are written, whole.
      const words = Array.from({ length: 4 }, () => Uint8Array.from({ length: 32 * 3 * wordsPerRow }, () => random.uint32()));
      words.forEach((tensor, slot) => machine.tensors.set(slot, tensor));
      const word = random.below(3 * wordsPerRow);
      let state: MachineState = { ...machine.initial, slot: 4, word };
      const column = (word % wordsPerRow) * lanesPerWord;
      const registers = new WordRegisters();
      registers.start({ iteration: 1, row: Math.floor(word / wordsPerRow), column, lanes: Math.min(lanesPerWord, 40 - column), lanesPerWord });
      const written = (slot: number): OperandWords | null => (slot < 4 ? operandWords(words[slot] as Uint8Array) : null);
      const readers: OperandReader[] = [
        operandWords(CONSTANT), operandWords(INPUT), operandWords(machine.seed),
        (iteration) => (iteration < 3 ? written(1 + 2 * iteration) : null), (iteration) => (iteration < 3 ? written(2 + 2 * iteration) : null), null, written(0),
      ];
      const prepared = prepareCode(code);
      for (let steps = 0; steps < 300;) {
        const run = runWord(prepared, registers, readers, 1 + random.below(9));
        let stored: Uint8Array | null = null;
        const environment = { ...machine.running, storeWord: (_slot: number, _word: number, _count: number, value: Uint8Array) => { stored = value; return value; } };
        for (let single = 0; single < run.steps; single += 1) {
          expect(state.status === Status.RUNNING && stored === null).toBe(true);
          state = step(state, environment);
        }
        steps += run.steps;
        outcomes[run.outcome] += 1;
        expect(run.word).toEqual(stored);
        expect(run.outcome === 'failed').toBe(state.status === Status.FAILED);
        if (run.outcome !== 'paused') break;
        expect(registersOf(registers)).toEqual(registersOf(state));
      }
    }
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(5);
  });
});

test('the small program, word by word', () => {
  const [prologue, body, stop, epilogue] = SMALL_PROGRAM.operators.map(({ code }) => prepareCode(code)) as [PreparedCode, PreparedCode, PreparedCode, PreparedCode];
  let steps = 0;
  const run = (code: PreparedCode, place: { iteration: number; row?: number; lanes: number; lanesPerWord: number }, operands: OperandReader[]): Uint8Array => {
    const registers = new WordRegisters();
    registers.start({ row: 0, column: 0, ...place });
    const result = runWord(code, registers, operands, 1000);
    steps += result.steps;
    return result.word as Uint8Array;
  };
  const copied = new Uint8Array(64);
  for (const row of [0, 1]) copied.set(run(prologue, { iteration: 0, row, lanes: 32, lanesPerWord: 32 }, [operandWords(SMALL_INPUT)]), 32 * row);
  const sums: Uint8Array[] = [];
  const sumOf = (iteration: number): OperandWords | null => (sums[iteration] === undefined ? null : operandWords(sums[iteration]));
  for (let iteration = 0; ; iteration += 1) {
    sums.push(run(body, { iteration, lanes: 3, lanesPerWord: 8 }, [operandWords(SMALL_PROGRAM.constants[0] as Uint8Array), sumOf]));
    if (run(stop, { iteration, lanes: 1, lanesPerWord: 32 }, [sumOf]).some((byte) => byte !== 0)) break;
  }
  expect(sums.map((word) => new Int32Array(word.buffer)[2])).toEqual([5, 10, 15]);
  expect(run(epilogue, { iteration: 5, lanes: 2, lanesPerWord: 32 }, [sumOf, operandWords(copied)])).toEqual(SMALL_OUTPUT);
  expect(steps).toBe(SMALL_STEPS);
  expect(SMALL_LAST_SLOT).toBe(SMALL_PROGRAM.prologue + SMALL_PROGRAM.body * SMALL_PROGRAM.maxIterations);
});

test('unaligned tensors are copied', () => {
  const shifted = new Uint8Array(33).subarray(1).fill(3);
  expect(operandWords(shifted).ints[7]).toBe(0x03030303);
});
