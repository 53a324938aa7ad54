import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../../deterministic-runtime/wasm/executor.ts';
import { dequantizeOutput, quantizeInput } from '../model-interface.ts';
import { evaluateNetwork, outputsOf } from '../network/evaluate.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import type { TestGraph, TestNode } from '../testing/onnx-file.ts';
import { reportImport } from '../report.ts';
import { importOnnx } from './import.ts';
import type { ImportedModel, OnnxImportOptions } from './import.ts';

/** Parts of networks of the last years, written out as exporters do, against onnxruntime. */

const numbers = (count: number, salt = 1): number[] => Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + salt) * (1 + (index % 5) / 4));
const weights = (dims: readonly number[], salt = 9, size = 1): { dims: readonly number[]; data: number[] } => ({ dims, data: numbers(dims.reduce((product, dim) => product * dim, 1), salt).map((value) => value * size) });
const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

interface Checked { readonly imported: ImportedModel; readonly samples: Float32Array; /** Root mean square of the error over that of the outputs. */ readonly error: number }

/** Imports a graph with float inputs, and compares all outputs with onnxruntime's; the float network exactly. */
async function check(graph: TestGraph, options: Partial<OnnxImportOptions> = {}): Promise<Checked> {
  const file = onnxFile(graph);
  const shapes = Object.entries(graph.inputs);
  const size = shapes.reduce((sum, [, dims]) => sum + count(dims), 0);
  const inputs = [3, 4, 5, 6].map((salt) => Float32Array.from(numbers(size, salt)));
  const samples = Float32Array.from(inputs.flatMap((input) => [...input]));
  const imported = importOnnx(file, { calibration: samples, ...options });
  admit(imported.model);
  const prepared = await createWasmExecutor().prepare(imported.model);
  const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  let [signal, squares] = [0, 0];
  for (const input of inputs) {
    let start = 0;
    const feeds = Object.fromEntries(shapes.map(([name, dims]) => [name, new Tensor('float32', input.slice(start, (start += count(dims))), dims)]));
    const results = await session.run(feeds);
    const expected = Object.keys(graph.outputs).flatMap((name) => [...(results[name]?.data as Float32Array)]);
    const floats = outputsOf(imported.network, evaluateNetwork(imported.network, input));
    const own = dequantizeOutput(imported.model, (await prepared.run(quantizeInput(imported.model, input))).output);
    expect(own).toHaveLength(expected.length);
    const greatest = Math.max(...expected.map(Math.abs));
    expected.forEach((value, index) => {
      expect(Math.abs((floats[index] ?? NaN) - value)).toBeLessThan(2e-4 * greatest);
      signal += value ** 2;
      squares += (value - (own[index] ?? NaN)) ** 2;
    });
  }
  await prepared.dispose();
  return { imported, samples, error: Math.sqrt(squares / signal) };
}

const LENGTH = 6;
const WIDTH = 16;
const HEADS = 2;

