import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFilesOrSkip } from '../models/model-files.ts';
import { compareSeanet, unpackSeanet } from './seanet.ts';

const folder = modelFilesOrSkip('16-bit goldens of TensorFlow Lite for Microcontrollers');

describe.skipIf(folder === null)('TensorFlow Lite for Microcontrollers, int16 activations and int8 weights', () => {
  let unpacked: ReturnType<typeof unpackSeanet>;
  beforeAll(() => { unpacked = unpackSeanet(folder ?? ''); });
  afterAll(() => { unpacked.remove(); });

  test('all 127 models give their goldens', async () => {
    const differing: string[] = [];
    for (const model of unpacked.models) if ((await compareSeanet(model)).differing > 0) differing.push(model.name);
    expect(unpacked.models).toHaveLength(127);
    expect(differing).toEqual([]);
  });
});
