import { ROW_STEPS } from '../../linear-rows.ts';
import { elementCount, strides } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import type { ArgumentLayer, DenseLayer, MatrixProductLayer, NormalizationLayer, PadLayer, ReductionLayer, ResamplingLayer, SliceLayer } from './layer.ts';

type Numbers = Float32Array | Float64Array;

/** For each element of `target`, in order, the source's element at `offset + Σ coordinate · step`. */
function walk(target: readonly number[], steps: readonly number[], offset: number): Int32Array {
  const indices = new Int32Array(elementCount(target));
  const coordinate = new Int32Array(target.length);
  let source = offset;
  for (let index = 0; index < indices.length; index += 1) {
    indices[index] = source;
    for (let axis = target.length - 1; axis >= 0; axis -= 1) {
      source += steps[axis] as number;
      coordinate[axis] = (coordinate[axis] as number) + 1;
      if ((coordinate[axis] as number) < (target[axis] as number)) break;
      source -= (steps[axis] as number) * (target[axis] as number);
      coordinate[axis] = 0;
    }
  }
  return indices;
}

/** Where each element of `target` comes from in a tensor of `dims` that broadcasts to it. */
export function broadcastIndices(dims: readonly number[], target: readonly number[]): Int32Array {
  const along = strides(dims);
  const added = target.length - dims.length;
  return walk(target, target.map((_, axis) => ((dims[axis - added] ?? 1) === 1 ? 0 : (along[axis - added] ?? 0))), 0);
}

/** Elements with these steps along the axes of the result. */
export const gather = (data: Numbers, dims: readonly number[], steps: readonly number[], offset: number): Float32Array => Float32Array.from(walk(dims, steps, offset), (index) => data[index] ?? 0);

/** Two tensors, broadcast, element by element. */
export function combine(a: FloatTensor, b: FloatTensor, dims: readonly number[], operation: (a: number, b: number) => number): Float32Array {
  const [atA, atB] = [broadcastIndices(a.dims, dims), broadcastIndices(b.dims, dims)];
  const result = new Float32Array(atA.length);
  for (let index = 0; index < result.length; index += 1) result[index] = operation(a.data[atA[index] as number] as number, b.data[atB[index] as number] as number);
  return result;
}

export function multiplyMatrix({ weights, bias }: DenseLayer, { data }: FloatTensor): Float32Array {
  const [outputs = 0, inputs = 0] = weights.dims;
  const rows = data.length / inputs;
  const result = new Float32Array(rows * outputs);
  const w = weights.data;
  for (let row = 0; row < rows; row += 1) {
    for (let n = 0; n < outputs; n += 1) {
      let total = bias?.[n] ?? 0;
      for (let k = 0; k < inputs; k += 1) total += (data[row * inputs + k] as number) * (w[n * inputs + k] as number);
      result[row * outputs + n] = total;
    }
  }
  return result;
}

/** Each row (of the last axis) on a grid of its own, on which its greatest magnitude is 127. */
export function roundRows({ dims, data }: FloatTensor): FloatTensor {
  const length = dims.at(-1) ?? 1;
  const rounded = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += length) {
    let greatest = 0;
    for (let k = start; k < start + length; k += 1) greatest = Math.max(greatest, Math.abs(data[k] as number));
    if (greatest > 0) for (let k = start; k < start + length; k += 1) rounded[k] = (Math.round(((data[k] as number) * ROW_STEPS) / greatest) * greatest) / ROW_STEPS;
  }
  return { dims, data: rounded };
}

export function matrixProduct({ transposed }: MatrixProductLayer, x: FloatTensor, b: FloatTensor, dims: readonly number[]): Float32Array {
  const [m, n, inner] = [dims.at(-2) ?? 1, dims.at(-1) ?? 1, x.dims.at(-1) ?? 1];
  const batch = dims.slice(0, -2);
  const [atX, atB] = [broadcastIndices(x.dims.slice(0, -2), batch), broadcastIndices(b.dims.slice(0, -2), batch)];
  const result = new Float32Array(elementCount(dims));
  const [alongK, alongN] = transposed ? [1, inner] : [n, 1];
  for (let index = 0; index < atX.length; index += 1) {
    const [startX, startB] = [(atX[index] as number) * m * inner, (atB[index] as number) * n * inner];
    for (let i = 0; i < m; i += 1) for (let j = 0; j < n; j += 1) {
      let total = 0;
      for (let k = 0; k < inner; k += 1) total += (x.data[startX + i * inner + k] as number) * (b.data[startB + k * alongK + j * alongN] as number);
      result[(index * m + i) * n + j] = total;
    }
  }
  return result;
}