/** A transformer encoder's block as PyTorch exports it before operator set 17: normalisation and GELU written out. */
function block(): TestGraph {
  const nodes: TestNode[] = [
    { operator: 'ReduceMean', inputs: ['x'], outputs: ['mean'], integers: { axes: [-1] } },
    { operator: 'Sub', inputs: ['x', 'mean'], outputs: ['d'] },
    { operator: 'Pow', inputs: ['d', 'two'], outputs: ['square'] },
    { operator: 'ReduceMean', inputs: ['square'], outputs: ['variance'], integers: { axes: [-1] } },
    { operator: 'Add', inputs: ['variance', 'epsilon'], outputs: ['ve'] },
    { operator: 'Sqrt', inputs: ['ve'], outputs: ['deviation'] },
    { operator: 'Div', inputs: ['d', 'deviation'], outputs: ['normal'] },
    { operator: 'Mul', inputs: ['normal', 'gamma'], outputs: ['scaled'] },
    { operator: 'Add', inputs: ['scaled', 'beta'], outputs: ['n'] },
    ...['q', 'k', 'v'].flatMap((which): TestNode[] => [
      { operator: 'MatMul', inputs: ['n', `w${which}`], outputs: [`${which}0`] },
      { operator: 'Reshape', inputs: [`${which}0`, 'heads'], outputs: [`${which}1`] },
      { operator: 'Transpose', inputs: [`${which}1`], outputs: [which], integers: { perm: which === 'k' ? [0, 2, 3, 1] : [0, 2, 1, 3] } },
    ]),
    { operator: 'MatMul', inputs: ['q', 'k'], outputs: ['scores0'] },
    { operator: 'Div', inputs: ['scores0', 'root'], outputs: ['scores1'] },
    { operator: 'Add', inputs: ['scores1', 'mask'], outputs: ['scores'] },
    { operator: 'Softmax', inputs: ['scores'], outputs: ['p'], integers: { axis: -1 } },
    { operator: 'MatMul', inputs: ['p', 'v'], outputs: ['a0'] },
    { operator: 'Transpose', inputs: ['a0'], outputs: ['a1'], integers: { perm: [0, 2, 1, 3] } },
    { operator: 'Reshape', inputs: ['a1', 'flat'], outputs: ['a'] },
    { operator: 'MatMul', inputs: ['a', 'wo'], outputs: ['o'] },
    { operator: 'Add', inputs: ['o', 'x'], outputs: ['r'] },
    { operator: 'MatMul', inputs: ['r', 'w1'], outputs: ['h0'] },
    { operator: 'Add', inputs: ['h0', 'b1'], outputs: ['h'] },
    { operator: 'Div', inputs: ['h', 'sqrt2'], outputs: ['e0'] },
    { operator: 'Erf', inputs: ['e0'], outputs: ['e1'] },
    { operator: 'Add', inputs: ['e1', 'one'], outputs: ['e2'] },
    { operator: 'Mul', inputs: ['h', 'e2'], outputs: ['g0'] },
    { operator: 'Mul', inputs: ['g0', 'half'], outputs: ['g'] },
    { operator: 'MatMul', inputs: ['g', 'w2'], outputs: ['f'] },
    { operator: 'Add', inputs: ['r', 'f'], outputs: ['y'] },
  ];
  const single = (value: number): { dims: number[]; data: number[] } => ({ dims: [], data: [value] });
  const mask = Array.from({ length: LENGTH * LENGTH }, (_, index) => (index % LENGTH > Math.floor(index / LENGTH) ? -10000 : 0));
  const constants = {
    two: single(2), one: single(1), half: single(0.5), epsilon: single(1e-5), sqrt2: single(Math.SQRT2), root: single(Math.sqrt(WIDTH / HEADS)),
    gamma: weights([WIDTH], 1), beta: weights([WIDTH], 2), mask: { dims: [1, 1, LENGTH, LENGTH], data: mask },
    ...Object.fromEntries(['wq', 'wk', 'wv', 'wo'].map((name, index) => [name, weights([WIDTH, WIDTH], index, 0.3)])),
    w1: weights([WIDTH, 24], 5, 0.3), b1: weights([24], 6), w2: weights([24, WIDTH], 7, 0.3),
    heads: { dims: [4], data: [0, 0, HEADS, WIDTH / HEADS], type: 'int64' as const }, flat: { dims: [3], data: [0, 0, WIDTH], type: 'int64' as const },
  };
  return { nodes, inputs: { x: [1, LENGTH, WIDTH] }, outputs: { y: [1, LENGTH, WIDTH] }, constants };
}

describe('a transformer\'s block, masked, written out', () => {
  test('becomes few layers; with eight bits where they suffice its error is small, with sixteen smaller', async () => {
    const { imported, samples, error } = await check(block());
    const kinds = imported.network.layers.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'normalization')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'function')).toHaveLength(1);
    expect(kinds).not.toContain('reduction');
    expect(error).toBeLessThan(0.03);
    const sixteen = await check(block(), { activationBits: 16 });
    expect(sixteen.error).toBeLessThan(0.015);

    const report = await reportImport(imported, samples, createWasmExecutor());
    expect(report.operators).toHaveLength(imported.model.program.prologue.length);
    expect(report.total.bytes).toBe(imported.model.constants.reduce((sum, { length }) => sum + length, 0));
    expect(report.total.steps).toBe(admit(imported.model).steps);
    const last = report.operators.findLast(({ error: measured }) => measured !== null);
    expect(last?.error?.relative).toBeLessThan(0.05);
    expect(report.operators.filter(({ error: measured }) => measured !== null).length).toBeGreaterThan(10);
  });
});

