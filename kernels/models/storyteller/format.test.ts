import { describe, expect, test } from 'vitest';
import type { WeightName } from '../../language-model/architecture.ts';
import { weightShape } from '../../language-model/dimensions.ts';
import { STORYTELLER } from './architecture.ts';
import { encodeStoryteller, loadStoryteller } from './format.ts';
import type { WeightTensor } from './format.ts';

const names: WeightName[] = [
  { tensor: 'embedding' },
  { tensor: 'finalNorm' },
  ...Array.from({ length: STORYTELLER.layers }, (_, layer) =>
    (['attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'feedForwardNorm', 'gate', 'up', 'down'] as const).map((tensor) => ({ tensor, layer }))).flat(),
];

function tensors(): WeightTensor[] {
  let state = 1;
  return names.map((name) => {
    const { rows, columns } = weightShape(STORYTELLER, name)!;
    const values = Float32Array.from({ length: rows * columns }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32 - 0.4;
    });
    return { name, rows, columns, values };
  });
}

describe('the storyteller\'s file', () => {
  const given = tensors();
  const bytes = encodeStoryteller(given);

  test('is below a megabyte, and gives each number back within half a step of its row', async () => {
    expect(bytes.length).toBeLessThan(1_000_000);
    const source = loadStoryteller(bytes);
    for (const { name, rows, columns, values } of given) {
      expect(source.shape(name)).toEqual({ rows, columns });
      const read = await source.rows(name, 0, rows);
      for (let row = 0; row < rows; row += 1) {
        const original = values.subarray(row * columns, (row + 1) * columns);
        const half = rows === 1 ? 0 : Math.max(...original.map(Math.abs)) / 127 / 2;
        expect(Math.max(...original.map((value, column) => Math.abs(value - read[row * columns + column]!)))).toBeLessThanOrEqual(half + 1e-7);
      }
      expect(await source.rows(name, rows - 1, rows)).toEqual(read.subarray((rows - 1) * columns));
    }
  });

  test('refuses other sizes, other tensors, and numbers that are none', async () => {
    expect(() => loadStoryteller(bytes.subarray(1))).toThrow(`the storyteller's weights have ${bytes.length} bytes, not ${bytes.length - 1}`);
    expect(() => encodeStoryteller(given.slice(1))).toThrow('has 38 tensors, not 37');
    expect(() => encodeStoryteller(given.map((tensor) => ({ ...tensor, values: tensor.values.subarray(1) })))).toThrow('no tensor embedding of 256 × 128');
    const source = loadStoryteller(bytes);
    expect(source.shape({ tensor: 'positions' })).toBeUndefined();
    await expect(source.rows({ tensor: 'embedding' }, 0, 257)).rejects.toThrow('no rows 0 to 257 of embedding');
    await expect(source.rows({ tensor: 'up', layer: 4 }, 0, 1)).rejects.toThrow('no rows 0 to 1 of up.4');
    const broken = bytes.slice();
    new DataView(broken.buffer).setFloat32(0, Number.NaN, true);
    await expect(loadStoryteller(broken).rows({ tensor: 'embedding' }, 0, 1)).rejects.toThrow('not finite');
  });
});
