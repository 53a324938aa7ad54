import { ImportError } from '../../import-error.ts';
import { sliced } from '../../../movement.ts';
import { imageSize, toRows } from '../../network/activation.ts';
import type { Activation } from '../../network/activation.ts';
import { elementCount } from '../../network/float-tensor.ts';
import { describe, float, integer, integers } from '../attributes.ts';
import type { OnnxNode } from '../graph.ts';
import { windowOf } from '../windows.ts';
import { dynamicSums } from './convert-dynamic.ts';
import { join, quantize } from './quantize.ts';
import type { QuantizedConversion } from './quantized-conversion.ts';
import { roundHalfEven } from './rounding.ts';
import { ELEMENT } from './value.ts';
import type { Product, Value } from './value.ts';

/** Weights as a node has them: integers without their zero points, one scale for each entry of `axis`, or one for all. */
interface Weights { readonly dims: readonly number[]; readonly values: Int16Array; readonly scales: readonly number[]; readonly axis: number }

/** Conv between `DequantizeLinear` and `QuantizeLinear`. */
export function convertConvolution(conversion: QuantizedConversion, node: OnnxNode): void {
  const weights = dequantizedWeights(conversion, node, 1);
  conversion.output(node, convolutionOf(node, conversion.dequantized(node, 0), weights, (scales) => realBias(conversion, node, 2, scales)));
}

/** QLinearConv: x, w and y with scales and zero points, and a bias of x's and w's scale. */
export function convertQLinearConv(conversion: QuantizedConversion, node: OnnxNode): void {
  const x = withScale(conversion, node, 0);
  const weights = constantWeights(conversion, node, 3, 4, 0);
  const bias = conversion.has(node, 8) ? [...conversion.constant(node, 8, 'bias').tensor.data] : null;
  const product = convolutionOf(node, x, weights, () => bias);
  conversion.output(node, quantize(conversion, node.outputs[0] ?? node.name, product, conversion.scaleAndZero(node, 6)));
}

/** ConvInteger: the sums themselves. */
export function convertConvolutionSums(conversion: QuantizedConversion, node: OnnxNode): void {
  const { x, weights } = integerOperands(conversion, node);
  conversion.output(node, convolutionOf(node, x, weights, () => null));
}

/** MatMulInteger: the sums themselves. */
export function convertMatrixSums(conversion: QuantizedConversion, node: OnnxNode): void {
  const given = conversion.input(node, 0);
  if (given.kind === 'dynamic') {
    dynamicSums(conversion, node, given, matrixOf(node, given.bytes, transposedWeights(node, integerWeights(conversion, node)), () => null));
    return;
  }
  const { x, weights } = integerOperands(conversion, node);
  conversion.output(node, matrixOf(node, x, transposedWeights(node, weights), () => null));
}

/** MatMul between `DequantizeLinear` and `QuantizeLinear`. */
export function convertMatrixProduct(conversion: QuantizedConversion, node: OnnxNode): void {
  const weights = transposedWeights(node, dequantizedWeights(conversion, node, 1));
  conversion.output(node, matrixOf(node, conversion.dequantized(node, 0), weights, () => null));
}

/** Gemm likewise; alpha and beta 1, the first operand as it is. */
export function convertGemm(conversion: QuantizedConversion, node: OnnxNode): void {
  if (float(node, 'alpha', 1) !== 1 || float(node, 'beta', 1) !== 1 || integer(node, 'transA', 0) !== 0) throw new ImportError(`${describe(node)}: alpha and beta other than 1, and transA, are not supported where a model is quantised`);
  const given = dequantizedWeights(conversion, node, 1);
  const weights = integer(node, 'transB', 0) !== 0 ? given : transposedWeights(node, given);
  conversion.output(node, matrixOf(node, conversion.dequantized(node, 0), weights, (scales) => realBias(conversion, node, 2, scales)));
}

