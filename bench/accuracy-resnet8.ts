/**
 * Accuracy of ResNet8, imported from its float TensorFlow Lite file and quantised on the way, beside the float network: `npx tsx bench/accuracy-resnet8.ts [--images n] [--bits 8|16|auto] [--json]`.
 * The 1,000 CIFAR-10 images went through JPEG, so the figures compare with each other only. Calibration is on every tenth image. Exit code 1 when the integer network is more than half a point
 * below the float one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { evaluateModel, floatOutputs } from '../kernels/import/evaluate-model.ts';
import { quantizeNetwork } from '../kernels/import/onnx/import.ts';
import { tfliteFloatNetwork } from '../kernels/import/tflite/float-network.ts';
import { modelFiles } from '../test/models/model-files.ts';
import { conclude, conditions, progress } from './measurement.ts';

const { values } = parseArgs({ options: { images: { type: 'string' }, bits: { type: 'string', default: 'auto' }, json: { type: 'boolean', default: false } } });
const folder = modelFiles();
if (folder === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');

const PIXELS = 32 * 32;
const data = gunzipSync(readFileSync(join(folder, 'data/cifar10_test1000.bin.gz')));
const all = Array.from({ length: data.length / (1 + 3 * PIXELS) }, (_, index) => {
  const start = index * (1 + 3 * PIXELS);
  // Planes of red, green and blue; the model takes pixels of three, 0 … 255.
  return { label: data[start] ?? 0, input: Float32Array.from({ length: 3 * PIXELS }, (__, at) => data[start + 1 + (at % 3) * PIXELS + Math.floor(at / 3)] ?? 0) };
});
const network = tfliteFloatNetwork(new Uint8Array(readFileSync(join(folder, 'tflite/mlperf_pretrainedResnet.tflite'))), 'resnet8');
const calibration = Float32Array.from(all.filter((_, index) => index % 10 === 0).flatMap(({ input }) => [...input]));
const activationBits = values.bits === '8' ? 8 : values.bits === '16' ? 16 : 'auto';
const { model, precision } = quantizeNetwork(network, calibration, { activationBits, source: { format: 'tflite' } });
const prepared = await createWasmExecutor().prepare(model);
const images = all.slice(0, values.images === undefined ? all.length : Number(values.images));
const started = conditions();
const reached = progress('images', images.length);
let at = 0;
const float = floatOutputs(network);
const evaluation = await evaluateModel(prepared, (input) => {
  reached(at);
  at += 1;
  return float(input);
}, { samples: images });
conclude(
  { ...started, ...evaluation, sixteenBits: [...precision.precisions].filter(([, bits]) => bits === 16).map(([value]) => value) },
  { 'the accuracy is within half a point of float': (evaluation.floatAccuracy ?? 0) - (evaluation.accuracy ?? 0) <= 0.005 },
  values.json,
);
await prepared.dispose();
