import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { admit } from '../../../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../../../deterministic-runtime/wasm/executor.ts';
import { dequantizeOutput, quantizeInput } from '../../model-interface.ts';
import { decodeOnnx } from '../decode.ts';
import { importQuantizedGraph } from './import.ts';
import { quantizedFile } from './testing/quantized-file.ts';
import type { QuantizedTestGraph, TestConstant, TestType } from './testing/quantized-file.ts';

/** Quantised operators against onnxruntime's integer kernels: every output the same. */

const FIXED = { seed: 20261122, numRuns: 25 };

type Byte = 'int8' | 'uint8';
const count = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** Bytes that repeat for a seed, with the ends of the range among them. */
function bytes(type: TestType, length: number, seed: number): number[] {
  let state = seed * 2654435761 + 1;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const byte = (state >>> 15) & 255;
    return type === 'uint8' ? byte : byte - 128;
  });
}

const single = (value: number): number => Math.fround(value);
const constant = (type: TestType, dims: readonly number[], data: readonly number[]): TestConstant => ({ type, dims, data });
const scalar = (type: TestType, value: number): TestConstant => constant(type, [], [value]);

/** Integers that the model gives, in the file's own numbers, beside onnxruntime's. */
async function compare(graph: QuantizedTestGraph, seeds: readonly number[] = [1, 2, 3]): Promise<void> {
  const file = quantizedFile(graph);
  const { model } = importQuantizedGraph(decodeOnnx(file), { classify: false });
  admit(model);
  const prepared = await createWasmExecutor().prepare(model);
  const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1, extra: { session: { qdqisint8allowed: '1' } } });
  const { type, dims } = graph.input;
  for (const seed of seeds) {
    const values = bytes(type, count(dims), seed);
    const data = type === 'uint8' ? Uint8Array.from(values) : Int8Array.from(values);
    const reference = (await session.run({ x: new Tensor(type as Byte, data as Uint8Array, dims) }))['y'];
    const own = dequantizeOutput(model, (await prepared.run(quantizeInput(model, Float32Array.from(values)))).output);
    expect([...own]).toEqual(Array.from(reference?.data as Int8Array, Number));
  }
}

const scaleOf = fc.double({ min: 0.002, max: 0.3, noNaN: true }).map(single);
const byteOf = (type: Byte): fc.Arbitrary<number> => (type === 'uint8' ? fc.integer({ min: 0, max: 255 }) : fc.integer({ min: -128, max: 127 }));
/** Types of x and w that onnxruntime multiplies. */
const types = fc.constantFrom<readonly [Byte, Byte]>(['uint8', 'uint8'], ['uint8', 'int8'], ['int8', 'int8']);
const quantized = types.chain(([x, w]) => fc.record({ x: fc.constant(x), w: fc.constant(w), xScale: scaleOf, wScale: scaleOf, xZero: byteOf(x), wZero: byteOf(w), yZero: byteOf(x), seed: fc.nat(1000) }));

