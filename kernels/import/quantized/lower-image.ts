import { concatenated, padded, reshaped, rowMajorShape, sliced } from '../../movement.ts';
import { patchesOf, transposedPatches } from '../../patches-of.ts';
import type { Tensor } from '../../program-builder.ts';
import { quantizedAverage, quantizedMaximum } from '../../quantized-pooling.ts';
import { depthwiseWide, quantizedConvolution, quantizedDepthwise } from '../../quantized-convolution.ts';
import { ImportError } from '../import-error.ts';
import type { Window } from '../network/layer.ts';
import { appendMatrix, biases, rowTotals, wideBiases } from './lower-matrix.ts';
import { factorRows, stageParameters } from './lowering.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { ConvolutionOperation, DepthwiseOperation, PoolingOperation, TransposedConvolutionOperation } from './network.ts';

/** Below so many channels an image's words are mostly padding, and patches followed by a linear layer are cheaper. */
const CHANNELS_FOR_DIRECT = 32;

/** Parameters of a window that kernels take. */
export function windowNumbers({ outputHeight: _, ...numbers }: Window): Record<string, number> {
  return { ...numbers };
}

/** Appends a convolution of one image. */
export function lowerConvolution(lowering: QuantizedLowering, operation: ConvolutionOperation, x: Tensor): Tensor {
  const { dims, data } = lowering.constant(operation.weights, operation.name);
  const [outputs = 1, , , channels = 1] = dims;
  const weights = { outputs, channels, weights: Int8Array.from(data) };
  return operation.groups > 1 ? lowerGroups(lowering, operation, x, weights) : appendConvolution(lowering, operation, x, weights);
}

function appendConvolution(lowering: QuantizedLowering, operation: Omit<ConvolutionOperation, 'weights' | 'groups'>, x: Tensor, { outputs, channels, weights }: { readonly outputs: number; readonly channels: number; readonly weights: Int8Array }): Tensor {
  const { builder } = lowering;
  const { name, window, stage, xZero, weightZero, bias } = operation;
  const taps = window.kernelHeight * window.kernelWidth;
  const matrix = { name, outputs, inputs: taps * channels, weights, weightZero, xZero, bias, stage };
  if (isPointwise(window)) return appendMatrix(lowering, x, matrix);
  if (channels < CHANNELS_FOR_DIRECT || weightZero !== 0 || stage === null || x.shape.element === 'i32') {
    return appendMatrix(lowering, appendPatches(builder, name, x, window, xZero), matrix);
  }
  const { tensor, window: inner } = withBorder(lowering, x, window, xZero, name);
  const offsets = rowTotals(weights, outputs).map((total, output) => (bias?.[output] ?? 0) - xZero * total);
  const operands = [tensor, builder.bytes(outputs * taps, channels, weights), builder.integers(1, outputs, biases(offsets, name)), builder.integers(2, outputs, factorRows(stage, outputs))];
  const output = { element: 'i8', rows: window.outputHeight * window.outputWidth, columns: outputs } as const;
  return builder.append(name, { kernel: quantizedConvolution(stage.rounding), output, operands, parameters: { ...windowNumbers(inner), ...stageParameters(stage) } });
}

/** One convolution a group, side by side. */
function lowerGroups(lowering: QuantizedLowering, operation: ConvolutionOperation, x: Tensor, { outputs, channels, weights }: { readonly outputs: number; readonly channels: number; readonly weights: Int8Array }): Tensor {
  const { builder } = lowering;
  const { name, groups, bias, stage, window } = operation;
  const own = outputs / groups;
  const part = <T>(values: readonly T[], group: number): T[] => values.slice(group * own, (group + 1) * own);
  const perChannel = (values: readonly number[], group: number): readonly number[] => (values.length === 1 ? values : part(values, group));
  const parts = Array.from({ length: groups }, (_, group) => {
    const input = sliced(builder, `${name}.group${group}.x`, x, [x.shape.rows, x.shape.columns], [0, group * channels], [x.shape.rows, channels]);
    const tensor = appendConvolution(lowering, {
      ...operation,
      name: `${name}.group${group}`,
      bias: bias === null ? null : part(bias, group),
      stage: stage === null ? null : { ...stage, multipliers: perChannel(stage.multipliers, group), shifts: perChannel(stage.shifts, group) },
    }, input, { outputs: own, channels, weights: weights.slice((group * weights.length) / groups, ((group + 1) * weights.length) / groups) });
    return { tensor, dims: [window.outputHeight * window.outputWidth, own] };
  });
  return concatenated(builder, name, parts, 1);
}

