import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../../deterministic-runtime/wasm/executor.ts';
import { decodeOutput, dequantizeOutput, quantizeInput } from '../model-interface.ts';
import { evaluateNetwork } from '../network/evaluate.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import type { TestGraph, TestNode } from '../testing/onnx-file.ts';
import { importOnnx } from './import.ts';

/** Small models of every supported operator, against onnxruntime: the float network exactly, its integers within their steps. */

const numbers = (count: number, salt = 1): number[] => Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + salt) * (1 + (index % 5) / 4));

interface Checked { readonly file: Uint8Array; readonly floatError: number; readonly integerError: number }

async function check(graph: TestGraph, salts: readonly number[] = [3, 4, 5]): Promise<Checked> {
  const file = onnxFile(graph);
  const [[name, dims] = ['', []]] = Object.entries(graph.inputs);
  const size = dims.reduce((product, dim) => product * dim, 1);
  // Not centred on 0, so that zero points matter.
  const inputs = salts.map((salt) => Float32Array.from(numbers(size, salt), (value) => value + 1));
  const { model, network } = importOnnx(file, { calibration: Float32Array.from(inputs.flatMap((input) => [...input])) });
  admit(model);
  const prepared = await createWasmExecutor().prepare(model);
  const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const [output = ''] = session.outputNames;
  let [floatError, integerError, greatest] = [0, 0, 0];
  for (const input of inputs) {
    const reference = (await session.run({ [name]: new Tensor('float32', input, dims) }))[output];
    const expected = reference?.data as Float32Array;
    expect(network.dims.get(network.outputs[0] ?? '')).toEqual(reference?.dims);
    const own = evaluateNetwork(network, input).get(network.outputs[0] ?? '')?.data ?? new Float32Array();
    const integers = dequantizeOutput(model, (await prepared.run(quantizeInput(model, input))).output);
    expect(own).toHaveLength(expected.length);
    expect(integers).toHaveLength(expected.length);
    expected.forEach((value, index) => {
      greatest = Math.max(greatest, Math.abs(value));
      floatError = Math.max(floatError, Math.abs(value - (own[index] ?? NaN)));
      integerError = Math.max(integerError, Math.abs(value - (integers[index] ?? NaN)));
    });
  }
  expect(floatError).toBeLessThanOrEqual(1e-4 * greatest);
  return { file, floatError, integerError: integerError / greatest };
}

const weights = (dims: readonly number[], salt = 9): { dims: readonly number[]; data: number[] } => ({ dims, data: numbers(dims.reduce((product, dim) => product * dim, 1), salt) });

