import { ImportError } from '../import-error.ts';
import type { Rounding } from '../quantized/network.ts';
import { channelScales, describe, requireDims, stageOf } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';
import { imageSize, windowOf } from './windows.ts';

/**
 * Factors from sums to outputs, one a channel. The reference kernels take the product of two scales in double precision where scales are per channel, and in single precision for one
 * scale (`PopulateConvolutionQuantizationParams`, `GetQuantizedConvolutionMultipler`, tensorflow/lite/kernels/kernel_util.cc); XNNPACK takes all of it in single precision.
 */
export function accumulatorFactors(rounding: Rounding, perTensor: boolean, x: IntegerTensor, w: IntegerTensor, y: IntegerTensor): number[] {
  return channelScales(w).map((weightScale) => {
    if (rounding === 'float32' && y.type !== 'int16') return Math.fround(Math.fround(x.scale * weightScale) / y.scale);
    return (perTensor ? Math.fround(x.scale * weightScale) : x.scale * weightScale) / y.scale;
  });
}

/** Biases of an operator's input number `position`; null where it is left out. */
export function biasOf(conversion: Conversion, operator: TfliteOperator, position: number, outputs: number): number[] | null {
  if (conversion.optional(operator, position) === null) return null;
  const bias = conversion.integers(operator, position);
  if (bias.length !== outputs) throw new ImportError(`${describe(operator)} has ${bias.length} biases for ${outputs} outputs`);
  return bias;
}

/** Sums of 16-bit activations have 64 bits, except where biases have 32 (tensorflow/lite/kernels/conv.cc, `quantized_bias_type`). */
const hasWideSums = ({ model }: Conversion, operator: TfliteOperator, position: number, y: IntegerTensor): boolean =>
  y.type === 'int16' && model.tensors[operator.inputs[position] ?? -1]?.type !== 'int32';

/** Weights that are constant, of eight bits, with scales for each entry of an axis, or one. @throws ImportError for others. */
export function weightsOf(conversion: Conversion, operator: TfliteOperator, position: number, axis: number, rank: number): IntegerTensor {
  const w = conversion.input(operator, position);
  if (w.tensor.data === null || w.type !== 'int8') throw new ImportError(`${describe(operator)}: its weights are ${w.tensor.data === null ? 'computed' : w.tensor.type}; constants of eight bits are supported`);
  if (w.dims.length !== rank) throw new ImportError(`${describe(operator)}: its weights have the dimensions [${w.dims.join(', ')}]; they have ${rank}`);
  const { scales = [1], zeroPoints = [0], dimension = 0 } = w.tensor.quantization ?? {};
  if (scales.length > 1 && (dimension !== axis || zeroPoints.some((zero) => zero !== w.offset))) throw new ImportError(`${describe(operator)}: its weights have scales along axis ${dimension}; along axis ${axis}, with zero points of 0, is supported`);
  return w;
}

const integersOnly = (operator: TfliteOperator, ...tensors: readonly IntegerTensor[]): void => {
  const types = new Set(tensors.map(({ type, offset }) => `${type}${offset}`));
  if (types.size > 1) throw new ImportError(`${describe(operator)}: its input and output have different types (${tensors.map(({ tensor }) => tensor.type).join(', ')})`);
};

/** `FULLY_CONNECTED`. */
export function convertFullyConnected(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const w = weightsOf(conversion, operator, 1, 0, 2);
  const [outputs = 1, inputs = 1] = w.dims;
  const bias = biasOf(conversion, operator, 2, outputs);
  const y = conversion.output(operator);
  integersOnly(operator, x, y);
  if ((operator.options?.int8(1, 0) ?? 0) !== 0) throw new ImportError(`${describe(operator)}: shuffled weights are not supported`);
  const count = x.dims.reduce((product, dim) => product * dim, 1);
  if (count % inputs !== 0 || y.dims.reduce((product, dim) => product * dim, 1) !== (count / inputs) * outputs) throw new ImportError(`${describe(operator)}: inputs [${x.dims.join(', ')}], weights [${w.dims.join(', ')}] and outputs [${y.dims.join(', ')}] do not fit`);
  const flat = conversion.addValue({ dims: [count / inputs, inputs], type: x.type, quantization: null });
  conversion.append({ kind: 'reshape', name: `${y.name}.rows`, x: x.name, output: flat });
  const result = conversion.addValue({ dims: [count / inputs, outputs], type: y.type, quantization: null });
  const stage = stageOf(operator, conversion.rounding, accumulatorFactors(conversion.rounding, channelScales(w).length === 1, x, w, y), y, operator.options?.int8(0, 0) ?? 0, hasWideSums(conversion, operator, 2, y));
  conversion.append({ kind: 'linear', name: y.name, x: flat, output: result, weights: w.name, weightZero: w.zeroPoint, xZero: x.zeroPoint, bias, stage });
  conversion.append({ kind: 'reshape', name: `${y.name}.shape`, x: result, output: y.name });
}

