import onnxProto from 'onnx-proto';
import type { onnx } from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { evaluateNetwork } from '../network/evaluate.ts';
import { decodeOnnx } from './decode.ts';
import { toNetwork } from './import.ts';

/** If, Loop and sequences, against onnxruntime. */

type Node = onnx.INodeProto;
const node = (opType: string, input: readonly string[], output: readonly string[], attribute: onnx.IAttributeProto[] = []): Node => ({ opType, input: [...input], output: [...output], attribute, name: '' });
const value = (name: string, elemType?: number, dims: readonly number[] = []): onnx.IValueInfoProto => ({ name, ...(elemType === undefined ? {} : { type: { tensorType: { elemType, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } } }) });
const sequence = (name: string): onnx.IValueInfoProto => ({ name, type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } } as unknown as onnx.IValueInfoProto);
const graph = (attribute: string, nodes: Node[], outputs: onnx.IValueInfoProto[], inputs: onnx.IValueInfoProto[] = []): onnx.IAttributeProto => ({ name: attribute, type: 5, g: { name: attribute, node: nodes, input: inputs, output: outputs } });
const integer = (name: string, number: number, dims: readonly number[] = []): onnx.ITensorProto => ({ name, dims: [...dims], dataType: 7, int64Data: [number] });
const truth = (name: string, number: 0 | 1): onnx.ITensorProto => ({ name, dims: [], dataType: 9, int32Data: [number] });

function file(nodes: Node[], initializer: onnx.ITensorProto[], outputDims: readonly number[]): Uint8Array {
  return onnxProto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph: { name: 'test', node: nodes, initializer, input: [value('x', 1, [1, 4])], output: [value('y', 1, outputDims)] } }).finish();
}

async function compare(bytes: Uint8Array): Promise<void> {
  const network = toNetwork(decodeOnnx(bytes));
  const x = Float32Array.of(0.5, -2, 3, 7);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const expected = (await session.run({ x: new Tensor('float32', x, [1, 4]) }))['y'];
  const own = evaluateNetwork(network, x).get(network.outputs[0] ?? '');
  expect(own?.dims).toEqual(expected?.dims);
  expect([...(own?.data ?? [])]).toEqual([...(expected?.data as Float32Array)]);
}

const branches = [
  graph('then_branch', [node('Add', ['x', 'x'], ['r'])], [value('r', 1, [1, 4])]),
  graph('else_branch', [node('Neg', ['x'], ['r'])], [value('r', 1, [1, 4])]),
];
/** A loop that adds x to what it carries, and puts that into a sequence. */
const body = graph('body', [
  node('Add', ['before', 'x'], ['after']),
  node('SequenceInsert', ['list', 'after'], ['longer']),
  node('Identity', ['goes'], ['on']),
], [value('on', 9), value('after', 1), sequence('longer')], [value('i', 7), value('goes', 9), value('before', 1), sequence('list')]);
const loop = [
  node('SequenceEmpty', [], ['empty']),
  node('Loop', ['trips', '', 'x', 'empty'], ['last', 'all'], [body]),
];

describe('control flow that is known at import', () => {
  test.each([0, 1] as const)('If with the condition %i', async (condition) => {
    await compare(file([node('If', ['c'], ['s'], branches), node('Relu', ['s'], ['y'])], [truth('c', condition)], [1, 4]));
  });

  test('Loop: what it carries', async () => {
    await compare(file([...loop, node('Identity', ['last'], ['y'])], [integer('trips', 3)], [1, 4]));
  });

  test('Loop: a sequence, joined, and one of its entries', async () => {
    await compare(file([...loop, node('ConcatFromSequence', ['all'], ['y'], [{ name: 'axis', type: 2, i: 0 }])], [integer('trips', 3)], [3, 4]));
    await compare(file([...loop, node('ConcatFromSequence', ['all'], ['y'], [{ name: 'axis', type: 2, i: 0 }, { name: 'new_axis', type: 2, i: 1 }])], [integer('trips', 3)], [3, 1, 4]));
    await compare(file([...loop, node('SequenceAt', ['all', 'place'], ['y'])], [integer('trips', 3), integer('place', -2)], [1, 4]));
  });
});

describe('control flow that is refused', () => {
  const load = (bytes: Uint8Array): unknown => toNetwork(decodeOnnx(bytes));

  test('conditions that depend on the input', () => {
    expect(() => load(file([node('ReduceSum', ['x'], ['n']), node('Greater', ['n', 'zero'], ['c']), node('If', ['c'], ['y'], branches)], [{ name: 'zero', dims: [], dataType: 1, floatData: [0] }], [1, 4]))).toThrow('depends on the model\'s input');
  });

  test('loops that take too long, alone or inside of each other', () => {
    expect(() => load(file([...loop, node('Identity', ['last'], ['y'])], [integer('trips', 2 ** 40)], [1, 4]))).toThrow('more than 1024 iterations');
    const nested = (depth: number): Node => node('Loop', ['trips', '', `v${depth}`], [`w${depth}`], [graph('body', [
      depth === 0 ? node('Add', [`u${depth}`, 'x'], [`t${depth}`]) : node('Identity', [`u${depth}`], [`v${depth - 1}`]),
      ...(depth === 0 ? [] : [nested(depth - 1)]),
      node('Identity', [`g${depth}`], [`o${depth}`]),
    ], [value(`o${depth}`, 9), value(depth === 0 ? 't0' : `w${depth - 1}`, 1)], [value(`i${depth}`, 7), value(`g${depth}`, 9), value(`u${depth}`, 1)])]);
    expect(() => load(file([node('Identity', ['x'], ['v2']), nested(2), node('Identity', ['w2'], ['y'])], [integer('trips', 1000)], [1, 4]))).toThrow(/nodes when they are unrolled|layers/);
  });
});
