import { Opcode } from '../../../deterministic-runtime/word-code/instruction.ts';
import { Status } from '../state.ts';
import type { MachineState } from '../state.ts';
import { GOLDEN_ARITHMETIC } from './golden-arithmetic.ts';
import type { ScenarioParts } from './scenario.ts';

/** A step worked out by hand. */
export interface GoldenStep {
  readonly name: string;
  readonly parts: ScenarioParts;
  /** What the step changes of the state; registers that are not named stay as they are. */
  readonly expected: Partial<Omit<MachineState, 'context' | 'slotsRoot' | 'scalars' | 'vectors'>> & {
    readonly scalar?: readonly [register: number, value: bigint];
    readonly vector?: readonly [register: number, word: Uint8Array];
    /** All registers, vectors and counters become zero. */
    readonly cleared?: true;
    /** What becomes of `A`: unchanged when absent; zero; or the root with this word stored. */
    readonly slots?: 'zero' | { readonly stored: Uint8Array };
  };
}

const hex = (text: string): Uint8Array => Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const ZERO = new Uint8Array(32);

/** What every written tensor holds at every index, and vector register 1. Its bytes, signed, come to 90. */
const TENSOR_WORD = hex('ff00000001020304 8000000078563412 7fffffff00000080 fefffffff0f1f2f3');
const ONES_WORD = new Uint8Array(32).fill(1);
const EXTREME_WORD = new Uint8Array(32).fill(0x80);
const SEED = hex('5eed000000000000 0000000000000000 0000000000000000 00000000000000ed');
const WRITTEN = new Uint8Array(32).fill(1);

/**
 * Two operators in the prologue, three in the body, two in the epilogue, four iterations: 16 slots. The machine stands in slot
 * 9, which is operator 1 of iteration 2, at word 5 of 3 × 70 bytes: row 1, column 64, 6 lanes.
 */
const BASE: ScenarioParts = {
  header: { prologue: 2, body: 3, epilogue: 2, maxIterations: 4 },
  descriptor: {
    codeLength: 20, rows: 3, columns: 70, elementBytes: 1, operandCount: 8,
    operands: [[1, 0], [2, 0], [3, 1], [4, 0], [4, 1], [5, 0], [6, 0], [0, 0]].map(([kind, index]) => ({ kind: kind as number, index: index as number, commitment: WRITTEN })),
  },
  instruction: { op: Opcode.HALT, d: 0, a: 1, b: 2, x: 0 },
  state: {
    slot: 9, word: 5, pc: 7, status: Status.RUNNING,
    counters: [3, 0, 0xffff_ffff, 9],
    scalars: Array.from({ length: 16 }, (_, register) => BigInt(register)),
    vectors: [EXTREME_WORD, TENSOR_WORD, ONES_WORD, EXTREME_WORD],
  },
  seed: SEED,
  tensor: { wordCount: 3, word: TENSOR_WORD },
};

interface Changes {
  readonly instruction: Partial<ScenarioParts['instruction']>;
  readonly state?: Partial<ScenarioParts['state']>;
  readonly descriptor?: Partial<ScenarioParts['descriptor']>;
  readonly header?: Partial<ScenarioParts['header']>;
  readonly tensor?: ScenarioParts['tensor'];
  /** Values of some scalar registers. */
  readonly scalars?: Readonly<Record<number, bigint>>;
}

function golden(name: string, changes: Changes, expected: GoldenStep['expected']): GoldenStep {
  const scalars = BASE.state.scalars.map((value, register) => changes.scalars?.[register] ?? value);
  const parts: ScenarioParts = {
    ...BASE,
    instruction: { ...BASE.instruction, ...changes.instruction },
    state: { ...BASE.state, scalars, ...changes.state },
    descriptor: { ...BASE.descriptor, ...changes.descriptor },
    header: { ...BASE.header, ...changes.header },
    tensor: changes.tensor === undefined ? BASE.tensor : changes.tensor,
  };
  return { name, parts, expected: { pc: parts.state.pc + 1, ...expected } };
}

const failed: GoldenStep['expected'] = { cleared: true, status: Status.FAILED, slot: 0, word: 0, pc: 0, slots: 'zero' };
const finished = (word: Uint8Array): GoldenStep['expected'] => ({ cleared: true, status: Status.FINISHED, slot: 0, word: 0, pc: 0, slots: { stored: word } });
const next = (slot: number, word: number, stored: Uint8Array): GoldenStep['expected'] => ({ cleared: true, slot, word, pc: 0, slots: { stored } });

