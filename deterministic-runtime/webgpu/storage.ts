import type { BufferRange } from './staging.ts';

/** Tensors one after another in device memory: one buffer, or several of `shardBytes` each where that is more than a binding may have. */
export interface TensorStorage {
  readonly shards: readonly GPUBuffer[];
  readonly shardBytes: number;
}

/** Buffers for so many bytes. */
export const shardCount = (bytes: number, shardBytes: number): number => Math.ceil(bytes / shardBytes);

/** The largest power of two that a binding may have. */
export const largestShard = ({ maxStorageBufferBindingSize, maxBufferSize }: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>): number =>
  2 ** Math.floor(Math.log2(Math.min(maxStorageBufferBindingSize, maxBufferSize)));

/** The parts of `size` bytes from `offset`, each within one buffer, in order. */
export function rangesOf({ shards, shardBytes }: TensorStorage, offset: number, size: number): BufferRange[] {
  const ranges: BufferRange[] = [];
  for (let at = offset; at < offset + size; ) {
    const shard = Math.floor(at / shardBytes);
    const end = Math.min(offset + size, (shard + 1) * shardBytes);
    ranges.push({ buffer: shards[shard] as GPUBuffer, offset: at - shard * shardBytes, size: end - at });
    at = end;
  }
  return ranges;
}

/** Writes from a tensor storage's start. */
export function uploadWords(queue: GPUQueue, storage: TensorStorage, words: Uint8Array): void {
  let from = 0;
  for (const { buffer, offset, size } of rangesOf(storage, 0, words.length)) {
    queue.writeBuffer(buffer, offset, words as Uint8Array<ArrayBuffer>, from, size);
    from += size;
  }
}
