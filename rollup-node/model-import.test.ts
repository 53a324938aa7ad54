import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { jsonBytes, safetensorsBytes } from '../kernels/import/language-model/testing/files.ts';
import { onnxFile } from '../kernels/import/testing/onnx-file.ts';
import { tfliteFile } from '../kernels/import/testing/tflite-file.ts';
import { importModelFile } from './model-import.ts';
import { readableOutput, readModelInput } from './model-values.ts';

const WEIGHTS = [0.5, -1, 0.25, 1, 0.75, -0.5, -0.25, 0.5];
const BIASES = [0.1, -0.2];
const INPUT = [1, -0.5, 0.25, 0.75];
/** y = W x + b, by hand. */
const OUTPUT = BIASES.map((bias, row) => INPUT.reduce((sum, value, column) => sum + value * WEIGHTS[row * 4 + column]!, bias));
const calibration = Float32Array.from([...Array.from({ length: 64 }, (_, index) => Math.cos(index * 1.7)), 1, 1, 1, 1, -1, -1, -1, -1]);

/** One fully connected layer. Options: no fused activation (schema.fbs, FullyConnectedOptions, number 8 of the union). */
const floatLite = tfliteFile({
  tensors: [{ type: 'float32', dims: [1, 4], name: 'x' }, { type: 'float32', dims: [2, 4], name: 'w', data: WEIGHTS }, { type: 'float32', dims: [2], name: 'b', data: BIASES }, { type: 'float32', dims: [1, 2], name: 'y' }],
  operators: [{ operator: 'FULLY_CONNECTED', inputs: [0, 1, 2], outputs: [3], options: [8, [['int8', 0]]] }],
  inputs: [0], outputs: [3],
});
/** The same in integers, with a name longer than a bundle's may be. */
const quantizedLite = tfliteFile({
  tensors: [
    { type: 'int8', dims: [1, 4], name: 'x', scales: [0.01], zeroPoints: [0] }, { type: 'int8', dims: [2, 4], name: 'w', scales: [0.01], zeroPoints: [0], data: WEIGHTS.map((weight) => Math.round(weight * 100)) },
    { type: 'int32', dims: [2], name: 'b', scales: [0.0001], zeroPoints: [0], data: BIASES.map((bias) => Math.round(bias * 10_000)) }, { type: 'int8', dims: [1, 2], name: 'fused;'.repeat(60), scales: [0.02], zeroPoints: [0] },
  ],
  operators: [{ operator: 'FULLY_CONNECTED', inputs: [0, 1, 2], outputs: [3], options: [8, [['int8', 0]]] }],
  inputs: [0], outputs: [3],
});
/** The same as a TensorFlow.js layers model, whose kernels are [inputs][units]. */
const layersModel = {
  format: 'layers-model',
  modelTopology: {
    class_name: 'Sequential',
    config: { name: 'dense', layers: [{ class_name: 'Dense', config: { name: 'y', units: 2, activation: 'linear', use_bias: true, batch_input_shape: [null, 4], dtype: 'float32' } }] },
  },
  weightsManifest: [{ paths: ['weights.bin'], weights: [{ name: 'y/kernel', shape: [4, 2], dtype: 'float32' }, { name: 'y/bias', shape: [2], dtype: 'float32' }] }],
};
const layersWeights = new Uint8Array(Float32Array.from([...[0, 1, 2, 3].flatMap((input) => [WEIGHTS[input]!, WEIGHTS[4 + input]!]), ...BIASES]).buffer);
const dynamic = onnxFile({
  nodes: [{ operator: 'DynamicQuantizeLinear', name: 'q', inputs: ['a'], outputs: ['y', 'scale', 'zero'] }],
  inputs: { a: [1, 4] }, outputs: { y: [1, 4] }, constants: {},
});
const twoInputs = onnxFile({ nodes: [{ operator: 'Add', name: 'sum', inputs: ['a', 'b'], outputs: ['y'] }], inputs: { a: [1, 2], b: [1, 2] }, outputs: { y: [1, 2] }, constants: {} });

/** A DistilBERT of one layer, all of whose weights are small and made up. */
const ENCODER = { model_type: 'distilbert', architectures: ['DistilBertModel'], vocab_size: 20, dim: 8, n_layers: 1, n_heads: 2, hidden_dim: 12, max_position_embeddings: 16, activation: 'gelu', pad_token_id: 0 };
function encoderTensors(): Uint8Array {
  const shapes: Record<string, number[]> = { 'embeddings.word_embeddings.weight': [20, 8], 'embeddings.position_embeddings.weight': [16, 8] };
  const layer = 'transformer.layer.0';
  for (const norm of ['embeddings.LayerNorm', `${layer}.sa_layer_norm`, `${layer}.output_layer_norm`]) Object.assign(shapes, { [`${norm}.weight`]: [8], [`${norm}.bias`]: [8] });
  for (const part of ['q_lin', 'k_lin', 'v_lin', 'out_lin']) Object.assign(shapes, { [`${layer}.attention.${part}.weight`]: [8, 8], [`${layer}.attention.${part}.bias`]: [8] });
  Object.assign(shapes, { [`${layer}.ffn.lin1.weight`]: [12, 8], [`${layer}.ffn.lin1.bias`]: [12], [`${layer}.ffn.lin2.weight`]: [8, 12], [`${layer}.ffn.lin2.bias`]: [8] });
  return safetensorsBytes(Object.fromEntries(Object.entries(shapes).map(([name, shape], tensor) => [name, { shape, values: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, index) => Math.sin(tensor * 7 + index * 1.3)) }])));
}

