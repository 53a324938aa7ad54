import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createWasmExecutor } from '../../../deterministic-runtime/wasm/executor.ts';
import { dequantizeOutput, quantizeInput } from '../model-interface.ts';
import { evaluateNetwork, outputsOf } from '../network/evaluate.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import type { TestGraph, TestNode } from '../testing/onnx-file.ts';
import { decodeOnnx } from './decode.ts';
import { importOnnx, toNetwork } from './import.ts';

/** Forms of newer operators that must be refused with one clear error, and computed indices against onnxruntime; ONNX's own tests of them are in test/conformance. */

const refused = (nodes: readonly TestNode[], graph: Partial<TestGraph> = {}): (() => unknown) => () =>
  importOnnx(onnxFile({ nodes, inputs: { x: [1, 2, 3, 4] }, outputs: { y: [] }, opset: 23, ...graph }), { calibration: new Float32Array(24).fill(1) });
const whole = (data: readonly number[], dims: readonly number[] = [data.length]): { dims: readonly number[]; data: readonly number[]; type: 'int64' } => ({ dims, data, type: 'int64' });

describe('what is refused', () => {
  test('attention whose parts do not fit', () => {
    const attention = (inputs: readonly string[], integers = {}): TestNode[] => [{ operator: 'Attention', name: 'a', inputs, outputs: ['y'], integers }];
    const constants = { k: { dims: [1, 2, 5, 3], data: new Array<number>(30).fill(0) }, m: { dims: [7, 9], data: new Array<number>(63).fill(0) }, flat: { dims: [1, 3, 8], data: new Array<number>(24).fill(0) } };
    expect(refused(attention(['x', 'k', 'k']), { constants })).toThrow('queries [1, 2, 3, 4], keys [1, 2, 5, 3]');
    expect(refused(attention(['x', 'x', 'x', 'm']), { constants })).toThrow('a mask of [7, 9] for scores of [1, 2, 3, 3]');
    expect(refused(attention(['x', 'flat', 'flat'], { kv_num_heads: 3 }), { constants })).toThrow('[1, 3, 8] in 3 heads');
  });

  test('rotations of an odd number of elements, or with tables of another size', () => {
    const constants = { c: { dims: [1, 3, 2], data: new Array<number>(6).fill(1) }, other: { dims: [1, 3, 1], data: [1, 1, 1] } };
    const rotary = (table: string, integers = {}): TestNode[] => [{ operator: 'RotaryEmbedding', name: 'r', inputs: ['x', table, table], outputs: ['y'], integers }];
    expect(refused(rotary('c', { rotary_embedding_dim: 3 }), { constants })).toThrow('3 elements of [1, 2, 3, 4]');
    expect(refused(rotary('other'), { constants })).toThrow('[1, 3, 1] for 3 positions and 2 pairs');
  });

  test('indices outside, depths without bound, grids that are computed, division by zero', () => {
    expect(refused([{ operator: 'GatherElements', name: 'g', inputs: ['x', 'i'], outputs: ['y'], integers: { axis: 3 } }], { constants: { i: whole([4], [1, 1, 1, 1]) } })).toThrow('outside of [1, 2, 3, 4]');
    expect(refused([{ operator: 'GatherND', name: 'g', inputs: ['x', 'i'], outputs: ['y'] }], { constants: { i: whole([0, 0, 0, 0, 0], [1, 5]) } })).toThrow('indices [1, 5]');
    const constants = { depth: { dims: [], data: [1e12] }, values: { dims: [2], data: [0, 1] } };
    expect(refused([{ operator: 'OneHot', name: 'o', inputs: ['x', 'depth', 'values'], outputs: ['y'] }], { constants })).toThrow('a depth of');
    expect(refused([{ operator: 'GridSample', name: 's', inputs: ['x', 'x'], outputs: ['y'] }])).toThrow('its grid must be constant');
    expect(refused([{ operator: 'Mod', name: 'm', inputs: ['x', 'z'], outputs: ['y'], integers: { fmod: 1 } }], { constants: { z: { dims: [], data: [0] } } })).toThrow('divides by zero');
  });
});

