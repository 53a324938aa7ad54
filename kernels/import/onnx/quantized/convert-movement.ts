import { concatenated, transposed } from '../../../movement.ts';
import { maxPooling } from '../../../pooling.ts';
import { ImportError } from '../../import-error.ts';
import { bytesShape, imageSize, rowsShape, toImage, toRows, withShape } from '../../network/activation.ts';
import type { Activation } from '../../network/activation.ts';
import { elementCount } from '../../network/float-tensor.ts';
import { describe, integer, integers } from '../attributes.ts';
import type { OnnxNode } from '../graph.ts';
import { windowOf } from '../windows.ts';
import { numbers } from './lower-product.ts';
import type { QuantizedConversion } from './quantized-conversion.ts';

/** Operators that move integers, or choose among them: they do the same to the floats that the integers stand for. */
type Move = (activation: Activation) => Activation;

function move(conversion: QuantizedConversion, node: OnnxNode, by: Move): void {
  const value = conversion.input(node, 0);
  if (value.kind === 'integers' || value.kind === 'dequantized') {
    conversion.output(node, { ...value, activation: by(value.activation) });
    return;
  }
  throw new ImportError(`${describe(node)} moves a ${value.kind} about: quantise the model around this node, too`);
}

/** The same elements under other dimensions. An image that becomes one row keeps its order until that matters. */
function reshape(conversion: QuantizedConversion, node: OnnxNode, dims: readonly number[]): void {
  const { builder } = conversion;
  move(conversion, node, (x) => {
    if (elementCount(dims) !== elementCount(x.dims)) throw new ImportError(`${describe(node)}: [${x.dims.join(', ')}] cannot take the shape [${dims.join(', ')}]`);
    const single = x.tensor.shape.rows === 1 || x.tensor.shape.columns === 1;
    const rows = x.layout.kind === 'rows' || single ? x : toRows(builder, x);
    const tensor = withShape(builder, node.outputs[0] ?? node.name, rows.tensor, rowsShape(dims));
    return { ...rows, tensor, dims, layout: { kind: 'rows' } };
  });
}

export function convertReshape(conversion: QuantizedConversion, node: OnnxNode): void {
  const dims = conversion.dims(node, 0);
  const wanted = [...conversion.constant(node, 1, 'shape').tensor.data];
  const copied = integer(node, 'allowzero', 0) !== 0 ? wanted : wanted.map((dim, axis) => (dim === 0 ? (dims[axis] ?? 0) : dim));
  const known = elementCount(copied.filter((dim) => dim !== -1));
  const target = copied.map((dim) => (dim === -1 ? elementCount(dims) / known : dim));
  if (target.length > 8 || !target.every((dim) => Number.isSafeInteger(dim) && dim >= 1)) {
    throw new ImportError(`${describe(node)}: [${dims.join(', ')}] cannot take the shape [${wanted.join(', ')}]`);
  }
  reshape(conversion, node, target);
}

export function convertFlatten(conversion: QuantizedConversion, node: OnnxNode): void {
  const dims = conversion.dims(node, 0);
  const given = integer(node, 'axis', 1);
  const axis = given < 0 ? given + dims.length : given;
  reshape(conversion, node, [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))]);
}

export function convertSqueeze(conversion: QuantizedConversion, node: OnnxNode): void {
  const dims = conversion.dims(node, 0);
  const named = axes(conversion, node)?.map((axis) => (axis < 0 ? axis + dims.length : axis));
  reshape(conversion, node, dims.filter((dim, axis) => (named === undefined ? dim !== 1 : !named.includes(axis))));
}

export function convertUnsqueeze(conversion: QuantizedConversion, node: OnnxNode): void {
  const rest = [...conversion.dims(node, 0)];
  const named = axes(conversion, node) ?? [];
  const rank = rest.length + named.length;
  if (rank > 8) throw new ImportError(`${describe(node)}: at most 8 dimensions are read`);
  const inserted = new Set(named.map((axis) => (axis < 0 ? axis + rank : axis)));
  reshape(conversion, node, Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : (rest.shift() ?? 1))));
}

function axes(conversion: QuantizedConversion, node: OnnxNode): readonly number[] | null {
  if (conversion.has(node, 1)) return [...conversion.constant(node, 1, 'axes').tensor.data];
  const attribute = node.attributes.get('axes');
  return Array.isArray(attribute) ? (attribute as readonly number[]) : null;
}

/** Transpose; NCHW to NHWC and back is free for an image. */
export function convertTranspose(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const given = conversion.dims(node, 0);
  const order = integers(node, 'perm', given.map((_, axis) => given.length - 1 - axis));
  if (new Set(order).size !== given.length || order.some((axis) => axis >= given.length)) throw new ImportError(`${describe(node)}: [${order.join(', ')}] is no order of ${given.length} axes`);
  move(conversion, node, (x) => {
    const rows = toRows(builder, x);
    const dims = order.map((axis) => given[axis] ?? 1);
    return { ...rows, dims, tensor: transposed(builder, node.outputs[0] ?? node.name, rows.tensor, rows.dims, order) };
  });
}

/** MaxPool: quantisation never decreases, so the greatest integer stands for the greatest float. */
export function convertMaxPool(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  if (node.outputs.length > 1 && node.outputs[1] !== '') throw new ImportError(`${describe(node)}: its second output (indices) is not supported`);
  move(conversion, node, (value) => {
    const x = toImage(builder, value);
    const { channels, height, width } = imageSize(x.dims, describe(node));
    const window = windowOf(node, [height, width], integers(node, 'kernel_shape', [0, 0]));
    const output = bytesShape(window.outputHeight * window.outputWidth, channels);
    const tensor = builder.append(node.outputs[0] ?? node.name, { kernel: maxPooling, output, operands: [x.tensor], parameters: numbers(window) });
    return { ...x, tensor, dims: [1, channels, window.outputHeight, window.outputWidth] };
  });
}

/** Concat of values with one scale and zero point. */
export function convertConcat(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const values = node.inputs.map((_, index) => conversion.input(node, index));
  const parts = values.map((value) => {
    if (value.kind !== 'integers' && value.kind !== 'dequantized') throw new ImportError(`${describe(node)} joins a ${value.kind}: quantise the model around this node, too`);
    return toRows(builder, value.activation);
  });
  const [first] = parts;
  if (first === undefined) throw new ImportError(`${describe(node)} has no inputs`);
  const { scale, zeroPoint } = first.quantization;
  const uniform = values.every((value) => value.kind === values[0]?.kind) && parts.every(({ quantization }) => quantization.scale === scale && quantization.zeroPoint === zeroPoint);
  if (!uniform) throw new ImportError(`${describe(node)} joins values of different scales without quantising them in between`);
  const given = integer(node, 'axis', 1);
  const axis = given < 0 ? given + first.dims.length : given;
  const fits = parts.every(({ dims }) => dims.length === first.dims.length && dims.every((dim, index) => index === axis || dim === first.dims[index]));
  if (axis >= first.dims.length || !fits) throw new ImportError(`${describe(node)}: its inputs do not join along axis ${given}`);
  const dims = first.dims.map((dim, index) => (index === axis ? parts.reduce((sum, part) => sum + (part.dims[axis] ?? 0), 0) : dim));
  const tensor = concatenated(builder, node.outputs[0] ?? node.name, parts, axis);
  const activation: Activation = { ...first, dims, tensor };
  const [value] = values;
  if (value?.kind === 'integers' || value?.kind === 'dequantized') conversion.output(node, { ...value, activation });
}
