/**
 * Accuracy of the imported MNIST CNN on the 10,000 test digits, beside the float model in onnxruntime, and how far each layer's integers are from the
 * float network: `npx tsx bench/accuracy-mnist.ts [--executor wasm,webgpu,…] [--digits n] [--tensors] [--json]`.
 * Quantisation is calibrated on the first 128 of the same digits, since the training digits are not at hand. With several executors the first gives the
 * answers and the others must give the same bits: in the output, or with --tensors in every tensor. Exit code 1 when they do not, or the accuracy on all digits
 * is below 98.8%.
 */
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { PreparedModel } from '../deterministic-runtime/executors/executor.ts';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import { dequantizeOutput, quantizeInput } from '../kernels/import/model-interface.ts';
import { activationValues } from '../kernels/import/network/activation-values.ts';
import { evaluateNetwork } from '../kernels/import/network/evaluate.ts';
import type { ImportedModel } from '../kernels/import/onnx/import.ts';
import { executorByName } from '../rollup-node/executors.ts';
import { CALIBRATION_DIGITS, importMnist, readDigits, readMnistFile } from '../test/models/mnist.ts';
import type { Digits } from '../test/models/mnist.ts';
import { modelFiles } from '../test/models/model-files.ts';
import { conclude, conditions, percent, progress } from './measurement.ts';
import { runOnAll } from './same-bits.ts';

const DIGITS_FOR_LAYERS = 50;
const ACCURACY_PERCENT = 98.8;

const { values } = parseArgs({ options: { executor: { type: 'string', default: 'wasm' }, digits: { type: 'string' }, tensors: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } });

const greatest = (numbers: ArrayLike<number>): number => Array.from(numbers).reduce((best, value, index, all) => (value > (all[best] ?? 0) ? index : best), 0);

/** For each value of the network, the error's root mean square in per cent of the value's own. */
async function layerErrors({ model, network, activations }: ImportedModel, runner: PreparedModel, digits: Digits): Promise<Record<string, number>> {
  const sums = new Map<string, { signal: number; error: number }>();
  for (let index = 0; index < DIGITS_FOR_LAYERS; index += 1) {
    const pixels = Float32Array.from(digits.image(digits.count - 1 - index));
    const floats = evaluateNetwork(network, pixels);
    const run = await runner.run(quantizeInput(model, pixels), { keep: 'all' });
    for (const activation of activations) {
      const { operand } = activation.tensor;
      if (operand.kind !== 'prologue') continue;
      const own = activationValues(activation, run.tensor(slotOf(model.program, 'prologue', operand.operator)) ?? new Uint8Array());
      const sum = sums.get(activation.name) ?? { signal: 0, error: 0 };
      floats.get(activation.name)?.data.forEach((value, element) => {
        sum.signal += value ** 2;
        sum.error += (value - (own[element] ?? NaN)) ** 2;
      });
      sums.set(activation.name, sum);
    }
  }
  return Object.fromEntries([...sums].map(([name, { signal, error }]) => [name, Math.round(10_000 * Math.sqrt(error / signal)) / 100]));
}

const folder = modelFiles();
if (folder === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');
const digits = readDigits(folder);
const imported = importMnist(folder, digits);
const { model } = imported;
const executors = await Promise.all(values.executor.split(',').map(executorByName));
const prepared = await Promise.all(executors.map((executor) => executor.prepare(model)));
const session = await InferenceSession.create(readMnistFile(folder), { intraOpNumThreads: 1 });
const count = values.digits === undefined ? digits.count : Number(values.digits);

const started = conditions();
const reached = progress('digits', count);
const right = { integer: 0, float: 0, integerUnseen: 0, same: 0 };
let [otherBits, milliseconds] = [0, 0];
for (let index = 0; index < count; index += 1) {
  reached(index);
  const pixels = Float32Array.from(digits.image(index));
  const input = quantizeInput(model, pixels);
  const { run, milliseconds: time, same } = await runOnAll(prepared, input, values.tensors);
  milliseconds += time;
  if (!same) otherBits += 1;
  const answer = greatest(dequantizeOutput(model, run.output));
  const results = await session.run({ Input3: new Tensor('float32', pixels, [1, 1, 28, 28]) });
  const expected = greatest(results['Plus214_Output_0']?.data as Float32Array);
  if (answer === digits.label(index)) {
    right.integer += 1;
    if (index >= CALIBRATION_DIGITS) right.integerUnseen += 1;
  }
  if (expected === digits.label(index)) right.float += 1;
  if (answer === expected) right.same += 1;
}

const accuracy = percent(right.integer, count) ?? 0;
conclude(
  {
    ...started,
    digits: count,
    accuracy,
    accuracyWithoutCalibrationDigits: percent(right.integerUnseen, count - Math.min(count, CALIBRATION_DIGITS)),
    onnxruntimeAccuracy: percent(right.float, count),
    sameFirstAnswer: percent(right.same, count),
    layerErrorsPercent: await layerErrors(imported, prepared[0] as PreparedModel, digits),
    executors: executors.map(({ name, adapter }) => `${name} (${adapter})`),
    compared: values.tensors ? 'every tensor' : 'outputs',
    differentBits: otherBits,
    millisecondsEach: Math.round((1000 * milliseconds) / count) / 1000,
  },
  {
    'all executors give the same bits': otherBits === 0,
    [`the accuracy is at least ${ACCURACY_PERCENT}%`]: count < digits.count || accuracy >= ACCURACY_PERCENT,
  },
  values.json,
);
await Promise.all(prepared.map((runner) => runner.dispose()));
await Promise.all(executors.map((executor) => executor.dispose()));
