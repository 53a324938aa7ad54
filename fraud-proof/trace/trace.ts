import { bytesToHex } from 'viem';
import type { Hex } from 'viem';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import { WORD_BYTES } from '../../deterministic-runtime/program/tensor.ts';
import { promptIterations } from '../../kernels/language-model/interface.ts';
import type { StateSource } from '../dispute/player.ts';
import { finishedOpening, proveStep } from '../machine/proof.ts';
import type { ProvingEnvironment, StepProof } from '../machine/proof.ts';
import { finishedState, hashState, machineContext, wordStartState } from '../machine/state.ts';
import type { MachineState } from '../machine/state.ts';
import { provingEnvironment } from './environment.ts';
import { faultOverride } from './fault.ts';
import type { Fault, RegisterFault } from './fault.ts';
import { RecomputedTensors } from './recomputed-tensors.ts';
import type { RecomputedOptions } from './recomputed-tensors.ts';
import { RunTensors } from './run-tensors.ts';
import { SlotCommitter } from './slot-commitments.ts';
import type { SlotCommitments } from './slot-commitments.ts';
import type { TensorHasher } from './tensor-hasher.ts';
import { StepIndex } from './step-index.ts';
import type { StepLocation } from './step-index.ts';
import { TraceCache } from './trace-cache.ts';
import { WordTrace } from './word-trace.ts';

export interface TraceOptions {
  readonly prepared: PreparedModel;
  /** The input's padded words. */
  readonly input: Uint8Array;
  /** 32 bytes; zero when absent. */
  readonly seed?: Uint8Array;
  /** What a liar does; everything after it is consistent with it. */
  readonly fault?: Fault;
  /** An honest trace of the same inference, where there is one: a liar's needs one run less then. */
  readonly honest?: Trace;
  /**
   * `all` keeps every tensor of the run. By default only those stay that other iterations read, beside 64 bytes a slot; the rest is computed again, an iteration at a time,
   * when it is asked for. The states are the same.
   */
  readonly keep?: 'all';
  /** For what is computed again, and for trees; one of `TRACE_CACHE_BYTES` of its own when absent. */
  readonly cache?: TraceCache;
  /** Those of an earlier trace of the same inference (`trace.tensors.commitments`), the same fault included: nothing is hashed then. */
  readonly commitments?: SlotCommitments;
  /** Commits to tensors; in WebAssembly when absent. */
  readonly hasher?: TensorHasher;
  readonly signal?: AbortSignal;
}

/** A state, and what the proof of the step after it is made from. */
export interface FullState {
  readonly state: MachineState;
  readonly environment: ProvingEnvironment;
}

/**
 * Runs an inference again and commits to its inside, so that the state after any of its steps can be named.
 * @throws RangeError on a wrong input, seed or fault, or commitments of another run; whatever the executor throws
 */
export async function openTrace(options: TraceOptions): Promise<Trace> {
  const { prepared, input, seed = new Uint8Array(WORD_BYTES), fault, honest, signal } = options;
  const model = encodeModel(prepared.model);
  const stoppable = signal === undefined ? {} : { signal };
  const override = fault === undefined ? undefined : await faultOverride(model, prepared, { input, seed, ...stoppable, ...(honest === undefined ? {} : { honest: honest.tensors }) }, fault);
  const tensors = await runTensors(model, options, { input, seed, ...stoppable, ...(override === undefined ? {} : { override }) });
  return new Trace(tensors, fault === undefined || fault.kind === 'word' ? null : fault);
}

async function runTensors(model: EncodedModel, { prepared, keep, cache = new TraceCache(), commitments, hasher }: TraceOptions, request: Omit<RecomputedOptions, 'cache' | 'onWritten'>): Promise<RunTensors> {
  const { program } = model.model;
  const { input, signal } = request;
  if (keep === 'all') {
    const result = await prepared.run(input, { ...request, keep, independentIterations: promptIterations(model.model, input) });
    return RunTensors.commit(model, request, result, { signal, cache });
  }
  if (commitments !== undefined) return new RunTensors(model, await RecomputedTensors.run(model, prepared, { ...request, cache }), { commitments, cache });
  const committer = new SlotCommitter(program, hasher);
  const source = await RecomputedTensors.run(model, prepared, {
    ...request, cache,
    onWritten: async ({ section, iteration }, tensor) => {
      for (const index of program[section].keys()) {
        const hashing = committer.add(slotOf(program, section, index, iteration), tensor(index));
        if (hashing !== undefined) await hashing;
      }
      await committer.turn(signal);
    },
  });
  return new RunTensors(model, source, { commitments: await committer.finish(source.iterations), cache });
}

