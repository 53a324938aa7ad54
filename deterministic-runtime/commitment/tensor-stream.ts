import { HASH_BYTES } from './keccak.ts';
import { tensorCommitment, treeRoot } from './tree.ts';

/** Leaves of the subtrees that are hashed at a time, a power of two: 1 MiB. */
const SUBTREE_LEAVES = 2 ** 15;

/** A tensor's commitment, from words that come piece by piece: what `commitTensor` gives, in a megabyte of memory. */
export class TensorStream {
  readonly #wordCount: number;
  readonly #subtree: Uint8Array;
  readonly #roots: Uint8Array[] = [];
  #filled = 0;
  #seen = 0;

  /** @param wordCount words of the whole tensor. `subtreeLeaves`, a power of two, is for tests. */
  constructor(wordCount: number, subtreeLeaves = SUBTREE_LEAVES) {
    this.#wordCount = wordCount;
    this.#subtree = new Uint8Array(Math.min(wordCount, subtreeLeaves) * HASH_BYTES);
  }

  /** Goes on with these bytes, whole words or not. They are not kept. @throws RangeError when they are more than the tensor has */
  update(bytes: Uint8Array): this {
    this.#seen += bytes.length;
    if (this.#seen > this.#wordCount * HASH_BYTES) throw new RangeError(`a tensor of ${this.#wordCount} words has no ${this.#seen} bytes`);
    for (let start = 0; start < bytes.length;) {
      const part = bytes.subarray(start, start + this.#subtree.length - this.#filled);
      this.#subtree.set(part, this.#filled);
      this.#filled += part.length;
      start += part.length;
      if (this.#filled === this.#subtree.length) this.#close();
    }
    return this;
  }

  /** The commitment, once all words have come. @throws RangeError before that */
  digest(): Uint8Array {
    if (this.#seen !== this.#wordCount * HASH_BYTES) throw new RangeError(`a tensor of ${this.#wordCount} words is not complete after ${this.#seen} bytes`);
    if (this.#filled > 0) {
      this.#subtree.fill(0, this.#filled);
      this.#close();
    }
    const roots = new Uint8Array(this.#roots.length * HASH_BYTES);
    this.#roots.forEach((root, index) => roots.set(root, index * HASH_BYTES));
    return tensorCommitment(treeRoot(roots), this.#wordCount);
  }

  #close(): void {
    this.#roots.push(treeRoot(this.#subtree));
    this.#filled = 0;
  }
}
