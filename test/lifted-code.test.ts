import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOutMemory, operandMemory } from '../deterministic-runtime/lift/memory-layout.ts';
import { countWordSteps, parseStructure } from '../deterministic-runtime/word-code/structure.ts';
import { emitWordFunction } from '../deterministic-runtime/lift/word-function.ts';
import { encodeDescriptor } from '../deterministic-runtime/program/layout.ts';
import { placeOf, slotCount, slotOf } from '../deterministic-runtime/program/program.ts';
import type { Operand, Operator, Program, Section } from '../deterministic-runtime/program/program.ts';
import { byteLength, WORD_BYTES, wordCount, wordsPerRow } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { ModuleBuilder } from '../deterministic-runtime/wasm/assembler.ts';
import { encodeCode, Opcode, WIDE } from '../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../deterministic-runtime/word-code/instruction.ts';
import { decodeDescriptor } from '../fraud-proof/machine/descriptor.ts';
import type { StepEnvironment } from '../fraud-proof/machine/environment.ts';
import { step } from '../fraud-proof/machine/interpreter.ts';
import { wordStartState } from '../fraud-proof/machine/state.ts';

/** Random structured code, lifted to WebAssembly, against the machine's interpreter. */

const SIMPLE_OPS = [
  ...Array.from({ length: 17 }, (_, index) => Opcode.ADD + index),
  ...Array.from({ length: 17 }, (_, index) => Opcode.ADD + WIDE + index),
  Opcode.SELECT, Opcode.REQUANTIZE, Opcode.DOT,
  Opcode.LOAD8, Opcode.LOAD32, Opcode.LOADWORD, Opcode.LOAD8, Opcode.LOAD32, Opcode.LOADWORD,
  Opcode.PUT8, Opcode.PUT32, Opcode.PUT8, Opcode.PUT32,
];
const EDGES = [0, 1, 2, 7, 8, 31, 32, 33, 63, 64, 255, 0x7f, 0x80, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffff00, 0x7fffff18, 0x80000018];
/** Registers more often than the rest, few of them, so that values flow. */
const source = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 2, arbitrary: fc.integer({ min: 16, max: 24 }) }, { weight: 1, arbitrary: fc.nat(255) });
const immediate = fc.oneof(fc.constantFrom(...EDGES), fc.nat(80), fc.nat(0xffffffff));
const plain: fc.Arbitrary<Instruction> = fc.record({ op: fc.constantFrom(...SIMPLE_OPS), d: fc.oneof(fc.nat(3), fc.nat(255)), a: source, b: source, x: immediate, operand: fc.nat(8), c: source }).map(
  ({ op, operand, c, x, ...rest }) => {
    if (op === Opcode.LOAD8 || op === Opcode.LOAD32 || op === Opcode.LOADWORD) return { op, ...rest, x: ((x & 0xffffff00) | operand) >>> 0 };
    if (op === Opcode.MAD || op === Opcode.MAD + WIDE || op === Opcode.SELECT || op === Opcode.REQUANTIZE) return { op, ...rest, x: ((x & 0xffffff00) | c) >>> 0 };
    return { op, ...rest, x };
  },
);

type Tree = { readonly leaf: Instruction } | { readonly base: number; readonly perIteration: number; readonly lanes: boolean; readonly body: readonly Tree[] };
const tree = (depth: number): fc.Arbitrary<Tree> => {
  const leaf = plain.map((instruction) => ({ leaf: instruction }));
  if (depth === 0) return leaf;
  const loop = fc.record({
    base: fc.integer({ min: 1, max: 3 }), perIteration: fc.nat(2), lanes: fc.boolean(), body: fc.array(tree(depth - 1), { minLength: 1, maxLength: 5 }),
  });
  return fc.oneof({ weight: 5, arbitrary: leaf }, { weight: 2, arbitrary: loop });
};