/** QLinearMatMul: a, b and y with scales and zero points; leading dimensions of b are a's, a matrix each. */
export function convertQLinearMatMul(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const [name = node.name] = node.outputs;
  const x = withScale(conversion, node, 0);
  const given = constantWeights(conversion, node, 3, 4, conversion.dims(node, 3).length - 1);
  const target = conversion.scaleAndZero(node, 6);
  const leading = given.dims.slice(0, -2);
  if (elementCount(leading) === 1) {
    conversion.output(node, quantize(conversion, name, matrixOf(node, x, transposedWeights(node, { ...given, dims: given.dims.slice(-2), axis: 1 }), () => null), target));
    return;
  }
  if (leading.join() !== x.dims.slice(0, -2).join() || given.scales.length !== 1) throw new ImportError(`${describe(node)}: matrices [${given.dims.join(', ')}] do not fit values [${x.dims.join(', ')}]`);
  const rows = toRows(builder, x);
  const [height = 1, width = 1] = x.dims.slice(-2);
  const size = elementCount(given.dims.slice(-2));
  const parts = Array.from({ length: elementCount(leading) }, (_, index) => {
    const tensor = sliced(builder, `${name}.rows${index}`, rows.tensor, [elementCount(leading) * height, width], [index * height, 0], [height, width]);
    const weights = { ...given, dims: given.dims.slice(-2), values: given.values.slice(index * size, (index + 1) * size), axis: 1 };
    return quantize(conversion, `${name}.${index}`, matrixOf(node, { ...rows, tensor, dims: [height, width] }, transposedWeights(node, weights), () => null), target);
  });
  const activations = parts.map(({ activation }) => activation);
  const dims = [...x.dims.slice(0, -1), given.dims.at(-1) ?? 1];
  conversion.output(node, { kind: 'integers', unsigned: target.unsigned, activation: { ...join(conversion, { kind: 'joined', name, dims, parts: activations, axis: 0 }), dims } });
}

function withScale(conversion: QuantizedConversion, node: OnnxNode, index: number): Activation {
  const { activation, unsigned } = conversion.integers(node, index);
  const { scale, zeroPoint } = conversion.scaleAndZero(node, index + 1, unsigned ? ELEMENT.uint8 : ELEMENT.int8);
  return { ...activation, quantization: { scale, zeroPoint } };
}

/** Operands of ConvInteger and MatMulInteger: x, w, and zero points that may be left out. */
function integerOperands(conversion: QuantizedConversion, node: OnnxNode): { readonly x: Activation; readonly weights: Weights } {
  const { activation, unsigned } = conversion.integers(node, 0);
  const zero = conversion.has(node, 2) ? conversion.constant(node, 2, 'zero point').tensor.data : [0];
  if (zero.length !== 1) throw new ImportError(`${describe(node)}: one zero point for all rows is supported, not ${zero.length}`);
  return { x: { ...activation, quantization: { scale: 1, zeroPoint: (zero[0] ?? 0) - (unsigned ? 128 : 0) } }, weights: integerWeights(conversion, node) };
}

/** Weights of ConvInteger and MatMulInteger. */
function integerWeights(conversion: QuantizedConversion, node: OnnxNode): Weights {
  const { tensor: { dims, data } } = conversion.constant(node, 1, 'weights');
  const zeros = conversion.has(node, 3) ? [...conversion.constant(node, 3, 'zero point').tensor.data] : [0];
  const axis = node.operator === 'ConvInteger' ? 0 : dims.length - 1;
  return { dims, values: withoutZeros(node, data, dims, zeros, axis), scales: [1], axis };
}

function constantWeights(conversion: QuantizedConversion, node: OnnxNode, index: number, scaleIndex: number, axis: number): Weights {
  const { tensor, elementType } = conversion.constant(node, index, 'weights');
  const { scales, zeroPoints } = conversion.scalesAndZeros(node, scaleIndex, elementType);
  return { dims: tensor.dims, values: withoutZeros(node, tensor.data, tensor.dims, zeroPoints, axis), scales, axis };
}

function dequantizedWeights(conversion: QuantizedConversion, node: OnnxNode, index: number): Weights {
  const value = conversion.input(node, index);
  if (value.kind !== 'quantized-constant') {
    throw new ImportError(`${describe(node)}: its weights are ${value.kind === 'constant' ? 'float' : 'computed'} where 8-bit integers with a DequantizeLinear are wanted`);
  }
  const { integers: { dims, data }, scales, zeroPoints, axis } = value;
  return { dims, values: withoutZeros(node, data, dims, zeroPoints, axis), scales, axis };
}

function withoutZeros(node: OnnxNode, data: ArrayLike<number>, dims: readonly number[], zeroPoints: readonly number[], axis: number): Int16Array {
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const size = dims[axis] ?? 1;
  if (zeroPoints.length !== 1 && zeroPoints.length !== size) throw new ImportError(`${describe(node)}: ${zeroPoints.length} zero points for ${size} channels`);
  return Int16Array.from(data, (value, index) => {
    const weight = value - (zeroPoints[zeroPoints.length === 1 ? 0 : Math.floor(index / inner) % size] ?? 0);
    if (!(weight >= -255 && weight <= 255)) throw new ImportError(`${describe(node)}: its weights are not 8-bit integers`);
    return weight;
  });
}

