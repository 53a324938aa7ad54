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

/** How a window moves along the depth of a volume. */
export interface DepthWindow {
  readonly inputDepth: number;
  readonly outputDepth: number;
  readonly kernelDepth: number;
  readonly strideZ: number;
  readonly dilationZ: number;
  readonly padFront: number;
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

/** Images are NCHW, as ONNX has them; with `depth`, volumes are NCDHW. */
export interface ConvolutionLayer extends Common {
  readonly kind: 'convolution';
  /** [outputs][inputs / groups][kernelHeight][kernelWidth], with the kernel's depth before its height for volumes. */
  readonly weights: FloatTensor;
  readonly bias: Float32Array | null;
  readonly groups: number;
  readonly window: Window;
  readonly depth?: DepthWindow;
  readonly range: Range | null;
}
/** `y[…][n] = Σ_k x[…][k] · weights[n][k] + bias[n]`. */
export interface DenseLayer extends Common {
  readonly kind: 'dense';
  /** [outputs][inputs]. */
  readonly weights: FloatTensor;
  readonly bias: Float32Array | null;
  readonly range: Range | null;
  /** What it reads becomes bytes with a scale a row (the last axis), found while the program runs; only where that has sixteen bits. */
  readonly activations?: 'row';
}
export interface PoolingLayer extends Common {
  readonly kind: 'pooling';
  readonly mode: 'maximum' | 'average';
  readonly window: Window;
  readonly depth?: DepthWindow;
  /** For averages: taps outside the image count. */
  readonly countPadding: boolean;
  /** For averages: what each output's sum is divided by, where it is neither the number of taps inside nor that of all. */
  readonly counts?: Int32Array;
}
/** `x + b` or `x · b`, broadcast; b is another value or a constant. */
export interface BinaryLayer extends Common {
  readonly kind: 'add' | 'multiply';
  readonly b: string;
  readonly range: Range | null;
}
/** What two operands are combined by besides sums and products; comparisons and logic give 0 or 1. A modulo has the divisor's sign, a remainder the dividend's. */
export type BinaryOperation =
  | 'subtract' | 'divide' | 'minimum' | 'maximum' | 'equal' | 'less' | 'less-or-equal' | 'and' | 'or' | 'xor' | 'modulo' | 'remainder';
/** Two operands, broadcast; either may be a constant. */
export interface OperationLayer extends Common { readonly kind: 'operation'; readonly operation: BinaryOperation; readonly b: string }
/** `a` where x is not 0, else `b`; all broadcast. */
export interface SelectLayer extends Common { readonly kind: 'select'; readonly a: string; readonly b: string }
export interface ClampLayer extends Common { readonly kind: 'clamp'; readonly range: Range }
/** A function of each element. */
export interface FunctionLayer extends Common { readonly kind: 'function'; readonly apply: (x: number) => number }
/** The same elements in the same (row-major, NCHW) order with other dimensions. */
export interface ReshapeLayer extends Common { readonly kind: 'reshape' }
/** Axis `i` of the result is axis `order[i]` of x. */
export interface TransposeLayer extends Common { readonly kind: 'transpose'; readonly order: readonly number[] }
/** Over the last axis; `logarithmic` gives its logarithm. */
export interface SoftmaxLayer extends Common { readonly kind: 'softmax'; readonly logarithmic?: boolean }
/** Batched matrices, both computed: `y[…][m][n] = Σ_k x[…][m][k] · b[…][n][k]` if `transposed`, else `b[…][k][n]`; leading dimensions broadcast. */
export interface MatrixProductLayer extends Common { readonly kind: 'matrix-product'; readonly b: string; readonly transposed: boolean }
/** Over neighbouring `axes`, whose dimensions become 1. */
export interface ReductionLayer extends Common { readonly kind: 'reduction'; readonly operation: 'sum' | 'mean' | 'maximum' | 'minimum'; readonly axes: readonly number[] }
/** Index of the greatest (or least) along the last axis, whose dimension becomes 1. */
export interface ArgumentLayer extends Common { readonly kind: 'argument'; readonly least: boolean; readonly last: boolean }
/** Over the last axis: `(x − mean) / √(mean of squares of that + epsilon)`; without `centred` the mean is left out; of the sum of squares if `sum`. */
export interface NormalizationLayer extends Common { readonly kind: 'normalization'; readonly centred: boolean; readonly sum: boolean; readonly epsilon: number }
/** x and `others`, one after another along an axis. */
export interface ConcatenationLayer extends Common { readonly kind: 'concatenation'; readonly others: readonly string[]; readonly axis: number }
/** For each axis, elements from `starts` on, `steps` apart, as many as the result has. */
export interface SliceLayer extends Common { readonly kind: 'slice'; readonly starts: readonly number[]; readonly steps: readonly number[] }
/** Dimensions of 1 repeated. */
export interface ExpandLayer extends Common { readonly kind: 'expand' }
/** A border of `fill`, so many elements on each axis; negative numbers cut. */
export interface PadLayer extends Common { readonly kind: 'pad'; readonly before: readonly number[]; readonly after: readonly number[]; readonly fill: number }
/** Entries of an axis by number; 0 where that is negative. */
export interface GatherLayer extends Common { readonly kind: 'gather'; readonly axis: number; readonly indices: readonly number[] }
/** Rows of `table` (on its first axis) by the computed numbers x, counted from the end where negative. */
export interface EmbeddingLayer extends Common { readonly kind: 'embedding'; readonly table: string }
/** Weighted sums along an axis: entry i of the result is `Σ_t x[source[t][i]] · weight[t][i]`. */
export interface ResamplingLayer extends Common { readonly kind: 'resampling'; readonly axis: number; readonly source: readonly (readonly number[])[]; readonly weight: readonly (readonly number[])[] }

export type Layer =
  | ConvolutionLayer | DenseLayer | PoolingLayer | BinaryLayer | OperationLayer | SelectLayer | ClampLayer | FunctionLayer | ReshapeLayer | TransposeLayer | SoftmaxLayer
  | MatrixProductLayer | ReductionLayer | ArgumentLayer | NormalizationLayer | ConcatenationLayer | SliceLayer | ExpandLayer | PadLayer | GatherLayer | EmbeddingLayer
  | ResamplingLayer;

/** A model between its file and its program: layers in an order in which they can be computed, on floats. */
export interface Network {
  readonly name: string;
  /** Names of the values that come in and go out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly layers: readonly Layer[];
  readonly constants: ReadonlyMap<string, FloatTensor>;
  /** Dimensions of every value, constants included. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
  /** Values that are whole numbers of up to 32 bits (indices, token ids, truth values): they stay as they are. */
  readonly integers?: ReadonlySet<string>;
}

/** Names of the values that a layer reads. */
export function layerInputs(layer: Layer): readonly string[] {
  switch (layer.kind) {
    case 'add': case 'multiply': case 'operation': case 'matrix-product': return [layer.x, layer.b];
    case 'select': return [layer.x, layer.a, layer.b];
    case 'concatenation': return [layer.x, ...layer.others];
    case 'embedding': return [layer.x, layer.table];
    default: return [layer.x];
  }
}

/** Dimensions of a value. @throws RangeError when the network has none of that name. */
export function dimsOf(network: Pick<Network, 'dims'>, value: string): readonly number[] {
  const dims = network.dims.get(value);
  if (dims === undefined) throw new RangeError(`the network has no value ${value}`);
  return dims;
}