describe('importModelFile', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-import-'));
    await mkdir(at('nothing'));
    await mkdir(at('encoder'));
    await writeFile(at('encoder/config.json'), jsonBytes(ENCODER));
    await writeFile(at('encoder/model.safetensors'), encoderTensors());
    for (const [name, bytes] of Object.entries({ 'float.tflite': floatLite, 'small.tflite': quantizedLite, 'sum.onnx': twoInputs, 'dynamic.onnx': dynamic, 'model.json': JSON.stringify(layersModel), 'weights.bin': layersWeights, 'lost.json': JSON.stringify({ ...layersModel, weightsManifest: [{ paths: ['../weights.bin'], weights: [] }] }), 'notes.txt': 'hello', 'cut.gguf': 'GGUF', 'empty.gguf': '' })) await writeFile(at(name), bytes);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const outputOf = async (name: string, options: Parameters<typeof importModelFile>[1], input: readonly number[]): Promise<readonly number[]> => {
    const { model } = await importModelFile(at(name), options);
    const { output } = await (await createWasmExecutor().prepare(model)).run(readModelInput(model, new Uint8Array(Float32Array.from(input).buffer)));
    return readableOutput(model, output) as readonly number[];
  };

  test('a TensorFlow Lite model with float weights is near to what it computes', async () => {
    const output = await outputOf('float.tflite', { calibration }, INPUT);
    output.forEach((value, index) => expect(Math.abs(value - OUTPUT[index]!)).toBeLessThan(0.03));
    expect((await importModelFile(at('float.tflite'), { calibration })).report?.operators.some(({ error }) => error !== null)).toBe(true);
  });

  test('one that is quantised is, too, and is named after its file; names of operators fit a bundle', async () => {
    const output = await outputOf('small.tflite', {}, INPUT);
    output.forEach((value, index) => expect(Math.abs(value - OUTPUT[index]!)).toBeLessThan(0.03));
    const { program } = (await importModelFile(at('small.tflite'), {})).model;
    expect(program.name).toBe('small');
    expect(Math.max(...program.prologue.map(({ name }) => name.length))).toBeLessThanOrEqual(256);
  });

  test('a TensorFlow.js layers model is read with the shards beside it', async () => {
    const output = await outputOf('model.json', { calibration }, INPUT);
    output.forEach((value, index) => expect(Math.abs(value - OUTPUT[index]!)).toBeLessThan(0.03));
  });

  test('a folder with an encoder takes as many tokens as it is said', async () => {
    const ids = Float32Array.from({ length: 12 }, (_, index) => 1 + (index * 7) % 19);
    const { model, report } = await importModelFile(at('encoder'), { calibration: ids, tokens: 6, weightBits: 16 });
    expect(model.program).toMatchObject({ name: 'encoder', metadata: { input: { dims: [1, 6] }, source: { format: 'safetensors', architecture: 'distilbert' } } });
    expect(report?.operators.length).toBe(model.program.prologue.length);
    expect((await importModelFile(at('encoder/model.safetensors'), { calibration: ids, tokens: 6, weightBits: 16, name: 'encoder' })).model.program).toEqual(model.program);
  });

  test('a model that quantises while it runs takes calibration data', async () => {
    // A scale of 1.5/255 and a zero point of 85.
    expect(await outputOf('dynamic.onnx', { calibration }, [1, -0.5, 0.2, 0.7])).toEqual([255, 0, 119, 204]);
  });

  test('several inputs are taken one after another', async () => {
    const output = await outputOf('sum.onnx', { calibration }, INPUT);
    [1.25, 0.25].forEach((value, index) => expect(Math.abs(output[index]! - value)).toBeLessThan(0.03));
  });

  test.each<[string, string, Parameters<typeof importModelFile>[1], RegExp]>([
    ['float weights without calibration', 'float.tflite', {}, /float weights.*give calibration data/],
    ['calibration for integers', 'small.tflite', { calibration }, /--calibration means nothing for .*small\.tflite/],
    ['settings of another family', 'small.tflite', { newTokens: 4, classify: true }, /--new-tokens means nothing for/],
    ['ranges for integers', 'small.tflite', { ranges: 'percentile', weightBits: 16 }, /--weight-bits and --ranges mean nothing for .*small\.tflite/],
    ['tokens of a network', 'float.tflite', { calibration, tokens: 4 }, /--tokens means nothing for .*float\.tflite/],
    ['an encoder without calibration', 'encoder', {}, /token ids as float32/],
    ['tokens that an encoder has no place for', 'encoder', { calibration, tokens: 17 }, /takes 1 to 16 tokens, not 17/],
    ['settings of language models for an encoder', 'encoder', { promptLimit: 4 }, /--prompt-limit means nothing for .*encoder/],
    ['shards in another folder', 'lost.json', { calibration }, /has no file "\.\.\/weights\.bin"/],
    ['layers without calibration', 'model.json', {}, /give calibration data/],
    ['a file of another kind', 'notes.txt', {}, /not an ONNX model/],
    ['a truncated file', 'cut.gguf', {}, /GGUF.*truncated or damaged/],
    ['an empty file', 'empty.gguf', {}, /no GGUF file/],
    ['a folder without a model', 'nothing', {}, /holds no GGUF or safetensors model/],
    ['nothing', 'absent.onnx', {}, /does not exist/],
  ])('refuses %s', async (_, name, options, reason) => {
    await expect(importModelFile(at(name), options)).rejects.toThrow(reason);
  });

  test('refuses packages that are not installed', async () => {
    await expect(importModelFile('npm:left-pad', {})).rejects.toThrow(/left-pad is not installed here/);
  });
});
