import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../../deterministic-runtime/wasm/executor.ts';
import { jsonBytes, memoryFiles, importError, safetensorsBytes } from '../language-model/testing/files.ts';
import { dequantizeOutput, quantizeInput } from '../model-interface.ts';
import { evaluateNetwork, outputsOf } from '../network/evaluate.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import type { TestGraph, TestNode } from '../testing/onnx-file.ts';
import { importEncoder, readEncoder } from './import.ts';
import type { EncoderImportOptions } from './import.ts';

/** Encoders with random weights, against the same encoder as an ONNX graph in onnxruntime. */

const [VOCABULARY, WIDTH, LAYERS, HEADS, INNER, POSITIONS, LABELS] = [40, 32, 2, 4, 48, 24, 5];
const TOKENS = 12;
type Family = 'bert' | 'distilbert' | 'roberta';
type Tensors = Record<string, { shape: readonly number[]; values: number[] }>;

const CONFIGS: Readonly<Record<Family, Record<string, unknown>>> = {
  bert: { model_type: 'bert', vocab_size: VOCABULARY, hidden_size: WIDTH, num_hidden_layers: LAYERS, num_attention_heads: HEADS, intermediate_size: INNER, max_position_embeddings: POSITIONS, hidden_act: 'gelu', layer_norm_eps: 1e-5, pad_token_id: 0 },
  roberta: { model_type: 'roberta', vocab_size: VOCABULARY, hidden_size: WIDTH, num_hidden_layers: LAYERS, num_attention_heads: HEADS, intermediate_size: INNER, max_position_embeddings: POSITIONS, hidden_act: 'gelu', layer_norm_eps: 1e-5, pad_token_id: 1 },
  distilbert: { model_type: 'distilbert', vocab_size: VOCABULARY, dim: WIDTH, n_layers: LAYERS, n_heads: HEADS, hidden_dim: INNER, max_position_embeddings: POSITIONS, activation: 'gelu', pad_token_id: 0 },
};
const PREFIX = { bert: 'bert.', roberta: 'roberta.', distilbert: 'distilbert.' };
/** The ONNX graph's names of a layer's parts, and Hugging Face's. */
const PARTS: Readonly<Record<Family, Readonly<Record<string, string>>>> = (() => {
  const bert = { q: 'attention.self.query', k: 'attention.self.key', v: 'attention.self.value', o: 'attention.output.dense', n1: 'attention.output.LayerNorm', up: 'intermediate.dense', down: 'output.dense', n2: 'output.LayerNorm' };
  return { bert, roberta: bert, distilbert: { q: 'attention.q_lin', k: 'attention.k_lin', v: 'attention.v_lin', o: 'attention.out_lin', n1: 'sa_layer_norm', up: 'ffn.lin1', down: 'ffn.lin2', n2: 'output_layer_norm' } };
})();
const layerName = (family: Family, index: number): string => (family === 'distilbert' ? `transformer.layer.${index}.` : `encoder.layer.${index}.`);

let state = 1;
const random = (): number => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 31 - 1) * Math.sqrt(3);
const numbers = (count: number, deviation: number, mean = 0): number[] => Array.from({ length: count }, () => mean + deviation * random());

/** All tensors of an encoder and its heads, under Hugging Face's names. */
function randomTensors(family: Family, seed: number): Tensors {
  state = seed;
  const [tensors, prefix]: [Tensors, string] = [{}, PREFIX[family]];
  const put = (name: string, shape: readonly number[], deviation: number, mean = 0): void => { tensors[name] = { shape, values: numbers(shape.reduce((a, b) => a * b, 1), deviation, mean) }; };
  const linear = (name: string, outputs: number, inputs: number): void => { put(`${name}.weight`, [outputs, inputs], 1.2 / Math.sqrt(inputs)); put(`${name}.bias`, [outputs], 0.1); };
  const norm = (name: string): void => { put(`${name}.weight`, [WIDTH], 0.2, 1); put(`${name}.bias`, [WIDTH], 0.2); };
  put(`${prefix}embeddings.word_embeddings.weight`, [VOCABULARY, WIDTH], 0.5);
  put(`${prefix}embeddings.position_embeddings.weight`, [POSITIONS, WIDTH], 0.2);
  if (family !== 'distilbert') put(`${prefix}embeddings.token_type_embeddings.weight`, [2, WIDTH], 0.2);
  norm(`${prefix}embeddings.LayerNorm`);
  for (let index = 0; index < LAYERS; index += 1) {
    const of = (part: string): string => `${prefix}${layerName(family, index)}${PARTS[family][part]}`;
    for (const part of ['q', 'k', 'v', 'o']) linear(of(part), WIDTH, WIDTH);
    linear(of('up'), INNER, WIDTH);
    linear(of('down'), WIDTH, INNER);
    norm(of('n1'));
    norm(of('n2'));
  }
  const [dense, classes] = { bert: ['bert.pooler.dense', 'classifier'], roberta: ['classifier.dense', 'classifier.out_proj'], distilbert: ['pre_classifier', 'classifier'] }[family] as [string, string];
  linear(dense, WIDTH, WIDTH);
  linear(classes, LABELS, WIDTH);
  return tensors;
}

