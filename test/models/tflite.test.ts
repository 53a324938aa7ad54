import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { decodeOutput } from '../../kernels/import/model-interface.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { modelFilesOrSkip } from './model-files.ts';
import { compareTflite, goldenGenerator, packIntegers, resultIntegers } from './tflite-comparison.ts';

const found = modelFilesOrSkip('TensorFlow Lite models');
const folder = found ?? '';

interface Golden { readonly models: Readonly<Record<string, { readonly input: { readonly shape: string; readonly dtype: string }; readonly cases: readonly { readonly seed: number; readonly inputSha256: string; readonly output: readonly number[] }[] }>> }
const golden = (): Golden => JSON.parse(readFileSync(join(folder, 'golden/tflite_lcg_golden.json'), 'utf8')) as Golden;
const modelBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, 'tflite', name)));

const goldenInput = (seed: number, size: number, unsigned: boolean): number[] => {
  const next = goldenGenerator(seed);
  return Array.from({ length: size }, () => next() - (unsigned ? 0 : 128));
};

/** Models, and on how many random inputs they are compared here; test/evidence/tflite.ts takes 1,000 each. */
const MODELS = [
  ['tflm_hello_world_int8.tflite', 256],
  ['mlperf_ad01_int8.tflite', 20],
  ['mlperf_kws_ref_model.tflite', 20],
  ['mlperf_pretrainedResnet_quant.tflite', 10],
  ['coral_mobilenet_v1_0.25_128_quant.tflite', 4],
] as const;

describe.skipIf(found === null).each(MODELS)('%s', (name, count) => {
  test('gives the goldens', async () => {
    const { input, cases } = golden().models[name]!;
    const size = input.shape.split(',').reduce((product, dim) => product * Number(dim), 1);
    const { model } = importTflite(modelBytes(name));
    const prepared = await createWasmExecutor().prepare(model);
    for (const { seed, inputSha256, output } of cases) {
      const values = goldenInput(seed, size, input.dtype === 'uint8');
      expect(createHash('sha256').update(Uint8Array.from(values, (value) => value & 0xff)).digest('hex')).toBe(inputSha256);
      expect(resultIntegers(model, (await prepared.run(packIntegers(model.program.input, values))).output)).toEqual(output);
    }
  });

  test('gives the runtime\'s integers on random inputs', async () => {
    const comparison = await compareTflite(modelBytes(name));
    const [{ dims, type }] = comparison.inputs as readonly [{ dims: readonly number[]; type: string }];
    const size = dims.reduce((product, dim) => product * dim, 1);
    for (let seed = 1; seed <= count; seed += 1) {
      const { own, expected } = await comparison.run(goldenInput(seed, size, type === 'uint8'));
      expect(own).toEqual(expected);
    }
  });
});

describe.skipIf(found === null)('programs', () => {
  test('the word machine\'s code gives the same bits', async () => {
    const { model } = importTflite(modelBytes('mlperf_kws_ref_model.tflite'));
    const [wasm, lifted] = [await createWasmExecutor().prepare(model), await createLiftedExecutor().prepare(model)];
    for (const seed of [1, 2]) {
      const input = packIntegers(model.program.input, goldenInput(seed, 490, false));
      expect((await lifted.run(input)).output).toEqual((await wasm.run(input)).output);
    }
  });

  test('as classifiers they give the class of the greatest output', async () => {
    const bytes = modelBytes('mlperf_pretrainedResnet_quant.tflite');
    const { model } = importTflite(bytes, { classify: true, name: 'resnet8' });
    expect([model.program.name, model.program.signature]).toEqual(['resnet8', 'classify(int8[3072])->(int32)']);
    const prepared = await createWasmExecutor().prepare(model);
    const plain = await compareTflite(bytes);
    for (const seed of [3, 4, 5]) {
      const values = goldenInput(seed, 3072, false);
      const { expected } = await plain.run(values);
      expect(decodeOutput(model, (await prepared.run(packIntegers(model.program.input, values))).output)).toEqual({ kind: 'class', class: expected.indexOf(Math.max(...expected)) });
    }
  });
});
