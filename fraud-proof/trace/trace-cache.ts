import type { MerkleTree } from '../../deterministic-runtime/commitment/merkle-tree.ts';

/** Bytes that traces spend on what they could compute again, when nobody says otherwise. */
export const TRACE_CACHE_BYTES = 100_000_000;
/** How much of that is for trees. */
const TREES_SHARE = 0.3;

/** Values by key, as many as fit so many bytes: those that were not asked for the longest go first. The latest `least` stay, however large they are. */
export class LeastRecentlyUsed<V> {
  readonly #mostBytes: number;
  readonly #least: number;
  /** The first was asked for the longest ago. */
  readonly #entries = new Map<string, { readonly value: V; bytes: number }>();
  #bytes = 0;

  constructor(mostBytes: number, least = 1) {
    this.#mostBytes = mostBytes;
    this.#least = least;
  }

  /** Bytes of all values. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Puts a value, or tells that one has another size now. */
  set(key: string, value: V, bytes: number): void {
    this.#bytes += bytes - (this.#entries.get(key)?.bytes ?? 0);
    this.#entries.delete(key);
    this.#entries.set(key, { value, bytes });
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#mostBytes || this.#entries.size <= this.#least) return;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}

/** Tensors of a section's run by operator: of the prologue, of an iteration of the body, or of the epilogue. */
export type SectionTensors = Map<number, Uint8Array>;

/**
 * What traces keep although they could compute it again: tensors of whole iterations, and trees over tensors. Traces may share one. However small it is, it
 * holds one iteration, and two trees.
 */
export class TraceCache {
  readonly sections: LeastRecentlyUsed<SectionTensors>;
  readonly trees: LeastRecentlyUsed<MerkleTree>;
  #names = 0;

  /** @throws RangeError for a number of bytes that is negative or no number */
  constructor(mostBytes = TRACE_CACHE_BYTES) {
    if (!(mostBytes >= 0)) throw new RangeError(`a cache has 0 bytes or more, not ${mostBytes}`);
    this.sections = new LeastRecentlyUsed(mostBytes * (1 - TREES_SHARE));
    this.trees = new LeastRecentlyUsed(mostBytes * TREES_SHARE, 2);
  }

  /** A prefix that sets one trace's keys apart from the others'. */
  newName(): string {
    this.#names += 1;
    return String(this.#names);
  }
}
