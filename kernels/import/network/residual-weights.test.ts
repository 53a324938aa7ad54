import { expect, test } from 'vitest';
import { evaluateNetwork } from './evaluate.ts';
import { withHypotenuses } from './hypotenuse.ts';
import type { Layer, Network } from './layer.ts';
import { quantizeWeights } from './quantization.ts';
import { withResidualWeights } from './residual-weights.ts';

const numbers = (count: number, salt: number): Float32Array => Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.3 + salt) * (1 + (index % 4)));

/** A network of one image and these layers, its values all of one shape unless said otherwise. */
const network = (layers: readonly Layer[], dims: Readonly<Record<string, readonly number[]>>): Network =>
  ({ name: 'test', inputs: ['x'], outputs: [layers.at(-1)?.output ?? ''], layers, constants: new Map(), dims: new Map(Object.entries(dims)) });

const window = { inputHeight: 4, inputWidth: 5, outputHeight: 4, outputWidth: 5, kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 1, padLeft: 1 };
const depthwise: Layer = { kind: 'convolution', name: 'c', x: 'x', output: 'y', weights: { dims: [2, 1, 3, 3], data: numbers(18, 2) }, bias: Float32Array.of(0.3, -0.2), groups: 2, window, range: { low: 0, high: 6 } };
const image = { x: [1, 2, 4, 5], y: [1, 2, 4, 5] };

/** Weights of a network as eight bits have them. */
const rounded = ({ layers, ...rest }: Network): Network => ({
  ...rest,
  layers: layers.map((layer) => {
    if (layer.kind !== 'convolution' && layer.kind !== 'dense') return layer;
    const { values, scales } = quantizeWeights(layer.weights);
    const size = values.length / scales.length;
    return { ...layer, weights: { dims: layer.weights.dims, data: Float32Array.from(values, (value, index) => value * (scales[Math.floor(index / size)] ?? 1)) } };
  }),
});

const result = (given: Network, x: Float32Array): Float32Array => Float32Array.from(evaluateNetwork(given, x).get(given.outputs[0] ?? '')?.data ?? []);
const distance = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? NaN))));

test('a convolution as a sum of two: the same in floats, and nearer to them when its weights are of eight bits', () => {
  const given = network([depthwise], image);
  const split = withResidualWeights(given);
  expect(split.layers.map(({ kind }) => kind)).toEqual(['convolution', 'convolution', 'add']);
  const x = numbers(40, 1);
  const exact = result(given, x);
  expect(distance(result(split, x), exact)).toBeLessThan(1e-5);
  expect(distance(result(rounded(given), x), exact)).toBeGreaterThan(1e-3);
  expect(distance(result(rounded(split), x), exact)).toBeLessThan(distance(result(rounded(given), x), exact) / 50);
});

test('dense layers when they are chosen, and only then', () => {
  const given = network([{ kind: 'dense', name: 'd', x: 'x', output: 'y', weights: { dims: [3, 4], data: numbers(12, 5) }, bias: null, range: null }], { x: [1, 4], y: [1, 3] });
  expect(withResidualWeights(given).layers).toEqual(given.layers);
  const split = withResidualWeights(given, () => true);
  expect(split.layers).toHaveLength(3);
  expect(distance(result(split, numbers(4, 3)), result(given, numbers(4, 3)))).toBeLessThan(1e-5);
});

test('hypotenuses: the same in floats, zeros included, without squares', () => {
  const shape = [1, 2, 3];
  const half = (name: string, start: number): Layer => ({ kind: 'slice', name, x: 'x', output: name, starts: [0, start, 0], steps: [1, 1, 1] });
  const square = (from: string): Layer => ({ kind: 'function', name: `${from}²`, x: from, output: `${from}²`, apply: (value) => value ** 2 });
  const layers: Layer[] = [half('a', 0), half('b', 2), square('a'), square('b'), { kind: 'add', name: 's', x: 'a²', b: 'b²', output: 's', range: null }, { kind: 'function', name: 'r', x: 's', output: 'r', apply: Math.sqrt }];
  const given = network(layers, { x: [1, 4, 3], a: shape, b: shape, 'a²': shape, 'b²': shape, s: shape, r: shape });
  const rewritten = withHypotenuses(given);
  expect(rewritten.layers.some((layer) => layer.kind === 'function' && layer.apply(5) === 25)).toBe(false);
  const x = numbers(12, 4);
  x[0] = 0;
  x[6] = 0;
  expect(distance(result(rewritten, x), result(given, x))).toBeLessThan(1e-5);
  const other = network([...layers.slice(0, 5), { kind: 'function', name: 'r', x: 's', output: 'r', apply: Math.cbrt }], Object.fromEntries(given.dims));
  expect(withHypotenuses(other).layers).toEqual(other.layers);
});