/** All states of one inference, by number: state `n` is the machine's after `n` steps. */
export class Trace implements StateSource {
  readonly model: EncodedModel;
  /** `keccak256(MACHINE ‖ modelId ‖ inputCommitment ‖ seed)`. */
  readonly context: Uint8Array;
  readonly inputCommitment: Uint8Array;
  /** The inference's tensors; slots that were never written are undefined. */
  readonly tensors: RunTensors;
  readonly #index: StepIndex;
  readonly #fault: RegisterFault | null;

  constructor(tensors: RunTensors, fault: RegisterFault | null) {
    this.tensors = tensors;
    this.model = tensors.encoded;
    this.inputCommitment = commitTensor(tensors.input);
    this.context = machineContext(this.model.modelId, this.inputCommitment, tensors.seed);
    this.#index = new StepIndex(this.model, tensors.iterations);
    this.#fault = fault;
  }

  /** `N`: steps when all iterations run, which a dispute is over. */
  get steps(): bigint {
    return this.model.steps;
  }

  /** Steps until the machine is finished; at most `steps`. From there on its state repeats. */
  get finishedAfter(): bigint {
    return this.#index.total;
  }

  /** The result: the last slot's padded words. */
  get output(): Uint8Array {
    return this.tensors.slot(slotCount(this.model.model.program) - 1)!;
  }

  /** What the step after state `step` does; null when the machine has finished by then. @throws RangeError below 0 */
  locate(step: bigint): StepLocation | null {
    return this.#index.locate(step);
  }

  /** The number of the state at the start of a word of a written slot. */
  startOf(slot: number, word: number): bigint {
    return this.#index.startOf(slot, word);
  }

  /** The states after so many steps each, in the order asked for. Those of one word are found in one pass over it. */
  states(steps: readonly bigint[]): MachineState[] {
    const found = new Map<bigint, MachineState>();
    let current: { readonly location: StepLocation; readonly start: MachineState; readonly word: WordTrace } | null = null;
    for (const step of ascending(steps)) {
      const location = this.locate(step);
      if (location === null) {
        found.set(step, finishedState(this.context, this.tensors.final().root));
        continue;
      }
      const { slot, word } = location;
      if (current?.location.slot !== slot || current.location.word !== word) {
        const start = wordStartState(this.context, this.tensors.before(slot, word).root, { slot, word });
        current = { location, start, word: new WordTrace(this.tensors, location, this.#fault) };
      }
      const { pc, counters, scalars, vectors } = current.word.goTo(Number(location.step));
      found.set(step, { ...current.start, pc, counters, scalars, vectors });
    }
    return steps.map((step) => found.get(step)!);
  }

  /** Hashes of the states after so many steps each, in the order asked for. */
  async stateAt(steps: readonly bigint[]): Promise<Hex[]> {
    const hashes = new Map<bigint, Hex>();
    const bySlot = new Map<number | null, bigint[]>();
    for (const step of ascending(steps)) {
      const slot = this.locate(step)?.slot ?? null;
      const group = bySlot.get(slot) ?? [];
      bySlot.set(slot, group);
      group.push(step);
    }
    for (const [slot, group] of bySlot) {
      if (slot !== null) await this.tensors.prepare(slot);
      this.states(group).forEach((state, index) => hashes.set(group[index]!, bytesToHex(hashState(state))));
    }
    return steps.map((step) => hashes.get(step)!);
  }

  /** The state after `step` steps, with all that a proof of the next one needs. */
  stateFull(step: bigint): FullState {
    const [state] = this.states([step]);
    return { state: state!, environment: provingEnvironment(this.tensors, this.inputCommitment, this.locate(step)) };
  }

  /** The proof of the step that follows state `step`, and the state after it. */
  prove(step: bigint): StepProof {
    const { state, environment } = this.stateFull(step);
    return proveStep(state, environment);
  }

  async proofAt(step: bigint): Promise<Hex> {
    const location = this.locate(step);
    if (location !== null) await this.tensors.prepare(location.slot);
    return bytesToHex(this.prove(step).proof);
  }

  /** Opens the finished state for the contract, so that it sees the output's commitment. */
  async finalOpening(): Promise<Hex> {
    const slot = slotCount(this.model.model.program) - 1;
    const final = this.tensors.final();
    return bytesToHex(finishedOpening(this.model.header, final.root, this.tensors.slotCommitment(slot), final.path(slot)));
  }
}

const ascending = (steps: readonly bigint[]): bigint[] => [...new Set(steps)].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
