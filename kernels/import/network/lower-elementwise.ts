import { add, clamp, multiply } from '../../elementwise.ts';
import { lookup } from '../../lookup.ts';
import type { Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import { toRequantization } from '../requantization.ts';
import { imageSize, reorder, rowsShape, toImage, toRows } from './activation.ts';
import type { Activation } from './activation.ts';
import { broadcastTo, elementCount, strides } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { BinaryLayer, ClampLayer, FunctionLayer, ReshapeLayer, TransposeLayer } from './layer.ts';
import { outputParameters } from './lowering.ts';
import type { Lowering } from './lowering.ts';
import { quantizeValue } from './quantization.ts';
import type { Quantization } from './quantization.ts';

/** Fraction bits of a sum's multipliers, and the bits that the greater of them may have. */
const SUM_SHIFT = 20;
const MULTIPLIER_BITS = 30;

/** Appends a sum or a product. @throws ImportError when the operands' dimensions do not fit each other here. */
export function lowerBinary(lowering: Lowering, layer: BinaryLayer): Activation {
  const dims = dimsOf(lowering.network, layer.output);
  const constant = lowering.constant(layer.b);
  const first = lowering.activation(layer.x);
  const factor = constant !== null && elementCount(constant.dims) === 1 ? (constant.data[0] ?? 0) : 0;
  if (layer.kind === 'multiply' && factor > 0 && layer.range === null && elementCount(dims) === elementCount(first.dims)) {
    // A positive factor changes what the integers stand for, not the integers.
    return { ...first, name: layer.output, quantization: { ...first.quantization, scale: first.quantization.scale * factor } };
  }

  const { a, b } = constant === null ? aligned(lowering, layer, first, lowering.activation(layer.b)) : withConstant(lowering, layer, first, constant);
  const quantization = lowering.quantizationOf(layer.output);
  const base = { aZero: a.quantization.zeroPoint, bZero: b.quantization.zeroPoint, ...outputParameters(quantization, layer.range) };
  const output = a.tensor.shape;
  const operands = [a.tensor, b.tensor];
  const tensor = layer.kind === 'add'
    ? lowering.builder.append(layer.name, { kernel: add, output, operands, parameters: { ...base, ...sumScales(a.quantization, b.quantization, quantization) } })
    : lowering.builder.append(layer.name, { kernel: multiply, output, operands, parameters: { ...base, ...toRequantization((a.quantization.scale * b.quantization.scale) / quantization.scale) } });
  return { name: layer.output, tensor, dims, layout: a.layout, quantization };
}

function sumScales(a: Quantization, b: Quantization, result: Quantization): { aMultiplier: number; bMultiplier: number; shift: number } {
  const greater = Math.max(a.scale, b.scale) / result.scale;
  const shift = Math.max(1, Math.min(SUM_SHIFT, MULTIPLIER_BITS - Math.ceil(Math.log2(greater))));
  const multiplier = (scale: number): number => Math.min(2 ** 31 - 1, Math.round((scale / result.scale) * 2 ** shift));
  return { aMultiplier: multiplier(a.scale), bMultiplier: multiplier(b.scale), shift };
}

type Operand = Pick<Activation, 'tensor' | 'quantization' | 'layout'>;

/** Two values in one layout, the one with more elements first. */
function aligned(lowering: Lowering, layer: BinaryLayer, x: Activation, y: Activation): { readonly a: Operand; readonly b: Operand } {
  const dims = dimsOf(lowering.network, layer.output);
  const [a, b] = elementCount(x.dims) >= elementCount(y.dims) ? [x, y] : [y, x];
  const asImages = dims.length === 4 && b.dims.length === 4 && a.layout.kind !== 'rows';
  const left = asImages ? toImage(lowering.builder, a) : toRows(lowering.builder, a);
  const right = asImages ? toImage(lowering.builder, b) : toRows(lowering.builder, b);
  const fits = (of: 'rows' | 'columns'): boolean => right.tensor.shape[of] === 1 || right.tensor.shape[of] === left.tensor.shape[of];
  if (elementCount(left.dims) !== elementCount(dims) || !fits('rows') || !fits('columns')) {
    throw new ImportError(`${layer.name}: [${x.dims.join(', ')}] and [${y.dims.join(', ')}] broadcast in a way that is not supported`);
  }
  return { a: left, b: right };
}

/** A value and a constant repeated to the value's dimensions, in the value's layout. */
function withConstant(lowering: Lowering, layer: BinaryLayer, x: Activation, constant: FloatTensor): { readonly a: Operand; readonly b: Operand } {
  const dims = dimsOf(lowering.network, layer.output);
  if (elementCount(dims) !== elementCount(x.dims)) throw new ImportError(`${layer.name}: the constant has more elements than [${x.dims.join(', ')}]`);
  const a = x.layout.kind === 'flat-image' ? toRows(lowering.builder, x) : x;
  const values = broadcastTo(constant, dims);
  const greatest = values.reduce((left, right) => Math.max(left, Math.abs(right)), 0);
  const quantization: Quantization = { scale: greatest > 0 ? greatest / 127 : 1, zeroPoint: 0 };
  const { channels } = a.layout.kind === 'image' ? imageSize(dims, layer.name) : { channels: 1 };
  const pixels = values.length / channels;
  const integers = Int8Array.from(values, (_, index) => quantizeValue(values[(index % channels) * pixels + Math.floor(index / channels)] ?? 0, quantization));
  const tensor: Tensor = lowering.builder.bytes(a.tensor.shape.rows, a.tensor.shape.columns, integers);
  return { a, b: { tensor, quantization, layout: a.layout } };
}

/** Appends a clamp; its result has its input's scale and zero point. */
export function lowerClamp(lowering: Lowering, layer: ClampLayer): Activation {
  const x = lowering.activation(layer.x);
  const { low, high } = outputParameters(x.quantization, layer.range);
  const tensor = lowering.builder.append(layer.name, { kernel: clamp, output: x.tensor.shape, operands: [x.tensor], parameters: { low, high } });
  return { ...x, name: layer.output, dims: dimsOf(lowering.network, layer.output), tensor };
}

/** Appends a function of each element, as a table over its 256 possible inputs. */
export function lowerFunction(lowering: Lowering, layer: FunctionLayer): Activation {
  const x = lowering.activation(layer.x);
  const quantization = lowering.quantizationOf(layer.output);
  const { scale, zeroPoint } = x.quantization;
  const table = Int8Array.from({ length: 256 }, (_, byte) => quantizeValue(layer.apply(scale * (((byte << 24) >> 24) - zeroPoint)), quantization));
  const tensor = lowering.builder.append(layer.name, { kernel: lookup, output: x.tensor.shape, operands: [x.tensor, lowering.builder.bytes(1, 256, table)] });
  return { ...x, name: layer.output, dims: dimsOf(lowering.network, layer.output), tensor, quantization };
}

/** Gives a value other dimensions. An image that becomes one row keeps its own order, which a dense layer after it can read. */
export function lowerReshape(lowering: Lowering, layer: ReshapeLayer): Activation {
  const { builder } = lowering;
  const x = lowering.activation(layer.x);
  const dims = dimsOf(lowering.network, layer.output);
  const shape = rowsShape(dims);
  if (shape.rows === 1 && (x.layout.kind === 'image' || x.layout.kind === 'flat-image')) {
    const channels = x.layout.kind === 'image' ? imageSize(x.dims, layer.x).channels : x.layout.channels;
    const pixels = elementCount(dims) / channels;
    const tensor = reorder(builder, layer.name, x.tensor, shape, [shape.columns], [1]);
    const layout = channels === 1 || pixels === 1 ? ({ kind: 'rows' } as const) : ({ kind: 'flat-image', channels, pixels } as const);
    return { ...x, name: layer.output, dims, tensor, layout };
  }
  const rows = toRows(builder, x);
  return { ...rows, name: layer.output, dims, tensor: reorder(builder, layer.name, rows.tensor, shape, [elementCount(dims)], [1]) };
}

/** Puts axes in another order. @throws ImportError for more than four. */
export function lowerTranspose(lowering: Lowering, layer: TransposeLayer): Activation {
  const { builder } = lowering;
  const x = toRows(builder, lowering.activation(layer.x));
  const dims = dimsOf(lowering.network, layer.output);
  if (dims.length > 4) throw new ImportError(`${layer.name}: ${dims.length} axes; at most 4 can be transposed`);
  const from = strides(x.dims);
  const steps = layer.order.map((axis) => from[axis] ?? 1);
  return { ...x, name: layer.output, dims, tensor: reorder(builder, layer.name, x.tensor, rowsShape(dims), dims, steps) };
}
