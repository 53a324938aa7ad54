import type { Rounding } from '../../rounding.ts';
import type { Window } from '../network/layer.ts';
import type { OriginalType } from '../network/metadata.ts';

/*
 * A network that is quantised already, between its file and its program. Importers (TensorFlow Lite, quantised ONNX) say here which integers are computed from which, with every
 * multiplier, shift and table as numbers, so that nothing is re-quantised; `lowerQuantizedNetwork` (lower.ts) turns it into kernels.
 *
 * - Values have any number of dimensions, in row-major order; images are NHWC.
 * - Unsigned bytes are kept as signed ones, everything less 128: values, zero points, bounds. Only a network's `inputs` and `outputs` say what the file had.
 * - Booleans are int8: 0 and 1.
 */

/** 16-bit values lie in 32-bit tensors. */
export type IntegerType = 'int8' | 'int16' | 'int32';

/** A value's integers `q` stand for `scale · (q − zeroPoint)`. */
export interface Scale { readonly scale: number; readonly zeroPoint: number }

export interface QuantizedValue {
  readonly dims: readonly number[];
  readonly type: IntegerType;
  /** For people and clients; no lowering depends on it. Null for indices, booleans and the like. */
  readonly quantization: Scale | null;
  /** The elements of a constant; null where the value is computed. */
  readonly data: Int8Array | Int16Array | Int32Array | null;
}

/** How `multiplier / 2^shift` is multiplied with: see kernels/rounding.ts. `float32` is what runtimes do that scale sums in single precision: XNNPACK, onnxruntime. */
export type { Rounding };

/** A factor for each output channel, or one for all. */
export interface Factors { readonly multipliers: readonly number[]; readonly shifts: readonly number[]; readonly rounding: Rounding }

/** How sums become a value: `clamp(round(sum · factor) + zeroPoint, low, high)`. */
export interface OutputStage extends Factors { readonly zeroPoint: number; readonly low: number; readonly high: number }

interface Common {
  /** For people: what the file calls the operation. */
  readonly name: string;
  /** Name of the value that is computed. */
  readonly output: string;
}

/** `y[…][n] = stage(Σ_k (x[…][k] − xZero) · (w[n][k] − weightZero) + bias[n])`; without a stage the sums themselves, int32. */
export interface LinearOperation extends Common {
  readonly kind: 'linear';
  readonly x: string;
  readonly xZero: number;
  /** [N][K], int8; constant or computed. With 16-bit x constant only. */
  readonly weights: string;
  readonly weightZero: number;
  /** N of them; up to 48 bits with 16-bit x. */
  readonly bias: readonly number[] | null;
  readonly stage: OutputStage | null;
}

/** Images: `window` gives sizes in pixels, the output's included. Taps outside the image count as `xZero`. */
interface ImageOperation extends Common {
  readonly x: string;
  readonly xZero: number;
  readonly weightZero: number;
  readonly bias: readonly number[] | null;
  readonly window: Window;
  readonly stage: OutputStage | null;
}
/** weights: a constant [outputs][kernelHeight][kernelWidth][channels / groups]. */
export interface ConvolutionOperation extends ImageOperation { readonly kind: 'convolution'; readonly weights: string; readonly groups: number }
/** weights: a constant [kernelHeight][kernelWidth][channels · multiplier]; output channel o reads input channel `o div multiplier`. */
export interface DepthwiseOperation extends ImageOperation { readonly kind: 'depthwise'; readonly weights: string }
/**
 * weights: a constant [outputs][kernelHeight][kernelWidth][channels]; `window` is that of the convolution whose gradient this is: its input is this operation's output.
 */
export interface TransposedConvolutionOperation extends ImageOperation { readonly kind: 'transposed-convolution'; readonly weights: string }

/** The maximum, or the mean with halves away from zero, over the taps inside the image; cut to `low … high`. x and y have one scale. */
export interface PoolingOperation extends Common {
  readonly kind: 'pooling';
  readonly mode: 'maximum' | 'average';
  /** For means: what is added to x to have the integers that are rounded away from zero; 128 for unsigned bytes kept less 128. */
  readonly offset: number;
  readonly x: string;
  readonly window: Window;
  readonly low: number;
  readonly high: number;
}

