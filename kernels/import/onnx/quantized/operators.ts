import { ImportError } from '../../import-error.ts';
import { imageSize, rowsShape } from '../../network/activation.ts';
import type { Activation } from '../../network/activation.ts';
import { broadcastDims, elementCount } from '../../network/float-tensor.ts';
import { describe, float, integer, integers } from '../attributes.ts';
import type { OnnxNode } from '../graph.ts';
import { windowOf } from '../windows.ts';
import { convertConcat, convertFlatten, convertMaxPool, convertPad, convertReshape, convertSlice, convertSplit, convertSqueeze, convertTranspose, convertUnsqueeze } from './convert-movement.ts';
import { convertConvolution, convertConvolutionSums, convertGemm, convertMatrixProduct, convertMatrixSums, convertQLinearConv, convertQLinearMatMul } from './convert-product.ts';
import { addBias, convertDynamicQuantize, fixedOfSums, reluFixed, scaledBy } from './convert-dynamic.ts';
import { quantize } from './quantize.ts';
import type { QuantizedConversion } from './quantized-conversion.ts';
import { ELEMENT } from './value.ts';
import type { PairOperator, Real, Value } from './value.ts';

type Convert = (conversion: QuantizedConversion, node: OnnxNode) => void;

/** A value that is float in the file. @throws ImportError for integers, which a `DequantizeLinear` must turn into floats first. */
function real(conversion: QuantizedConversion, node: OnnxNode, index: number): Real {
  const value = conversion.input(node, index);
  switch (value.kind) {
    case 'integers':
      throw new ImportError(`${describe(node)} computes with integers that are not dequantised`);
    case 'fixed': case 'dynamic': case 'dynamic-scale': case 'dynamic-zero': case 'dynamic-sums':
      throw new ImportError(`${describe(node)}: of what is quantised while the model runs, only matrix products, biases and Relu are supported`);
    default:
      return value;
  }
}

function convertQuantize(conversion: QuantizedConversion, node: OnnxNode): void {
  const [name = ''] = node.outputs;
  conversion.output(node, quantize(conversion, name, real(conversion, node, 0), conversion.scaleAndZero(node, 1, integer(node, 'output_dtype', ELEMENT.uint8) || ELEMENT.uint8)));
}

function convertDequantize(conversion: QuantizedConversion, node: OnnxNode): void {
  const value = conversion.input(node, 0);
  if (value.kind === 'constant') {
    const { scales, zeroPoints } = conversion.scalesAndZeros(node, 1, value.elementType);
    const axis = integer(node, 'axis', 1);
    const rank = value.tensor.dims.length;
    conversion.output(node, { kind: 'quantized-constant', integers: value.tensor, scales, zeroPoints, axis: axis < 0 ? axis + rank : axis });
    return;
  }
  if (value.kind !== 'integers') throw new ImportError(`${describe(node)} reads a ${value.kind} where 8-bit integers are wanted`);
  const { scale, zeroPoint } = conversion.scaleAndZero(node, 1, value.unsigned ? ELEMENT.uint8 : ELEMENT.int8);
  conversion.output(node, { kind: 'dequantized', activation: { ...value.activation, quantization: { scale, zeroPoint } } });
}

/** A function of each element, in single precision. `range`: what it cuts to, where it does only that. */
const mapped = (make: (node: OnnxNode, conversion: QuantizedConversion) => { readonly apply: (x: number) => number; readonly range?: { readonly low: number; readonly high: number } }): Convert =>
  (conversion, node) => {
    const { apply, range = null } = make(node, conversion);
    conversion.output(node, { kind: 'mapped', name: node.name, x: real(conversion, node, 0), apply, range });
  };