/** a in r1, b in r2, c in r3, the result in r0. */
const arithmetic: readonly GoldenStep[] = GOLDEN_ARITHMETIC.map(([name, op, a, b, c, result]) =>
  golden(name, { instruction: { op, x: 3 }, scalars: { 1: a, 2: b, 3: c } }, { scalar: [0, result] }));

const sourceOf = (name: string, a: number, value: bigint, x = 0): GoldenStep =>
  golden(`source: ${name}`, { instruction: { op: 0x2a, d: 31, a, b: 31, x } }, { scalar: [15, value] });

const sources: readonly GoldenStep[] = [
  sourceOf('r15', 15, 15n), sourceOf('counter 0', 16, 3n), sourceOf('counter 2 is unsigned', 18, 0xffff_ffffn), sourceOf('counter 3', 19, 9n),
  sourceOf('ITERATION', 20, 2n), sourceOf('ROW', 21, 1n), sourceOf('COLUMN', 22, 64n), sourceOf('LANES', 23, 6n),
  sourceOf('immediate', 24, 0x1234_5678n, 0x1234_5678), sourceOf('negative immediate', 24, -2n, 0xffff_fffe),
  sourceOf('25', 25, 0n, 7), sourceOf('31', 31, 0n, 7), sourceOf('255', 255, 0n, 7),
  golden('source: immediate of 24 bits', { instruction: { op: Opcode.SELECT, a: 24, b: 24, x: 0xffff_fb02 } }, { scalar: [0, -5n] }),
  golden('source: third source is the immediate', { instruction: { op: Opcode.SELECT, a: 31, x: 0x7fff_ff18 } }, { scalar: [0, 0x7f_ffffn] }),
  golden('source: ITERATION in the epilogue is the maximum', { instruction: { op: 0x21, a: 20, b: 31 }, state: { slot: 14 } }, { scalar: [0, 4n] }),
  ...([['ROW', 21], ['COLUMN', 22], ['LANES', 23]] as const).map(([name, a]) =>
    golden(`source: ${name} of an output without columns is 0`, { instruction: { op: 0x2a, d: 31, a, b: 31 }, descriptor: { columns: 0 } }, { scalar: [15, 0n] })),
  golden('source: COLUMN of elements of 5 bytes is that of single bytes', { instruction: { op: 0x2a, d: 31, a: 22, b: 31 }, descriptor: { elementBytes: 5 } }, { scalar: [15, 64n] }),
  golden('source: ITERATION in the prologue is 0', { instruction: { op: 0x21, a: 20, b: 31 }, state: { slot: 1 } }, { scalar: [0, 0n] }),
];

/** One operand alone: what it names. */
const only = (kind: number, index: number): Partial<ScenarioParts['descriptor']> =>
  ({ operandCount: 1, operands: Array.from({ length: 8 }, () => ({ kind, index, commitment: WRITTEN })) });