type Output = 'mean' | 'unit mean' | 'first' | 'tokens' | 'sequence';

/** The same encoder as an ONNX graph, written from the formulas of the paper and transformers' modules. */
function graph(family: Family, tensors: Tensors, output: Output): TestGraph {
  const prefix = PREFIX[family];
  const constants: Record<string, { dims: readonly number[]; data: readonly number[]; type?: 'int64' }> = {};
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const turns = shape.length === 2 && !name.includes('embeddings');
    const [rows = 0, columns = 0] = shape;
    constants[name] = turns ? { dims: [columns, rows], data: values.map((_, index) => values[(index % rows) * columns + Math.floor(index / rows)] ?? 0) } : { dims: shape, data: values };
  }
  const pad = family === 'roberta' ? 1 : 0;
  const whole = (name: string, values: readonly number[], dims: readonly number[] = [values.length]): void => { constants[name] = { dims, data: values, type: 'int64' }; };
  whole('pad', [pad], []);
  whole('places', Array.from({ length: TOKENS }, (_, index) => index + (family === 'roberta' ? 2 : 0)));
  whole('zero', [0]);
  whole('split', [1, TOKENS, HEADS, WIDTH / HEADS]);
  whole('join', [1, TOKENS, WIDTH]);
  whole('keyed', [1, 1, 1, TOKENS]);
  whole('columned', [1, TOKENS, 1]);
  whole('axis1', [1]);
  whole('row', [1, WIDTH]);
  const single = (name: string, value: number): void => { constants[name] = { dims: [], data: [value] }; };
  single('masked', -1e9);
  single('root', Math.sqrt(WIDTH / HEADS));
  single('half', 0.5);
  single('one', 1);
  single('nothing', 0);
  single('sqrt2', Math.SQRT2);
  const nodes: TestNode[] = [];
  let count = 0;
  const op = (operator: string, inputs: readonly string[], integers: TestNode['integers'] = {}, floats: Readonly<Record<string, number>> = {}): string => {
    const name = `t${(count += 1)}`;
    nodes.push({ operator, inputs, outputs: [name], integers, floats });
    return name;
  };
  const linear = (x: string, name: string): string => op('Add', [op('MatMul', [x, `${name}.weight`]), `${name}.bias`]);
  const norm = (x: string, name: string): string => op('LayerNormalization', [x, `${name}.weight`, `${name}.bias`], { axis: -1 }, { epsilon: family === 'distilbert' ? 1e-12 : 1e-5 });
  const padding = op('Equal', ['ids', 'pad']);
  let x = op('Add', [op('Gather', [`${prefix}embeddings.word_embeddings.weight`, 'ids']), op('Gather', [`${prefix}embeddings.position_embeddings.weight`, 'places'])]);
  if (family !== 'distilbert') x = op('Add', [x, op('Gather', [`${prefix}embeddings.token_type_embeddings.weight`, 'zero'])]);
  x = norm(x, `${prefix}embeddings.LayerNorm`);
  for (let index = 0; index < LAYERS; index += 1) {
    const of = (part: string): string => `${prefix}${layerName(family, index)}${PARTS[family][part]}`;
    const heads = (part: string, perm: readonly number[]): string => op('Transpose', [op('Reshape', [linear(x, of(part)), 'split'])], { perm });
    const [q, k, v] = [heads('q', [0, 2, 1, 3]), heads('k', [0, 2, 3, 1]), heads('v', [0, 2, 1, 3])];
    const scores = op('Where', [op('Reshape', [padding, 'keyed']), 'masked', op('Div', [op('MatMul', [q, k]), 'root'])]);
    const mixed = op('Reshape', [op('Transpose', [op('MatMul', [op('Softmax', [scores], { axis: -1 }), v])], { perm: [0, 2, 1, 3] }), 'join']);
    x = norm(op('Add', [linear(mixed, of('o')), x]), of('n1'));
    const up = linear(x, of('up'));
    const gelu = op('Mul', [op('Mul', [up, 'half']), op('Add', [op('Erf', [op('Div', [up, 'sqrt2'])]), 'one'])]);
    x = norm(op('Add', [linear(gelu, of('down')), x]), of('n2'));
  }
  const first = (): string => op('Gather', [x, op('Squeeze', ['zero'])], { axis: 1 });
  const total = (): string => op('ReduceSum', [op('Where', [op('Reshape', [padding, 'columned']), 'nothing', x]), 'axis1'], { keepdims: 0 });
  const mean = (): string => op('Div', [total(), op('ReduceSum', [op('Where', [padding, 'nothing', 'one']), 'axis1'], { keepdims: 1 })]);
  const result = {
    mean, 'unit mean': () => op('LpNormalization', [mean()], { axis: -1, p: 2 }), first: () => op('Reshape', [first(), 'row']), tokens: () => x,
    sequence: () => {
      const [dense, classes] = { bert: ['bert.pooler.dense', 'classifier'], roberta: ['classifier.dense', 'classifier.out_proj'], distilbert: ['pre_classifier', 'classifier'] }[family] as [string, string];
      return linear(op(family === 'distilbert' ? 'Relu' : 'Tanh', [linear(first(), dense)]), classes);
    },
  }[output]();
  nodes.push({ operator: 'Identity', inputs: [result], outputs: ['y'] });
  return { nodes, inputs: { ids: [1, TOKENS] }, outputs: { y: [] }, constants, opset: 17 };
}