function flatten(trees: readonly Tree[], start: number, counters: readonly number[]): Instruction[] {
  const code: Instruction[] = [];
  for (const node of trees) {
    if ('leaf' in node) code.push(node.leaf);
    else {
      const target = start + code.length;
      code.push(...flatten(node.body, target, counters.slice(1)));
      code.push({ op: Opcode.LOOP, d: counters[0]! + 4, a: node.perIteration, b: node.lanes && counters.length === 4 ? 1 : 2 * node.base, x: node.base * 1024 + target });
    }
  }
  return code;
}
const randomCode = fc.record({ trees: fc.array(tree(4), { minLength: 1, maxLength: 24 }), vector: fc.nat(7), counters: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }) })
  .map(({ trees, vector, counters }): Instruction[] => [...flatten(trees, 0, counters), { op: Opcode.STORE, d: 0, a: vector, b: 0, x: 0 }]);

const shape = (element: 'i8' | 'i32', rows: number, columns: number): TensorShape => ({ element, rows, columns });
const operator = (output: TensorShape, operands: readonly Operand[] = []): Operator => ({ name: 'o', kernel: 0, parameters: {}, output, operands });
const OPERANDS: readonly Operand[] = [
  { kind: 'constant', constant: 0 }, { kind: 'input' }, { kind: 'seed' }, { kind: 'prologue', operator: 0 },
  { kind: 'body', operator: 0 }, { kind: 'body', operator: 1 }, { kind: 'epilogue', operator: 0 }, { kind: 'body', operator: 1 },
];

function programWith(section: Section, index: number, output: TensorShape): Program {
  const lists = {
    prologue: [operator(shape('i8', 2, 40)), operator(shape('i32', 1, 9))],
    body: [operator(shape('i32', 2, 11)), operator(shape('i8', 1, 32)), operator(shape('i8', 1, 5))],
    epilogue: [operator(shape('i8', 3, 33)), operator(shape('i32', 1, 1))],
  };
  lists[section][index] = operator(output, OPERANDS);
  return { name: 'p', signature: '', input: shape('i8', 1, 70), kernels: [], constants: [shape('i32', 2, 20)], ...lists, maxIterations: 3, metadata: {} };
}

const place = fc.constantFrom<readonly [Section, number, number]>(
  ['prologue', 0, 0], ['prologue', 1, 0], ['body', 0, 0], ['body', 0, 2], ['body', 1, 1], ['body', 2, 2], ['epilogue', 0, 3], ['epilogue', 1, 3],
);
const output = fc.record({ element: fc.constantFrom<'i8' | 'i32'>('i8', 'i32'), rows: fc.integer({ min: 1, max: 2 }), columns: fc.constantFrom(1, 5, 8, 9, 31, 32, 33, 40) });
const ZERO = new Uint8Array(WORD_BYTES);

function randomBytes(length: number, seed: number): Uint8Array {
  let state = (seed * 2654435761) >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = state >>> 24;
    return value < 40 ? 0x80 : value < 60 ? 0xff : value < 80 ? 0 : value;
  });
}

/** Words of every tensor; a run that stopped after its first iteration leaves the other two unwritten. */
function tensorsOf(program: Program, current: number, stopped: boolean, seed: number): (slot: number) => Uint8Array | null {
  const words = Array.from({ length: slotCount(program) }, (_, slot) => randomBytes(byteLength(placeOf(program, slot).operator.output), seed + slot));
  const skipped = (slot: number): boolean => stopped && placeOf(program, current).section === 'epilogue' && placeOf(program, slot).section === 'body' && placeOf(program, slot).iteration > 0;
  return (slot) => (skipped(slot) ? null : words[slot]!);
}

