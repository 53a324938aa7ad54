import { describe, expect, test } from 'vitest';
import type { Architecture, LayerWeight, WeightName } from '../../language-model/architecture.ts';
import { randomWeights } from '../../language-model/random-weights.ts';
import { ImportError } from '../import-error.ts';
import { memorySource } from './byte-source.ts';
import { openLlama2c } from './llama2c.ts';
import { concatenated, floatBytes } from './testing/files.ts';

const ARCHITECTURE: Architecture = {
  family: 'llama', vocabulary: 9, width: 8, hidden: 6, layers: 2, heads: 4, keyValueHeads: 2, headSize: 2, context: 5, normEpsilon: 1e-5,
  rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens: [1, 2],
};
const source = randomWeights(ARCHITECTURE, 3);
/** In the order of run.c's memory_map_weights, where `w2` (down) stands before `w3` (up). */
const LAYERS: readonly LayerWeight[] = ['attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'feedForwardNorm', 'gate', 'down', 'up'];

const header = (...numbers: number[]): Uint8Array => new Uint8Array(Int32Array.from(numbers).buffer);
const all = async (name: WeightName): Promise<Uint8Array> => floatBytes(await source.rows(name, 0, source.shape(name)!.rows));

async function file(ownOutput: boolean): Promise<Uint8Array> {
  const parts = [header(8, 6, 2, 4, 2, ownOutput ? -9 : 9, 5), await all({ tensor: 'embedding' })];
  for (const tensor of LAYERS) for (const layer of [0, 1]) parts.push(await all({ tensor, layer }));
  parts.push(await all({ tensor: 'finalNorm' }), floatBytes(new Float32Array(5 * 2)));
  if (ownOutput) parts.push(await all({ tensor: 'output' }));
  return concatenated(parts);
}

describe('llama2.c files', () => {
  test.each([false, true])('every tensor is read from its place (an output layer of its own: %s)', async (ownOutput) => {
    const opened = await openLlama2c(memorySource(await file(ownOutput)));
    expect(opened.architecture).toEqual(ARCHITECTURE);
    for (const tensor of LAYERS) {
      for (const layer of [0, 1]) {
        const { rows } = source.shape({ tensor, layer })!;
        expect(opened.shape({ tensor, layer })).toEqual(source.shape({ tensor, layer }));
        expect(await opened.rows({ tensor, layer }, Math.floor(rows / 2), rows)).toEqual(await source.rows({ tensor, layer }, Math.floor(rows / 2), rows));
      }
    }
    expect(await opened.rows({ tensor: 'embedding' }, 3, 7)).toEqual(await source.rows({ tensor: 'embedding' }, 3, 7));
    expect(await opened.rows({ tensor: 'finalNorm' }, 0, 1)).toEqual(await source.rows({ tensor: 'finalNorm' }, 0, 1));
    expect(opened.shape({ tensor: 'output' })).toEqual(ownOutput ? { rows: 9, columns: 8 } : undefined);
    if (ownOutput) expect(await opened.rows({ tensor: 'output' }, 0, 9)).toEqual(await source.rows({ tensor: 'output' }, 0, 9));
  });

  test('there are no rows beyond a tensor, no layers beyond the last, no tensors of other families', async () => {
    const opened = await openLlama2c(memorySource(await file(false)));
    await expect(opened.rows({ tensor: 'query', layer: 0 }, 0, 9)).rejects.toThrow('query has no rows 0 to 9');
    await expect(opened.rows({ tensor: 'query', layer: 2 }, 0, 1)).rejects.toThrow(RangeError);
    expect(opened.shape({ tensor: 'query', layer: 2 })).toBeUndefined();
    expect(opened.shape({ tensor: 'queryBias', layer: 0 })).toBeUndefined();
    expect(opened.shape({ tensor: 'positions' })).toBeUndefined();
  });

  test.each([
    ['an empty file', new Uint8Array(0), '0 bytes are less than its header has'],
    ['a header of zeros', new Uint8Array(28), 'vocabulary is an integer from 1 to 1048576, not 0'],
    ['heads that do not divide the width', header(8, 6, 2, 3, 3, 9, 5), 'headSize is an integer'],
    ['dimensions that ask for terabytes', header(65536, 262144, 256, 64, 64, 1048576, 1048576), 'has 7'],
    ['numbers below zero', header(-8, 6, 2, 4, 2, 9, 5), 'width is an integer from 1 to 65536, not -8'],
  ])('%s is refused', async (_, bytes, message) => {
    const opening = openLlama2c(memorySource(bytes));
    await expect(opening).rejects.toThrow(ImportError);
    await expect(opening).rejects.toThrow(message);
  });

  test('a file that is cut, or longer than it should be, is refused', async () => {
    const whole = await file(false);
    for (const bytes of [whole.subarray(0, whole.length - 4), concatenated([whole, new Uint8Array(4)])]) {
      await expect(openLlama2c(memorySource(bytes))).rejects.toThrow(`a llama2.c model of these dimensions has ${whole.length} bytes, not ${bytes.length}`);
    }
  });
});