/** Texts of this many tokens, padded. */
function texts(pad: number, lengths: readonly number[], seed: number): number[][] {
  state = seed;
  return lengths.map((length) => Array.from({ length: TOKENS }, (_, index) => (index < length ? 2 + Math.floor(((random() / Math.sqrt(3) + 1) / 2) * (VOCABULARY - 2)) : pad)));
}

interface Compared { /** Layers with a scale a row. */ readonly rows: number; /** Greatest difference between the float network and onnxruntime, of the greatest output. */ readonly float: number; /** Root mean square error of the program over that of the outputs. */ readonly error: number }

async function compare(family: Family, output: Output, options: Partial<EncoderImportOptions> = {}): Promise<Compared> {
  const tensors = randomTensors(family, 7);
  const config = { ...CONFIGS[family], architectures: [output === 'sequence' ? 'XForSequenceClassification' : 'XModel'] };
  const files = memoryFiles({ 'config.json': jsonBytes(config), 'model.safetensors': safetensorsBytes(tensors) });
  const pad = family === 'roberta' ? 1 : 0;
  const calibration = Float32Array.from(texts(pad, [12, 9, 5, 12, 3, 11, 12, 12, 12, 1, 7, 10, 2, 4, 12, 12], 3).flat());
  const pooling = { of: output === 'sequence' || output === 'unit mean' ? 'mean' : output, normalized: output === 'unit mean' } as const;
  const { model, network, rowLayers = [] } = await importEncoder(files, { tokens: TOKENS, calibration, pooling, ...options });
  admit(model);
  const prepared = await createWasmExecutor().prepare(model);
  const file = onnxFile(graph(family, tensors, output), (proto) => { proto.graph!.input![0]!.type!.tensorType!.elemType = 7; });
  const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  let [worst, greatest, signal, squares] = [0, 0, 0, 0];
  for (const ids of texts(pad, [12, 4, 8, 1, 11, 6], 90)) {
    const expected = (await session.run({ ids: new Tensor('int64', BigInt64Array.from(ids.map(BigInt)), [1, TOKENS]) }))['y']?.data as Float32Array;
    const float = outputsOf(network, evaluateNetwork(network, Float32Array.from(ids)));
    const own = dequantizeOutput(model, (await prepared.run(quantizeInput(model, Float32Array.from(ids)))).output);
    expect(own).toHaveLength(expected.length);
    const used = output === 'tokens' ? ids.filter((id) => id !== pad).length * WIDTH : expected.length;
    for (let index = 0; index < used; index += 1) {
      const value = expected[index] ?? NaN;
      greatest = Math.max(greatest, Math.abs(value));
      worst = Math.max(worst, Math.abs((float[index] ?? NaN) - value));
      signal += value ** 2;
      squares += ((own[index] ?? NaN) - value) ** 2;
    }
  }
  await prepared.dispose();
  return { rows: rowLayers.length, float: worst / greatest, error: Math.sqrt(squares / signal) };
}

