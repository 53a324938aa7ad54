import type { PreparedModel, RunResult, TensorOverride } from '../../deterministic-runtime/executors/executor.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { placeOf } from '../../deterministic-runtime/program/program.ts';
import { paddingIsZero, WORD_BYTES, wordCount } from '../../deterministic-runtime/program/tensor.ts';
import { SCALAR_REGISTERS, VECTOR_REGISTERS } from '../../deterministic-runtime/word-code/instruction.ts';
import type { InferenceTensors } from '../machine/operands.ts';
import { RecomputedTensors } from './recomputed-tensors.ts';
import type { InferenceRequest } from './recomputed-tensors.ts';
import { StepIndex } from './step-index.ts';
import { TraceCache } from './trace-cache.ts';
import { WordTrace } from './word-trace.ts';

interface FaultPlace {
  /** A slot that the run writes. */
  readonly slot: number;
  /** Number of the word in the slot's tensor. */
  readonly word: number;
}

/** A lie at a word's STORE: another word is written than was computed. */
export interface WordFault extends FaultPlace {
  readonly kind: 'word';
  /** 32 bytes, its padding lanes zero. */
  readonly value: Uint8Array;
}

interface StepFault extends FaultPlace {
  /** Instructions of the word that are executed honestly before the register changes: less than the word has. */
  readonly step: number;
  readonly register: number;
}
export interface ScalarFault extends StepFault { readonly kind: 'scalar'; readonly value: bigint }
export interface VectorFault extends StepFault { readonly kind: 'vector'; /** 32 bytes. */ readonly value: Uint8Array }

/** A lie inside a word: a register changes after one of its instructions, and what follows is computed from that. */
export type RegisterFault = ScalarFault | VectorFault;

/** What a liar does: one place is wrong, and everything after it is consistent with it. */
export type Fault = WordFault | RegisterFault;

/** The tensors of an honest run. */
export interface HonestTensors extends InferenceTensors {
  /** Iterations of the body that ran. */
  readonly iterations: number;
}

/**
 * The whole tensor that a liar has in its fault's slot, in a run that is honest until then.
 * @throws RangeError when the fault's place does not exist in this run
 */
export function faultyTensor(model: EncodedModel, honest: HonestTensors, fault: Fault): Uint8Array {
  const words = honest.slot(fault.slot)?.slice();
  const { operator } = placeOf(model.model.program, fault.slot);
  if (words === undefined) throw new RangeError(`the fault's slot ${fault.slot} is not written in this run`);
  if (fault.word < 0 || fault.word >= wordCount(operator.output)) throw new RangeError(`slot ${fault.slot} has no word ${fault.word}`);
  words.set(fault.kind === 'word' ? fault.value : tamperedWord(model, honest, fault), fault.word * WORD_BYTES);
  if (!paddingIsZero(operator.output, words)) throw new RangeError("the fault's padding lanes must be zero");
  return words;
}

export interface FaultyRunOptions extends InferenceRequest {
  readonly signal?: AbortSignal;
  /** An honest run's tensors, where they are at hand: saves a run. */
  readonly honest?: HonestTensors;
}

/**
 * What a liar's run has in its fault's slot, as an executor takes it. Runs the model once, unless an honest run's tensors are given.
 * @throws RangeError when the fault's place does not exist in this run
 */
export async function faultOverride(model: EncodedModel, prepared: PreparedModel, { honest, ...request }: FaultyRunOptions, fault: Fault): Promise<TensorOverride> {
  const tensors = honest ?? (await RecomputedTensors.run(model, prepared, { ...request, cache: new TraceCache() }));
  return { slot: fault.slot, words: faultyTensor(model, tensors, fault) };
}

/**
 * Runs a model with a fault; twice, unless an honest run's tensors are given.
 * @throws RangeError when the fault's place does not exist in this run
 */
export async function runWithFault(model: EncodedModel, prepared: PreparedModel, options: FaultyRunOptions, fault: Fault): Promise<RunResult> {
  const { input, seed, signal } = options;
  const override = await faultOverride(model, prepared, options, fault);
  return prepared.run(input, { seed, override, ...(signal === undefined ? {} : { signal }) });
}

/** What the word's STORE writes after the register changed. */
function tamperedWord(model: EncodedModel, tensors: HonestTensors, fault: RegisterFault): Uint8Array {
  const index = new StepIndex(model, tensors.iterations);
  const location = index.locate(index.startOf(fault.slot, fault.word))!;
  const steps = location.operator.steps.word(location.iteration, fault.word);
  if (fault.step < 0 || BigInt(fault.step) >= steps) throw new RangeError(`the word has no step ${fault.step}, but ${steps} steps`);
  const registers = fault.kind === 'vector' ? VECTOR_REGISTERS : SCALAR_REGISTERS;
  if (fault.register < 0 || fault.register >= registers) throw new RangeError(`there is no ${fault.kind} register ${fault.register}`);
  return new WordTrace(tensors, location, fault).finish();
}
