import { HASH_BYTES, hashPairs, hashTriples, keccakOf, keccakText } from './keccak.ts';
import { MerkleTree, treeDepth } from './merkle-tree.ts';

/** What a tensor's commitment starts with (docs/word-machine.md). */
export const TENSOR_TAG = keccakText('assay.tensor.v1');

/** The commitment of a tensor that was not written. */
export const NOT_WRITTEN = new Uint8Array(HASH_BYTES);

/** A number as a big-endian 32-byte word. @throws RangeError when it is negative, not whole, or above 2^53. */
export function numberWord(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a whole number below 2^53`);
  const word = new Uint8Array(HASH_BYTES);
  new DataView(word.buffer).setBigUint64(HASH_BYTES - 8, BigInt(value));
  return word;
}

/** The tree whose leaves are the words (concatenated, 32 bytes each). @throws RangeError on a fraction of a word. */
export function wordTree(words: Uint8Array): MerkleTree {
  if (words.length % HASH_BYTES !== 0) throw new RangeError(`expected whole 32-byte words, got ${words.length} bytes`);
  return new MerkleTree(words.length / HASH_BYTES, [{ start: 0, nodes: words }]);
}

/** Root of the tree over the words. */
export const treeRoot = (words: Uint8Array): Uint8Array => wordTree(words).root;

/** Siblings of word `index`, from the leaf upwards. */
export const treePath = (words: Uint8Array, index: number): Uint8Array[] => wordTree(words).path(index);

/** `keccak256(TENSOR ‖ root ‖ wordCount)`. */
export const tensorCommitment = (root: Uint8Array, wordCount: number): Uint8Array => keccakOf(TENSOR_TAG, root, numberWord(wordCount));

/** The commitment to a tensor, given its padded words. */
export const commitTensor = (words: Uint8Array): Uint8Array => tensorCommitment(treeRoot(words), words.length / HASH_BYTES);

/**
 * The commitments of many tensors of one size, concatenated: `commitTensor` of each. Hashes each level of all their trees together, which for small
 * tensors is several times as fast as one tensor after another. Needs about twice the tensors' memory.
 * @param tensors padded words, at least one word each, and all as many
 * @throws RangeError when they differ in length or have no whole words
 */
export function commitTensors(tensors: readonly Uint8Array[]): Uint8Array {
  const bytes = tensors[0]?.length ?? HASH_BYTES;
  if (bytes === 0 || bytes % HASH_BYTES !== 0) throw new RangeError(`expected whole 32-byte words, got ${bytes} bytes`);
  const words = bytes / HASH_BYTES;
  const depth = treeDepth(words);
  const leafBytes = 2 ** depth * HASH_BYTES;
  let nodes: Uint8Array = new Uint8Array(tensors.length * leafBytes);
  tensors.forEach((tensor, index) => {
    if (tensor.length !== bytes) throw new RangeError(`tensor ${index} has ${tensor.length} bytes, the first has ${bytes}`);
    nodes.set(tensor, index * leafBytes);
  });
  for (let height = 0; height < depth; height += 1) nodes = hashPairs(nodes);
  return tensorCommitments(nodes, words);
}

/** `tensorCommitment` of each of the roots (concatenated), for tensors of one size. */
export function tensorCommitments(roots: Uint8Array, wordCount: number): Uint8Array {
  const messages = new Uint8Array(3 * roots.length);
  const count = numberWord(wordCount);
  for (let start = 0; start < roots.length; start += HASH_BYTES) {
    messages.set(TENSOR_TAG, 3 * start);
    messages.set(roots.subarray(start, start + HASH_BYTES), 3 * start + HASH_BYTES);
    messages.set(count, 3 * start + 2 * HASH_BYTES);
  }
  return hashTriples(messages);
}
