import { MerkleTree } from '../../deterministic-runtime/commitment/merkle-tree.ts';
import { slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Program } from '../../deterministic-runtime/program/program.ts';
import { WORD_BYTES } from '../../deterministic-runtime/program/tensor.ts';
import { wasmHasher } from './tensor-hasher.ts';
import type { TensorHasher } from './tensor-hasher.ts';

const MILLISECONDS_PER_TURN = 50;
/** Bytes of all tensors that wait to be hashed, in groups. */
const WAITING_GROUPS = 8;
/** Slots that there is room for at first. */
const FIRST_SLOTS = 1024;

/** The commitments of all slots that one run wrote: 32 bytes each. */
export interface SlotCommitments {
  /** Iterations of the body that ran. */
  readonly iterations: number;
  /** Of the prologue's and the body's slots, in order. */
  readonly inOrder: Uint8Array;
  readonly epilogue: Uint8Array;
}

/** The tree `A` over all slots when all of them are written. @throws RangeError when the commitments are not those of such a run */
export function slotTree(program: Program, { iterations, inOrder, epilogue }: SlotCommitments): MerkleTree {
  const { prologue, body, maxIterations } = program;
  const fits = Number.isInteger(iterations) && iterations >= 0 && iterations <= maxIterations
    && inOrder.length === (prologue.length + iterations * body.length) * WORD_BYTES && epilogue.length === program.epilogue.length * WORD_BYTES;
  if (!fits) throw new RangeError(`these are not the slots' commitments after ${iterations} iterations of model '${program.name}'`);
  return new MerkleTree(slotCount(program), [{ start: 0, nodes: inOrder }, { start: slotOf(program, 'epilogue', 0), nodes: epilogue }]);
}

/**
 * Commits to the tensors of a run as they are written. Tensors of one size wait for one another for a while, and are hashed together: that is several times
 * as fast where they are small.
 */
export class SlotCommitter {
  readonly #program: Program;
  readonly #hasher: TensorHasher;
  readonly #epilogue: Uint8Array;
  readonly #waiting = new Map<number, { readonly slot: number; readonly words: Uint8Array }[]>();
  #inOrder = new Uint8Array(FIRST_SLOTS * WORD_BYTES);
  #waitingBytes = 0;
  #turnEnds = performance.now() + MILLISECONDS_PER_TURN;

  constructor(program: Program, hasher: TensorHasher = wasmHasher) {
    this.#program = program;
    this.#hasher = hasher;
    this.#epilogue = new Uint8Array(program.epilogue.length * WORD_BYTES);
  }

  /** Takes a slot's padded words; copies them if they must wait. What it returns, if anything, has to be awaited before the next one. */
  add(slot: number, words: Uint8Array): Promise<void> | undefined {
    if (words.length >= this.#hasher.groupBytes) return this.#hash([{ slot, words }]);
    const group = this.#waiting.get(words.length) ?? [];
    this.#waiting.set(words.length, group);
    group.push({ slot, words: words.slice() });
    this.#waitingBytes += words.length;
    if (group.length * words.length >= this.#hasher.groupBytes) return this.#flush(words.length);
    return this.#waitingBytes >= WAITING_GROUPS * this.#hasher.groupBytes ? this.#flushAll() : undefined;
  }

  /** Gives others the thread if it is time. @throws what the signal was aborted with */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    if (performance.now() < this.#turnEnds) return;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    this.#turnEnds = performance.now() + MILLISECONDS_PER_TURN;
  }

  /** When all slots have been taken. */
  async finish(iterations: number): Promise<SlotCommitments> {
    await this.#flushAll();
    const { prologue, body } = this.#program;
    return { iterations, inOrder: this.#inOrder.slice(0, (prologue.length + iterations * body.length) * WORD_BYTES), epilogue: this.#epilogue };
  }

  async #flushAll(): Promise<void> {
    for (const bytes of this.#waiting.keys()) await this.#flush(bytes);
  }

  async #flush(bytes: number): Promise<void> {
    const group = this.#waiting.get(bytes)!;
    this.#waiting.delete(bytes);
    this.#waitingBytes -= group.length * bytes;
    await this.#hash(group);
  }

  async #hash(group: readonly { readonly slot: number; readonly words: Uint8Array }[]): Promise<void> {
    const commitments = await this.#hasher.commit(group.map(({ words }) => words));
    const epilogue = slotOf(this.#program, 'epilogue', 0);
    group.forEach(({ slot }, index) => {
      const commitment = commitments.subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES);
      if (slot >= epilogue) this.#epilogue.set(commitment, (slot - epilogue) * WORD_BYTES);
      else this.#roomFor(slot).set(commitment, slot * WORD_BYTES);
    });
  }

  #roomFor(slot: number): Uint8Array {
    if ((slot + 1) * WORD_BYTES > this.#inOrder.length) {
      const larger = new Uint8Array(Math.max(2 * this.#inOrder.length, (slot + 1) * WORD_BYTES));
      larger.set(this.#inOrder);
      this.#inOrder = larger;
    }
    return this.#inOrder;
  }
}
