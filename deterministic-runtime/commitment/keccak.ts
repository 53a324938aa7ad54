import { keccak_256 } from '@noble/hashes/sha3.js';
import { BLOCK_BYTES, STATE_BYTES, keccakAbsorbModule } from './keccak-absorb-module.ts';
import { keccakModule } from './keccak-module.ts';

/** Bytes of a hash, a node and a leaf. */
export const HASH_BYTES = 32;
const PAIR_BYTES = 2 * HASH_BYTES;
const TRIPLE_BYTES = 3 * HASH_BYTES;

/** Messages from this length on are hashed by WebAssembly: for short ones calling it does not pay. */
const LONG_MESSAGE_BYTES = 8192;

/** Keccak-256 as the EVM computes it, of any bytes. */
export const keccak256 = (bytes: Uint8Array): Uint8Array => (bytes.length < LONG_MESSAGE_BYTES ? keccak_256(bytes) : new KeccakStream().update(bytes).digest());

/** Keccak-256 of the concatenation. */
export function keccakOf(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = keccak_256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Keccak-256 of a text's UTF-8 bytes. */
export const keccakText = (text: string): Uint8Array => keccak_256(new TextEncoder().encode(text));

/** Blocks absorbed by one call into WebAssembly. */
const BLOCKS_PER_CALL = 1024;

interface Absorber {
  /** The module's memory: the state, then `BLOCKS_PER_CALL` blocks. */
  readonly memory: Uint8Array;
  absorb(state: number, source: number, blocks: number): void;
}

let absorber: Absorber | undefined;

/** The module is made when first needed, and lives as long as the program. */
function sharedAbsorber(): Absorber {
  if (absorber === undefined) {
    const pages = Math.ceil((STATE_BYTES + BLOCKS_PER_CALL * BLOCK_BYTES) / PAGE_BYTES);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(keccakAbsorbModule(pages)));
    const { memory, absorb } = exports as { memory: WebAssembly.Memory; absorb: Absorber['absorb'] };
    absorber = { memory: new Uint8Array(memory.buffer), absorb };
  }
  return absorber;
}

/** Keccak-256 of bytes that come piece by piece. */
export class KeccakStream {
  readonly #state = new Uint8Array(STATE_BYTES);
  /** Bytes that do not fill a block yet. */
  readonly #rest = new Uint8Array(BLOCK_BYTES);
  #waiting = 0;

