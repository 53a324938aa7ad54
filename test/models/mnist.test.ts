import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { decodeOutput, dequantizeOutput, quantizeInput } from '../../kernels/import/model-interface.ts';
import { evaluateNetwork } from '../../kernels/import/network/evaluate.ts';
import { importMnist, readDigits, readMnistFile } from './mnist.ts';
import type { Digits } from './mnist.ts';
import { modelFilesOrSkip } from './model-files.ts';

const found = modelFilesOrSkip('the MNIST CNN');
const folder = found ?? '';

/** Every so many of the digits; bench/accuracy-mnist.ts takes them all. */
const STRIDE = 50;

const greatest = (values: ArrayLike<number>): number => Array.from(values).reduce((best, value, index, all) => (value > (all[best] ?? 0) ? index : best), 0);

describe.skipIf(found === null)('MNIST CNN', () => {
  let digits: Digits;
  let indices: number[];

  beforeAll(() => {
    digits = readDigits(folder);
    indices = Array.from({ length: Math.floor(digits.count / STRIDE) }, (_, index) => index * STRIDE + 3);
  });

  test('recognises digits as well as the float model, with the same bits on both executors', async () => {
    const { model } = importMnist(folder, digits);
    const wasm = await createWasmExecutor().prepare(model);
    const lifted = await createLiftedExecutor().prepare(model);
    const session = await InferenceSession.create(readMnistFile(folder), { intraOpNumThreads: 1 });
    const right = { integer: 0, float: 0 };
    for (const index of indices) {
      const pixels = Float32Array.from(digits.image(index));
      const { output } = await wasm.run(quantizeInput(model, pixels));
      expect((await lifted.run(quantizeInput(model, pixels))).output).toEqual(output);
      const results = await session.run({ Input3: new Tensor('float32', pixels, [1, 1, 28, 28]) });
      const reference = results['Plus214_Output_0']?.data as Float32Array;
      const logits = dequantizeOutput(model, output);
      if (greatest(logits) === digits.label(index)) right.integer += 1;
      if (greatest(reference) === digits.label(index)) right.float += 1;
      const scale = Math.max(...reference.map(Math.abs));
      logits.forEach((logit, k) => expect(Math.abs(logit - (reference[k] ?? NaN))).toBeLessThan(scale * 0.08));
    }
    expect(right.integer / indices.length).toBeGreaterThanOrEqual(0.985);
    expect(right.integer).toBeGreaterThanOrEqual(right.float - 1);
  });

  test('as a classifier it gives the class of the greatest output', async () => {
    const { model } = importMnist(folder, digits, true);
    const plain = importMnist(folder, digits).model;
    expect(model.program.signature).toBe('classify(uint8[784])->(int32)');
    expect(plain.program.signature).toBe('infer(uint8[784])->(int32[10])');
    const [classifier, network] = [await createWasmExecutor().prepare(model), await createWasmExecutor().prepare(plain)];
    for (const index of indices.slice(0, 20)) {
      const input = packTensor(model.program.input, digits.image(index));
      const decoded = decodeOutput(model, (await classifier.run(input)).output);
      expect(decoded).toEqual({ kind: 'class', class: greatest(dequantizeOutput(plain, (await network.run(input)).output)) });
    }
  });

  test('the float network computes what onnxruntime does', async () => {
    const { network } = importMnist(folder, digits);
    const session = await InferenceSession.create(readMnistFile(folder), { intraOpNumThreads: 1 });
    for (const index of indices.slice(0, 5)) {
      const pixels = Float32Array.from(digits.image(index));
      const results = await session.run({ Input3: new Tensor('float32', pixels, [1, 1, 28, 28]) });
      const reference = results['Plus214_Output_0']?.data as Float32Array;
      const own = evaluateNetwork(network, pixels).get(network.outputs[0] ?? '')?.data ?? new Float32Array();
      own.forEach((value, k) => expect(Math.abs(value - (reference[k] ?? NaN))).toBeLessThan(0.05));
    }
  });
});
