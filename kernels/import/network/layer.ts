import type { FloatTensor } from './float-tensor.ts';

/** How a window moves over an image of one channel; see kernels/image-window.ts. Sizes in pixels, the output's included. */
export interface Window {
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/** Values a layer's result is cut to. */
export interface Range { readonly low: number; readonly high: number }

interface Common {
  /** For people: the name that the model's file has for it. */
  readonly name: string;
  /** Name of the value it reads. */
  readonly x: string;
  /** Name of the value it writes. */
  readonly output: string;
}

/** Images are NCHW, as ONNX has them, with N = 1. */
export interface ConvolutionLayer extends Common {
  readonly kind: 'convolution';
  /** [outputs][inputs / groups][kernelHeight][kernelWidth]. */
  readonly weights: FloatTensor;
  readonly bias: Float32Array | null;
  readonly groups: number;
  readonly window: Window;
  readonly range: Range | null;
}
/** `y[…][n] = Σ_k x[…][k] · weights[n][k] + bias[n]`. */
export interface DenseLayer extends Common {
  readonly kind: 'dense';
  /** [outputs][inputs]. */
  readonly weights: FloatTensor;
  readonly bias: Float32Array | null;
  readonly range: Range | null;
}
export interface PoolingLayer extends Common {
  readonly kind: 'pooling';
  readonly mode: 'maximum' | 'average';
  readonly window: Window;
  /** For averages: taps outside the image count. */
  readonly countPadding: boolean;
}
/** `x + b` or `x · b`; b is another value, or a constant that broadcasts to x's dimensions. */
export interface BinaryLayer extends Common {
  readonly kind: 'add' | 'multiply';
  readonly b: string;
  readonly range: Range | null;
}
export interface ClampLayer extends Common { readonly kind: 'clamp'; readonly range: Range }
/** A function of each element. */
export interface FunctionLayer extends Common { readonly kind: 'function'; readonly apply: (x: number) => number }
/** The same elements in the same (row-major, NCHW) order with other dimensions. */
export interface ReshapeLayer extends Common { readonly kind: 'reshape' }
/** Axis `i` of the result is axis `order[i]` of x. */
export interface TransposeLayer extends Common { readonly kind: 'transpose'; readonly order: readonly number[] }
/** Over the last axis. */
export interface SoftmaxLayer extends Common { readonly kind: 'softmax' }

export type Layer =
  | ConvolutionLayer | DenseLayer | PoolingLayer | BinaryLayer | ClampLayer | FunctionLayer | ReshapeLayer | TransposeLayer | SoftmaxLayer;

/** A model between its file and its program: layers in an order in which they can be computed, on floats. */
export interface Network {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly layers: readonly Layer[];
  readonly constants: ReadonlyMap<string, FloatTensor>;
  /** Dimensions of every value, constants included. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
}

/** Names of the values that a layer reads. */
export const layerInputs = (layer: Layer): readonly string[] => (layer.kind === 'add' || layer.kind === 'multiply' ? [layer.x, layer.b] : [layer.x]);

/** Dimensions of a value. @throws RangeError when the network has none of that name. */
export function dimsOf(network: Pick<Network, 'dims'>, value: string): readonly number[] {
  const dims = network.dims.get(value);
  if (dims === undefined) throw new RangeError(`the network has no value ${value}`);
  return dims;
}