/** `x · 2^leftShift · factor`, as a part of a sum. */
export interface Term { readonly x: string; readonly zeroPoint: number; readonly multiplier: number; readonly shift: number }
/** `stage(± round((a − aZero) · 2^leftShift · aFactor) ± …)`: TensorFlow Lite's ADD and SUB. Dimensions broadcast. */
export interface AddOperation extends Common { readonly kind: 'add'; readonly a: Term; readonly b: Term; readonly subtract: boolean; readonly leftShift: number; readonly stage: OutputStage }
/** `stage((a − aZero) · (b − bZero))`. Dimensions broadcast. */
export interface MultiplyOperation extends Common { readonly kind: 'multiply'; readonly a: string; readonly aZero: number; readonly b: string; readonly bZero: number; readonly stage: OutputStage }
/** Of integers with one scale. Dimensions broadcast. */
export interface ExtremeOperation extends Common { readonly kind: 'minimum' | 'maximum'; readonly a: string; readonly b: string }

/** A function of an int8: `table[x & 255]`. */
export interface TableOperation extends Common { readonly kind: 'table'; readonly x: string; readonly table: Int8Array }
/** Another scale, or another type: `stage(x − xZero)`. */
export interface RescaleOperation extends Common { readonly kind: 'rescale'; readonly x: string; readonly xZero: number; readonly stage: OutputStage }
export interface ClampOperation extends Common { readonly kind: 'clamp'; readonly x: string; readonly low: number; readonly high: number }

/** The same elements in the same order. */
export interface ReshapeOperation extends Common { readonly kind: 'reshape'; readonly x: string }
/** Axis i of the result is axis `order[i]` of x. */
export interface TransposeOperation extends Common { readonly kind: 'transpose'; readonly x: string; readonly order: readonly number[] }
/** `sizes[i]` elements of each axis from `starts[i]` on, `steps[i]` apart (negative: backwards). The output may have fewer dimensions, all of them those that are not of size 1. */
export interface SliceOperation extends Common { readonly kind: 'slice'; readonly x: string; readonly starts: readonly number[]; readonly sizes: readonly number[]; readonly steps: readonly number[] }
export interface PadOperation extends Common { readonly kind: 'pad'; readonly x: string; readonly before: readonly number[]; readonly after: readonly number[]; readonly fill: number }
/** Each axis repeated as a whole, `repeats[i]` times. */
export interface TileOperation extends Common { readonly kind: 'tile'; readonly x: string; readonly repeats: readonly number[] }
export interface ConcatenateOperation extends Common { readonly kind: 'concatenate'; readonly parts: readonly string[]; readonly axis: number }
/** Entry i along `axis` of the result is entry `indices[i]` of x. The output's dimensions may be other ones of as many elements. */
export interface GatherOperation extends Common { readonly kind: 'gather'; readonly x: string; readonly axis: number; readonly indices: readonly number[] }

/** As `gather` with indices that are computed: the output's dimensions are x's with `axis` replaced by those of the indices. Negative ones count from the end; zeros where there is no such entry. */
export interface TakeOperation extends Common { readonly kind: 'take'; readonly x: string; readonly axis: number; readonly indices: string }

/**
 * Over the last axis: `clamp(round(e[m − x[c]] / Σ_k e[m − x[k]] · outputSteps) + zeroPoint, −128, 127)` with m the row's maximum and `e[d] = table[d] / 2^30`, for d = 0 … 255; halves away
 * from zero. `outputSteps` is 1 divided by the output's scale.
 */
export interface SoftmaxOperation extends Common { readonly kind: 'softmax'; readonly x: string; readonly table: Int32Array; readonly outputSteps: number; readonly zeroPoint: number }

/** Over the last axis, in gemmlowp's fixed point: `table[d]` is `2^31 · exp` of a distance of d = 0 … 255 below the row's maximum. x is int8, the output int8 or int16, from its least number on. */
export interface FixedPointSoftmaxOperation extends Common { readonly kind: 'fixed-point-softmax'; readonly x: string; readonly table: Int32Array }