describe('encoders of the BERT family, against onnxruntime', () => {
  const cases = [['bert', 'unit mean'], ['bert', 'sequence'], ['bert', 'tokens'], ['bert', 'first'], ['roberta', 'mean'], ['roberta', 'sequence'], ['distilbert', 'unit mean'], ['distilbert', 'sequence']] as const;
  test.each(cases)('%s: %s', async (family, output) => {
    const { float, error } = await compare(family, output);
    expect(float).toBeLessThan(1e-4);
    expect(error).toBeLessThan(0.02);
  });

  test('sixteen bits are nearer than eight; with weights of sixteen the error is gone', async () => {
    const [eight, sixteen, all] = [await compare('bert', 'unit mean', { activationBits: 8 }), await compare('bert', 'unit mean', { activationBits: 16 }), await compare('bert', 'unit mean', { activationBits: 16, weightBits: 16 })];
    expect(sixteen.error).toBeLessThan(0.015);
    expect(eight.error).toBeGreaterThan(2 * sixteen.error);
    expect(all.error).toBeLessThan(0.001);
  });

  test('scales a row are nearer than eight bits with scales from calibration; chosen by measuring, they cost nothing to speak of', async () => {
    const [eight, rows] = [await compare('bert', 'unit mean', { activationBits: 8 }), await compare('bert', 'unit mean', { activationBits: 16, activations: 'row' })];
    expect(rows.rows).toBe(6 * LAYERS);
    expect(rows.error).toBeLessThan(0.5 * eight.error);
    const chosen = await compare('bert', 'unit mean', { activations: 'row' });
    expect(chosen.error).toBeLessThan(0.02);
  });

  test('files of the bare encoder, whose names have no prefix, are the same network', async () => {
    const tensors = randomTensors('bert', 7);
    const bare = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name.replace(/^bert\./, ''), tensor]));
    const [own, other] = await Promise.all([tensors, bare].map(async (given) => (await readEncoder(memoryFiles({ 'config.json': jsonBytes(CONFIGS.bert), 'model.safetensors': safetensorsBytes(given) }), { tokens: TOKENS })).network));
    const ids = Float32Array.from(texts(0, [7], 5).flat());
    expect(outputsOf(own!, evaluateNetwork(own!, ids))).toEqual(outputsOf(other!, evaluateNetwork(other!, ids)));
  });
});

describe('calibration without padding', () => {
  test('still gives a program that does not attend to padding', async () => {
    const calibration = Float32Array.from(texts(0, [12, 12, 12], 3).flat());
    const { error } = await compare('bert', 'unit mean', { calibration });
    expect(error).toBeLessThan(0.02);
  });
});

describe('what is not imported', () => {
  const tensors = randomTensors('bert', 1);
  const folder = (config: Record<string, unknown>, change: (tensors: Tensors) => void = () => undefined): ReturnType<typeof memoryFiles> => {
    const own = { ...tensors };
    change(own);
    return memoryFiles({ 'config.json': jsonBytes({ ...CONFIGS.bert, ...config }), 'model.safetensors': safetensorsBytes(own) });
  };
  const message = (files: ReturnType<typeof memoryFiles>, tokens = TOKENS): Promise<string> => importError(readEncoder(files, { tokens }));

  test('other architectures and settings, all at once', async () => {
    expect(await message(folder({ model_type: 'deberta' }))).toMatch(/type "deberta".*bert, distilbert, roberta/);
    expect(await message(folder({ hidden_act: 'strange', position_embedding_type: 'relative_key', num_attention_heads: 5 }))).toMatch(/activation "strange".*"relative_key".*5 heads of a width of 32/);
    expect(await message(folder({ hidden_size: 0 }))).toMatch(/hidden_size/);
    expect(await message(folder({ hidden_size: 'wide' }))).toMatch(/hidden_size/);
  });

  test('tensors that are missing, or of another shape, all at once', async () => {
    const files = folder({}, (own) => {
      delete own['bert.encoder.layer.0.attention.self.query.bias'];
      own['bert.encoder.layer.0.output.dense.weight'] = { shape: [WIDTH, 2], values: numbers(2 * WIDTH, 1) };
    });
    expect(await message(files)).toMatch(/query\.bias is missing.*output\.dense\.weight has the shape \[32, 2\], not \[32, 48\]/);
    expect(await message(folder({}, (own) => { own['bert.embeddings.LayerNorm.bias'] = { shape: [WIDTH], values: new Array<number>(WIDTH).fill(NaN) }; }))).toMatch(/not finite/);
  });

  test('more tokens than positions, values without bound, ids outside of the vocabulary', async () => {
    expect(await message(folder({}), 25)).toMatch('1 to 24 tokens, not 25');
    expect(await message(folder({}), 0)).toMatch('1 to 24');
    const huge = folder({ max_position_embeddings: 4096, num_attention_heads: 32 }, (own) => { own['bert.embeddings.position_embeddings.weight'] = { shape: [4096, WIDTH], values: numbers(4096 * WIDTH, 1) }; });
    expect(await message(huge, 4096)).toMatch('give fewer tokens');
    expect(await importError(importEncoder(folder({}), { tokens: TOKENS, calibration: new Float32Array(TOKENS).fill(VOCABULARY) }))).toMatch('number 0 of the calibration data is 40');
  });
});
