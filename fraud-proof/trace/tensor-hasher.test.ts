import { expect, test } from 'vitest';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { fastestHasher, measureHasher, wasmHasher } from './tensor-hasher.ts';
import type { HasherSpeed, TensorHasher } from './tensor-hasher.ts';

test('commits as each tensor alone', async () => {
  const tensors = [1, 2, 3].map((fill) => new Uint8Array(96).fill(fill));
  expect(Buffer.from(await wasmHasher.commit(tensors))).toEqual(Buffer.concat(tensors.map(commitTensor)));
});

test('a measurement sees all that a hasher computes', async () => {
  let tensors = 0;
  const counting: TensorHasher = { ...wasmHasher, commit: (group) => {
    tensors += group.length;
    return wasmHasher.commit(group);
  } };
  const { bytesPerSecond, commitments } = await measureHasher(counting);
  expect(bytesPerSecond).toBeGreaterThan(0);
  // One round does not count, three do.
  expect(commitments.length * 4).toBe(tensors * 32);
});

test('the fastest one is taken, unless it is wrong or fails', async () => {
  const right = Uint8Array.of(1, 2, 3);
  const speeds = new Map<TensorHasher, Omit<HasherSpeed, 'hasher'>>([[wasmHasher, { bytesPerSecond: 100, commitments: right }]]);
  const candidate = (bytesPerSecond: number, commitments: Uint8Array): TensorHasher => {
    const hasher: TensorHasher = { ...wasmHasher, name: 'webgpu' };
    speeds.set(hasher, { bytesPerSecond, commitments });
    return hasher;
  };
  const [slow, fast, faster] = [candidate(90, right), candidate(200, right.slice()), candidate(300, right)];
  const [wrong, short] = [candidate(1_000, Uint8Array.of(1, 2, 4)), candidate(1_000, right.slice(1))];
  const failing: TensorHasher = { ...wasmHasher };
  const choose = async (...candidates: TensorHasher[]): Promise<TensorHasher> => (await fastestHasher(candidates, async (hasher) => {
    const speed = speeds.get(hasher);
    if (speed === undefined) throw new Error('the device is lost');
    return { hasher, ...speed };
  })).hasher;
  expect(await choose()).toBe(wasmHasher);
  expect(await choose(slow, wrong, short, failing)).toBe(wasmHasher);
  expect(await choose(wrong, fast, failing, slow)).toBe(fast);
  expect(await choose(faster, fast)).toBe(faster);
});
