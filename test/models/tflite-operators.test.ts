import { describe, expect, test } from 'vitest';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { dequantizeOutput, quantizeInput } from '../../kernels/import/model-interface.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { tfliteFile } from '../../kernels/import/testing/tflite-file.ts';
import { compareTflite, goldenGenerator } from './tflite-comparison.ts';
import { OPERATOR_MODELS } from './tflite-operator-models.ts';
import { openTfliteOracle } from './tflite-oracle.ts';

describe('one operator at a time, the runtime\'s integers', () => {
  test.each(OPERATOR_MODELS)('%s', async (_, model) => {
    const comparison = await compareTflite(tfliteFile(model));
    const next = goldenGenerator(7);
    for (let round = 0; round < 3; round += 1) {
      const inputs = comparison.inputs.map(({ type, dims }) =>
        Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => (type === 'int16' ? next() * 256 + next() - 32768 : type === 'uint8' ? next() : next() - 128)));
      const { own, expected } = await comparison.run(...inputs);
      expect(own).toEqual(expected);
    }
    await comparison.prepared.dispose();
  });
});

test('float borders are metadata', async () => {
  const int8 = { type: 'int8', dims: [1, 8], scales: [0.05], zeroPoints: [3] } as const;
  const bytes = tfliteFile({
    tensors: [{ type: 'float32', dims: [1, 8], name: 'x' }, int8, int8, { type: 'float32', dims: [1, 8], name: 'y' }],
    operators: [
      { operator: 'QUANTIZE', inputs: [0], outputs: [1], options: [89, []] },
      { operator: 'RELU', inputs: [1], outputs: [2] },
      { operator: 'DEQUANTIZE', inputs: [2], outputs: [3], options: [38, []] },
    ],
    inputs: [0],
    outputs: [3],
  });
  const { model } = importTflite(bytes);
  expect(model.program.metadata['input']).toMatchObject({ type: 'float32', element: 'int8', scale: Math.fround(0.05), zeroPoint: 3 });
  const values = [-9, -1, -0.06, 0, 0.04, 1, 3.3, 99];
  const prepared = await createWasmExecutor().prepare(model);
  const { output } = await prepared.run(quantizeInput(model, Float32Array.from(values)));
  expect(Array.from(dequantizeOutput(model, output))).toEqual((await openTfliteOracle(bytes)).run(values));
});