describe('convolutions and pooling', () => {
  const attributes = fc.record({
    channels: fc.constantFrom(1, 3, 33), outputs: fc.integer({ min: 1, max: 3 }), kernel: fc.constantFrom([1, 1], [3, 3], [2, 3]),
    strides: fc.constantFrom([1, 1], [2, 1], [2, 2]), dilations: fc.constantFrom([1, 1], [1, 2]), padding: fc.constantFrom('SAME_UPPER', 'SAME_LOWER', 'VALID', 'pads'),
    depthwise: fc.boolean(), relu: fc.boolean(),
  });

  test('any window, padding, stride and dilation', async () => {
    await fc.assert(
      fc.asyncProperty(attributes, async ({ channels, outputs, kernel, strides, dilations, padding, depthwise, relu }) => {
        const padded = padding === 'pads' ? { pads: [1, 0, 2, 1] } : { auto_pad: padding };
        // onnxruntime refuses SAME padding with dilations.
        const spread = padding.startsWith('SAME') ? [1, 1] : dilations;
        const groups = depthwise ? channels : 1;
        const out = depthwise ? channels : outputs;
        const nodes: TestNode[] = [
          { operator: 'Conv', inputs: ['x', 'w', 'b'], outputs: [relu ? 'c' : 'y'], integers: { kernel_shape: kernel, strides, dilations: spread, group: groups, ...padded } },
          ...(relu ? [{ operator: 'Relu', inputs: ['c'], outputs: ['y'] }] : []),
        ];
        const { integerError } = await check({ nodes, inputs: { x: [1, channels, 6, 5] }, outputs: { y: [] }, constants: { w: weights([out, channels / groups, ...kernel]), b: weights([out], 2) } });
        expect(integerError).toBeLessThan(0.08);
      }),
      { seed: 11, numRuns: 30 },
    );
  });

  test('pooling, with ceil_mode and padding that counts or does not', async () => {
    const pools = fc.record({
      operator: fc.constantFrom('MaxPool', 'AveragePool'), kernel: fc.constantFrom([2, 2], [3, 2]), strides: fc.constantFrom([1, 1], [2, 2], [3, 2]),
      pads: fc.constantFrom([0, 0, 0, 0], [1, 0, 1, 1], [1, 1, 1, 1]), mode: fc.constantFrom('floor', 'ceil', 'count'),
    });
    await fc.assert(
      fc.asyncProperty(pools, async ({ operator, kernel, strides, pads, mode }) => {
        const extra = mode === 'ceil' ? { ceil_mode: 1 } : mode === 'count' && operator === 'AveragePool' ? { count_include_pad: 1 } : {};
        const nodes: TestNode[] = [{ operator, inputs: ['x'], outputs: ['y'], integers: { kernel_shape: kernel, strides, pads, ...extra } }];
        const { integerError } = await check({ nodes, inputs: { x: [1, 3, 7, 6] }, outputs: { y: [] } });
        expect(integerError).toBeLessThan(0.03);
      }),
      { seed: 12, numRuns: 25 },
    );
  });

  test('a network of several layers, its image flattened before a dense layer', async () => {
    const nodes: TestNode[] = [
      { operator: 'Div', inputs: ['x', 'two'], outputs: ['scaled'] },
      { operator: 'Conv', inputs: ['scaled', 'w1'], outputs: ['c1'], integers: { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER' } },
      { operator: 'BatchNormalization', inputs: ['c1', 'gamma', 'beta', 'mean', 'variance'], outputs: ['n1'] },
      { operator: 'Clip', inputs: ['n1', 'zero', 'six'], outputs: ['r1'] },
      { operator: 'Conv', inputs: ['r1', 'w2'], outputs: ['c2'], integers: { kernel_shape: [1, 1] } },
      { operator: 'Add', inputs: ['c2', 'offset'], outputs: ['o2'] },
      { operator: 'Add', inputs: ['o2', 'r1'], outputs: ['sum'] },
      { operator: 'AveragePool', inputs: ['sum'], outputs: ['p'], integers: { kernel_shape: [2, 2], strides: [2, 2] } },
      { operator: 'Flatten', inputs: ['p'], outputs: ['f'] },
      { operator: 'Gemm', inputs: ['f', 'w3', 'b3'], outputs: ['h'], integers: { transB: 1 } },
      { operator: 'Relu', inputs: ['h'], outputs: ['hr'] },
      { operator: 'MatMul', inputs: ['hr', 'w4'], outputs: ['l'] },
      { operator: 'Add', inputs: ['b4', 'l'], outputs: ['y'] },
    ];
    const constants = {
      two: { dims: [], data: [2] }, zero: { dims: [], data: [0] }, six: { dims: [], data: [6] }, w1: weights([4, 2, 3, 3]),
      gamma: weights([4], 1), beta: weights([4], 2), mean: weights([4], 3), variance: { dims: [4], data: [0.5, 1, 2, 3] },
      w2: weights([4, 4, 1, 1], 5), offset: weights([1, 4, 1, 1], 6), w3: weights([10, 36], 7), b3: weights([10], 8), w4: weights([10, 5], 9), b4: weights([5], 10),
    };
    const { file, integerError } = await check({ nodes, inputs: { x: [1, 2, 6, 6] }, outputs: { y: [1, 5] }, constants });
    expect(integerError).toBeLessThan(0.08);
    const { model, network } = importOnnx(file, { calibration: Float32Array.from(numbers(72, 3)), classify: true });
    expect(network.layers.map(({ kind }) => kind)).toEqual(['multiply', 'convolution', 'convolution', 'add', 'pooling', 'reshape', 'dense', 'dense']);
    const prepared = await createWasmExecutor().prepare(model);
    const output = decodeOutput(model, (await prepared.run(quantizeInput(model, Float32Array.from(numbers(72, 3))))).output);
    const logits = evaluateNetwork(network, Float32Array.from(numbers(72, 3))).get(network.outputs[0] ?? '')?.data ?? [];
    expect(output).toEqual({ kind: 'class', class: [...logits].indexOf(Math.max(...logits)) });
  });
});

describe('element-wise operators and shapes', () => {
  const unary: readonly (readonly [string, TestNode])[] = (
    [
      { operator: 'Sigmoid' }, { operator: 'Tanh' }, { operator: 'LeakyRelu', floats: { alpha: 0.2 } }, { operator: 'Relu' }, { operator: 'GlobalAveragePool' }, { operator: 'Softmax', integers: { axis: -1 } },
      { operator: 'Transpose', integers: { perm: [0, 2, 3, 1] } }, { operator: 'Transpose', integers: { perm: [0, 1, 3, 2] } }, { operator: 'Flatten', integers: { axis: -2 } },
    ] satisfies readonly Partial<TestNode>[]
  ).map((node) => [JSON.stringify(node), { ...node, inputs: ['x'], outputs: ['y'] } as TestNode]);

  test.each(unary)('%s', async (_, node) => {
    const { integerError } = await check({ nodes: [node], inputs: { x: [1, 3, 4, 5] }, outputs: { y: [] } });
    expect(integerError).toBeLessThan(0.03);
  });

  const constants = {
    channel: weights([3, 1, 1]), row: weights([5], 4), full: { dims: [1, 3, 4, 5], data: numbers(60, 8).map((value) => value + Math.sign(value)) }, minus: { dims: [], data: [-0.75] },
    shape: { dims: [3], data: [0, -1, 5], type: 'int64' as const }, axes: { dims: [1], data: [0], type: 'int64' as const },
  };
  const binary = ['Add', 'Sub', 'Mul', 'Div'].flatMap((operator) => ['channel', 'row', 'full', 'minus'].map((constant) => [operator, constant] as const));

  test.each(binary)('%s with the constant "%s"', async (operator, constant) => {
    const used = { [constant]: constants[constant as 'full'] };
    const { integerError } = await check({ nodes: [{ operator, inputs: ['x', constant], outputs: ['y'] }], inputs: { x: [1, 3, 4, 5] }, outputs: { y: [] }, constants: used });
    expect(integerError).toBeLessThan(0.025);
  });

  test('computed values broadcast: a gate of one number a channel', async () => {
    const nodes: TestNode[] = [
      { operator: 'GlobalAveragePool', inputs: ['x'], outputs: ['mean'] },
      { operator: 'Sigmoid', inputs: ['mean'], outputs: ['gate'] },
      { operator: 'Relu', inputs: ['x'], outputs: ['cut'] },
      { operator: 'Mul', inputs: ['gate', 'cut'], outputs: ['y'] },
    ];
    expect((await check({ nodes, inputs: { x: [1, 6, 3, 3] }, outputs: { y: [] } })).integerError).toBeLessThan(0.03);
  });

  test('what two layers read is not fused into either', async () => {
    const nodes: TestNode[] = [
      { operator: 'Conv', inputs: ['x', 'w'], outputs: ['c'], integers: { kernel_shape: [1, 1] } },
      { operator: 'Relu', inputs: ['c'], outputs: ['r'] },
      { operator: 'Add', inputs: ['c', 'r'], outputs: ['y'] },
    ];
    expect((await check({ nodes, inputs: { x: [1, 2, 3, 3] }, outputs: { y: [] }, constants: { w: weights([4, 2, 1, 1]) } })).integerError).toBeLessThan(0.03);
  });

  test('reshapes of an image keep the model\'s element order', async () => {
    const nodes: TestNode[] = [
      { operator: 'MaxPool', inputs: ['x'], outputs: ['p'], integers: { kernel_shape: [1, 1] } },
      { operator: 'Reshape', inputs: ['p', 'shape'], outputs: ['r'] },
      { operator: 'Squeeze', inputs: ['r', 'axes'], outputs: ['s'] },
      { operator: 'Unsqueeze', inputs: ['s', 'axes'], outputs: ['u'] },
      { operator: 'MatMul', inputs: ['u', 'm'], outputs: ['y'] },
    ];
    const { shape, axes } = constants;
    expect((await check({ nodes, inputs: { x: [1, 3, 4, 5] }, outputs: { y: [] }, constants: { shape, axes, m: weights([5, 2]) } })).integerError).toBeLessThan(0.03);
  });
});