  /** Goes on with these bytes. They are not kept. */
  update(bytes: Uint8Array): this {
    let start = 0;
    if (this.#waiting > 0) {
      start = Math.min(bytes.length, BLOCK_BYTES - this.#waiting);
      this.#rest.set(bytes.subarray(0, start), this.#waiting);
      this.#waiting += start;
      if (this.#waiting < BLOCK_BYTES) return this;
      this.#absorb(this.#rest);
      this.#waiting = 0;
    }
    const end = start + Math.floor((bytes.length - start) / BLOCK_BYTES) * BLOCK_BYTES;
    this.#absorb(bytes.subarray(start, end));
    this.#rest.set(bytes.subarray(end));
    this.#waiting = bytes.length - end;
    return this;
  }

  /** The hash of all bytes so far. More may follow. */
  digest(): Uint8Array {
    // The padding of Keccak before FIPS 202: 0x01 behind the message, 0x80 at the block's end.
    const last = new Uint8Array(BLOCK_BYTES);
    last.set(this.#rest.subarray(0, this.#waiting));
    last[this.#waiting]! ^= 0x01;
    last[BLOCK_BYTES - 1]! ^= 0x80;
    const { memory, absorb } = sharedAbsorber();
    memory.set(this.#state);
    memory.set(last, STATE_BYTES);
    absorb(0, STATE_BYTES, 1);
    return memory.slice(0, HASH_BYTES);
  }

  /** Whole blocks. The module is shared, so the state is put into it and taken out again. */
  #absorb(blocks: Uint8Array): void {
    if (blocks.length === 0) return;
    const { memory, absorb } = sharedAbsorber();
    memory.set(this.#state);
    for (let start = 0; start < blocks.length; start += BLOCKS_PER_CALL * BLOCK_BYTES) {
      const part = blocks.subarray(start, start + BLOCKS_PER_CALL * BLOCK_BYTES);
      memory.set(part, STATE_BYTES);
      absorb(0, STATE_BYTES, part.length / BLOCK_BYTES);
    }
    this.#state.set(memory.subarray(0, STATE_BYTES));
  }
}

/** Messages hashed by one call into WebAssembly: short calls let the engine replace its first, slow code early. */
const MESSAGES_PER_CALL = 1024;
const PAGE_BYTES = 65536;

interface ShortHasher {
  /** The module's memory: `MESSAGES_PER_CALL` messages, then as many digests. */
  readonly memory: Uint8Array;
  hashPairs(source: number, target: number, messages: number): void;
  hashTriples(source: number, target: number, messages: number): void;
}

let instance: ShortHasher | undefined;

/** The module is made when first needed, and lives as long as the program. */
function hasher(): ShortHasher {
  if (instance === undefined) {
    const pages = Math.ceil((MESSAGES_PER_CALL * (TRIPLE_BYTES + HASH_BYTES)) / PAGE_BYTES);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(keccakModule(pages)));
    const { memory, hashPairs: pairs, hashTriples: triples } = exports as { memory: WebAssembly.Memory } & Pick<ShortHasher, 'hashPairs' | 'hashTriples'>;
    instance = { memory: new Uint8Array(memory.buffer), hashPairs: pairs, hashTriples: triples };
  }
  return instance;
}

function hashMessages(messages: Uint8Array, messageBytes: number, run: ShortHasher['hashPairs'], memory: Uint8Array): Uint8Array {
  const digests = new Uint8Array((messages.length / messageBytes) * HASH_BYTES);
  const target = MESSAGES_PER_CALL * messageBytes;
  for (let start = 0, done = 0; start < messages.length; start += target, done += MESSAGES_PER_CALL) {
    const part = messages.subarray(start, start + target);
    const count = part.length / messageBytes;
    memory.set(part);
    if (count % 2 === 1) memory.fill(0, part.length, part.length + messageBytes);
    run(0, target, count + (count % 2));
    digests.set(memory.subarray(target, target + count * HASH_BYTES), done * HASH_BYTES);
  }
  return digests;
}

/**
 * One level of a tree: `H(left, right)` of each consecutive pair of nodes, where `H` is 0 for two zero nodes
 * and Keccak-256 of their 64 bytes otherwise.
 * @param nodes an even number of 32-byte nodes
 * @returns half as many
 * @throws RangeError when `nodes` is not a whole number of pairs
 */
export function hashPairs(nodes: Uint8Array): Uint8Array {
  if (nodes.length % PAIR_BYTES !== 0) throw new RangeError(`a tree level is a whole number of 64-byte pairs, not ${nodes.length} bytes`);
  const { memory, hashPairs: run } = hasher();
  return hashMessages(nodes, PAIR_BYTES, run, memory);
}

/**
 * Keccak-256 of each 96 bytes, one after another; 0 where all of them are zero.
 * @throws RangeError when `words` is not a whole number of three 32-byte words
 */
export function hashTriples(words: Uint8Array): Uint8Array {
  if (words.length % TRIPLE_BYTES !== 0) throw new RangeError(`expected whole messages of 96 bytes, got ${words.length} bytes`);
  const { memory, hashTriples: run } = hasher();
  return hashMessages(words, TRIPLE_BYTES, run, memory);
}

/** `H(left, right)`: 0 for two zero nodes, else Keccak-256 of the two. */
export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const pair = new Uint8Array(PAIR_BYTES);
  pair.set(left);
  pair.set(right, HASH_BYTES);
  return hashPairs(pair);
}
