import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../../../deterministic-runtime/program/admission.ts';
import type { Model } from '../../../../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../../../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../../../deterministic-runtime/wasm/executor.ts';
import type { TensorInput, TensorOutput } from '../../network/metadata.ts';
import { decodeOnnx } from '../decode.ts';
import { importQuantizedGraph } from './import.ts';
import { quantizedFile } from './testing/quantized-file.ts';
import type { QuantizedTestGraph, TestConstant } from './testing/quantized-file.ts';

const numbers = (count: number, salt: number): Float32Array => Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7 + salt * 2.3) * (1 + ((index * salt) % 5)) + salt / 7);
const bytes = (count: number, salt: number): number[] => Array.from({ length: count }, (_, index) => ((index * 89 + salt * 57 + (index >> 2) * 13) % 255) - 127);

/** The model's outputs for float inputs, by the metadata's scales. */
async function run(model: Model, input: Float32Array): Promise<number[]> {
  const { input: taken, output: given } = model.program.metadata as unknown as { readonly input: TensorInput; readonly output: TensorOutput };
  const integers = Int32Array.from(input, (value) => Math.round(value / taken.scale));
  const last = model.program.prologue.at(-1);
  if (last === undefined) throw new Error('no operators');
  const result = await (await createWasmExecutor().prepare(model)).run(packTensor(model.program.input, new Uint8Array(integers.buffer)));
  const elements = unpackTensor(last.output, result.output).slice();
  const values = given.element === 'int32' ? new Int32Array(elements.buffer) : new Int8Array(elements.buffer);
  return Array.from(values, (value) => given.scale * (value - given.zeroPoint));
}

const load = (graph: QuantizedTestGraph, calibration: Float32Array): Model => {
  const { model } = importQuantizedGraph(decodeOnnx(quantizedFile(graph)), { classify: false, calibration });
  admit(model);
  return model;
};

async function reference(graph: QuantizedTestGraph, input: Float32Array): Promise<number[]> {
  const session = await InferenceSession.create(quantizedFile(graph), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  return Array.from((await session.run({ x: new Tensor('float32', input, graph.input.dims) }))['y']?.data as Float32Array, Number);
}

/** A fully connected layer as onnxruntime's dynamic quantisation writes it. */
function layer(from: string, to: string, inputs: number, outputs: number, salt: number, relu: boolean): { nodes: QuantizedTestGraph['nodes']; constants: Record<string, TestConstant> } {
  const n = (name: string): string => `${to}.${name}`;
  return {
    nodes: [
      { operator: 'DynamicQuantizeLinear', inputs: [from], outputs: [n('q'), n('s'), n('z')] },
      { operator: 'MatMulInteger', inputs: [n('q'), n('w'), n('z'), n('wz')], outputs: [n('sums')] },
      { operator: 'Cast', inputs: [n('sums')], outputs: [n('float')], attributes: { to: 1 } },
      { operator: 'Mul', inputs: [n('s'), n('ws')], outputs: [n('scale')] },
      { operator: 'Mul', inputs: [n('float'), n('scale')], outputs: [n('product')] },
      { operator: 'Add', inputs: [n('product'), n('b')], outputs: [relu ? n('sum') : to] },
      ...(relu ? [{ operator: 'Relu', inputs: [n('sum')], outputs: [to] }] : []),
    ],
    constants: {
      [n('w')]: { type: 'int8', dims: [inputs, outputs], data: bytes(inputs * outputs, salt) },
      [n('wz')]: { type: 'int8', dims: [], data: [salt === 2 ? 3 : 0] },
      [n('ws')]: { type: 'float', dims: [], data: [Math.fround(0.003 * salt)] },
      [n('b')]: { type: 'float', dims: [outputs], data: [...numbers(outputs, salt + 5)] },
    },
  };
}

describe('quantised while the model runs', () => {
  test('DynamicQuantizeLinear: the bytes, for ranges on either side of 0 and beyond what calibration saw', async () => {
    const graph: QuantizedTestGraph = { nodes: [{ operator: 'DynamicQuantizeLinear', inputs: ['x'], outputs: ['y', 's', 'z'] }], input: { type: 'float', dims: [1, 50] }, output: { type: 'uint8', dims: [1, 50] }, constants: {} };
    const model = load(graph, numbers(50, 3));
    for (const salt of [1, 2, 3, 9, 21]) {
      for (const input of [numbers(50, salt), numbers(50, salt).map((value) => Math.abs(value) + 1), numbers(50, salt).map((value) => -Math.abs(value) * 40), new Float32Array(50)]) {
        const own = await run(model, input);
        const expected = await reference(graph, input);
        // Fixed point has 20 bits and more of the range, so a byte differs only where a value lies that near to a half.
        expect(own.filter((value, index) => Math.abs(value - (expected[index] ?? NaN)) > 1)).toEqual([]);
        expect(own.filter((value, index) => value !== expected[index]).length).toBeLessThanOrEqual(1);
      }
    }
  });

  test('three layers, within one step of onnxruntime', async () => {
    const parts = [layer('x', 'h', 24, 40, 1, true), layer('h', 'g', 40, 16, 2, true), layer('g', 'y', 16, 5, 3, false)];
    const graph: QuantizedTestGraph = { nodes: parts.flatMap(({ nodes }) => [...nodes]), constants: Object.assign({}, ...parts.map(({ constants }) => constants)) as Record<string, TestConstant>, input: { type: 'float', dims: [1, 24] }, output: { type: 'float', dims: [1, 5] } };
    const model = load(graph, Float32Array.from([1, 2, 3].flatMap((salt) => [...numbers(24, salt)])));
    let [worst, same] = [0, 0];
    for (let salt = 1; salt <= 20; salt += 1) {
      const own = await run(model, numbers(24, salt));
      const expected = await reference(graph, numbers(24, salt));
      const greatest = Math.max(...expected.map(Math.abs));
      own.forEach((value, index) => { worst = Math.max(worst, Math.abs(value - (expected[index] ?? NaN)) / greatest); });
      if (own.every((value, index) => Math.abs(value - (expected[index] ?? NaN)) < 1e-4 * greatest)) same += 1;
    }
    // A byte that falls to the other side of a half moves an output by less than a step of 1/255.
    expect(worst).toBeLessThan(1 / 255);
    expect(same).toBeGreaterThanOrEqual(18);
  });

  test('calibration data is asked for', () => {
    const { nodes, constants } = layer('x', 'y', 4, 2, 1, false);
    const graph: QuantizedTestGraph = { nodes, constants, input: { type: 'float', dims: [1, 4] }, output: { type: 'float', dims: [1, 2] } };
    expect(() => importQuantizedGraph(decodeOnnx(quantizedFile(graph)), { classify: false })).toThrow('give calibration data');
    expect(() => load(graph, numbers(3, 1))).toThrow('whole inputs of 4');
    expect(() => load({ ...graph, nodes: [...nodes.slice(0, -1), { operator: 'Sigmoid', inputs: ['y.product'], outputs: ['y'] }] }, numbers(4, 1))).toThrow('only matrix products');
  });
});