const pair = (operator: PairOperator): Convert => (conversion, node) => {
  const dynamic = dynamicPair(conversion, node, operator);
  if (dynamic !== null) {
    conversion.output(node, dynamic);
    return;
  }
  const numberAt = (index: number): number | null => {
    const value = conversion.input(node, index);
    return value.kind === 'constant' && value.tensor.data.length === 1 ? (value.tensor.data[0] ?? 0) : null;
  };
  const [left, right] = [numberAt(0), numberAt(1)];
  if (left !== null || right !== null) {
    const apply = (a: number, b: number): number => (operator === 'add' ? a + b : operator === 'subtract' ? a - b : a * b);
    const x = real(conversion, node, left === null ? 0 : 1);
    conversion.output(node, { kind: 'mapped', name: node.name, x, range: null, apply: left === null ? (value) => apply(value, right ?? 0) : (value) => apply(left, value) });
    return;
  }
  const [a, b] = [pairOperand(conversion, node, 0), pairOperand(conversion, node, 1)];
  const dims = broadcastDims(a.dims, b.dims);
  if (dims === null) throw new ImportError(`${describe(node)}: [${a.dims.join(', ')}] and [${b.dims.join(', ')}] do not go together`);
  conversion.output(node, { kind: 'pair', name: node.name, dims, a, b, operator });
};

/** What `Mul` and `Add` do in graphs that quantise while they run: scales times constants, sums times scales, biases. Null for everything else. */
function dynamicPair(conversion: QuantizedConversion, node: OnnxNode, operator: PairOperator): Value | null {
  const values = [conversion.input(node, 0), conversion.input(node, 1)];
  const of = <K extends Value['kind']>(kind: K): Extract<Value, { kind: K }> | undefined => values.find((value): value is Extract<Value, { kind: K }> => value.kind === kind);
  const [constant, scale, sums, fixed] = [of('constant'), of('dynamic-scale'), of('dynamic-sums'), of('fixed')];
  if (operator === 'multiply' && scale !== undefined && constant !== undefined) return scaledBy(scale, constant.tensor.data);
  if (operator === 'multiply' && scale !== undefined && sums !== undefined) return fixedOfSums(conversion, node.outputs[0] ?? node.name, sums, scale);
  if (operator === 'add' && fixed !== undefined && constant !== undefined) return addBias(conversion, node, fixed, constant.tensor.data);
  if (scale !== undefined || sums !== undefined || fixed !== undefined) throw new ImportError(`${describe(node)}: this use of what is quantised while the model runs is not supported`);
  return null;
}

/** Relu, of fixed-point numbers too. */
const relu: Convert = (conversion, node) => {
  const x = conversion.input(node, 0);
  if (x.kind === 'fixed') conversion.output(node, reluFixed(conversion, node, x));
  else mapped(() => ({ apply: (value) => Math.max(0, value), range: { low: 0, high: 3.4028234663852886e38 } }))(conversion, node);
};

/** A dequantised value, computed or constant. */
function pairOperand(conversion: QuantizedConversion, node: OnnxNode, index: number): Activation {
  const value = conversion.input(node, index);
  if (value.kind !== 'quantized-constant') return conversion.dequantized(node, index);
  const { integers: { dims, data }, scales, zeroPoints } = value;
  const [scale = 1] = scales;
  const [zeroPoint = 0] = zeroPoints;
  // Unsigned ones are held 128 lower, like all.
  const shift = data.some((integer) => integer > 127) || zeroPoint > 127 ? 128 : 0;
  if (scales.length !== 1 || zeroPoints.length !== 1 || !data.every((integer) => integer - shift >= -128 && integer - shift <= 127)) throw new ImportError(`${describe(node)}: a constant operand has one scale, and integers of 8 bits`);
  const name = node.inputs[index] ?? '';
  const tensor = conversion.builder.bytes(rowsShape(dims).rows, rowsShape(dims).columns, Int8Array.from(data, (integer) => integer - shift));
  return { name, tensor, dims, layout: { kind: 'rows' }, quantization: { scale, zeroPoint: zeroPoint - shift } };
}

function convertClip(node: OnnxNode, conversion: QuantizedConversion): { readonly apply: (x: number) => number; readonly range: { readonly low: number; readonly high: number } } {
  const bound = (index: number, attribute: string, otherwise: number): number =>
    (conversion.has(node, index) ? (conversion.constant(node, index, attribute).tensor.data[0] ?? otherwise) : float(node, attribute, otherwise));
  const range = { low: bound(1, 'min', -3.4028234663852886e38), high: bound(2, 'max', 3.4028234663852886e38) };
  return { apply: (x) => Math.min(range.high, Math.max(range.low, x)), range };
}

