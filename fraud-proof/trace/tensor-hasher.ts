import { commitTensor, commitTensors } from '../../deterministic-runtime/commitment/tree.ts';
import { WORD_BYTES } from '../../deterministic-runtime/program/tensor.ts';
import type { KeccakTrees } from '../../deterministic-runtime/webgpu/keccak-trees.ts';

/** Something that commits to tensors. All of them give the same commitments. */
export interface TensorHasher {
  readonly name: 'wasm' | 'webgpu';
  /** Bytes of tensors of one size that had better be hashed together. */
  readonly groupBytes: number;
  /** `commitTensor` of each, concatenated. The tensors are of one size. */
  commit(tensors: readonly Uint8Array[]): Uint8Array | Promise<Uint8Array>;
}

/** On one core, in WebAssembly. */
export const wasmHasher: TensorHasher = {
  name: 'wasm',
  groupBytes: 2 ** 19,
  commit: (tensors) => (tensors.length === 1 ? commitTensor(tensors[0]!) : commitTensors(tensors)),
};

/** On a device, which is worth its while for much at a time. */
export const webGpuHasher = (trees: KeccakTrees): TensorHasher => ({ name: 'webgpu', groupBytes: 2 ** 22, commit: (tensors) => trees.commitTensors(tensors) });

/** What the calibration hashes: tensors as a language model has them, and one large one. */
const SAMPLE = [{ count: 128, words: 256 }, { count: 1, words: 2 ** 15 }] as const;
const ROUNDS = 3;

/** How fast a hasher was, and what it computed. */
export interface HasherSpeed {
  readonly hasher: TensorHasher;
  /** Of the fastest round. */
  readonly bytesPerSecond: number;
  readonly commitments: Uint8Array;
}

/** Times a hasher for a fraction of a second. The first round, in which code is compiled, does not count. @throws whatever the hasher throws */
export async function measureHasher(hasher: TensorHasher): Promise<HasherSpeed> {
  let state = 1;
  const random = (): number => (state = Math.imul(state, 1664525) + 1013904223) >>> 24;
  const groups = SAMPLE.map(({ count, words }) => Array.from({ length: count }, () => Uint8Array.from({ length: words * WORD_BYTES }, random)));
  const bytes = SAMPLE.reduce((sum, { count, words }) => sum + count * words * WORD_BYTES, 0);
  let fastest = Number.POSITIVE_INFINITY;
  let commitments = new Uint8Array(0);
  for (let round = 0; round <= ROUNDS; round += 1) {
    const start = performance.now();
    const parts: Uint8Array[] = [];
    for (const group of groups) parts.push(await hasher.commit(group));
    if (round > 0) fastest = Math.min(fastest, performance.now() - start);
    commitments = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      commitments.set(part, at);
      at += part.length;
    }
  }
  return { hasher, bytesPerSecond: (1_000 * bytes) / fastest, commitments };
}

/**
 * The faster one of the hashers, which are timed. One whose commitments are others than those in WebAssembly, or that fails, is never chosen.
 * @param candidates beside WebAssembly
 */
export async function fastestHasher(candidates: readonly TensorHasher[], measure = measureHasher): Promise<HasherSpeed> {
  let best = await measure(wasmHasher);
  const { commitments } = best;
  for (const candidate of candidates) {
    const speed = await measure(candidate).catch(() => null);
    if (speed === null || speed.bytesPerSecond <= best.bytesPerSecond) continue;
    if (speed.commitments.length === commitments.length && speed.commitments.every((byte, index) => byte === commitments[index])) best = speed;
  }
  return best;
}