/** Over the last axis, of int16 to int16, with tables of 513 entries: `factor` brings differences to steps of 10 / 65535; `exponentials` is exp on [−10, 0], `reciprocals` 1 / (1 + f) on [0, 1]. */
export interface WideSoftmaxOperation extends Common {
  readonly kind: 'wide-softmax';
  readonly x: string;
  readonly factor: Factor & { readonly rounding: Rounding };
  readonly exponentials: Int32Array;
  readonly reciprocals: Int32Array;
}

/**
 * The softmax's logarithm over the last axis, int8: `clamp(zeroPoint − round(d · multiplier / 2^shift + steps · log(Σ_k e[d_k])), −128, 127)`, halves to even, d and e as in `softmax`.
 * `multiplier / 2^shift` is the input's scale over the output's, `steps` 1 over the output's scale.
 */
export interface LogSoftmaxOperation extends Common {
  readonly kind: 'log-softmax';
  readonly x: string;
  readonly table: Int32Array;
  readonly multiplier: number;
  readonly shift: number;
  readonly steps: number;
  readonly zeroPoint: number;
}

/** A factor that sums are scaled by, with gemmlowp's two roundings. */
export interface Factor { readonly multiplier: number; readonly shift: number }

/** The four gates of an LSTM for one time step: see kernels/lstm.ts. Gates are int16 [B][4H]: input, forget, cell, output. */
export interface LstmGatesOperation extends Common {
  readonly kind: 'lstm-gates';
  /** What the input adds, for all steps: int16 [T·B][4H]; this step's rows begin at `first`. */
  readonly given: string;
  readonly first: number;
  /** The output before: [B][H], int8, or int16 with the zero point 0. */
  readonly hidden: string;
  readonly hiddenZero: number;
  /** A constant [4H][H], int8. */
  readonly weights: string;
  /** A factor for each of the 4H columns; with 16-bit outputs multipliers of 15 bits. */
  readonly factors: { readonly multipliers: readonly number[]; readonly shifts: readonly number[] };
  readonly sigmoid: Int32Array;
  readonly tanh: Int32Array;
}
/** The cell, int16 [B][H]; with `powers` the factors' shifts alone count. */
export interface LstmCellOperation extends Common { readonly kind: 'lstm-cell'; readonly gates: string; readonly cell: string; readonly forget: Factor; readonly input: Factor; readonly powers: boolean; readonly clip: number }
/** The output, [B][H], int8 or int16. */
export interface LstmOutputOperation extends Common { readonly kind: 'lstm-output'; readonly gates: string; readonly cell: string; readonly tanh: Int32Array; readonly stage: OutputStage }

/** Filters' memories, int16 [B][F·M], with the newest features [B][F] in the last places: see kernels/svdf.ts. */
export interface ShiftStateOperation extends Common { readonly kind: 'shift-state'; readonly state: string; readonly newest: string; readonly memory: number }
/** Sums of filters over time, int8 [B][U]; weights: a constant [F][M]. */
export interface FilterSumsOperation extends Common { readonly kind: 'filter-sums'; readonly state: string; readonly weights: string; readonly bias: readonly number[]; readonly rank: number; readonly stage: OutputStage }

/** A function of an int16: `table[x + 2^15]`, with 2^16 entries. Operations may share one array. */
export interface WideTableOperation extends Common { readonly kind: 'wide-table'; readonly x: string; readonly table: Int32Array }

