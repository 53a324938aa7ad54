import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestShard, rangesOf, shardCount } from './storage.ts';

test('a range over several buffers is cut at their ends, and complete', () => {
  fc.assert(fc.property(fc.integer({ min: 5, max: 9 }), fc.nat(3000), fc.integer({ min: 1, max: 3000 }), (log, offset, size) => {
    const shardBytes = 2 ** log;
    const shards = Array.from({ length: shardCount(offset + size, shardBytes) }, (_, index) => ({ index }) as unknown as GPUBuffer);
    const bytes = rangesOf({ shards, shardBytes }, offset, size).flatMap((range) => {
      const { index } = range.buffer as unknown as { readonly index: number };
      expect(range.offset + range.size).toBeLessThanOrEqual(shardBytes);
      return Array.from({ length: range.size }, (_, byte) => index * shardBytes + range.offset + byte);
    });
    expect(bytes).toEqual(Array.from({ length: size }, (_, byte) => offset + byte));
  }), { seed: 20261122, numRuns: 100 });
});

test('the largest part is a power of two within both limits', () => {
  expect(largestShard({ maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 })).toBe(2 ** 27);
  expect(largestShard({ maxStorageBufferBindingSize: 2 ** 31 - 4, maxBufferSize: 2 ** 40 })).toBe(2 ** 30);
  expect(largestShard({ maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 1000 })).toBe(512);
});