describe('convolutions', () => {
  const form = fc.record({
    channels: fc.constantFrom(1, 3, 32), outputs: fc.integer({ min: 1, max: 4 }), depthwise: fc.boolean(), perChannel: fc.boolean(), bias: fc.boolean(),
    strides: fc.constantFrom([1, 1], [2, 1]), pads: fc.constantFrom([0, 0, 0, 0], [1, 0, 1, 2]), yScale: fc.double({ min: 0.5, max: 40, noNaN: true }).map(single),
  });

  test('QLinearConv: both types, zero points, a scale a channel', async () => {
    await fc.assert(fc.asyncProperty(quantized, form, async ({ x, w, xScale, wScale, xZero, wZero, yZero, seed }, { channels, outputs, depthwise, perChannel, bias, strides, pads, yScale }) => {
      const groups = depthwise ? channels : 1;
      const filters = depthwise ? channels : outputs;
      const dims = [filters, channels / groups, 2, 3];
      const scales = Array.from({ length: perChannel ? filters : 1 }, (_, channel) => single(wScale * (1 + channel / 7)));
      // With scales for each channel onnxruntime wants int8 weights with zero points of 0.
      const zero = perChannel && w === 'int8' ? 0 : wZero;
      const [height, width] = [Math.floor((6 + (pads[0] ?? 0) + (pads[2] ?? 0) - 2) / (strides[0] ?? 1)) + 1, Math.floor((7 + (pads[1] ?? 0) + (pads[3] ?? 0) - 3) / (strides[1] ?? 1)) + 1];
      await compare({
        nodes: [{ operator: 'QLinearConv', inputs: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz', ...(bias ? ['b'] : [])], outputs: ['y'], attributes: { group: groups, strides, pads } }],
        input: { type: x, dims: [1, channels, 6, 7] },
        output: { type: x, dims: [1, filters, height, width] },
        constants: {
          xs: scalar('float', xScale), xz: scalar(x, xZero), w: constant(w, dims, bytes(w, count(dims), seed)), ws: constant('float', [scales.length], scales), wz: constant(w, [scales.length], scales.map(() => zero)),
          ys: scalar('float', yScale), yz: scalar(x, yZero), b: constant('int32', [filters], bytes('int8', filters, seed).map((byte) => byte * 50)),
        },
      });
    }), FIXED);
  });

  test('ConvInteger: the sums', async () => {
    await fc.assert(fc.asyncProperty(quantized.filter(({ x }) => x === 'uint8'), async ({ x, w, xZero, wZero, seed }) => {
      await compare({
        nodes: [{ operator: 'ConvInteger', inputs: ['x', 'w', 'xz', 'wz'], outputs: ['y'], attributes: { pads: [1, 0, 0, 1] } }],
        input: { type: x, dims: [1, 2, 5, 4] },
        output: { type: 'int32', dims: [1, 3, 5, 4] },
        constants: { w: constant(w, [3, 2, 2, 2], bytes(w, 24, seed)), xz: scalar(x, xZero), wz: scalar(w, wZero) },
      });
    }), { ...FIXED, numRuns: 10 });
  });
});

describe('matrix products', () => {
  test('QLinearMatMul, and MatMulInteger: the sums', async () => {
    await fc.assert(fc.asyncProperty(quantized, fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 9 }), async ({ x, w, xScale, wScale, xZero, wZero, yZero, seed }, depth, columns) => {
      const constants = { w: constant(w, [depth, columns], bytes(w, depth * columns, seed)), xs: scalar('float', xScale), xz: scalar(x, xZero), ws: scalar('float', wScale), wz: scalar(w, wZero), ys: scalar('float', single(wScale * 30)), yz: scalar(x, yZero) };
      const input = { type: x, dims: [3, depth] };
      await compare({ nodes: [{ operator: 'QLinearMatMul', inputs: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'], outputs: ['y'] }], input, output: { type: x, dims: [3, columns] }, constants });
      await compare({ nodes: [{ operator: 'MatMulInteger', inputs: ['x', 'w', 'xz', 'wz'], outputs: ['y'] }], input, output: { type: 'int32', dims: [3, columns] }, constants });
    }), FIXED);
  });

  test('power-of-two scales, where sums lie on halves', async () => {
    for (const shift of [1, 2, 5, 8]) {
      await compare({
        nodes: [{ operator: 'QLinearMatMul', inputs: ['x', 'one', 'xz', 'w', 'one', 'wz', 'ys', 'yz'], outputs: ['y'] }],
        input: { type: 'int8', dims: [40, 8] },
        output: { type: 'int8', dims: [40, 4] },
        constants: { w: constant('int8', [8, 4], bytes('int8', 32, 5).map((byte) => byte >> 5)), one: scalar('float', 1), xz: scalar('int8', -3), wz: scalar('int8', 0), ys: scalar('float', 2 ** shift), yz: scalar('int8', 1) },
      });
    }
  });
});

/** A float operator between DequantizeLinear and QuantizeLinear. */
const between = (operator: string, attributes: Readonly<Record<string, number | readonly number[]>>, dims: readonly number[], output: readonly number[], scales: readonly [number, number, number, number]): QuantizedTestGraph => ({
  nodes: [
    { operator: 'DequantizeLinear', inputs: ['x', 'xs', 'xz'], outputs: ['f'] },
    { operator, inputs: ['f'], outputs: ['g'], attributes },
    { operator: 'QuantizeLinear', inputs: ['g', 'ys', 'yz'], outputs: ['y'] },
  ],
  input: { type: 'int8', dims },
  output: { type: 'int8', dims: output },
  constants: { xs: scalar('float', scales[0]), xz: scalar('int8', scales[1]), ys: scalar('float', scales[2]), yz: scalar('int8', scales[3]) },
});

describe('functions of one byte', () => {
  test.each([['Relu', {}], ['Sigmoid', {}], ['LeakyRelu', { alpha: 0.125 }], ['Tanh', {}], ['Clip', {}]] as const)('%s', async (operator, attributes) => {
    await compare(between(operator, attributes, [1, 256], [1, 256], [single(0.04), 7, single(0.021), -5]));
  });
});

describe('windows, moves and pairs', () => {
  test('means whose halves go to the even neighbour', async () => {
    await compare(between('AveragePool', { kernel_shape: [2, 2], strides: [2, 2] }, [1, 3, 8, 8], [1, 3, 4, 4], [single(0.5), -128, single(0.5), -128]), [1, 2, 3, 4, 5]);
  });

  test('greatest, other shapes, transposes', async () => {
    await compare(between('MaxPool', { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1] }, [1, 2, 6, 5], [1, 2, 3, 5], [single(0.1), 3, single(0.1), 3]));
    await compare(between('Transpose', { perm: [2, 0, 1] }, [2, 3, 4], [4, 2, 3], [single(0.1), 3, single(0.1), 3]));
    await compare(between('Flatten', { axis: 1 }, [1, 2, 3, 4], [1, 24], [single(0.1), 3, single(0.07), 3]));
  });

  test.each(['Add', 'Mul'])('%s of any two bytes, as the formula of the specification has it', async (operator) => {
    await fc.assert(fc.asyncProperty(scaleOf, scaleOf, scaleOf, byteOf('int8'), byteOf('int8'), async (a, b, y, aZero, bZero) => {
      const file = quantizedFile({
        nodes: [
          { operator: 'DequantizeLinear', inputs: ['x', 'as', 'az'], outputs: ['f'] },
          { operator: 'DequantizeLinear', inputs: ['c', 'bs', 'bz'], outputs: ['h'] },
          { operator, inputs: ['f', 'h'], outputs: ['g'] },
          { operator: 'QuantizeLinear', inputs: ['g', 'ys', 'yz'], outputs: ['y'] },
        ],
        input: { type: 'int8', dims: [256, 64] },
        output: { type: 'int8', dims: [256, 64] },
        constants: { as: scalar('float', a), az: scalar('int8', aZero), bs: scalar('float', b), bz: scalar('int8', bZero), ys: scalar('float', y), yz: scalar('int8', 4), c: constant('int8', [1, 64], Array.from({ length: 64 }, (_, index) => index * 4 - 126)) },
      });
      const { model } = importQuantizedGraph(decodeOnnx(file), { classify: false });
      const values = Float32Array.from({ length: 256 * 64 }, (_, index) => (index >> 6) - 128);
      const own = dequantizeOutput(model, (await (await createWasmExecutor().prepare(model)).run(quantizeInput(model, values))).output);
      own.forEach((result, index) => {
        const [left, right] = [a * ((values[index] ?? 0) - aZero), b * ((index % 64) * 4 - 126 - bZero)];
        const quotient = (operator === 'Add' ? left + right : left * right) / y;
        const nearest = Math.sign(quotient) * (Math.abs(quotient) + 2 ** 52 - 2 ** 52);
        expect(result).toBe(Math.min(127, Math.max(-128, nearest + 4)));
      });
    }), { ...FIXED, numRuns: 6 });
  });

  test('parts of several scales joined', async () => {
    const scales = { as: scalar('float', single(0.1)), az: scalar('int8', 3), bs: scalar('float', single(0.063)), bz: scalar('int8', -20), ys: scalar('float', single(0.11)), yz: scalar('int8', 9) };
    await compare({
      nodes: [
        { operator: 'DequantizeLinear', inputs: ['x', 'as', 'az'], outputs: ['f'] },
        { operator: 'DequantizeLinear', inputs: ['x', 'bs', 'bz'], outputs: ['h'] },
        { operator: 'Concat', inputs: ['f', 'h'], outputs: ['g'], attributes: { axis: 1 } },
        { operator: 'QuantizeLinear', inputs: ['g', 'ys', 'yz'], outputs: ['y'] },
      ],
      input: { type: 'int8', dims: [1, 3, 5, 5] },
      output: { type: 'int8', dims: [1, 6, 5, 5] },
      constants: scales,
    });
  });
});

describe('operators of com.microsoft', () => {
  const scales = { as: scalar('float', single(0.1)), az: scalar('uint8', 130), bs: scalar('float', single(0.063)), bz: scalar('uint8', 20), ys: scalar('float', single(0.17)), yz: scalar('uint8', 100) };
  const input = { type: 'uint8', dims: [1, 3, 4, 4] } as const;

  test.each([
    ['QLinearAdd', ['x', 'as', 'az', 'x', 'bs', 'bz', 'ys', 'yz'], [1, 3, 4, 4], {}],
    ['QLinearMul', ['x', 'as', 'az', 'x', 'bs', 'bz', 'ys', 'yz'], [1, 3, 4, 4], {}],
    ['QLinearSigmoid', ['x', 'as', 'az', 'bs', 'bz'], [1, 3, 4, 4], {}],
    ['QLinearGlobalAveragePool', ['x', 'as', 'az', 'as', 'yz'], [1, 3, 1, 1], {}],
    ['QLinearConcat', ['ys', 'yz', 'x', 'as', 'az', 'x', 'bs', 'bz'], [1, 6, 4, 4], { axis: 1 }],
  ] as const)('%s', async (operator, inputs, dims, attributes) => {
    await compare({ nodes: [{ operator, domain: 'com.microsoft', inputs, outputs: ['y'], attributes }], input, output: { type: 'uint8', dims }, constants: scales });
  });
});

describe('what cannot be imported', () => {
  const load = (graph: QuantizedTestGraph): unknown => importQuantizedGraph(decodeOnnx(quantizedFile(graph)), { classify: false });

  test('unsupported operators, all at once', () => {
    const graph = between('Relu', {}, [1, 4], [1, 4], [1, 0, 1, 0]);
    const more = { ...graph, nodes: [...graph.nodes.slice(0, 2), { operator: 'Erf', inputs: ['g'], outputs: ['k'] }, { operator: 'Floor', inputs: ['k'], outputs: ['m'] }, { operator: 'QuantizeLinear', inputs: ['m', 'ys', 'yz'], outputs: ['y'] }] };
    expect(() => load(more)).toThrow('(Erf, Floor)');
  });

  test('floats in between, scales that are none, weights that are not of 8 bits', () => {
    const graph = between('Relu', {}, [1, 4], [1, 4], [1, 0, 1, 0]);
    expect(() => load({ ...graph, constants: { ...graph.constants, ys: scalar('float', -1) } })).toThrow('scales must be positive');
    expect(() => load({ ...graph, nodes: graph.nodes.map((node, index) => (index === 1 ? { ...node, operator: 'Conv', inputs: ['f', 'w'] } : node)), constants: { ...graph.constants, w: constant('float', [1, 1, 1, 1], [1]) }, input: { type: 'int8', dims: [1, 1, 2, 2] } })).toThrow('weights are float');
    const heavy = { nodes: [{ operator: 'MatMulInteger', inputs: ['x', 'w'], outputs: ['y'] }], input: { type: 'int8', dims: [1, 2] }, output: { type: 'int32', dims: [1, 1] }, constants: { w: constant('int32', [2, 1], [1, 70000]) } } as const;
    expect(() => load(heavy)).toThrow('not 8-bit integers');
  });
});
