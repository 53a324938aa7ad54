/**
 * Quantised ONNX models against onnxruntime, output by output: `npx tsx test/evidence/onnx-quantized.ts [inputs]` (1,000 random inputs by default, and
 * ResNet8 on 1,000 CIFAR-10 images). Exit code 1 when an output differs from onnxruntime's integer kernels. Its other two ways of running the same
 * file are there for comparison: they differ from its own integers, too.
 */
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { modelFiles } from '../models/model-files.ts';
import { QUANTIZED_MODELS, cifarGolden, cifarImages, greatest, importQuantizedFile, openOnnxruntime, randomInputs, readQuantizedFile, runOnnxruntime, runProgram } from '../models/onnx-quantized-models.ts';
import type { OnnxruntimeMode } from '../models/onnx-quantized-models.ts';

const MODES: readonly OnnxruntimeMode[] = ['integers', 'default', 'floats'];

const folder = modelFiles();
if (folder === null) throw new Error('there is no folder of models: see ASSAY_MODELS');
const inputs = Number(process.argv[2] ?? 1000);
if (!Number.isInteger(inputs) || inputs < 1) throw new Error('the number of inputs is an integer of 1 and more');

interface Row { readonly model: string; readonly inputs: number; readonly outputs: number; readonly integers: number; readonly default: number; readonly floats: number; readonly 'integers against floats': number }

const differing = (a: Int8Array, b: Int8Array): number => a.reduce((count, value, index) => count + (value === b[index] ? 0 : 1), 0);

async function compare(folder: string, name: string, label: string, dims: readonly number[], count: number, next: (index: number) => Int8Array): Promise<{ readonly row: Row; readonly classes: readonly number[] }> {
  const file = readQuantizedFile(folder, name);
  const prepared = await createWasmExecutor().prepare(importQuantizedFile(file));
  const sessions = await Promise.all(MODES.map((mode) => openOnnxruntime(file, mode)));
  const different = MODES.map(() => 0);
  const classes: number[] = [];
  let [outputs, among] = [0, 0];
  for (let index = 0; index < count; index += 1) {
    const input = next(index);
    const own = await runProgram(prepared, input);
    const references = await Promise.all(sessions.map((session) => runOnnxruntime(session, input, dims)));
    references.forEach((reference, mode) => { different[mode] = (different[mode] ?? 0) + differing(own, reference); });
    among += differing(references[0] ?? new Int8Array(), references[2] ?? new Int8Array());
    outputs += own.length;
    classes.push(greatest(own));
  }
  await prepared.dispose();
  const [integers = 0, byDefault = 0, floats = 0] = different;
  return { row: { model: label, inputs: count, outputs, integers, default: byDefault, floats, 'integers against floats': among }, classes };
}

const rows: Row[] = [];
for (const { name, dims } of QUANTIZED_MODELS) {
  const next = randomInputs(dims.reduce((product: number, dim) => product * dim, 1));
  rows.push((await compare(folder, name, name, dims, inputs, next)).row);
}
const images = cifarImages(folder);
const shown = Math.min(inputs, images.count);
const { row, classes } = await compare(folder, 'resnet8_cifar10', 'resnet8_cifar10, CIFAR-10 images', [1, 3, 32, 32], shown, (index) => images.image(index));
rows.push(row);
const golden = cifarGolden(folder);

console.log('outputs that differ from onnxruntime\'s: with integer kernels, by default, with floats; and its own integers from its floats');
console.table(rows);
console.log(`ResNet8: ${classes.filter((value, index) => value === golden[index]).length} of ${shown} classes are those that TensorFlow Lite gives`);
process.exitCode = rows.every(({ integers }) => integers === 0) ? 0 : 1;
