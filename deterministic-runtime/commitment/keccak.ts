import { keccak_256 } from '@noble/hashes/sha3.js';

/** Bytes of a hash, a node and a leaf. */
export const HASH_BYTES = 32;

/** Keccak-256 as the EVM computes it, of any bytes. */
export const keccak256 = (bytes: Uint8Array): Uint8Array => keccak_256(bytes);

/** Keccak-256 of the concatenation. */
export function keccakOf(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = keccak_256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Keccak-256 of a text's UTF-8 bytes. */
export const keccakText = (text: string): Uint8Array => keccak_256(new TextEncoder().encode(text));

/**
 * One level of a tree: `H(left, right)` of each consecutive pair of nodes, where `H` is 0 for two zero nodes
 * and Keccak-256 of their 64 bytes otherwise.
 * @param nodes an even number of 32-byte nodes
 * @returns half as many
 * @throws RangeError when `nodes` is not a whole number of pairs
 */
export function hashPairs(nodes: Uint8Array): Uint8Array {
  if (nodes.length % (2 * HASH_BYTES) !== 0) throw new RangeError(`a tree level is a whole number of 64-byte pairs, not ${nodes.length} bytes`);
  const parents = new Uint8Array(nodes.length / 2);
  for (let pair = 0; pair < nodes.length; pair += 2 * HASH_BYTES) {
    const bytes = nodes.subarray(pair, pair + 2 * HASH_BYTES);
    if (bytes.some((byte) => byte !== 0)) parents.set(keccak_256(bytes), pair / 2);
  }
  return parents;
}

/** `H(left, right)`: 0 for two zero nodes, else Keccak-256 of the two. */
export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const pair = new Uint8Array(2 * HASH_BYTES);
  pair.set(left);
  pair.set(right, HASH_BYTES);
  return hashPairs(pair);
}