/** [inputs][outputs] as [outputs][inputs]. */
function transposedWeights(node: OnnxNode, { dims, values, scales, axis }: Weights): Weights {
  const [inputs = 0, outputs = 0] = dims;
  if (dims.length !== 2) throw new ImportError(`${describe(node)}: weights of two dimensions are supported, not [${dims.join(', ')}]`);
  return { dims: [outputs, inputs], values: values.map((_, index) => values[(index % inputs) * outputs + Math.floor(index / inputs)] ?? 0), scales, axis: 1 - axis };
}

/** One scale for each of `outputs`. @throws ImportError where the file has them along another axis. */
function perOutput(node: OnnxNode, { scales, axis }: Weights, outputs: number): readonly number[] {
  if (scales.length === 1) return new Array<number>(outputs).fill(scales[0] ?? 1);
  if (axis !== 0 || scales.length !== outputs) throw new ImportError(`${describe(node)}: weights have scales along an axis that is not the outputs'`);
  return scales;
}

/** What a node's bias is in the sums' units; null where it has none. */
function realBias(conversion: QuantizedConversion, node: OnnxNode, index: number, units: readonly number[]): readonly number[] | null {
  if (!conversion.has(node, index)) return null;
  const value: Value = conversion.input(node, index);
  const rounded = (real: number, channel: number): number => roundHalfEven(real / (units[channel] ?? 1));
  if (value.kind === 'constant') return Array.from(value.tensor.data, rounded);
  if (value.kind !== 'quantized-constant') throw new ImportError(`${describe(node)}: its bias must be constant`);
  return Array.from(value.integers.data, (integer, channel) => {
    const scale = value.scales[value.scales.length === 1 ? 0 : channel] ?? 1;
    const shifted = integer - (value.zeroPoints[value.zeroPoints.length === 1 ? 0 : channel] ?? 0);
    // Where the file's scale is x's times w's but for its own rounding, the integers are the sum's already.
    const unit = units[channel] ?? 1;
    return Math.abs(scale / unit - 1) < 2 ** -20 ? shifted : rounded(shifted * scale, channel);
  });
}

function convolutionOf(node: OnnxNode, x: Activation, weights: Weights, biasOf: (units: readonly number[]) => readonly number[] | null): Product {
  const { channels, height, width } = imageSize(x.dims, describe(node));
  const [outputs = 0, perGroup = 0, kernelHeight = 0, kernelWidth = 0] = weights.dims;
  const groups = integer(node, 'group', 1);
  if (weights.dims.length !== 4 || groups < 1 || perGroup * groups !== channels || outputs < 1 || outputs % groups !== 0) {
    throw new ImportError(`${describe(node)}: weights [${weights.dims.join(', ')}] in ${groups} groups do not fit an image of ${channels} channels`);
  }
  const declared = integers(node, 'kernel_shape', [kernelHeight, kernelWidth]);
  if (declared[0] !== kernelHeight || declared[1] !== kernelWidth) throw new ImportError(`${describe(node)}: kernel_shape [${declared.join(', ')}] is not that of its weights`);
  const window = windowOf(node, [height, width], [kernelHeight, kernelWidth]);
  const scales = perOutput(node, weights, outputs);
  const bias = checkedBias(node, biasOf(scales.map((scale) => scale * x.quantization.scale)), outputs);
  return { kind: 'product', name: node.name, dims: [1, outputs, window.outputHeight, window.outputWidth], x, weights: weights.values, scales, bias, groups, window };
}

function matrixOf(node: OnnxNode, x: Activation, weights: Weights, biasOf: (units: readonly number[]) => readonly number[] | null): Product {
  const [outputs = 0, inputs = 0] = weights.dims;
  if (weights.dims.length !== 2 || x.dims.length < 1 || x.dims.at(-1) !== inputs) throw new ImportError(`${describe(node)}: weights [${weights.dims.join(', ')}] do not fit values [${x.dims.join(', ')}]`);
  const scales = perOutput(node, weights, outputs);
  const bias = checkedBias(node, biasOf(scales.map((scale) => scale * x.quantization.scale)), outputs);
  return { kind: 'product', name: node.name, dims: [...x.dims.slice(0, -1), outputs], x, weights: weights.values, scales, bias, groups: 1, window: null };
}

function checkedBias(node: OnnxNode, bias: readonly number[] | null, outputs: number): readonly number[] {
  if (bias === null) return new Array<number>(outputs).fill(0);
  if (bias.length !== outputs) throw new ImportError(`${describe(node)}: ${bias.length} biases for ${outputs} channels`);
  return bias;
}
