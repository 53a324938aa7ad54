import { convolve, pool } from './evaluate-image.ts';
import { argument, broadcastIndices, combine, concatenate, gather, matrixProduct, multiplyMatrix, normalize, pad, reduce, resample, roundRows, slice } from './evaluate-tensor.ts';
import { elementCount, strides } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { Layer, Network, Range } from './layer.ts';

/** What `evaluateNetwork` may do to each value as soon as it is computed: look at it, or change it. */
export type Observe = (name: string, tensor: FloatTensor) => FloatTensor;

/**
 * Every value of the network for one input (all inputs, one after another), computed in floating point: what quantisation is calibrated on and compared with.
 *
 * @throws RangeError when the input has another number of elements.
 */
export function evaluateNetwork(network: Network, input: Float32Array, observe: Observe = (_, tensor) => tensor): ReadonlyMap<string, FloatTensor> {
  const size = inputSize(network);
  if (input.length !== size) throw new RangeError(`the input has ${size} elements, not ${input.length}`);
  const values = new Map<string, FloatTensor>(network.constants);
  let start = 0;
  for (const name of network.inputs) {
    const dims = dimsOf(network, name);
    const end = start + elementCount(dims);
    values.set(name, observe(name, { dims, data: input.subarray(start, end) }));
    start = end;
  }
  for (const layer of network.layers) values.set(layer.output, observe(layer.output, evaluateLayer(layer, (name) => valueOf(values, name), dimsOf(network, layer.output))));
  return values;
}

/** Elements of all inputs together. */
export const inputSize = (network: Network): number => network.inputs.reduce((sum, name) => sum + elementCount(dimsOf(network, name)), 0);

/** The outputs' numbers, one output after another, from all values. */
export function outputsOf(network: Network, values: ReadonlyMap<string, FloatTensor>): Float32Array {
  const parts = network.outputs.map((name) => valueOf(values, name).data);
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    result.set(part, start);
    start += part.length;
  }
  return result;
}

function valueOf(values: ReadonlyMap<string, FloatTensor>, name: string): FloatTensor {
  const value = values.get(name);
  if (value === undefined) throw new RangeError(`the value ${name} is read before it is computed`);
  return value;
}

/** One layer's result. */
export function evaluateLayer(layer: Layer, valueOf: (name: string) => FloatTensor, dims: readonly number[]): FloatTensor {
  const x = valueOf(layer.x);
  return { dims, data: evaluateData(layer, x, valueOf, dims) };
}

function evaluateData(layer: Layer, x: FloatTensor, valueOf: (name: string) => FloatTensor, dims: readonly number[]): Float32Array | Float64Array {
  switch (layer.kind) {
    case 'convolution': return cut(convolve(layer, x, dims), layer.range);
    case 'dense': return cut(multiplyMatrix(layer, layer.activations === 'row' ? roundRows(x) : x), layer.range);
    case 'pooling': return pool(layer, x, dims);
    case 'add': return cut(combine(x, valueOf(layer.b), dims, (a, b) => a + b), layer.range);
    case 'multiply': return cut(combine(x, valueOf(layer.b), dims, (a, b) => a * b), layer.range);
    case 'operation': return combine(x, valueOf(layer.b), dims, OPERATIONS[layer.operation]);
    case 'select': {
      const [a, b] = [valueOf(layer.a), valueOf(layer.b)];
      const [atX, atA, atB] = [x, a, b].map(({ dims: own }) => broadcastIndices(own, dims)) as [Int32Array, Int32Array, Int32Array];
      return Float32Array.from(atX, (at, index) => (x.data[at] !== 0 ? a.data[atA[index] ?? 0] : b.data[atB[index] ?? 0]) ?? 0);
    }
    case 'clamp': return cut(Float32Array.from(x.data), layer.range);
    case 'function': return Float32Array.from(x.data, layer.apply);
    case 'reshape': return x.data;
    case 'transpose': {
      const along = strides(x.dims);
      return gather(x.data, dims, layer.order.map((axis) => along[axis] ?? 0), 0);
    }
    case 'softmax': return layer.logarithmic === true ? logarithmicSoftmax(x.data, dims.at(-1) ?? 1) : softmax(x.data, dims.at(-1) ?? 1);
    case 'matrix-product': return matrixProduct(layer, x, valueOf(layer.b), dims);
    case 'reduction': return reduce(layer, x);
    case 'argument': return argument(layer, x);
    case 'normalization': return normalize(layer, x);
    case 'concatenation': return concatenate([x, ...layer.others.map(valueOf)], layer.axis, dims);
    case 'slice': return slice(layer, x, dims);
    case 'expand': return combine(x, { dims: [], data: new Float32Array(1) }, dims, (a) => a);
    case 'pad': return pad(layer, x, dims);
    case 'gather': return resample({ axis: layer.axis, source: [layer.indices.map((index) => Math.max(index, 0))], weight: [layer.indices.map((index) => (index < 0 ? 0 : 1))] }, x, dims);
    case 'resampling': return resample(layer, x, dims);
    case 'embedding': {
      const table = valueOf(layer.table);
      const width = table.data.length / (table.dims[0] ?? 1);
      const result = new Float32Array(elementCount(dims));
      x.data.forEach((given, row) => {
        const index = given < 0 ? given + (table.dims[0] ?? 0) : given;
        result.set(table.data.subarray(index * width, (index + 1) * width), row * width);
      });
      return result;
    }
  }
}

const truth = (value: boolean): number => (value ? 1 : 0);

const OPERATIONS = {
  subtract: (a: number, b: number): number => a - b,
  divide: (a: number, b: number): number => a / b,
  modulo: (a: number, b: number): number => a - Math.floor(a / b) * b,
  remainder: (a: number, b: number): number => a % b,
  minimum: Math.min,
  maximum: Math.max,
  equal: (a: number, b: number): number => truth(a === b),
  less: (a: number, b: number): number => truth(a < b),
  'less-or-equal': (a: number, b: number): number => truth(a <= b),
  and: (a: number, b: number): number => truth(a !== 0 && b !== 0),
  or: (a: number, b: number): number => truth(a !== 0 || b !== 0),
  xor: (a: number, b: number): number => truth((a !== 0) !== (b !== 0)),
} as const;

/** The softmax of each run of `length` numbers. */
export function softmax(data: Float32Array | Float64Array, length: number): Float32Array {
  return rows(data, length, (row, greatest, total) => row.map((value) => Math.exp(value - greatest) / total));
}

const logarithmicSoftmax = (data: Float32Array | Float64Array, length: number): Float32Array =>
  rows(data, length, (row, greatest, total) => row.map((value) => value - greatest - Math.log(total)));

function rows(data: Float32Array | Float64Array, length: number, give: (row: Float64Array, greatest: number, total: number) => Float64Array): Float32Array {
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += length) {
    const row = Float64Array.from(data.subarray(start, start + length));
    const greatest = row.reduce((left, right) => Math.max(left, right), -Infinity);
    const total = row.reduce((sum, value) => sum + Math.exp(value - greatest), 0);
    result.set(give(row, greatest, total), start);
  }
  return result;
}

function cut(data: Float32Array, range: Range | null): Float32Array {
  if (range === null) return data;
  for (let index = 0; index < data.length; index += 1) data[index] = Math.min(Math.max(data[index] ?? 0, range.low), range.high);
  return data;
}
