import { broadcastTo, elementCount, strides } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { ConvolutionLayer, DenseLayer, Layer, Network, PoolingLayer, Range, TransposeLayer } from './layer.ts';

/**
 * Every value of the network for one input, computed in floating point: what quantisation is calibrated on and compared with.
 *
 * @throws RangeError when the input has another number of elements.
 */
export function evaluateNetwork(network: Network, input: Float32Array): ReadonlyMap<string, FloatTensor> {
  const dims = dimsOf(network, network.input);
  if (input.length !== elementCount(dims)) throw new RangeError(`the input has ${elementCount(dims)} elements, not ${input.length}`);
  const values = new Map<string, FloatTensor>(network.constants);
  values.set(network.input, { dims, data: input });
  for (const layer of network.layers) values.set(layer.output, evaluateLayer(layer, (name) => valueOf(values, name), dimsOf(network, layer.output)));
  return values;
}

function valueOf(values: ReadonlyMap<string, FloatTensor>, name: string): FloatTensor {
  const value = values.get(name);
  if (value === undefined) throw new RangeError(`the value ${name} is read before it is computed`);
  return value;
}

/** One layer's result. */
export function evaluateLayer(layer: Layer, valueOf: (name: string) => FloatTensor, dims: readonly number[]): FloatTensor {
  const x = valueOf(layer.x);
  switch (layer.kind) {
    case 'convolution':
      return { dims, data: convolve(layer, x, dims) };
    case 'dense':
      return { dims, data: multiplyMatrix(layer, x) };
    case 'pooling':
      return { dims, data: pool(layer, x, dims) };
    case 'add':
    case 'multiply': {
      const a = broadcastTo(x, dims);
      const b = broadcastTo(valueOf(layer.b), dims);
      const combined = layer.kind === 'add' ? a.map((value, index) => value + (b[index] ?? 0)) : a.map((value, index) => value * (b[index] ?? 0));
      return { dims, data: cut(combined, layer.range) };
    }
    case 'clamp':
      return { dims, data: cut(Float32Array.from(x.data), layer.range) };
    case 'function':
      return { dims, data: Float32Array.from(x.data, layer.apply) };
    case 'reshape':
      return { dims, data: x.data };
    case 'transpose':
      return { dims, data: permute(layer, x, dims) };
    case 'softmax':
      return { dims, data: softmax(x.data, dims.at(-1) ?? 1) };
  }
}

/** The softmax of each run of `length` numbers. */
export function softmax(data: Float32Array | Float64Array, length: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += length) {
    const row = Array.from(data.subarray(start, start + length));
    const greatest = row.reduce((left, right) => Math.max(left, right), -Infinity);
    const powers = row.map((value) => Math.exp(value - greatest));
    const total = powers.reduce((left, right) => left + right, 0);
    result.set(powers.map((power) => power / total), start);
  }
  return result;
}

function cut(data: Float32Array, range: Range | null): Float32Array {
  return range === null ? data : data.map((value) => Math.min(Math.max(value, range.low), range.high));
}

function convolve({ weights, bias, groups, window, range }: ConvolutionLayer, { data }: FloatTensor, dims: readonly number[]): Float32Array {
  const { inputHeight, inputWidth, outputHeight, outputWidth, kernelHeight, kernelWidth } = window;
  const [, outputs = 0] = dims;
  const [, channels = 0] = weights.dims;
  const result = new Float32Array(elementCount(dims));
  for (let o = 0; o < outputs; o += 1) {
    const firstChannel = Math.floor(o / (outputs / groups)) * channels;
    for (let y = 0; y < outputHeight; y += 1) {
      for (let x = 0; x < outputWidth; x += 1) {
        let total = bias?.[o] ?? 0;
        for (let ky = 0; ky < kernelHeight; ky += 1) {
          const iy = y * window.strideY - window.padTop + ky * window.dilationY;
          if (iy < 0 || iy >= inputHeight) continue;
          for (let kx = 0; kx < kernelWidth; kx += 1) {
            const ix = x * window.strideX - window.padLeft + kx * window.dilationX;
            if (ix < 0 || ix >= inputWidth) continue;
            for (let c = 0; c < channels; c += 1) {
              const source = ((firstChannel + c) * inputHeight + iy) * inputWidth + ix;
              total += (data[source] ?? 0) * (weights.data[((o * channels + c) * kernelHeight + ky) * kernelWidth + kx] ?? 0);
            }
          }
        }
        result[(o * outputHeight + y) * outputWidth + x] = total;
      }
    }
  }
  return cut(result, range);
}

function multiplyMatrix({ weights, bias, range }: DenseLayer, { data }: FloatTensor): Float32Array {
  const [outputs = 0, inputs = 0] = weights.dims;
  const rows = data.length / inputs;
  const result = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row += 1) {
    for (let n = 0; n < outputs; n += 1) {
      let total = bias?.[n] ?? 0;
      for (let k = 0; k < inputs; k += 1) total += (data[row * inputs + k] ?? 0) * (weights.data[n * inputs + k] ?? 0);
      result[row * outputs + n] = total;
    }
  }
  return cut(result, range);
}

function pool({ mode, window, countPadding }: PoolingLayer, { data }: FloatTensor, dims: readonly number[]): Float32Array {
  const { inputHeight, inputWidth, outputHeight, outputWidth, kernelHeight, kernelWidth } = window;
  return Float32Array.from({ length: elementCount(dims) }, (_, index) => {
    const x = index % outputWidth;
    const y = Math.floor(index / outputWidth) % outputHeight;
    const channel = Math.floor(index / (outputWidth * outputHeight));
    const taps: number[] = [];
    for (let ky = 0; ky < kernelHeight; ky += 1) {
      for (let kx = 0; kx < kernelWidth; kx += 1) {
        const iy = y * window.strideY - window.padTop + ky * window.dilationY;
        const ix = x * window.strideX - window.padLeft + kx * window.dilationX;
        if (iy >= 0 && iy < inputHeight && ix >= 0 && ix < inputWidth) taps.push(data[(channel * inputHeight + iy) * inputWidth + ix] ?? 0);
      }
    }
    if (mode === 'maximum') return Math.max(...taps);
    return taps.reduce((left, right) => left + right, 0) / (countPadding ? kernelHeight * kernelWidth : Math.max(taps.length, 1));
  });
}

function permute({ order }: TransposeLayer, { dims: from, data }: FloatTensor, dims: readonly number[]): Float32Array {
  const sourceStrides = strides(from);
  const targetStrides = strides(dims);
  return Float32Array.from({ length: elementCount(dims) }, (_, index) => {
    const source = order.reduce((sum, axis, i) => sum + (Math.floor(index / (targetStrides[i] ?? 1)) % (dims[i] ?? 1)) * (sourceStrides[axis] ?? 0), 0);
    return data[source] ?? 0;
  });
}
