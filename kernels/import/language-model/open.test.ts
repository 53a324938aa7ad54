import { beforeAll, describe, expect, test } from 'vitest';
import { openModelFiles } from '../../../rollup-node/model-files/open.ts';
import { modelFilesOrSkip } from '../../../test/models/model-files.ts';
import type { WeightName, WeightSource } from '../../language-model/architecture.ts';
import { openLanguageModel } from './open.ts';
import { weightNames } from './weights.ts';

const found = modelFilesOrSkip('import of stories260K');

const NAMES = weightNames(5);
const rowsIn = (weights: WeightSource, name: WeightName): number => weights.shape(name)?.rows ?? 0;

describe.skipIf(found === null)('stories260K', () => {
  const weights = new Map<string, WeightSource>();
  const files: { close(): Promise<void> }[] = [];
  const open = async (name: string): Promise<WeightSource> => {
    const opened = await openModelFiles(`${found}/llm/${name}`);
    files.push(opened);
    return (await openLanguageModel(opened)).weights;
  };
  const all = async (source: WeightSource, name: WeightName): Promise<Float32Array> => source.rows(name, 0, rowsIn(source, name));

  beforeAll(async () => {
    for (const name of ['stories260K.bin', 'stories260K-f32.gguf', 'stories260K-f16.gguf', 'stories260K-q8_0.gguf', 'stories260K.safetensors']) weights.set(name, await open(name));
    return async () => {
      for (const opened of files) await opened.close();
    };
  });

  test('has the same dimensions and tensors in every format', () => {
    const reference = weights.get('stories260K.bin')!;
    expect(NAMES.filter((name) => reference.shape(name) !== undefined)).toHaveLength(2 + 5 * 9);
    for (const [name, source] of weights) {
      const { endTokens, rotary, ...dimensions } = source.architecture;
      expect(dimensions).toEqual({ family: 'llama', vocabulary: 512, width: 64, hidden: 172, layers: 5, heads: 8, keyValueHeads: 4, headSize: 8, context: 512, normEpsilon: 1e-5, beginToken: 1 });
      expect(endTokens).toContain(2);
      expect(rotary).toEqual({ base: 10000, pairs: name.endsWith('safetensors') ? 'halves' : 'adjacent' });
      for (const weight of NAMES) expect(source.shape(weight)).toEqual(reference.shape(weight));
    }
  });

  test('f32 GGUF: bit for bit; f16: the nearest halves; q8_0: within its grid', async () => {
    const [reference, f32, f16, q8] = ['stories260K.bin', 'stories260K-f32.gguf', 'stories260K-f16.gguf', 'stories260K-q8_0.gguf'].map((name) => weights.get(name)!) as [WeightSource, WeightSource, WeightSource, WeightSource];
    let halves = 0;
    let bytes = 0;
    for (const name of NAMES.filter((weight) => reference.shape(weight) !== undefined)) {
      const exact = await all(reference, name);
      expect(await all(f32, name)).toEqual(exact);
      const half = await all(f16, name);
      const quantised = await all(q8, name);
      exact.forEach((value, index) => {
        // Between neighbouring halves of a binade lie 2^(exponent − 10).
        const grid = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);
        const block = exact.subarray(index - (index % 32), index - (index % 32) + 32).reduce((most, element) => Math.max(most, Math.abs(element)), 0);
        if (Math.abs(half[index]! - value) > grid / 2) throw new Error(`${name.tensor}[${index}]: ${half[index]} is not the half nearest to ${value}`);
        if (Math.abs(quantised[index]! - value) > block * (1 / 254 + 2 ** -11)) throw new Error(`${name.tensor}[${index}]: ${quantised[index]} is too far from ${value}`);
      });
      if (half.some((value, index) => value !== exact[index])) halves += 1;
      if (quantised.some((value, index) => value !== exact[index])) bytes += 1;
    }
    expect([halves, bytes]).toEqual([1 + 5 * 7, 1 + 5 * 7]);
  });

  test('safetensors: bit for bit, where queries and keys are permuted to halves', async () => {
    const [reference, safetensors] = [weights.get('stories260K.bin')!, weights.get('stories260K.safetensors')!];
    const { headSize, width } = reference.architecture;
    let moved = 0;
    for (const name of NAMES.filter((weight) => reference.shape(weight) !== undefined)) {
      const [exact, read] = [await all(reference, name), await all(safetensors, name)];
      if (name.tensor !== 'query' && name.tensor !== 'key') expect(read).toEqual(exact);
      else {
        for (let row = 0; row < rowsIn(reference, name); row += 1) {
          // Component 2i + j of a head, j = 0 or 1, stands at i + j · headSize/2.
          const inHead = row % headSize;
          const there = row - inHead + (inHead >> 1) + (inHead & 1) * (headSize / 2);
          expect(read.subarray(there * width, (there + 1) * width)).toEqual(exact.subarray(row * width, (row + 1) * width));
          if (there !== row) moved += 1;
        }
      }
    }
    expect(moved).toBeGreaterThan(0);
  });

  test('rows come in any pieces', async () => {
    for (const source of weights.values()) {
      const whole = await source.rows({ tensor: 'down', layer: 3 }, 0, 64);
      expect(await source.rows({ tensor: 'down', layer: 3 }, 17, 40)).toEqual(whole.subarray(17 * 172, 40 * 172));
      expect(await source.rows({ tensor: 'down', layer: 3 }, 5, 5)).toHaveLength(0);
      for (const [from, to] of [[-1, 2], [60, 65], [5, 4]] as const) await expect(source.rows({ tensor: 'down', layer: 3 }, from, to)).rejects.toThrow(RangeError);
      await expect(source.rows({ tensor: 'down', layer: 5 }, 0, 1)).rejects.toThrow(RangeError);
    }
  });
});