describe('lifted code', () => {
  test('random structured code agrees with the interpreter', () => {
    let words = 0;
    fc.assert(fc.property(randomCode, place, output, fc.boolean(), fc.nat(1000), (code, [section, index, iteration], outputShape, stopped, seed) => {
      fc.pre(countWordSteps(parseStructure(code), iteration, 32) < 600n);
      const program = programWith(section, index, outputShape);
      const slot = slotOf(program, section, index, iteration);
      const tensors = tensorsOf(program, slot, stopped, seed);
      const constant = randomBytes(byteLength(program.constants[0]!), seed + 100);
      const input = randomBytes(byteLength(program.input), seed + 101);
      const seedWord = randomBytes(WORD_BYTES, seed + 102);

      let stored: Uint8Array | undefined;
      const descriptor = decodeDescriptor(encodeDescriptor(program[section][index]!, { root: ZERO, length: code.length }, [ZERO.with(0, 1)]));
      const environment: StepEnvironment = {
        header: { prologue: 2, body: 3, epilogue: 2, maxIterations: 3, operatorsRoot: ZERO },
        inputCommitment: ZERO.with(0, 1),
        seed: seedWord,
        descriptor: () => descriptor,
        codeWord: (_, word) => encodeCode(code).subarray(word * 32, word * 32 + 32),
        slotCommitment: (other) => (other < slot && tensors(other) !== null ? ZERO.with(0, 1) : ZERO),
        wordCount: (tensor) => BigInt(wordsOf(tensor).length / WORD_BYTES),
        tensorWord: (tensor, word) => wordsOf(tensor).subarray(word * WORD_BYTES, word * WORD_BYTES + WORD_BYTES),
        storeWord: (_, __, ___, value) => {
          stored = value;
          return ZERO;
        },
      };
      const wordsOf = (tensor: Parameters<StepEnvironment['wordCount']>[0]): Uint8Array =>
        tensor.kind === 'constant' ? constant : tensor.kind === 'input' ? input : tensors(tensor.slot)!;

      // Tensors of later slots hold rubbish: only checks keep it from being read.
      const layout = layOutMemory(program, new Set(program.body.keys()));
      const memory = new WebAssembly.Memory({ initial: layout.pages });
      const bytes = new Uint8Array(memory.buffer);
      bytes.set(constant, layout.constant(0));
      bytes.set(input, layout.input);
      bytes.set(seedWord, layout.seed);
      for (let other = 0; other < slotCount(program); other += 1) {
        const at = placeOf(program, other);
        const content = tensors(other);
        if (content !== null) bytes.set(content, layout.tensor(at.section, at.index, at.iteration));
      }
      const module = new ModuleBuilder();
      module.importMemory('env', 'memory', { minimum: layout.pages });
      const operands = OPERANDS.map((operand) => operandMemory(program, layout, section, index, operand));
      emitWordFunction(module, { name: 'run', code, output: outputShape, operands });
      const run = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { env: { memory } }).exports['run'] as (...values: number[]) => void;
      const target = layout.tensor(section, index, iteration);
      const rowBytes = wordsPerRow(outputShape) * WORD_BYTES;
      for (let row = 0; row < outputShape.rows; row += 1) run(iteration, target + row * rowBytes, row, row + 1);

      for (let word = 0; word < wordCount(outputShape); word += 1) {
        let state = wordStartState(ZERO, ZERO, { slot, word });
        for (stored = undefined; stored === undefined; ) state = step(state, environment);
        expect(bytes.slice(target + word * WORD_BYTES, target + (word + 1) * WORD_BYTES)).toEqual(stored);
        words += 1;
      }
    }), { seed: 7, numRuns: 400 });
    expect(words).toBeGreaterThan(300);
  });

  test('refuses code that is not structured', () => {
    const store: Instruction = { op: Opcode.STORE, d: 0, a: 0, b: 0, x: 0 };
    const add: Instruction = { op: Opcode.ADD, d: 0, a: 0, b: 0, x: 0 };
    const loop = (target: number, counter = 0): Instruction => ({ op: Opcode.LOOP, d: counter, a: 0, b: 0, x: 2048 + target });
    expect(() => parseStructure([])).toThrow('empty');
    expect(() => parseStructure([add])).toThrow('STORE must be the last');
    expect(() => parseStructure([store, store])).toThrow('STORE must be the last');
    expect(() => parseStructure([add, loop(1), store])).toThrow('goes forward');
    expect(() => parseStructure([add, add, loop(0), add, loop(1, 1), store])).toThrow('inside another loop');
    expect(() => parseStructure([add, loop(0), loop(0), store])).toThrow('share counter 0');
    expect(() => parseStructure([{ ...add, op: 0 }, store])).toThrow('opcode 0');
    expect(() => parseStructure([{ ...add, op: 0x32 }, store])).toThrow('opcode 50');
    expect(() => parseStructure([...Array.from({ length: 1024 }, () => add), store])).toThrow('1025 instructions');
    expect(parseStructure([add, loop(0), loop(0, 1), store]).length).toBe(2);
  });
});
