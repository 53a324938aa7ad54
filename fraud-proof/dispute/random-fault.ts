import { bytesToBigInt, concat, hexToBytes, keccak256, numberToHex } from 'viem';
import { placeOf, slotOf } from '../../deterministic-runtime/program/program.ts';
import { elementBytes, lanesPerWord, WORD_BYTES, wordCount, wordsPerRow } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { SCALAR_REGISTERS, VECTOR_REGISTERS } from '../../deterministic-runtime/word-code/instruction.ts';
import { faultyTensor } from '../trace/fault.ts';
import type { Fault } from '../trace/fault.ts';
import type { TraceOptions, Trace } from '../trace/trace.ts';
import { openTrace } from '../trace/trace.ts';

/** Faults that are tried before giving up on one that shows in the result. */
const MAXIMUM_TRIES = 10_000;

/** A deterministic source of random words: `keccak256(seed ‖ counter)`. */
export function randomWords(seed: bigint): () => Uint8Array {
  let counter = 0;
  return () => {
    counter += 1;
    return hexToBytes(keccak256(concat([numberToHex(seed, { size: 32 }), numberToHex(counter, { size: 32 })])));
  };
}

/**
 * A random place in an honest run, and something wrong to put there: another word at a STORE, or another value in a register.
 * @param slots where it may lie: slots that the run writes; all of them when absent
 */
export function randomFault(honest: Trace, next: () => Uint8Array, slots?: readonly number[]): Fault {
  const below = (bound: number): number => Number(bytesToBigInt(next()) % BigInt(bound));
  const { program } = honest.model.model;
  const inOrder = program.prologue.length + honest.tensors.iterations * program.body.length;
  const number = below(slots?.length ?? inOrder + program.epilogue.length);
  const slot = slots?.[number] ?? (number < inOrder ? number : slotOf(program, 'epilogue', number - inOrder));
  const shape = placeOf(program, slot).operator.output;
  const word = below(wordCount(shape));
  const kind = (['word', 'scalar', 'vector'] as const)[below(3)] as Fault['kind'];
  if (kind === 'word') return { kind, slot, word, value: maskedWord(shape, word, next()) };
  const location = honest.locate(honest.startOf(slot, word));
  if (location === null) throw new Error('a written word has a first step');
  // Not before the word's first instruction: the machine's initial state is the contract's own.
  const step = 1 + below(Math.max(1, Number(location.operator.steps.word(location.iteration, word)) - 1));
  if (kind === 'vector') return { kind, slot, word, step, register: below(VECTOR_REGISTERS), value: next() };
  return { kind, slot, word, step, register: below(SCALAR_REGISTERS), value: BigInt.asIntN(32, bytesToBigInt(next())) };
}

/** A word for a place in a tensor: the lanes past the row's end are zero. */
export function maskedWord(shape: TensorShape, word: number, value: Uint8Array): Uint8Array {
  const firstLane = (word % wordsPerRow(shape)) * lanesPerWord(shape.element);
  const bytes = Math.min(WORD_BYTES, (shape.columns - firstLane) * elementBytes(shape.element));
  const masked = new Uint8Array(WORD_BYTES);
  masked.set(value.subarray(0, bytes));
  return masked;
}

/** A liar's run, and the fault in it. */
export interface Lie {
  readonly trace: Trace;
  readonly fault: Fault;
}

/** Which lie to look for. */
export interface LieChoice {
  readonly seed: bigint;
  /** Slots that it may strike: some that the run writes; all of them when absent. */
  readonly slots?: readonly number[];
}

/**
 * Finds a random fault that shows in the inference's result: what has the right result is not asserted in vain, nor can it be challenged.
 * @throws Error when none of many does, as for a model whose result hardly depends on its inside
 */
export async function findLie(honest: Trace, options: Omit<TraceOptions, 'fault' | 'honest'>, random: LieChoice): Promise<Lie> {
  const { prepared, input, signal } = options;
  const { seed } = honest.tensors;
  const next = randomWords(random.seed);
  for (let tried = 0; tried < MAXIMUM_TRIES; tried += 1) {
    const fault = randomFault(honest, next, random.slots);
    const words = faultyTensor(honest.model, honest.tensors, fault);
    if (!differs(words, honest.tensors.slot(fault.slot)!)) continue;
    const override = { slot: fault.slot, words };
    if (!differs((await prepared.run(input, { seed, override, ...(signal === undefined ? {} : { signal }) })).output, honest.output)) continue;
    return { trace: await openTrace({ ...options, seed, fault, honest }), fault };
  }
  throw new Error(`none of ${MAXIMUM_TRIES} random faults shows in the result: choose another seed or input, or name an operator and a word`);
}

const differs = (left: Uint8Array, right: Uint8Array): boolean => left.some((byte, index) => byte !== right[index]);
