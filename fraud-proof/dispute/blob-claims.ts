import { bytesToHex, concat, hexToBytes, keccak256, sha256 } from 'viem';
import type { Hex } from 'viem';
import { BLOB_ARITY } from './split.ts';

/** Bytes of an EIP-4844 blob: 4,096 field elements of 32 bytes. */
export const BLOB_BYTES = 131_072;
const ELEMENT_BYTES = 32;
const INDEX_BITS = 12;
/** Length of a KZG commitment, and of a proof. */
const POINT_BYTES = 48;
const VERSION = 0x01;

/** r, the order of BLS12-381's scalar field, and `7^((r − 1)/4096) mod r`, a 4096th root of unity (EIP-4844). */
const MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const ROOT_OF_UNITY = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306n;

/** What claims in blobs need of a KZG library: node-eth-kzg's `DASContextJs` has it. */
export interface Kzg {
  blobToKzgCommitment(blob: Uint8Array): Uint8Array;
  /** Proof and value at the point `z`, 32 bytes, of the blob's polynomial. */
  computeKzgProof(blob: Uint8Array, z: Uint8Array): Uint8Array[];
}

/** What executing the point evaluation precompile (EIP-4844) needs of one. All arguments as the precompile gets them; false or an error for a wrong proof. */
export interface KzgVerifier {
  verifyKzgProof(commitment: Uint8Array, z: Uint8Array, y: Uint8Array, proof: Uint8Array): boolean;
}

/**
 * The blob that carries a split's inner states: element `j − 1` is state `j`. The first and last state are not in it.
 * @throws RangeError for more inner states than a blob holds, or a state that is no field element
 */
export function blobOf(states: readonly Hex[]): Uint8Array {
  const inner = states.slice(1, -1);
  if (inner.length >= BLOB_ARITY.most) throw new RangeError(`a blob holds ${BLOB_ARITY.most - 1} inner states, not ${inner.length}`);
  const blob = new Uint8Array(BLOB_BYTES);
  inner.forEach((state, index) => {
    if (BigInt(state) >= MODULUS) throw new RangeError(`state ${state} is no field element`);
    blob.set(hexToBytes(state), index * ELEMENT_BYTES);
  });
  return blob;
}

/** A split's states, of which a blob carries the inner ones: what `blobOf` was made from. `count` is the number of segments. */
export function statesOfBlob(first: Hex, blob: Uint8Array, last: Hex, count: number): Hex[] {
  const inner = Array.from({ length: count - 1 }, (_, index) => bytesToHex(blob.subarray(index * ELEMENT_BYTES, (index + 1) * ELEMENT_BYTES)));
  return [first, ...inner, last];
}

/** The name that a chain knows a blob by: `0x01 ‖ sha256(commitment)[1:]` (EIP-4844). */
export function versionedHash(commitment: Uint8Array): Hex {
  const hash = sha256(commitment, 'bytes');
  hash[0] = VERSION;
  return bytesToHex(hash);
}

/** Root of claims whose inner states are in a blob. */
export const blobClaimsRoot = (first: Hex, blobHash: Hex, last: Hex): Hex => keccak256(concat([first, blobHash, last]));

/**
 * Opens segment `index` of such claims: the ends of the split, the blob's versioned hash and commitment, and a KZG proof for each of the
 * segment's states that is in the blob; zeros for one that is not.
 * @param blob as it travelled: its author may have filled the elements behind the states with anything, and the commitment is to them too
 */
export function blobOpening(states: readonly Hex[], index: number, kzg: Kzg, blob: Uint8Array = blobOf(states)): Hex {
  const commitment = kzg.blobToKzgCommitment(blob);
  const proofOf = (bound: number): Uint8Array =>
    bound === 0 || bound === states.length - 1 ? new Uint8Array(POINT_BYTES) : (kzg.computeKzgProof(blob, elementPoint(bound - 1))[0] as Uint8Array);
  return concat([
    states[0] as Hex, versionedHash(commitment), states.at(-1) as Hex, bytesToHex(commitment), bytesToHex(proofOf(index)), bytesToHex(proofOf(index + 1)),
  ]);
}

/** Where a blob's polynomial has the value of element `index`: the root of unity to the power of the index, its bits reversed. 32 bytes. */
export function elementPoint(index: number): Uint8Array {
  let reversed = 0;
  for (let bit = 0; bit < INDEX_BITS; bit += 1) reversed = (reversed << 1) | ((index >> bit) & 1);
  let point = 1n;
  for (let bit = INDEX_BITS - 1; bit >= 0; bit -= 1) {
    point = (point * point) % MODULUS;
    if ((reversed >> bit) & 1) point = (point * ROOT_OF_UNITY) % MODULUS;
  }
  return hexToBytes(`0x${point.toString(16).padStart(64, '0')}`);
}