test('GatherElements by computed indices, which count from the end where they are negative', async () => {
  const nodes: TestNode[] = [{ operator: 'GatherElements', inputs: ['table', 'x'], outputs: ['y'], integers: { axis: 1 } }];
  const table = { dims: [2, 5], data: Array.from({ length: 10 }, (_, index) => Math.sin(index)) };
  const file = onnxFile({ nodes, inputs: { x: [2, 3] }, outputs: { y: [2, 3] }, constants: { table } }, (model) => { model.graph!.input![0]!.type!.tensorType!.elemType = 7; });
  const network = toNetwork(decodeOnnx(file));
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  for (const ids of [[0, 4, 2, -1, -5, 3], [1, 1, -2, 0, 0, 4]]) {
    const expected = (await session.run({ x: new Tensor('int64', BigInt64Array.from(ids.map(BigInt)), [2, 3]) }))['y']?.data as Float32Array;
    expect([...outputsOf(network, evaluateNetwork(network, Float32Array.from(ids)))]).toEqual([...expected]);
  }
});

describe('computed indices that name no element, which onnxruntime refuses, are those of the nearest end of their axis', () => {
  /** A place on an axis, from its start or from its end. */
  const placeOn = (size: number, index: number): number => Math.min(Math.max(index < 0 ? index + size : index, 0), size - 1);
  const table = whole(Array.from({ length: 24 }, (_, index) => 100 + index * index), [2, 3, 4]);
  const at = (i: number, j: number, k: number): number => table.data[(i * 3 + j) * 4 + k]!;

  async function run(node: Partial<TestNode> & { operator: string }, indices: readonly number[], dims: readonly number[], outputDims: readonly number[]): Promise<{ floats: number[]; program: number[] }> {
    const file = onnxFile({ nodes: [{ inputs: ['table', 'x'], outputs: ['y'], ...node }], inputs: { x: dims }, outputs: { y: outputDims }, constants: { table } }, (model) => { model.graph!.input![0]!.type!.tensorType!.elemType = 7; });
    const { model, network } = importOnnx(file, { calibration: new Float32Array(indices.length) });
    const input = Float32Array.from(indices);
    const prepared = await createWasmExecutor().prepare(model);
    return { floats: [...outputsOf(network, evaluateNetwork(network, input))], program: [...dequantizeOutput(model, (await prepared.run(quantizeInput(model, input))).output)] };
  }

  test.each([0, 1, 2])('GatherElements along axis %i', async (axis) => {
    const size = [2, 3, 4][axis]!;
    const indices = Array.from({ length: 24 }, (_, place) => [0, size - 1, size, -size, -size - 1, -1, 1000, -1000, 2 ** 24, -(2 ** 24)][place % 10]!);
    const expected = indices.map((index, place) => {
      const where = [Math.floor(place / 12), Math.floor(place / 4) % 3, place % 4] as [number, number, number];
      where[axis] = placeOn(size, index);
      return at(...where);
    });
    expect(await run({ operator: 'GatherElements', integers: { axis } }, indices, [2, 3, 4], [2, 3, 4])).toEqual({ floats: expected, program: expected });
  });

  test('GatherND, by the axis of each index', async () => {
    const places = [[0, 0], [1, 2], [2, 0], [0, 3], [-1, -1], [-3, 1], [1, -4], [2 ** 24, -(2 ** 24)], [-5, 9]];
    const expected = places.flatMap(([i, j]) => [0, 1, 2, 3].map((k) => at(placeOn(2, i!), placeOn(3, j!), k)));
    expect(await run({ operator: 'GatherND' }, places.flat(), [9, 2], [9, 4])).toEqual({ floats: expected, program: expected });
  });

  test('GatherND in each row of a batch', async () => {
    const places = [[0], [3], [-1], [-4], [7], [-9]];
    const expected = places.flatMap(([j], place) => [0, 1, 2, 3].map((k) => at(Math.floor(place / 3), placeOn(3, j!), k)));
    expect(await run({ operator: 'GatherND', integers: { batch_dims: 1 } }, places.flat(), [2, 3, 1], [2, 3, 4])).toEqual({ floats: expected, program: expected });
  });
});