function convertAveragePool(conversion: QuantizedConversion, node: OnnxNode): void {
  const x = conversion.dequantized(node, 0);
  const { channels, height, width } = imageSize(x.dims, describe(node));
  const window = windowOf(node, [height, width], integers(node, 'kernel_shape', [0, 0]));
  const dims = [1, channels, window.outputHeight, window.outputWidth];
  conversion.output(node, { kind: 'mean', name: node.name, dims, x, window, countPadding: integer(node, 'count_include_pad', 0) !== 0 });
}

function convertGlobalAveragePool(conversion: QuantizedConversion, node: OnnxNode): void {
  const x = conversion.dequantized(node, 0);
  const { channels, height, width } = imageSize(x.dims, describe(node));
  const window = {
    inputHeight: height, inputWidth: width, outputHeight: 1, outputWidth: 1, kernelHeight: height, kernelWidth: width,
    strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 0, padLeft: 0,
  };
  conversion.output(node, { kind: 'mean', name: node.name, dims: [1, channels, 1, 1], x, window, countPadding: false });
}

/** ReduceMean over the pixels of an image is a mean over one window. */
function convertReduceMean(conversion: QuantizedConversion, node: OnnxNode): void {
  const attribute = node.attributes.get('axes');
  const given = conversion.has(node, 1) ? [...conversion.constant(node, 1, 'axes').tensor.data] : Array.isArray(attribute) ? (attribute as readonly number[]) : [];
  const axes = given.map((axis) => (axis < 0 ? axis + 4 : axis)).sort((a, b) => a - b);
  if (axes.join() !== '2,3' || integer(node, 'keepdims', 1) === 0) throw new ImportError(`${describe(node)}: means over the pixels of an image, with keepdims, are supported where a model is quantised`);
  convertGlobalAveragePool(conversion, node);
}

/** Softmax as the model's last operator; its reader computes it. */
function convertSoftmax(conversion: QuantizedConversion, node: OnnxNode): void {
  const x = conversion.input(node, 0);
  if (x.kind !== 'dequantized') throw new ImportError(`${describe(node)}: a softmax is supported as the last operator, of a dequantised value`);
  const { dims } = x.activation;
  const axis = integer(node, 'axis', -1);
  if (elementCount(dims.slice(axis < 0 ? axis + dims.length : axis)) !== (dims.at(-1) ?? 1)) throw new ImportError(`${describe(node)}: a softmax over axis ${axis} of [${dims.join(', ')}] is not supported, only over the last`);
  conversion.output(node, { kind: 'softmax', x });
}

/** QLinearConcat: the result's scale and zero point, then three inputs a part. */
function convertQLinearConcat(conversion: QuantizedConversion, node: OnnxNode): void {
  const count = Math.floor((node.inputs.length - 2) / 3);
  const [name = ''] = node.outputs;
  const inputs = Array.from({ length: count }, (_, part) => {
    const { activation, unsigned } = conversion.integers(node, 2 + part * 3);
    const { scale, zeroPoint } = conversion.scaleAndZero(node, 3 + part * 3, unsigned ? ELEMENT.uint8 : ELEMENT.int8);
    conversion.define(`${name}.operand${part}`, { kind: 'dequantized', activation: { ...activation, quantization: { scale, zeroPoint } } });
    return `${name}.operand${part}`;
  });
  convertConcat(conversion, { ...node, inputs, outputs: [`${name}.float`] });
  conversion.output(node, quantize(conversion, name, conversion.value(`${name}.float`) as Real, conversion.scaleAndZero(node, 0)));
}

function convertConstant(conversion: QuantizedConversion, node: OnnxNode): void {
  const value = node.attributes.get('value');
  if (typeof value !== 'object' || !('data' in value)) throw new ImportError(`${describe(node)} has no value of a kind that is read here`);
  conversion.output(node, { kind: 'constant', tensor: value, elementType: value.elementType });
}

/** Cast of sums to float, before a `Mul` brings them to their scale: the integers stay what they are. */
function convertCast(conversion: QuantizedConversion, node: OnnxNode): void {
  const value = conversion.input(node, 0);
  if (integer(node, 'to', 0) !== ELEMENT.float || (value.kind !== 'dynamic-sums' && value.kind !== 'product')) throw new ImportError(`${describe(node)}: casts of integer sums to float32 are supported where a model is quantised`);
  conversion.output(node, value);
}

