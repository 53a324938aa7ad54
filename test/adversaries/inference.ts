import { bytesToHex, hexToBytes } from 'viem';
import type { Address, Hex } from 'viem';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { rootFromPath } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { placeOf, slotCount } from '../../deterministic-runtime/program/program.ts';
import { wordCount } from '../../deterministic-runtime/program/tensor.ts';
import type { StateSource } from '../../fraud-proof/dispute/player.ts';
import { findLie } from '../../fraud-proof/dispute/random-fault.ts';
import { finishedOpening, unfinishedOpening } from '../../fraud-proof/machine/proof.ts';
import { failedState, finishedState, hashState } from '../../fraud-proof/machine/state.ts';
import type { MachineState } from '../../fraud-proof/machine/state.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { requestElements } from '../../rollup-node/model-values.ts';
import type { Contestant } from '../disputes/random-matches.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';

/** What a party says that it computed: states, and the commitment to an output. */
export interface Computation {
  readonly source: StateSource;
  readonly output: Hex;
}

/** Runs that a liar made up are kept, so many for each inference. */
const KEPT_LIES = 12;
/** Steps looked at from a word's start for what instructions it has. */
const SCANNED_STEPS = 400n;
const SCANNED_SLOTS = 48;

/** An inference to dispute about, traced once for all games. */
export class Inference {
  readonly trace: Trace;
  readonly prepared: PreparedModel;
  readonly input: Uint8Array;
  readonly truth: Computation;
  readonly #contestant: Contestant;
  readonly #lies = new Map<string, Promise<Computation>>();
  #running: MachineState | undefined;
  #kinds: ReadonlyMap<number, readonly bigint[]> | undefined;

  private constructor(contestant: Contestant, prepared: PreparedModel, input: Uint8Array, trace: Trace) {
    this.#contestant = contestant;
    this.prepared = prepared;
    this.input = input;
    this.trace = trace;
    this.truth = { source: remembered(trace), output: bytesToHex(commitTensor(trace.output)) };
  }

  static async open(contestant: Contestant, prepared: PreparedModel, number: number): Promise<Inference> {
    const input = contestant.input(number);
    return new Inference(contestant, prepared, input, await openTrace({ prepared, input }));
  }

  get model(): string {
    return this.#contestant.name;
  }

  get steps(): bigint {
    return this.trace.steps;
  }

  /** Slots that the run wrote, in order. */
  get slots(): number[] {
    return Array.from({ length: slotCount(this.trace.model.model.program) }, (_, slot) => slot).filter((slot) => this.trace.tensors.isWritten(slot));
  }

  /** Words of a slot's tensor. */
  words(slot: number): number {
    return wordCount(placeOf(this.trace.model.model.program, slot).operator.output);
  }

  /** A run with one fault in it, consistent with itself in all that follows. */
  async consistentLie(random: Random, slots: readonly number[] = this.slots): Promise<Computation> {
    const number = random.below(KEPT_LIES);
    const name = `${number} ${slots.length} ${slots[0]}`;
    const known = this.#lies.get(name) ?? this.#findLie(BigInt(number), slots);
    this.#lies.set(name, known);
    return known;
  }

  async #findLie(seed: bigint, slots: readonly number[]): Promise<Computation> {
    const { prepared, input, trace } = this;
    const lie = await findLie(trace, { prepared, input }, { seed, slots });
    return { source: remembered(lie.trace), output: bytesToHex(commitTensor(lie.trace.output)) };
  }

  /**
   * Right until state `last`, and made-up states after it: a lie at any place, whether or not a run could have it. Its final state has the
   * output that `random` gives, or none.
   */
  splicedLie(last: bigint, random: Random, ending: 'output' | 'failed' | 'running' = 'output'): Computation {
    const output = random.word();
    const { context, model: { header, model }, tensors } = this.trace;
    const slot = slotCount(model.program) - 1;
    const final = tensors.final();
    const root = rootFromPath(hexToBytes(output), slot, final.path(slot));
    const state = ending === 'output' ? finishedState(context, root) : ending === 'failed' ? failedState(context) : this.#lastRunning();
    const opening = ending === 'output' ? finishedOpening(header, root, hexToBytes(output), final.path(slot)) : unfinishedOpening(state);
    const madeUp = random.states();
    const { steps, truth: { source } } = this;
    return {
      output,
      source: {
        stateAt: async (wanted) => {
          const right = await source.stateAt(wanted.filter((step) => step <= last));
          return wanted.map((step) => (step <= last ? right.shift()! : step === steps ? bytesToHex(hashState(state)) : madeUp(step)));
        },
        proofAt: (step) => source.proofAt(step),
        finalOpening: async () => bytesToHex(opening),
      },
    };
  }

  /** The state before the last step. */
  #lastRunning(): MachineState {
    return (this.#running ??= this.trace.states([this.trace.finishedAfter - 1n])[0]!);
  }

  /** Steps of the run by the instruction that they execute. */
  instructions(): ReadonlyMap<number, readonly bigint[]> {
    if (this.#kinds !== undefined) return this.#kinds;
    const kinds = new Map<number, bigint[]>();
    for (const slot of this.slots.slice(-SCANNED_SLOTS)) {
      const start = this.trace.startOf(slot, 0);
      for (let step = start; step < start + SCANNED_STEPS; step += 1n) {
        const location = this.trace.locate(step);
        if (location === null || location.slot !== slot) break;
        const found = kinds.get(location.instruction.op) ?? [];
        if (found.length < 4) kinds.set(location.instruction.op, [...found, step]);
      }
    }
    this.#kinds = kinds;
    return kinds;
  }
}

/** An inference that was asked for on a stage. */
export interface Asked {
  readonly inference: Inference;
  readonly requestId: Hex;
}

/** Asks for inferences on a stage. */
export async function ask(stage: Stage, inferences: readonly Inference[]): Promise<Asked[]> {
  const contracts = new Map<string, Address>();
  const asked: Asked[] = [];
  for (const inference of inferences) {
    const { model } = inference.prepared;
    const contract = contracts.get(inference.model) ?? (await stage.register(model));
    contracts.set(inference.model, contract);
    asked.push({ inference, requestId: await stage.request(model, contract, requestElements(model, inference.input)) });
  }
  return asked;
}

/** A source that computes each state and proof once. */
export function remembered(source: StateSource): StateSource {
  const states = new Map<bigint, Hex>();
  const proofs = new Map<bigint, Promise<Hex>>();
  let opening: Promise<Hex> | undefined;
  return {
    stateAt: async (steps) => {
      const missing = steps.filter((step) => !states.has(step));
      if (missing.length > 0) (await source.stateAt(missing)).forEach((state, index) => states.set(missing[index]!, state));
      return steps.map((step) => states.get(step)!);
    },
    proofAt: (step) => {
      const known = proofs.get(step) ?? source.proofAt(step);
      proofs.set(step, known);
      return known;
    },
    finalOpening: () => (opening ??= source.finalOpening()),
  };
}
