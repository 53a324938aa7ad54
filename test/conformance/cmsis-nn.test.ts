import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelFilesOrSkip } from '../models/model-files.ts';
import { readCmsisCases } from './cmsis-cases.ts';
import { kindOf, runCmsisCase } from './cmsis-nn.ts';

const folder = modelFilesOrSkip('CMSIS-NN\'s golden cases');

describe.skipIf(folder === null)('CMSIS-NN', () => {
  test('its golden cases pass with gemmlowp\'s two roundings, and are counted', async () => {
    const counts: Record<string, number> = {};
    const failed: string[] = [];
    let recovered = 0;
    for (const given of readCmsisCases(join(folder ?? '', 'conformance/cmsis_nn_int_testdata.json.gz'))) {
      const outcome = await runCmsisCase(given);
      if (outcome.kind === 'failed') failed.push(`${given.name}: ${outcome.reason}`);
      if (outcome.kind === 'recovered') recovered += 1;
      if (outcome.kind === 'passed') counts[kindOf(given)] = (counts[kindOf(given)] ?? 0) + 1;
    }
    expect(failed).toEqual([]);
    expect(recovered).toBe(22);
    expect(counts).toEqual({
      'add': 3, 'average pooling': 10, 'convolution': 45, 'depthwise convolution': 34, 'filters over time': 6, 'fully connected': 16, 'long short-term memory': 6, 'matrix product': 10, 'maximum': 7, 'maximum pooling': 11, 'minimum': 7,
      'multiply': 3, 'pad': 2, 'softmax': 3, 'transpose': 10, 'transposed convolution': 8, 'whole network': 2,
    });
  });
});