/** Nothing happens to the value. */
const same: Convert = (conversion, node) => conversion.output(node, conversion.input(node, 0));

/** An operator of com.microsoft on quantised values: the same operator between `DequantizeLinear` and `QuantizeLinear`. */
const between = (operands: number, convert: Convert, outputScale: number): Convert => (conversion, node) => {
  const inputs: string[] = [];
  for (let operand = 0; operand < operands; operand += 1) {
    const value = conversion.input(node, operand * 3);
    if (value.kind !== 'integers') throw new ImportError(`${describe(node)}: its input ${node.inputs[operand * 3] ?? ''} must be 8-bit integers that are computed`);
    const { scale, zeroPoint } = conversion.scaleAndZero(node, operand * 3 + 1);
    const name = `${node.outputs[0] ?? ''}.operand${operand}`;
    conversion.define(name, { kind: 'dequantized', activation: { ...value.activation, quantization: { scale, zeroPoint } } });
    inputs.push(name);
  }
  const inner = `${node.outputs[0] ?? ''}.float`;
  convert(conversion, { ...node, inputs, outputs: [inner] });
  const value = conversion.value(inner) as Real;
  conversion.output(node, quantize(conversion, node.outputs[0] ?? '', value, conversion.scaleAndZero(node, outputScale)));
};

const sigmoid = mapped(() => ({ apply: (x) => 1 / (1 + Math.exp(-x)) }));
const leakyRelu = mapped((node) => {
  const alpha = Math.fround(float(node, 'alpha', 0.01));
  return { apply: (x) => (x < 0 ? alpha * x : x) };
});

/** What is imported from graphs that are quantised already. */
export const QUANTIZED_OPERATORS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['Add', pair('add')],
  ['AveragePool', convertAveragePool],
  ['Cast', convertCast],
  ['Clip', mapped(convertClip)],
  ['Concat', convertConcat],
  ['Constant', convertConstant],
  ['Conv', convertConvolution],
  ['ConvInteger', convertConvolutionSums],
  ['DequantizeLinear', convertDequantize],
  ['Dropout', same],
  ['DynamicQuantizeLinear', convertDynamicQuantize],
  ['Flatten', convertFlatten],
  ['Gemm', convertGemm],
  ['GlobalAveragePool', convertGlobalAveragePool],
  ['HardSigmoid', mapped((node) => {
    const [alpha, beta] = [Math.fround(float(node, 'alpha', 0.2)), Math.fround(float(node, 'beta', 0.5))];
    return { apply: (x) => Math.max(0, Math.min(1, alpha * x + beta)) };
  })],
  ['HardSwish', mapped(() => ({ apply: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)) }))],
  ['Identity', same],
  ['LeakyRelu', leakyRelu],
  ['MatMul', convertMatrixProduct],
  ['MatMulInteger', convertMatrixSums],
  ['MaxPool', convertMaxPool],
  ['Mul', pair('multiply')],
  ['Pad', convertPad],
  ['QLinearConv', convertQLinearConv],
  ['QLinearMatMul', convertQLinearMatMul],
  ['QuantizeLinear', convertQuantize],
  ['ReduceMean', convertReduceMean],
  ['Relu', relu],
  ['Reshape', convertReshape],
  ['Sigmoid', sigmoid],
  ['Slice', convertSlice],
  ['Softmax', convertSoftmax],
  ['Split', convertSplit],
  ['Squeeze', convertSqueeze],
  ['Sub', pair('subtract')],
  ['Tanh', mapped(() => ({ apply: Math.tanh }))],
  ['Transpose', convertTranspose],
  ['Unsqueeze', convertUnsqueeze],
  ['com.microsoft.QLinearAdd', between(2, pair('add'), 6)],
  ['com.microsoft.QLinearAveragePool', between(1, convertAveragePool, 3)],
  ['com.microsoft.QLinearConcat', convertQLinearConcat],
  ['com.microsoft.QLinearGlobalAveragePool', between(1, convertGlobalAveragePool, 3)],
  ['com.microsoft.QLinearLeakyRelu', between(1, leakyRelu, 3)],
  ['com.microsoft.QLinearMul', between(2, pair('multiply'), 6)],
  ['com.microsoft.QLinearSigmoid', between(1, sigmoid, 3)],
]);
