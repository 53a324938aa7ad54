import { describe, expect, test } from 'vitest';
import type { Architecture } from './architecture.ts';
import { randomWeights } from './random-weights.ts';

const ARCHITECTURE: Architecture = {
  family: 'gpt2', vocabulary: 50, width: 64, hidden: 96, layers: 8, heads: 4, keyValueHeads: 4, headSize: 16, context: 10, normEpsilon: 1e-5, endTokens: [],
};

const moments = (values: Float32Array): { mean: number; deviation: number } => {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length) };
};

describe('random weights', () => {
  const source = randomWeights(ARCHITECTURE, 4);

  test('are a function of seed, tensor, layer and place, however they are asked for', async () => {
    const name = { tensor: 'up', layer: 3 } as const;
    const whole = await source.rows(name, 0, 96);
    expect(await source.rows(name, 10, 12)).toEqual(whole.slice(640, 768));
    expect(await randomWeights(ARCHITECTURE, 4).rows(name, 0, 96)).toEqual(whole);
    for (const other of [randomWeights(ARCHITECTURE, 5).rows(name, 0, 96), source.rows({ tensor: 'up', layer: 4 }, 0, 96)]) expect(await other).not.toEqual(whole);
    expect(new Set(whole).size).toBeGreaterThan(whole.length * 0.99);
  });

  test('have the spread that keeps activations as they are', async () => {
    const up = moments(await source.rows({ tensor: 'up', layer: 0 }, 0, 96));
    expect(Math.abs(up.mean)).toBeLessThan(0.01);
    expect(Math.abs(up.deviation * 8 - 1)).toBeLessThan(0.05);
    const down = moments(await source.rows({ tensor: 'down', layer: 0 }, 0, 64));
    expect(Math.abs(down.deviation * Math.sqrt(96) * 4 - 1)).toBeLessThan(0.05);
    const norm = moments(await source.rows({ tensor: 'finalNorm' }, 0, 1));
    expect(Math.abs(norm.mean - 1)).toBeLessThan(0.05);
  });

  test('tensors and rows that there are not, and dimensions that cannot be', async () => {
    expect(source.shape({ tensor: 'gate', layer: 0 })).toBeUndefined();
    expect(source.shape({ tensor: 'up', layer: 8 })).toBeUndefined();
    await expect(source.rows({ tensor: 'up', layer: 0 }, 0, 97)).rejects.toThrow('up has no rows 0 to 97');
    for (const [change, message] of [
      [{ heads: 3, keyValueHeads: 2 }, '3 heads cannot share 2 heads of keys and values evenly'],
      [{ width: 0 }, 'a language model\'s width is an integer from 1 to 65536, not 0'],
      [{ layers: 1.5 }, 'layers is an integer'],
      [{ endTokens: [50] }, 'token 50 is not in a vocabulary of 50'],
      [{ normEpsilon: Number.NaN }, 'a norm\'s epsilon'],
      [{ family: 'llama' }, 'a Llama needs a rotary position embedding'],
      [{ family: 'llama', rotary: { base: 1, pairs: 'halves' } }, 'a rotary base lies between'],
      [{ family: 'llama', headSize: 5, rotary: { base: 100, pairs: 'halves' } }, 'a head of 5 has one too many'],
    ] as const) expect(() => randomWeights({ ...ARCHITECTURE, ...change })).toThrow(message);
  });
});
