import { elementCount } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import type { ConvolutionLayer, DepthWindow, PoolingLayer, Window } from './layer.ts';

/** The window of an image as one of a volume of depth 1. */
export const FLAT: DepthWindow = { inputDepth: 1, outputDepth: 1, kernelDepth: 1, strideZ: 1, dilationZ: 1, padFront: 0 };

/** For each output position of a window, its taps: pairs of (tap number, position inside the channel) of those that are inside. */
function tapLists(window: Window, depth: DepthWindow): { readonly starts: Int32Array; readonly taps: Int32Array; readonly sources: Int32Array } {
  const positions = depth.outputDepth * window.outputHeight * window.outputWidth;
  const count = depth.kernelDepth * window.kernelHeight * window.kernelWidth;
  const starts = new Int32Array(positions + 1);
  const taps = new Int32Array(positions * count);
  const sources = new Int32Array(positions * count);
  let [end, position] = [0, 0];
  for (let oz = 0; oz < depth.outputDepth; oz += 1) for (let oy = 0; oy < window.outputHeight; oy += 1) for (let ox = 0; ox < window.outputWidth; ox += 1) {
    for (let kz = 0; kz < depth.kernelDepth; kz += 1) {
      const z = oz * depth.strideZ - depth.padFront + kz * depth.dilationZ;
      if (z < 0 || z >= depth.inputDepth) continue;
      for (let ky = 0; ky < window.kernelHeight; ky += 1) {
        const y = oy * window.strideY - window.padTop + ky * window.dilationY;
        if (y < 0 || y >= window.inputHeight) continue;
        for (let kx = 0; kx < window.kernelWidth; kx += 1) {
          const x = ox * window.strideX - window.padLeft + kx * window.dilationX;
          if (x < 0 || x >= window.inputWidth) continue;
          taps[end] = (kz * window.kernelHeight + ky) * window.kernelWidth + kx;
          sources[end] = (z * window.inputHeight + y) * window.inputWidth + x;
          end += 1;
        }
      }
    }
    position += 1;
    starts[position] = end;
  }
  return { starts, taps, sources };
}

/** A convolution before its range: sums in double precision, in row-major order of the output. */
export function convolve({ weights, bias, groups, window, depth = FLAT }: ConvolutionLayer, { data }: FloatTensor, dims: readonly number[]): Float32Array {
  const [batches = 1, outputs = 0] = dims;
  const [, channels = 0] = weights.dims;
  const { starts, taps, sources } = tapLists(window, depth);
  const positions = starts.length - 1;
  const size = depth.inputDepth * window.inputHeight * window.inputWidth;
  const count = depth.kernelDepth * window.kernelHeight * window.kernelWidth;
  const result = new Float32Array(elementCount(dims));
  const w = weights.data;
  const sums = new Float64Array(positions);
  for (let batch = 0; batch < batches; batch += 1) {
    for (let o = 0; o < outputs; o += 1) {
      const first = Math.floor(o / (outputs / groups)) * channels;
      sums.fill(bias?.[o] ?? 0);
      for (let c = 0; c < channels; c += 1) {
        const plane = (batch * groups * channels + first + c) * size;
        const kernel = (o * channels + c) * count;
        for (let position = 0; position < positions; position += 1) {
          let total = 0;
          const end = starts[position + 1] as number;
          for (let tap = starts[position] as number; tap < end; tap += 1) total += (data[plane + (sources[tap] as number)] as number) * (w[kernel + (taps[tap] as number)] as number);
          sums[position] = (sums[position] as number) + total;
        }
      }
      result.set(sums, (batch * outputs + o) * positions);
    }
  }
  return result;
}

/** Maximum or mean over windows. */
export function pool({ mode, window, depth = FLAT, countPadding, counts }: PoolingLayer, { data }: FloatTensor, dims: readonly number[]): Float32Array {
  const { starts, sources } = tapLists(window, depth);
  const positions = starts.length - 1;
  const size = depth.inputDepth * window.inputHeight * window.inputWidth;
  const all = depth.kernelDepth * window.kernelHeight * window.kernelWidth;
  return Float32Array.from({ length: elementCount(dims) }, (_, index) => {
    const position = index % positions;
    const plane = Math.floor(index / positions) * size;
    const [start, end] = [starts[position] as number, starts[position + 1] as number];
    let value = mode === 'maximum' ? -Infinity : 0;
    for (let tap = start; tap < end; tap += 1) {
      const element = data[plane + (sources[tap] as number)] as number;
      value = mode === 'maximum' ? Math.max(value, element) : value + element;
    }
    return mode === 'maximum' ? value : value / (counts?.[position] ?? (countPadding ? all : Math.max(end - start, 1)));
  });
}