/** `((a − aZero) · aMultiplier ± (b − bZero) · bMultiplier + 2^(shift−1)) >> shift + zeroPoint`, cut: XNNPACK's ADD and SUB of bytes. A term's own shift is not used. Dimensions broadcast. */
export interface WeightedAddOperation extends Common {
  readonly kind: 'weighted-add';
  readonly a: string;
  readonly aZero: number;
  readonly aMultiplier: number;
  readonly b: string;
  readonly bZero: number;
  readonly bMultiplier: number;
  readonly shift: number;
  readonly zeroPoint: number;
  readonly low: number;
  readonly high: number;
}
/** `stage((x − xZero) · (x < xZero ? negative : stage's own factor))`. */
export interface LeakyOperation extends Common { readonly kind: 'leaky'; readonly x: string; readonly xZero: number; readonly negative: { readonly multiplier: number; readonly shift: number }; readonly stage: OutputStage }
/** As `leaky`, with `(x − xZero) · (slope − slopeZero)` times the negative factor where x is negative. Dimensions broadcast. */
export interface ParametricOperation extends Common {
  readonly kind: 'parametric';
  readonly x: string;
  readonly xZero: number;
  readonly slope: string;
  readonly slopeZero: number;
  readonly negative: { readonly multiplier: number; readonly shift: number };
  readonly stage: OutputStage;
}
/** 1 or 0 as `scaled((a − aZero) << 8)` compares with `scaled((b − bZero) << 8)`, with gemmlowp's roundings. Dimensions broadcast. */
export interface CompareOperation extends Common { readonly kind: 'compare'; readonly comparison: 'equal' | 'less' | 'less-or-equal'; readonly a: Term; readonly b: Term }
/** Of integers with one scale. Dimensions broadcast. */
export interface SelectOperation extends Common { readonly kind: 'select'; readonly condition: string; readonly a: string; readonly b: string }

/** Over `axes` of x, all others kept: `stage(Σ (x − xZero))`, or the extreme with one scale, or its index along the only axis, int32. */
export type ReduceOperation = Common & { readonly x: string; readonly axes: readonly number[] } & (
  | { readonly kind: 'reduce-sum'; readonly xZero: number; readonly stage: OutputStage }
  | { readonly kind: 'reduce-extreme' | 'argument'; readonly which: 'minimum' | 'maximum' }
);
/** `stage(Σ_k (x[…][r][k] − xZero) · (w[…][k][n] − wZero))`, each operand transposed first where it says so. Leading dimensions broadcast. */
export interface MatrixProductOperation extends Common {
  readonly kind: 'matrix-product';
  readonly x: string;
  readonly xZero: number;
  readonly xTransposed: boolean;
  readonly w: string;
  readonly wZero: number;
  readonly wTransposed: boolean;
  readonly stage: OutputStage;
}
/**
 * Bilinear interpolation of images of bytes in fixed point: for each output row, and each output column, two source pixels and a fraction of 2^bits, with 10 bits halves away from zero
 * (kernels/resample.ts, `resizeBilinear`), with 11 upwards (kernels/quantized-resize.ts).
 */
export interface BilinearOperation extends Common {
  readonly kind: 'bilinear';
  readonly x: string;
  readonly bits: 10 | 11;
  readonly vertical: readonly (readonly [number, number, number])[];
  readonly horizontal: readonly (readonly [number, number, number])[];
}

export type QuantizedOperation =
  | WeightedAddOperation | LeakyOperation | ParametricOperation | CompareOperation | SelectOperation | ReduceOperation | MatrixProductOperation | BilinearOperation
  | SoftmaxOperation | FixedPointSoftmaxOperation | WideSoftmaxOperation | LogSoftmaxOperation | WideTableOperation | TakeOperation
  | LstmGatesOperation | LstmCellOperation | LstmOutputOperation | ShiftStateOperation | FilterSumsOperation
  | LinearOperation | ConvolutionOperation | DepthwiseOperation | TransposedConvolutionOperation | PoolingOperation
  | AddOperation | MultiplyOperation | ExtremeOperation | TableOperation | RescaleOperation | ClampOperation
  | ReshapeOperation | TransposeOperation | SliceOperation | PadOperation | TileOperation | ConcatenateOperation | GatherOperation;

/** What the file had at a border of the network. `float32` where it converts by itself: then `scale` and `zeroPoint` say how. */
export interface Border extends Scale {
  readonly value: string;
  /** Element type in the file. */
  readonly type: OriginalType;
  /** The integers as the file counts them: `zeroPoint` is that of these, not less 128. */
  readonly element: 'int8' | 'uint8' | 'int16' | 'int32';
}

export interface QuantizedNetwork {
  readonly name: string;
  /** One after another in the program's input. */
  readonly inputs: readonly Border[];
  /** One after another in the program's result. */
  readonly outputs: readonly Border[];
  readonly values: ReadonlyMap<string, QuantizedValue>;
  /** In an order in which they can be computed. */
  readonly operations: readonly QuantizedOperation[];
}