export function reduce({ operation, axes }: ReductionLayer, { dims, data }: FloatTensor): Float32Array {
  const kept = dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const target = broadcastIndices(kept, dims);
  const start = operation === 'maximum' ? -Infinity : operation === 'minimum' ? Infinity : 0;
  const result = new Float64Array(elementCount(kept)).fill(start);
  target.forEach((at, index) => {
    const [sofar, value] = [result[at] as number, data[index] as number];
    result[at] = operation === 'maximum' ? Math.max(sofar, value) : operation === 'minimum' ? Math.min(sofar, value) : sofar + value;
  });
  const count = operation === 'mean' ? data.length / result.length : 1;
  return Float32Array.from(result, (value) => value / count);
}

export function argument({ least, last }: ArgumentLayer, { dims, data }: FloatTensor): Float32Array {
  const length = dims.at(-1) ?? 1;
  return Float32Array.from({ length: data.length / length }, (_, row) => {
    let best = 0;
    for (let k = 1; k < length; k += 1) {
      const [value, sofar] = [data[row * length + k] as number, data[row * length + best] as number];
      if ((least ? value < sofar : value > sofar) || (last && value === sofar)) best = k;
    }
    return best;
  });
}

export function normalize({ centred, sum, epsilon }: NormalizationLayer, { dims, data }: FloatTensor): Float32Array {
  const length = dims.at(-1) ?? 1;
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += length) {
    const row = Float64Array.from(data.subarray(start, start + length));
    const mean = centred ? row.reduce((total, value) => total + value, 0) / length : 0;
    const squares = row.reduce((total, value) => total + (value - mean) ** 2, 0);
    const divisor = Math.sqrt((sum ? squares : squares / length) + epsilon);
    result.set(row.map((value) => (divisor > 0 ? (value - mean) / divisor : 0)), start);
  }
  return result;
}

export function concatenate(parts: readonly FloatTensor[], axis: number, dims: readonly number[]): Float32Array {
  const result = new Float32Array(elementCount(dims));
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const whole = (dims[axis] ?? 1) * inner;
  let before = 0;
  for (const part of parts) {
    const size = (part.dims[axis] ?? 1) * inner;
    for (let block = 0; block < outer; block += 1) result.set(part.data.subarray(block * size, (block + 1) * size), block * whole + before);
    before += size;
  }
  return result;
}

export function slice({ starts, steps }: SliceLayer, { dims: from, data }: FloatTensor, dims: readonly number[]): Float32Array {
  const along = strides(from);
  return gather(data, dims, along.map((stride, axis) => stride * (steps[axis] ?? 1)), along.reduce((sum, stride, axis) => sum + stride * (starts[axis] ?? 0), 0));
}

export function pad({ before, fill }: PadLayer, { dims: from, data }: FloatTensor, dims: readonly number[]): Float32Array {
  const along = strides(from);
  const within = strides(dims);
  const result = new Float32Array(elementCount(dims));
  for (let index = 0; index < result.length; index += 1) {
    let [source, inside] = [0, true];
    for (let axis = 0; axis < dims.length && inside; axis += 1) {
      const at = (Math.floor(index / (within[axis] as number)) % (dims[axis] as number)) - (before[axis] as number);
      inside = at >= 0 && at < (from[axis] as number);
      source += at * (along[axis] as number);
    }
    result[index] = inside ? (data[source] as number) : fill;
  }
  return result;
}

export function resample({ axis, source, weight }: Pick<ResamplingLayer, 'axis' | 'source' | 'weight'>, { dims: from, data }: FloatTensor, dims: readonly number[]): Float32Array {
  const inner = elementCount(dims.slice(axis + 1));
  const [length, size] = [dims[axis] ?? 1, from[axis] ?? 1];
  return Float32Array.from({ length: elementCount(dims) }, (_, index) => {
    const [within, position, block] = [index % inner, Math.floor(index / inner) % length, Math.floor(index / (inner * length))];
    let total = 0;
    for (let tap = 0; tap < source.length; tap += 1) total += (data[(block * size + (source[tap]?.[position] ?? 0)) * inner + within] as number) * (weight[tap]?.[position] ?? 0);
    return total;
  });
}
