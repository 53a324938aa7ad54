import { expect, test } from 'vitest';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { openHasher, orWebAssembly } from './hasher.ts';
import { HASHER_NAMES } from './hasher-names.ts';

test.each(HASHER_NAMES)('%s commits to tensors as one alone is committed to', async (name) => {
  const { hasher, dispose } = await openHasher(name);
  if (name !== 'auto') expect(hasher.name).toBe(name);
  const tensors = [3, 5, 8].map((salt) => new Uint8Array(32 * 37).map((_, index) => index * salt));
  expect(Buffer.from(await hasher.commit(tensors))).toEqual(Buffer.concat(tensors.map(commitTensor)));
  dispose();
});

test('a device that fails is not asked again', async () => {
  let asked = 0;
  const hasher = orWebAssembly({ name: 'webgpu', groupBytes: 1, commit: () => {
    asked += 1;
    return Promise.reject(new Error('the device is lost'));
  } });
  const tensor = new Uint8Array(64).fill(9);
  for (let call = 0; call < 3; call += 1) expect(Buffer.from(await hasher.commit([tensor]))).toEqual(Buffer.from(commitTensor(tensor)));
  expect(asked).toBe(1);
});
