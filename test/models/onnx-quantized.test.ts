import { describe, expect, test } from 'vitest';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { modelFilesOrSkip } from './model-files.ts';
import { QUANTIZED_MODELS, cifarGolden, cifarImages, greatest, importQuantizedFile, openOnnxruntime, randomInputs, readQuantizedFile, runOnnxruntime, runProgram } from './onnx-quantized-models.ts';

const found = modelFilesOrSkip('quantised ONNX models');
const folder = found ?? '';

/** A share of what test/evidence/onnx-quantized.ts runs. */
const INPUTS = 25;

describe.skipIf(found === null)('quantised ONNX models', () => {
  test.each(QUANTIZED_MODELS)('$name: the same integers as onnxruntime', async ({ name, dims }) => {
    const file = readQuantizedFile(folder, name);
    const model = importQuantizedFile(file);
    admit(model);
    const prepared = await createWasmExecutor().prepare(model);
    const session = await openOnnxruntime(file, 'integers');
    const next = randomInputs(dims.reduce((product: number, dim) => product * dim, 1));
    for (let run = 0; run < INPUTS; run += 1) {
      const input = next();
      expect([...(await runProgram(prepared, input))]).toEqual([...(await runOnnxruntime(session, input, dims))]);
    }
  });

  test('ResNet8: images, and the classes that TensorFlow Lite gives for them', async () => {
    const file = readQuantizedFile(folder, 'resnet8_cifar10');
    const prepared = await createWasmExecutor().prepare(importQuantizedFile(file));
    const session = await openOnnxruntime(file, 'integers');
    const images = cifarImages(folder);
    const golden = cifarGolden(folder);
    let same = 0;
    for (let index = 0; index < INPUTS; index += 1) {
      const outputs = await runProgram(prepared, images.image(index));
      expect([...outputs]).toEqual([...(await runOnnxruntime(session, images.image(index), [1, 3, 32, 32]))]);
      if (greatest(outputs) === golden[index]) same += 1;
    }
    expect(same).toBe(INPUTS);
  });
});
