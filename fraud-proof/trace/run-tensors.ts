import { bytesToHex } from 'viem';
import type { RunResult } from '../../deterministic-runtime/executors/executor.ts';
import type { Commitment, MerkleTree } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import { NOT_WRITTEN, tensorCommitment, wordTree } from '../../deterministic-runtime/commitment/tree.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { placeOf, SECTIONS, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { TensorReference } from '../machine/environment.ts';
import type { InferenceRequest, TensorSource } from './recomputed-tensors.ts';
import { SlotCommitter, slotTree } from './slot-commitments.ts';
import type { SlotCommitments } from './slot-commitments.ts';
import { TraceCache } from './trace-cache.ts';

/** `A` and the current slot's tensor, as they are when some words of it are stored. */
export interface SlotsView extends Commitment {
  /** What `A` holds for the slot that is being written; 0 while no word of it is. */
  readonly current: Uint8Array;
}

const sameBytes = (left: Uint8Array, right: Uint8Array): boolean => left.every((byte, index) => byte === right[index]);

/** The tensors of one finished run, and commitments to them as they were at any word of it. */
export class RunTensors implements TensorSource {
  readonly encoded: EncodedModel;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  /** Of the slots when all of them are written. */
  readonly commitments: SlotCommitments;
  readonly #source: TensorSource;
  readonly #slots: MerkleTree;
  readonly #cache: TraceCache;
  readonly #name: string;

  /** @throws RangeError when the commitments are not those of such a run */
  constructor(encoded: EncodedModel, source: TensorSource, { commitments, cache }: { readonly commitments: SlotCommitments; readonly cache: TraceCache }) {
    if (commitments.iterations !== source.iterations) throw new RangeError(`these are the slots' commitments after ${commitments.iterations} iterations; the run had ${source.iterations}`);
    this.encoded = encoded;
    this.input = source.input;
    this.seed = source.seed;
    this.commitments = commitments;
    this.#source = source;
    this.#slots = slotTree(encoded.model.program, commitments);
    this.#cache = cache;
    this.#name = cache.newName();
  }

  get model(): Model {
    return this.encoded.model;
  }

  /** Iterations of the body that ran. */
  get iterations(): number {
    return this.#source.iterations;
  }

  /** Bytes that stay in memory: tensors, and 64 a slot. What the cache holds comes on top. */
  get byteLength(): number {
    const { inOrder, epilogue } = this.commitments;
    return this.#source.byteLength + 2 * (inOrder.length + epilogue.length);
  }

  /** Hashes all tensors of a run that kept them. Gives others the thread now and then. @throws what the signal was aborted with */
  static async commit(encoded: EncodedModel, request: InferenceRequest, result: RunResult, { signal, cache = new TraceCache() }: { readonly signal?: AbortSignal | undefined; readonly cache?: TraceCache } = {}): Promise<RunTensors> {
    const { model } = encoded;
    const { program } = model;
    const committer = new SlotCommitter(program);
    let byteLength = 0;
    for (const section of SECTIONS) {
      const iterations = section === 'body' ? result.iterations : 1;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (const index of program[section].keys()) {
          const slot = slotOf(program, section, index, iteration);
          const words = result.tensor(slot);
          if (words === undefined) throw new Error(`the run kept no tensor for slot ${slot}`);
          byteLength += words.length;
          const hashing = committer.add(slot, words);
          if (hashing !== undefined) await hashing;
        }
        await committer.turn(signal);
      }
    }
    const source: TensorSource = { ...request, model, iterations: result.iterations, byteLength, slot: (slot) => result.tensor(slot), prepare: async () => {} };
    return new RunTensors(encoded, source, { commitments: await committer.finish(result.iterations), cache });
  }

  /** A slot's padded words; undefined when the body stopped before it. */
  slot(slot: number): Uint8Array | undefined {
    return this.#source.slot(slot);
  }

  /** True for a slot that this run wrote. */
  isWritten(slot: number): boolean {
    const { section, iteration } = placeOf(this.model.program, slot);
    return section !== 'body' || iteration < this.iterations;
  }

  /** Does the work that `slot` would do, giving others the thread now and then. */
  prepare(slot: number): Promise<void> {
    return this.#source.prepare(slot);
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
    return this.#tree(`${this.#name} slot ${slot}`, words, this.slotCommitment(slot));
  }

  /** Tree over the words of a tensor that a load names. */
  tree(reference: TensorReference): MerkleTree {
    if (reference.kind === 'slot') return this.slotTree(reference.slot);
    if (reference.kind === 'input') return this.#tree(`${this.#name} input`, this.input, null);
    const constant = this.encoded.constants.findIndex((commitment) => sameBytes(commitment, reference.commitment));
    const words = this.model.constants[constant];
    if (words === undefined) throw new RangeError('the model has no constant with this commitment');
    return this.#tree(`constant ${bytesToHex(reference.commitment)}`, words, reference.commitment);
  }

  /** @throws Error when the words are not those that were committed to */
  #tree(key: string, words: Uint8Array, commitment: Uint8Array | null): MerkleTree {
    const known = this.#cache.trees.get(key);
    if (known !== undefined) return known;
    const tree = wordTree(words);
    if (commitment !== null && !sameBytes(tensorCommitment(tree.root, tree.leafCount), commitment)) {
      throw new Error(`${key}: the tensor is another one than was committed to; the executor disagrees with the word machine, or stored commitments are damaged`);
    }
    // The leaves stay with the tree, whether or not anybody else keeps them.
    this.#cache.trees.set(key, tree, 2 * words.length);
    return tree;
  }
}
