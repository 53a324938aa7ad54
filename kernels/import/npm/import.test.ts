import { describe, expect, test } from 'vitest';
import { decodeOnnx } from '../onnx/decode.ts';
import { toNetwork } from '../onnx/import.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import { deadLeaves } from './dead-leaves.ts';
import { importPackage } from './import.ts';
import type { PackageReader, PackageRecipe } from './recipe.ts';
import { speechLike } from './speech-like.ts';

const file = onnxFile({
  nodes: [{ operator: 'Gemm', name: 'scores', inputs: ['x', 'w', 'b'], outputs: ['y'] }], inputs: { x: [1, 2] }, outputs: { y: [1, 2] },
  constants: { w: { dims: [2, 2], data: [0.5, -1, 0.25, 0.3] }, b: { dims: [2], data: [0.1, -0.2] } },
});
const files: PackageReader = { bytes: async (path) => (path === 'model.onnx' ? file : new Uint8Array()), data: async () => null };
const recipe: PackageRecipe = {
  name: 'known', format: 'onnx', activationBits: 16, weightBits: 16,
  read: async (reader) => toNetwork(decodeOnnx(await reader.bytes('model.onnx'))),
  calibration: () => Float32Array.of(1, -1, 0.5, 0.25),
};

describe('the model of a known package', () => {
  test('has the bits and the calibration that the recipe says, and the metadata tell', async () => {
    const { imported: { model: { program }, network }, calibration } = await importPackage(recipe, files, 'known@1.0.0');
    expect(program).toMatchObject({ name: 'known', input: { element: 'i32' }, metadata: { source: { format: 'onnx', package: 'known@1.0.0', calibration: 'made up' }, quantization: { calibrationSamples: 2 } } });
    // Weights of sixteen bits are two layers.
    expect(network.layers.map(({ kind }) => kind)).toEqual(['dense', 'dense', 'add']);
    expect([...calibration]).toEqual([1, -1, 0.5, 0.25]);
  });

  test('others are given instead', async () => {
    const given = { calibration: Float32Array.of(2, 1), activationBits: 8, weightBits: 8, name: 'mine' } as const;
    const { imported: { model: { program }, network } } = await importPackage(recipe, files, 'known@1.0.0', given);
    expect(program).toMatchObject({ name: 'mine', input: { element: 'i8' }, metadata: { source: { format: 'onnx', package: 'known@1.0.0' } } });
    expect(program.metadata['source']).not.toHaveProperty('calibration');
    expect(network.layers).toHaveLength(1);
    const doubled = await importPackage({ ...recipe, toInputs: (_, data) => Float32Array.from([...data, ...data]) }, files, 'known@1.0.0', given);
    expect([...doubled.calibration]).toEqual([2, 1, 2, 1]);
    await expect(importPackage(recipe, files, 'known@1.0.0', { calibration: Float32Array.of(1, 2, 3) })).rejects.toThrow(/3 numbers, which is not one or more whole inputs of 2/);
  });
});

describe('made-up inputs', () => {
  test('sound stays within −1 and 1, has pauses and loud parts, and is always the same', () => {
    const sound = speechLike(16_000);
    expect(sound).toHaveLength(48_000);
    const loudness = Array.from({ length: 93 }, (_, frame) => Math.max(...sound.subarray(frame * 512, frame * 512 + 512).map(Math.abs)));
    expect(Math.max(...loudness)).toBeLessThanOrEqual(1);
    expect(loudness.filter((peak) => peak > 0.5).length).toBeGreaterThan(10);
    expect(loudness.filter((peak) => peak < 0.01).length).toBeGreaterThan(5);
    expect(speechLike(16_000)).toEqual(sound);
  });

  test('pictures have values from 0 to 1, and a seed of their own', () => {
    const picture = deadLeaves(32, 1);
    expect(picture).toHaveLength(32 * 32 * 3);
    expect(picture.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(new Set(picture).size).toBeGreaterThan(20);
    expect(deadLeaves(32, 1)).toEqual(picture);
    expect(deadLeaves(32, 2)).not.toEqual(picture);
  });
});
