import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commitTensors } from '../../deterministic-runtime/commitment/tree.ts';
import { BUFFER_USAGE } from '../../deterministic-runtime/webgpu/device.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import { KECCAK_WORKGROUP, keccakLevelShader } from '../../deterministic-runtime/webgpu/keccak-shader.ts';
import { createKeccakTrees } from '../../deterministic-runtime/webgpu/keccak-trees.ts';
import type { KeccakTrees } from '../../deterministic-runtime/webgpu/keccak-trees.ts';
import { openCheckedDevice } from './open-webgpu.ts';

let device: CheckedDevice;
let trees: KeccakTrees;
/** Eight leaves at a time: larger trees are put together from several batches. */
let small: KeccakTrees;
beforeAll(async () => {
  ({ device } = await openCheckedDevice());
  trees = await createKeccakTrees(device);
  small = await createKeccakTrees(device, 8 * 32);
});
afterAll(() => {
  trees.dispose();
  small.dispose();
  device.dispose();
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Runs one level on the device. */
async function level(nodes: Uint8Array): Promise<Uint8Array> {
  const pairs = nodes.length / 64;
  const pipeline = await device.createPipeline('test', keccakLevelShader(), ['uniform', 'storage']);
  const uniform = await device.createBuffer('level', 16, BUFFER_USAGE.uniform | BUFFER_USAGE.copyDestination);
  const buffer = await device.createBuffer('nodes', nodes.length + pairs * 32, BUFFER_USAGE.storage | BUFFER_USAGE.copyDestination | BUFFER_USAGE.copySource);
  const [digests] = await device.submit('hashing', (encoder) => {
    device.device.queue.writeBuffer(uniform, 0, new Uint32Array([0, 2 * pairs, pairs, KECCAK_WORKGROUP]));
    device.device.queue.writeBuffer(buffer, 0, new Uint8Array(nodes));
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: uniform } }, { binding: 1, resource: { buffer } }] }));
    pass.dispatchWorkgroups(1, Math.ceil(pairs / KECCAK_WORKGROUP));
    pass.end();
  }, [{ buffer, offset: nodes.length, size: pairs * 32 }]);
  return digests!;
}

describe('Keccak-256 in WGSL', () => {
  test('digests that Ethereum knows', async () => {
    // keccak256(key ‖ slot), where Solidity puts a mapping's entries; Foundry's `cast keccak` prints the same.
    const word = (last: number): Uint8Array => new Uint8Array(32).fill(last, 31);
    const pairs = [[word(1), word(0)], [word(0), word(1)], [new Uint8Array(32).fill(255), new Uint8Array(32).fill(255)]] as const;
    const digests = await level(Buffer.concat(pairs.flat()));
    expect(hex(digests)).toBe([
      'ada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d',
      'a6eef7e35abe7026729641147f7915573c7e97b47efa546f5f6e3230263bcb49',
      'bd8b151773dbbefd7b0df67f2dcc482901728b6df477f4fb2f192733a005d396',
    ].join(''));
  });

  test('random pairs, and zero for two zero nodes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof({ weight: 4, arbitrary: fc.uint8Array({ minLength: 64, maxLength: 64 }) }, { weight: 1, arbitrary: fc.constant(new Uint8Array(64)) }), { minLength: 1, maxLength: 150 }), async (pairs) => {
        const expected = pairs.map((pair) => (pair.every((byte) => byte === 0) ? new Uint8Array(32) : keccak_256(pair)));
        expect(hex(await level(Buffer.concat(pairs)))).toBe(hex(Buffer.concat(expected)));
      }),
      { seed: 5, numRuns: 12 },
    );
  });

  test('commitments of tensors are those that WebAssembly computes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 20 }), fc.nat(), fc.boolean(), async (words, count, salt, isSmall) => {
        const tensors = Array.from({ length: count }, (_, tensor) => new Uint8Array(words * 32).map((_byte, index) => (index % 3 === 0 ? 0 : (index * 31 + tensor * 7 + salt) >> 2)));
        expect(hex(await (isSmall ? small : trees).commitTensors(tensors))).toBe(hex(commitTensors(tensors)));
      }),
      { seed: 6, numRuns: 20 },
    );
    const large = [new Uint8Array(32 * 5000).map((_, index) => index * 13)];
    expect(hex(await trees.commitTensors(large))).toBe(hex(commitTensors(large)));
  });

  test('calls side by side do not disturb one another', async () => {
    const sets = Array.from({ length: 6 }, (_, number) => Array.from({ length: 3 }, (_tensor, tensor) => new Uint8Array(32 * (number + 2)).fill(1 + number * 3 + tensor)));
    const found = await Promise.all(sets.map((tensors) => small.commitTensors(tensors)));
    expect(found.map(hex)).toEqual(sets.map((tensors) => hex(commitTensors(tensors))));
  });

  test('a device that does nothing, or something else, is found out', async () => {
    const tensors = [new Uint8Array(32 * 9).fill(3), new Uint8Array(32 * 9).fill(4)];
    const idle: CheckedDevice = { ...device, submit: (what, _encode, ranges) => device.submit(what, () => {}, ranges) };
    await expect((await createKeccakTrees(idle)).commitTensors(tensors)).rejects.toThrow('hashed a tree wrongly, or not at all');
    const wrong: CheckedDevice = { ...device, createPipeline: (what, code, bindings) => device.createPipeline(what, code.replace('0x80000000u', '0x40000000u'), bindings) };
    await expect((await createKeccakTrees(wrong)).commitTensors(tensors)).rejects.toThrow('hashed a tree wrongly, or not at all');
    let submits = 0;
    const stopping: CheckedDevice = { ...device, submit: (what, encode, ranges) => device.submit(what, submits++ === 0 ? encode : () => {}, ranges) };
    const trees = await createKeccakTrees(stopping);
    await trees.commitTensors(tensors);
    await expect(trees.commitTensors([tensors[1]!, tensors[0]!])).rejects.toThrow('hashed a tree wrongly, or not at all');
  });

  test('tensors of several sizes, or of no whole words, are refused', async () => {
    await expect(trees.commitTensors([new Uint8Array(64), new Uint8Array(32)])).rejects.toThrow('tensor 1 has 32 bytes');
    await expect(trees.commitTensors([new Uint8Array(33)])).rejects.toThrow('whole 32-byte words');
  });
});
