import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { modelFilesOrSkip } from '../models/model-files.ts';
import { compareTflite, goldenGenerator } from '../models/tflite-comparison.ts';

/*
 * How many results differ from TensorFlow Lite's own runtime: `npm run evidence:tflite -- [inputs a model]`, 1,000 unless said otherwise. With --roundings the same for each way of
 * rounding that importTflite knows.
 */

const MODELS = ['tflm_hello_world_int8', 'mlperf_ad01_int8', 'mlperf_kws_ref_model', 'mlperf_pretrainedResnet_quant', 'coral_mobilenet_v1_0.25_128_quant'];

const folder = modelFilesOrSkip('the evidence for TensorFlow Lite models');
const count = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 1000);
const roundings = process.argv.includes('--roundings') ? (['float32', 'once', 'twice'] as const) : (['float32'] as const);
if (folder !== null) {
  console.log('| model | rounding | operators | inputs | inputs with a difference | differing outputs | of |');
  console.log('|---|---|---|---|---|---|---|');
  for (const name of MODELS) {
    const bytes = new Uint8Array(readFileSync(join(folder, 'tflite', `${name}.tflite`)));
    for (const rounding of roundings) {
      const { prologue } = importTflite(bytes, { rounding }).model.program;
      const comparison = await compareTflite(bytes, { rounding });
      const [{ dims, type }] = comparison.inputs as readonly [{ dims: readonly number[]; type: string }];
      const next = goldenGenerator(20261122);
      let [wrongInputs, wrong, total] = [0, 0, 0];
      for (let index = 0; index < count; index += 1) {
        const values = Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => next() - (type === 'uint8' ? 0 : 128));
        const { own, expected } = await comparison.run(values);
        const differing = expected.filter((value, place) => value !== own[place]).length;
        wrong += differing;
        total += expected.length;
        if (differing > 0) wrongInputs += 1;
      }
      await comparison.prepared.dispose();
      console.log(`| ${name} | ${rounding} | ${prologue.length} | ${count} | ${wrongInputs} | ${wrong} | ${total} |`);
    }
  }
}