/** `CONV_2D`. */
export function convertConvolution(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const w = weightsOf(conversion, operator, 1, 0, 4);
  const [outputs = 1, kernelHeight = 1, kernelWidth = 1, perGroup = 1] = w.dims;
  const bias = biasOf(conversion, operator, 2, outputs);
  const y = conversion.output(operator);
  integersOnly(operator, x, y);
  const { channels } = imageSize(operator, x);
  const groups = channels / perGroup;
  if (!Number.isInteger(groups) || outputs % groups !== 0 || y.dims[3] !== outputs) throw new ImportError(`${describe(operator)}: weights [${w.dims.join(', ')}] do not fit ${channels} channels and ${y.dims[3]} outputs`);
  const options = operator.options;
  const window = windowOf(operator, x, y, {
    kernelHeight, kernelWidth, padding: options?.int8(0, 0) ?? 0, strideX: options?.int32(1, 0) ?? 0, strideY: options?.int32(2, 0) ?? 0,
    dilationX: options?.int32(4, 1) ?? 1, dilationY: options?.int32(5, 1) ?? 1,
  });
  const stage = stageOf(operator, conversion.rounding, accumulatorFactors(conversion.rounding, y.offset !== 0, x, w, y), y, options?.int8(3, 0) ?? 0, hasWideSums(conversion, operator, 2, y));
  conversion.append({ kind: 'convolution', name: y.name, x: x.name, output: y.name, weights: w.name, weightZero: w.zeroPoint, xZero: x.zeroPoint, bias, groups, window, stage });
}

/** `DEPTHWISE_CONV_2D`. */
export function convertDepthwise(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const w = weightsOf(conversion, operator, 1, 3, 4);
  const [, kernelHeight = 1, kernelWidth = 1, outputs = 1] = w.dims;
  const bias = biasOf(conversion, operator, 2, outputs);
  const y = conversion.output(operator);
  integersOnly(operator, x, y);
  const { channels } = imageSize(operator, x);
  if (w.dims[0] !== 1 || outputs % channels !== 0 || y.dims[3] !== outputs) throw new ImportError(`${describe(operator)}: weights [${w.dims.join(', ')}] do not fit ${channels} channels and ${y.dims[3]} outputs`);
  const options = operator.options;
  const window = windowOf(operator, x, y, {
    kernelHeight, kernelWidth, padding: options?.int8(0, 0) ?? 0, strideX: options?.int32(1, 0) ?? 0, strideY: options?.int32(2, 0) ?? 0,
    dilationX: options?.int32(5, 1) ?? 1, dilationY: options?.int32(6, 1) ?? 1,
  });
  const stage = stageOf(operator, conversion.rounding, accumulatorFactors(conversion.rounding, y.offset !== 0, x, w, y), y, options?.int8(4, 0) ?? 0);
  const data = conversion.values.get(w.name)?.data ?? null;
  const weights = conversion.addValue({ dims: [kernelHeight, kernelWidth, outputs], type: 'int8', quantization: null, data });
  conversion.append({ kind: 'depthwise', name: y.name, x: x.name, output: y.name, weights, weightZero: w.zeroPoint, xZero: x.zeroPoint, bias, window, stage });
}

/** `TRANSPOSE_CONV`: the output's shape (input 0), weights [outputs][kernelHeight][kernelWidth][channels], x, an optional bias. */
export function convertTransposedConvolution(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 2);
  const w = weightsOf(conversion, operator, 1, 0, 4);
  const [outputs = 1, kernelHeight = 1, kernelWidth = 1, channels = 1] = w.dims;
  const bias = biasOf(conversion, operator, 3, outputs);
  const y = conversion.output(operator);
  integersOnly(operator, x, y);
  if (imageSize(operator, x).channels !== channels || y.dims[3] !== outputs) throw new ImportError(`${describe(operator)}: weights [${w.dims.join(', ')}] do not fit [${x.dims.join(', ')}] and [${y.dims.join(', ')}]`);
  requireDims(operator, y, conversion.dimsGiven(operator, 0, y.dims));
  const options = operator.options;
  const strides = { strideX: options?.int32(1, 0) ?? 0, strideY: options?.int32(2, 0) ?? 0 };
  // The convolution that this is the gradient of goes from y to x.
  const window = windowOf(operator, y, x, { kernelHeight, kernelWidth, padding: options?.int8(0, 0) ?? 0, ...strides, dilationX: 1, dilationY: 1 });
  // No kernel of XNNPACK's computes it: the runtime falls back to its reference kernel.
  const rounding = conversion.rounding === 'once' ? 'once' : 'twice';
  const stage = stageOf(operator, rounding, accumulatorFactors(rounding, y.offset !== 0, x, w, y), y, options?.int8(3, 0) ?? 0, hasWideSums(conversion, operator, 3, y));
  conversion.append({ kind: 'transposed-convolution', name: y.name, x: x.name, output: y.name, weights: w.name, weightZero: w.zeroPoint, xZero: x.zeroPoint, bias, window, stage });
}