/** Appends a depthwise convolution of one image. */
export function lowerDepthwise(lowering: QuantizedLowering, operation: DepthwiseOperation, x: Tensor): Tensor {
  const { builder } = lowering;
  const { name, window, stage, xZero, weightZero, bias } = operation;
  const { dims, data } = lowering.constant(operation.weights, name);
  const [kernelHeight = 1, kernelWidth = 1, outputs = 1] = dims;
  const taps = kernelHeight * kernelWidth;
  if (stage === null) throw new ImportError(`${name}: a depthwise convolution without a scale is not supported`);
  const { tensor, window: inner } = withBorder(lowering, x, window, xZero, name);
  const totals = Array.from({ length: outputs }, (_, output) => Array.from({ length: taps }, (__, tap) => (data[tap * outputs + output] ?? 0) - weightZero).reduce((sum, weight) => sum + weight, 0));
  const offsets = totals.map((total, output) => (bias?.[output] ?? 0) - xZero * total);
  const w = builder.bytes(taps, outputs, Int8Array.from(data));
  const scale = builder.integers(2, outputs, factorRows(stage, outputs));
  const rows = window.outputHeight * window.outputWidth;
  const parameters = { ...windowNumbers(inner), channelMultiplier: outputs / x.shape.columns, ...stageParameters(stage) };
  if (x.shape.element === 'i32') {
    if (weightZero !== 0 || stage.rounding !== 'once') throw new ImportError(`${name}: weights of 16-bit activations have the zero point 0, and sums one rounding`);
    return builder.append(name, { kernel: depthwiseWide, output: { element: 'i32', rows, columns: outputs }, operands: [tensor, w, builder.integers(2, outputs, wideBiases(offsets, name)), scale], parameters });
  }
  const operands = [tensor, w, builder.integers(1, outputs, biases(offsets, name)), scale];
  return builder.append(name, { kernel: quantizedDepthwise(stage.rounding), output: { element: 'i8', rows, columns: outputs }, operands, parameters: { ...parameters, weightZero } });
}

/** Appends a transposed convolution of one image: its rows of taps are gathered from x, and the rest is a linear layer. */
export function lowerTransposedConvolution(lowering: QuantizedLowering, operation: TransposedConvolutionOperation, x: Tensor): Tensor {
  const { builder } = lowering;
  const { name, window, stage, xZero, weightZero, bias } = operation;
  const { dims, data } = lowering.constant(operation.weights, name);
  const [outputs = 1, kernelHeight = 1, kernelWidth = 1, channels = 1] = dims;
  const inputs = kernelHeight * kernelWidth * channels;
  const output = { element: x.shape.element, rows: window.inputHeight * window.inputWidth, columns: inputs };
  const rows = builder.append(`${name}.patches`, { kernel: transposedPatches(x.shape.element), output, operands: [x], parameters: { ...transposedNumbers(window), fill: xZero } });
  return appendMatrix(lowering, rows, { name, outputs, inputs, weights: Int8Array.from(data), weightZero, xZero, bias, stage });
}

const transposedNumbers = (window: Window): Record<string, number> => {
  const { inputWidth, outputHeight, outputWidth, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft } = window;
  return { inputWidth, outputHeight, outputWidth, kernelWidth, strideY, strideX, dilationY, dilationX, padTop, padLeft };
};

/** Appends a pooling of one image. */
export function lowerPooling({ builder }: QuantizedLowering, { name, mode, window, low, high, offset }: PoolingOperation, x: Tensor): Tensor {
  const { element, columns } = x.shape;
  const output = { element, rows: window.outputHeight * window.outputWidth, columns };
  const parameters = { ...windowNumbers(window), low, high };
  if (mode === 'maximum') return builder.append(name, { kernel: quantizedMaximum(element), output, operands: [x], parameters });
  return builder.append(name, { kernel: quantizedAverage(element), output, operands: [x], parameters: { ...parameters, offset } });
}

/** True for windows of one tap that see every pixel once. */
const isPointwise = ({ kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft, inputHeight, inputWidth, outputHeight, outputWidth }: Window): boolean =>
  kernelHeight * kernelWidth * strideY * strideX === 1 && padTop === 0 && padLeft === 0 && inputHeight === outputHeight && inputWidth === outputWidth;

function appendPatches(builder: QuantizedLowering['builder'], name: string, x: Tensor, window: Window, fill: number): Tensor {
  const { outputHeight, outputWidth, kernelHeight, kernelWidth } = window;
  const output = { element: x.shape.element, rows: outputHeight * outputWidth, columns: kernelHeight * kernelWidth * x.shape.columns };
  return builder.append(`${name}.patches`, { kernel: patchesOf(x.shape.element), output, operands: [x], parameters: { ...windowNumbers(window), fill } });
}

/** The image with a border of its zero point, where the window reaches outside and 0 is not the zero point. */
function withBorder({ builder }: QuantizedLowering, x: Tensor, window: Window, fill: number, name: string): { readonly tensor: Tensor; readonly window: Window } {
  const { inputHeight, inputWidth, padTop, padLeft } = window;
  const bottom = (window.outputHeight - 1) * window.strideY + (window.kernelHeight - 1) * window.dilationY + 1 - padTop;
  const right = (window.outputWidth - 1) * window.strideX + (window.kernelWidth - 1) * window.dilationX + 1 - padLeft;
  const inside = padTop === 0 && padLeft === 0 && bottom <= inputHeight && right <= inputWidth;
  if (inside || fill === 0) return { tensor: x, window };
  const [below, beside] = [Math.max(0, bottom - inputHeight), Math.max(0, right - inputWidth)];
  const dims = [inputHeight, inputWidth, x.shape.columns];
  const bordered = padded(builder, `${name}.pad`, x, dims, [padTop, padLeft, 0], [below, beside, 0], fill);
  const [height, width] = [padTop + inputHeight + below, padLeft + inputWidth + beside];
  return { tensor: reshaped(builder, `${name}.padded`, bordered, rowMajorShape(x.shape.element, [height, width, x.shape.columns])), window: { ...window, inputHeight: height, inputWidth: width, padTop: 0, padLeft: 0 } };
}