describe('recurrent networks, unrolled', () => {
  test.each(['LSTM', 'GRU', 'RNN'].flatMap((operator) => ['forward', 'reverse', 'bidirectional'].map((direction) => [operator, direction] as const)))('%s, %s', async (operator, direction) => {
    const [gates, hidden, inputs, directions] = [{ LSTM: 4, GRU: 3, RNN: 1 }[operator] ?? 1, 4, 3, direction === 'bidirectional' ? 2 : 1];
    const outputs = { y: [], h: [] };
    const constants = { w: weights([directions, gates * hidden, inputs], 1, 0.5), r: weights([directions, gates * hidden, hidden], 2, 0.4), b: weights([directions, 2 * gates * hidden], 3, 0.3) };
    const nodes: TestNode[] = [{ operator, inputs: ['x', 'w', 'r', 'b'], outputs: ['y', 'h'], integers: { hidden_size: hidden, direction } }];
    const { error, imported } = await check({ nodes, inputs: { x: [5, 2, inputs] }, outputs, constants }, { activationBits: 16 });
    expect(error).toBeLessThan(0.01);
    expect(imported.model.program.metadata.output).toMatchObject({ kind: 'tensors' });
  });
});

describe('several inputs, other dimensions', () => {
  test('two inputs that meet in a sum, a product and a comparison', async () => {
    const nodes: TestNode[] = [
      { operator: 'MatMul', inputs: ['a', 'b'], outputs: ['p'] },
      { operator: 'Max', inputs: ['p', 'c'], outputs: ['m'] },
      { operator: 'Less', inputs: ['p', 'c'], outputs: ['less'] },
      { operator: 'Where', inputs: ['less', 'm', 'p'], outputs: ['y'] },
      { operator: 'ReduceMax', inputs: ['y'], outputs: ['z'], integers: { axes: [1], keepdims: 0 } },
    ];
    const { error } = await check({ nodes, inputs: { a: [2, 3, 5], b: [2, 5, 4], c: [3, 1] }, outputs: { y: [], z: [] } }, { activationBits: 16 });
    expect(error).toBeLessThan(0.01);
  });

  test('signals: a convolution with groups, a normalisation, a transposed convolution', async () => {
    const nodes: TestNode[] = [
      { operator: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['c'], integers: { kernel_shape: [3], pads: [1, 1], group: 2 } },
      { operator: 'InstanceNormalization', inputs: ['c', 'gamma', 'beta'], outputs: ['n'] },
      { operator: 'Elu', inputs: ['n'], outputs: ['e'] },
      { operator: 'ConvTranspose', inputs: ['e', 't'], outputs: ['u'], integers: { kernel_shape: [4], strides: [2], pads: [1, 1] } },
      { operator: 'Concat', inputs: ['u', 'u'], outputs: ['y'], integers: { axis: 1 } },
    ];
    const constants = { w: weights([6, 2, 3]), b: weights([6]), gamma: weights([6], 2), beta: weights([6], 3), t: weights([6, 2, 4], 4, 0.4) };
    const { error } = await check({ nodes, inputs: { x: [2, 4, 10] }, outputs: { y: [] }, constants }, { activationBits: 16 });
    expect(error).toBeLessThan(0.01);
  });

  test('token ids stay whole: embeddings, positions and a mask', async () => {
    const nodes: TestNode[] = [
      { operator: 'Gather', inputs: ['words', 'ids'], outputs: ['e'] },
      { operator: 'Equal', inputs: ['ids', 'zero'], outputs: ['empty'] },
      { operator: 'Cast', inputs: ['empty'], outputs: ['flag'], integers: { to: 1 } },
      { operator: 'Unsqueeze', inputs: ['flag', 'axis'], outputs: ['column'] },
      { operator: 'Add', inputs: ['e', 'column'], outputs: ['y'] },
    ];
    const constants = {
      words: weights([20, 6]), zero: { dims: [], data: [0], type: 'int64' as const }, axis: { dims: [1], data: [2], type: 'int64' as const },
    };
    const file = onnxFile({ nodes, inputs: { ids: [1, 4] }, outputs: { y: [1, 4, 6] }, constants }, (model) => { model.graph!.input![0]!.type!.tensorType!.elemType = 7; });
    const ids = [3, 0, 19, 7];
    const { model } = importOnnx(file, { calibration: Float32Array.from([0, 1, 2, 3, 19, 18, 17, 0, ...ids]) });
    expect(admit(model).model.program.signature).toMatch(/^infer\(int32\[4\]\)/);
    const prepared = await createWasmExecutor().prepare(model);
    const own = dequantizeOutput(model, (await prepared.run(quantizeInput(model, Float32Array.from(ids)))).output);
    const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
    const expected = (await session.run({ ids: new Tensor('int64', BigInt64Array.from(ids.map(BigInt)), [1, 4]) }))['y']?.data as Float32Array;
    own.forEach((value, index) => expect(Math.abs(value - (expected[index] ?? NaN))).toBeLessThan(0.03));
  });
});
