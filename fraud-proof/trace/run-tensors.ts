import type { RunResult } from '../../deterministic-runtime/executors/executor.ts';
import { MerkleTree } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import type { Commitment } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import { NOT_WRITTEN, commitTensors, tensorCommitment, wordTree } from '../../deterministic-runtime/commitment/tree.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model, Program } from '../../deterministic-runtime/program/program.ts';
import { byteLength, WORD_BYTES } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorReference } from '../machine/environment.ts';
import type { InferenceTensors } from '../machine/operands.ts';

/** Trees over tensors that are kept for the next question. */
const KEPT_TREES = 16;
const MILLISECONDS_PER_TURN = 50;
/** Bytes of tensors that are hashed together at most, unless one alone is larger. */
const BYTES_PER_GROUP = 2 ** 20;

/** What a run is a function of, beside its model: the input's padded words, and 32 bytes. */
export interface InferenceRequest { readonly input: Uint8Array; readonly seed: Uint8Array }

/** `A` and the current slot's tensor, as they are when some words of it are stored. */
export interface SlotsView extends Commitment {
  /** What `A` holds for the slot that is being written; 0 while no word of it is. */
  readonly current: Uint8Array;
}

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean => left.every((byte, index) => byte === right[index]);

/** All tensors of one finished run, and commitments to them as they were at any word of it. */
export class RunTensors implements InferenceTensors {
  readonly encoded: EncodedModel;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  /** Bytes of all tensors, which stay in memory. */
  readonly byteLength: number;
  readonly #result: RunResult;
  readonly #slots: MerkleTree;
  readonly #trees = new Map<string, MerkleTree>();

  private constructor(encoded: EncodedModel, request: InferenceRequest, result: RunResult, { slots, byteLength }: { readonly slots: MerkleTree; readonly byteLength: number }) {
    this.encoded = encoded;
    this.input = request.input;
    this.seed = request.seed;
    this.byteLength = byteLength;
    this.#result = result;
    this.#slots = slots;
  }

  get model(): Model {
    return this.encoded.model;
  }

  /** Iterations of the body that ran. */
  get iterations(): number {
    return this.#result.iterations;
  }

  /** Hashes all tensors of a run that kept them. Gives others the thread now and then. @throws what the signal was aborted with */
  static async commit(encoded: EncodedModel, request: InferenceRequest, result: RunResult, signal?: AbortSignal): Promise<RunTensors> {
    const { program } = encoded.model;
    const slots = slotCount(program);
    const epilogue = slots - program.epilogue.length;
    const written = program.prologue.length + result.iterations * program.body.length;
    const runs = [
      { start: 0, nodes: new Uint8Array(written * WORD_BYTES) },
      { start: epilogue, nodes: new Uint8Array(program.epilogue.length * WORD_BYTES) },
    ] as const;
    let turnEnds = performance.now() + MILLISECONDS_PER_TURN;
    let bytes = 0;
    for (const group of groupsOf(program, result.iterations)) {
      const tensors = group.map((slot) => keptTensor(result, slot));
      const commitments = commitTensors(tensors);
      group.forEach((slot, index) => {
        const { start, nodes } = slot < epilogue ? runs[0] : runs[1];
        nodes.set(commitments.subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES), (slot - start) * WORD_BYTES);
        bytes += tensors[index]!.length;
      });
      if (performance.now() < turnEnds) continue;
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      turnEnds = performance.now() + MILLISECONDS_PER_TURN;
    }
    return new RunTensors(encoded, request, result, { slots: new MerkleTree(slots, runs), byteLength: bytes });
  }

  /** A slot's padded words; undefined when the body stopped before it. */
  slot(slot: number): Uint8Array | undefined {
    return this.#result.tensor(slot);
  }

  /** The commitment that a slot has in the end. */
  slotCommitment(slot: number): Uint8Array {
    return this.#slots.node(0, slot);
  }

  /** `A` when all slots are written. */
  final(): SlotsView {
    return { root: this.#slots.root, path: (index) => this.#slots.path(index), current: NOT_WRITTEN };
  }

  /** `A` when all slots before `slot` and the first `word` words of its tensor are written. */
  before(slot: number, word: number): SlotsView {
    const current = word === 0 ? NOT_WRITTEN : tensorCommitment(this.slotTree(slot).prefix(word).root, this.slotTree(slot).leafCount);
    const view = this.#slots.prefix(slot, current);
    return { root: view.root, path: (index) => view.path(index), current };
  }

  /** Tree over a written slot's words. */
  slotTree(slot: number): MerkleTree {
    const words = this.slot(slot);
    if (words === undefined) throw new RangeError(`slot ${slot} is not written in this run`);
    return this.#tree(`slot ${slot}`, words);
  }

  /** Tree over the words of a tensor that a load names. */
  tree(reference: TensorReference): MerkleTree {
    if (reference.kind === 'slot') return this.slotTree(reference.slot);
    if (reference.kind === 'input') return this.#tree('input', this.input);
    const constant = this.encoded.constants.findIndex((commitment) => sameBytes(commitment, reference.commitment));
    const words = this.model.constants[constant];
    if (words === undefined) throw new RangeError('the model has no constant with this commitment');
    return this.#tree(`constant ${constant}`, words);
  }

  #tree(key: string, words: Uint8Array): MerkleTree {
    const tree = this.#trees.get(key) ?? wordTree(words);
    this.#trees.delete(key);
    this.#trees.set(key, tree);
    const [oldest] = this.#trees.keys();
    if (this.#trees.size > KEPT_TREES && oldest !== undefined) this.#trees.delete(oldest);
    return tree;
  }
}

function keptTensor(result: RunResult, slot: number): Uint8Array {
  const words = result.tensor(slot);
  if (words === undefined) throw new Error(`the run kept no tensor for slot ${slot}`);
  return words;
}

/** All slots that a run writes, those of one operator's iterations together: they are of one size. */
function* groupsOf(program: Program, iterations: number): Generator<number[]> {
  for (let index = 0; index < program.prologue.length; index += 1) yield [slotOf(program, 'prologue', index)];
  for (const [index, { output }] of program.body.entries()) {
    const most = Math.max(1, Math.floor(BYTES_PER_GROUP / byteLength(output)));
    for (let first = 0; first < iterations; first += most) {
      yield Array.from({ length: Math.min(most, iterations - first) }, (_, offset) => slotOf(program, 'body', index, first + offset));
    }
  }
  for (let index = 0; index < program.epilogue.length; index += 1) yield [slotOf(program, 'epilogue', index)];
}