const loads: readonly GoldenStep[] = [
  golden('LOAD8, element 0', { instruction: { op: Opcode.LOAD8, x: 0 }, scalars: { 1: 0n } }, { scalar: [0, -1n] }),
  golden('LOAD8, element 16 of word 2', { instruction: { op: Opcode.LOAD8, x: 0 }, scalars: { 1: 80n } }, { scalar: [0, 127n] }),
  golden('LOAD8, last element', { instruction: { op: Opcode.LOAD8, x: 0 }, scalars: { 1: 95n } }, { scalar: [0, -13n] }),
  golden('LOAD8 past the end', { instruction: { op: Opcode.LOAD8, x: 0 }, scalars: { 1: 96n } }, { scalar: [0, 0n] }),
  golden('LOAD8 before the start', { instruction: { op: Opcode.LOAD8, x: 0 }, scalars: { 1: -1n } }, { scalar: [0, 0n] }),
  golden('LOAD8 far past the end', { instruction: { op: Opcode.LOAD8, x: 0 }, scalars: { 1: 1n << 62n } }, { scalar: [0, 0n] }),
  golden('LOAD32 is little-endian', { instruction: { op: Opcode.LOAD32, x: 1 }, scalars: { 1: 3n } }, { scalar: [0, 0x12345678n] }),
  golden('LOAD32 extends the sign', { instruction: { op: Opcode.LOAD32, x: 1 }, scalars: { 1: 8n + 6n } }, { scalar: [0, -2n] }),
  golden('LOAD32 of the least number', { instruction: { op: Opcode.LOAD32, x: 1 }, scalars: { 1: 16n + 5n } }, { scalar: [0, -2147483648n] }),
  golden('LOAD32 past the end', { instruction: { op: Opcode.LOAD32, x: 1 }, scalars: { 1: 24n } }, { scalar: [0, 0n] }),
  golden('LOADWORD of a constant', { instruction: { op: Opcode.LOADWORD, d: 7, x: 0 }, scalars: { 1: 2n } }, { vector: [3, TENSOR_WORD] }),
  golden('LOADWORD past the end', { instruction: { op: Opcode.LOADWORD, x: 0 }, scalars: { 1: 3n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of a negative number', { instruction: { op: Opcode.LOADWORD, x: 0 }, scalars: { 1: -1n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the prologue', { instruction: { op: Opcode.LOADWORD, x: 2 }, scalars: { 1: 0n } }, { vector: [0, TENSOR_WORD] }),
  golden('LOADWORD of the body, this iteration', { instruction: { op: Opcode.LOADWORD, b: 20, x: 3 }, scalars: { 1: 0n } }, { vector: [0, TENSOR_WORD] }),
  golden('LOADWORD of the body, a later iteration', { instruction: { op: Opcode.LOADWORD, x: 3 }, scalars: { 1: 0n, 2: 3n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the body, an iteration that there is not', { instruction: { op: Opcode.LOADWORD, b: 24, x: 0x303 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the body, iteration -1', { instruction: { op: Opcode.LOADWORD, x: 3 }, scalars: { 1: 0n, 2: -1n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the operand after the last', { instruction: { op: Opcode.LOADWORD, x: 1 }, descriptor: only(6, 0), scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of a body operator that there is not', { instruction: { op: Opcode.LOADWORD, x: 0 }, descriptor: only(4, 3), scalars: { 1: 0n, 2: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of a prologue operator that there is not', { instruction: { op: Opcode.LOADWORD, x: 0 }, descriptor: only(3, 2), scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the body from the epilogue, one iteration too many', { instruction: { op: Opcode.LOADWORD, b: 20, x: 0 }, descriptor: only(4, 0), state: { slot: 15 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the body from the epilogue, the last iteration', { instruction: { op: Opcode.LOADWORD, x: 0 }, descriptor: only(4, 2), state: { slot: 15 }, scalars: { 1: 0n, 2: 3n } }, { vector: [0, TENSOR_WORD] }),
  golden('LOADWORD of the own slot', { instruction: { op: Opcode.LOADWORD, b: 20, x: 4 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the own operator, an iteration before', { instruction: { op: Opcode.LOADWORD, x: 4 }, scalars: { 1: 0n, 2: 1n } }, { vector: [0, TENSOR_WORD] }),
  golden('LOADWORD of the epilogue, from the body', { instruction: { op: Opcode.LOADWORD, x: 5 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the epilogue, from the epilogue', { instruction: { op: Opcode.LOADWORD, x: 5 }, state: { slot: 15 }, scalars: { 1: 0n } }, { vector: [0, TENSOR_WORD] }),
  golden('LOADWORD of the epilogue, from its third operator', { instruction: { op: Opcode.LOADWORD, x: 0 }, descriptor: only(5, 1), header: { epilogue: 3 }, state: { slot: 16 }, scalars: { 1: 0n } }, { vector: [0, TENSOR_WORD] }),
  golden('LOADWORD of an epilogue operator that there is not', { instruction: { op: Opcode.LOADWORD, x: 0 }, descriptor: only(5, 2), state: { slot: 15 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the seed', { instruction: { op: Opcode.LOADWORD, x: 6 }, scalars: { 1: 0n } }, { vector: [0, SEED] }),
  golden('LOADWORD of the seed, word 1', { instruction: { op: Opcode.LOADWORD, x: 6 }, scalars: { 1: 1n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of no operand', { instruction: { op: Opcode.LOADWORD, x: 7 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of operand 8', { instruction: { op: Opcode.LOADWORD, x: 8 }, scalars: { 1: 0n } }, { vector: [0, ZERO] }),
  golden('LOADWORD of what was not written', { instruction: { op: Opcode.LOADWORD, x: 2 }, scalars: { 1: 0n }, tensor: null }, { vector: [0, ZERO] }),
  golden('LOADWORD of more words than the machine has', { instruction: { op: Opcode.LOADWORD, x: 0 }, scalars: { 1: 0n }, tensor: { wordCount: 2 ** 28 + 1, word: TENSOR_WORD } }, { vector: [0, ZERO] }),
  golden('LOADWORD of the last word that a tensor can have', { instruction: { op: Opcode.LOADWORD, x: 0 }, scalars: { 1: 2n ** 28n - 1n }, tensor: { wordCount: 2 ** 28, word: TENSOR_WORD } }, { vector: [0, TENSOR_WORD] }),
];

const vectors: readonly GoldenStep[] = [
  golden('DOT', { instruction: { op: Opcode.DOT, a: 1, b: 2 }, scalars: { 0: 1000n } }, { scalar: [0, 1090n] }),
  golden('DOT of the extremes', { instruction: { op: Opcode.DOT, a: 0, b: 3 }, scalars: { 0: 0n } }, { scalar: [0, 524288n] }),
  golden('DOT wraps', { instruction: { op: Opcode.DOT, a: 4, b: 7 }, scalars: { 0: 2147483647n } }, { scalar: [0, -2146959361n] }),
  golden('DOT cuts what it adds to', { instruction: { op: Opcode.DOT, a: 0, b: 2 }, scalars: { 0: 0x7_0000_1000n } }, { scalar: [0, 0n] }),
  golden('PUT8', { instruction: { op: Opcode.PUT8, d: 2 }, scalars: { 1: 31n, 2: -2n } }, { vector: [2, hex(`${'01'.repeat(31)}fe`)] }),
  golden('PUT8, lane -1 is lane 31, value cut', { instruction: { op: Opcode.PUT8, d: 2 }, scalars: { 1: -1n, 2: 0x1ffn } }, { vector: [2, hex(`${'01'.repeat(31)}ff`)] }),
  golden('PUT8, lane 32 is lane 0', { instruction: { op: Opcode.PUT8, d: 6 }, scalars: { 1: 32n, 2: 0n } }, { vector: [2, hex(`00${'01'.repeat(31)}`)] }),
  golden('PUT32 is little-endian', { instruction: { op: Opcode.PUT32, d: 2 }, scalars: { 1: 1n, 2: 0xabcd_0102_0304n } }, { vector: [2, hex(`0101010104030201${'01'.repeat(24)}`)] }),
  golden('PUT32, lane 7', { instruction: { op: Opcode.PUT32, d: 2 }, scalars: { 1: -1n, 2: -2n } }, { vector: [2, hex(`${'01'.repeat(28)}feffffff`)] }),
];

const loop = (name: string, instruction: Changes['instruction'], expected: GoldenStep['expected'], changes: Partial<Changes> = {}): GoldenStep =>
  golden(`LOOP ${name}`, { ...changes, instruction: { op: Opcode.LOOP, a: 0, b: 0, ...instruction } }, expected);

const loops: readonly GoldenStep[] = [
  loop('goes back', { d: 0, x: 5 * 1024 + 2 }, { pc: 2, counters: [4, 0, 0xffff_ffff, 9] }),
  loop('ends', { d: 0, x: 4 * 1024 + 2 }, { counters: [0, 0, 0xffff_ffff, 9] }),
  loop('with a bound of 0 ends', { d: 5, x: 2 }, { counters: [3, 0, 0xffff_ffff, 9] }),
  loop('adds a · ITERATION to the bound', { d: 3, a: 255, x: 1023 }, { pc: 1023, counters: [3, 0, 0xffff_ffff, 10] }),
  loop('over the lanes goes back', { d: 0, b: 1, x: 2 }, { pc: 2, counters: [4, 0, 0xffff_ffff, 9] }),
  loop('over the lanes ends', { d: 0, b: 1, x: 0xffff_fc02 }, { counters: [0, 0, 0xffff_ffff, 9] }, { state: { counters: [5, 0, 0xffff_ffff, 9] } }),
  loop('of a counter at its limit ends', { d: 2, x: 0xffff_ffff }, { counters: [3, 0, 0, 9] }),
  loop('stores the counter modulo 2^32', { d: 2, a: 255, x: 1024 }, { pc: 0, counters: [3, 0, 0, 9] },
    { header: { prologue: 1, body: 0, epilogue: 1, maxIterations: 0xffff_ffff }, state: { slot: 1 } }),
];

const SIX = hex(`ff0000000102${'00'.repeat(26)}`);
const stores: readonly GoldenStep[] = [
  golden('STORE masks, and goes to the next word', { instruction: { op: Opcode.STORE } }, next(9, 6, SIX)),
  golden('STORE of a full word', { instruction: { op: Opcode.STORE, a: 5 }, state: { word: 4 } }, next(9, 5, TENSOR_WORD)),
  golden('STORE of the first word', { instruction: { op: Opcode.STORE }, state: { word: 0 } }, next(9, 1, TENSOR_WORD)),
  golden('STORE of 32-bit lanes', { instruction: { op: Opcode.STORE }, descriptor: { elementBytes: 4, columns: 11, rows: 2 }, state: { word: 1 } }, next(9, 2, hex(`ff00000001020304 80000000${'00'.repeat(20)}`))),
  golden('STORE of the last word goes to the next operator', { instruction: { op: Opcode.STORE }, state: { word: 8 } }, next(10, 0, SIX)),
  golden('STORE at the end of the prologue', { instruction: { op: Opcode.STORE }, state: { slot: 1, word: 8 } }, next(2, 0, SIX)),
  golden('STORE at the end of an iteration, of zero', { instruction: { op: Opcode.STORE }, state: { slot: 10, word: 8, vectors: [ZERO, hex(`${'00'.repeat(6)}${'11'.repeat(26)}`), ZERO, ZERO] } }, next(11, 0, ZERO)),
  golden('STORE at the end of an iteration, of a stop', { instruction: { op: Opcode.STORE }, state: { slot: 10, word: 8 } }, next(14, 0, SIX)),
  golden('STORE of a word before the last one stops nothing', { instruction: { op: Opcode.STORE }, state: { slot: 10, word: 7 } }, next(10, 8, TENSOR_WORD)),
  golden('STORE at the end of the last iteration', { instruction: { op: Opcode.STORE, a: 0 }, state: { slot: 13, word: 8, vectors: [ZERO, ZERO, ZERO, ZERO] } }, next(14, 0, ZERO)),
  golden('STORE at the end of the epilogue', { instruction: { op: Opcode.STORE }, state: { slot: 15, word: 8 } }, finished(SIX)),
  golden('STORE of a stop without an epilogue', { instruction: { op: Opcode.STORE }, header: { epilogue: 0 }, state: { slot: 4, word: 8 } }, finished(SIX)),
  golden('STORE past the output', { instruction: { op: Opcode.STORE }, state: { word: 9 } }, failed),
  golden('STORE to an output without columns', { instruction: { op: Opcode.STORE }, descriptor: { columns: 0 }, state: { word: 0 } }, failed),
];

const ends: readonly GoldenStep[] = [
  golden('HALT', { instruction: { op: 0x00 } }, failed),
  golden('opcode 1c', { instruction: { op: 0x1c } }, failed),
  golden('opcode 20', { instruction: { op: 0x20 } }, failed),
  golden('opcode 32', { instruction: { op: 0x32 } }, failed),
  golden('opcode 41', { instruction: { op: 0x41 } }, failed),
  golden('opcode ff', { instruction: { op: 0xff } }, failed),
  golden('pc past the code', { instruction: { op: 0x01 }, state: { pc: 20 } }, failed),
  golden('slot past the program', { instruction: { op: 0x01 }, state: { slot: 16 } }, failed),
  golden('a program without slots', { instruction: { op: 0x01 }, header: { prologue: 0, body: 0, epilogue: 0 }, state: { slot: 0 } }, failed),
  golden('too many operators', { instruction: { op: 0x01 }, header: { prologue: 4097 } }, failed),
  golden('too many slots', { instruction: { op: 0x01 }, header: { prologue: 0, body: 4096, epilogue: 1, maxIterations: 2 ** 20 } }, failed),
  golden('as many slots as there can be', { instruction: { op: 0x01, d: 4 }, header: { prologue: 0, body: 4096, epilogue: 0, maxIterations: 2 ** 20 }, state: { slot: 2 ** 32 - 1 } }, { scalar: [4, 3n] }),
  golden('an output of too many words', { instruction: { op: 0x01 }, descriptor: { rows: 2 ** 28 + 1, columns: 1 } }, failed),
  golden('an output of as many words as there can be', { instruction: { op: 0x01, d: 4 }, descriptor: { rows: 2 ** 28, columns: 1 } }, { scalar: [4, 3n] }),
  golden('a failed machine stays as it is', { instruction: { op: 0x01 }, state: { status: Status.FAILED } }, { pc: 7 }),
  golden('a finished machine stays as it is', { instruction: { op: 0x01 }, state: { status: Status.FINISHED } }, { pc: 7 }),
  golden('as many operators as there can be, before and after the body', { instruction: { op: 0x01, d: 4 }, header: { prologue: 4096, epilogue: 4096 } }, { scalar: [4, 3n] }),
];

/** Every instruction, every source, every way to end: expected values are literals, not computed by any implementation. */
export const GOLDEN_STEPS: readonly GoldenStep[] = [...arithmetic, ...sources, ...loads, ...vectors, ...loops, ...stores, ...ends];
