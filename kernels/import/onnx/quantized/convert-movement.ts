import { padded, sliced, transposed } from '../../../movement.ts';
import { maxPooling } from '../../../pooling.ts';
import { ImportError } from '../../import-error.ts';
import { bytesShape, imageSize, rowsShape, toImage, toRows, withShape } from '../../network/activation.ts';
import type { Activation } from '../../network/activation.ts';
import { elementCount } from '../../network/float-tensor.ts';
import { describe, integer, integers, text } from '../attributes.ts';
import type { OnnxNode } from '../graph.ts';
import { windowOf } from '../windows.ts';
import { windowNumbers } from '../../network/window-operands.ts';
import { join } from './quantize.ts';
import type { QuantizedConversion } from './quantized-conversion.ts';
import { cut } from './rounding.ts';
import type { Dequantized, Integers } from './value.ts';

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
    const tensor = builder.append(node.outputs[0] ?? node.name, { kernel: maxPooling, output, operands: [x.tensor], parameters: windowNumbers(window) });
    return { ...x, tensor, dims: [1, channels, window.outputHeight, window.outputWidth] };
  });
}

/** Concat; values of several scales come to one when they are quantised. */
export function convertConcat(conversion: QuantizedConversion, node: OnnxNode): void {
  const values = node.inputs.map((_, index) => conversion.input(node, index));
  const parts = values.map((value) => {
    if (value.kind !== 'integers' && value.kind !== 'dequantized') throw new ImportError(`${describe(node)} joins a ${value.kind}: quantise the model around this node, too`);
    return value.activation;
  });
  const [value] = values;
  const [first] = parts;
  if (first === undefined || value === undefined || !values.every(({ kind }) => kind === value.kind)) throw new ImportError(`${describe(node)} joins nothing, or integers with floats`);
  const axis = normalizeAxis(node, integer(node, 'axis', 1), first.dims.length);
  const fits = parts.every(({ dims }) => dims.length === first.dims.length && dims.every((dim, index) => index === axis || dim === first.dims[index]));
  if (!fits) throw new ImportError(`${describe(node)}: its inputs do not join along axis ${axis}`);
  const dims = first.dims.map((dim, index) => (index === axis ? parts.reduce((sum, part) => sum + (part.dims[axis] ?? 0), 0) : dim));
  const joined = { kind: 'joined', name: node.outputs[0] ?? node.name, dims, parts, axis } as const;
  const { scale, zeroPoint } = first.quantization;
  const uniform = parts.every(({ quantization }) => quantization.scale === scale && quantization.zeroPoint === zeroPoint);
  if (value.kind === 'integers' || uniform) conversion.output(node, { ...(value as Integers | Dequantized), activation: join(conversion, joined) });
  else conversion.output(node, joined);
}

/** Pad with a constant, which the integers have to have. */
export function convertPad(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const dims = conversion.dims(node, 0);
  if (text(node, 'mode', 'constant') !== 'constant' || conversion.has(node, 3)) throw new ImportError(`${describe(node)}: only constant padding of all axes is supported where a model is quantised`);
  const pads = conversion.has(node, 1) ? [...conversion.constant(node, 1, 'pads').tensor.data] : [...integers(node, 'pads', new Array<number>(dims.length * 2).fill(0))];
  if (pads.length !== dims.length * 2 || !pads.every((size) => Number.isSafeInteger(size) && size >= 0 && size <= 2 ** 16)) throw new ImportError(`${describe(node)}: pads [${pads.join(', ')}] do not fit`);
  const [before, after] = [pads.slice(0, dims.length), pads.slice(dims.length)];
  const value = conversion.has(node, 2) ? conversion.input(node, 2) : null;
  const fillOf = (x: Activation): number => {
    const { scale, zeroPoint } = x.quantization;
    const real = value === null ? 0 : value.kind === 'constant' ? (value.tensor.data[0] ?? 0) : value.kind === 'quantized-constant' ? ((value.integers.data[0] ?? 0) - (value.zeroPoints[0] ?? 0)) * (value.scales[0] ?? 1) : NaN;
    const fill = Math.round(real / scale) + zeroPoint;
    if (!(fill >= -128 && fill <= 127) || Math.abs((fill - zeroPoint) * scale - real) > 1e-6 * scale) throw new ImportError(`${describe(node)} pads with ${real}, which is none of the integers' values`);
    return fill;
  };
  move(conversion, node, (x) => {
    const rows = toRows(builder, x);
    const target = rows.dims.map((dim, axis) => dim + (before[axis] ?? 0) + (after[axis] ?? 0));
    return { ...rows, dims: target, tensor: padded(builder, node.outputs[0] ?? node.name, rows.tensor, rows.dims, before, after, fillOf(x)) };
  });
}

/** Slice with constant starts, ends, axes and steps. */
export function convertSlice(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const dims = conversion.dims(node, 0);
  const list = (index: number, attribute: string): readonly number[] | null => {
    if (conversion.has(node, index)) return [...conversion.constant(node, index, attribute).tensor.data];
    const value = node.attributes.get(attribute);
    return Array.isArray(value) ? (value as readonly number[]) : null;
  };
  const starts = list(1, 'starts') ?? [];
  const ends = list(2, 'ends') ?? [];
  const along = (list(3, 'axes') ?? starts.map((_, axis) => axis)).map((axis) => normalizeAxis(node, axis, dims.length));
  const strides = list(4, 'steps') ?? starts.map(() => 1);
  const begin = dims.map(() => 0);
  const size = [...dims];
  const step = dims.map(() => 1);
  along.forEach((axis, index) => {
    const dim = dims[axis] ?? 1;
    const by = strides[index] ?? 1;
    if (!Number.isSafeInteger(by) || by === 0) throw new ImportError(`${describe(node)}: a step of ${by}`);
    const from = (end: number): number => (end < 0 ? end + dim : end);
    const start = cut(from(starts[index] ?? 0), 0, by < 0 ? dim - 1 : dim);
    const end = cut(from(ends[index] ?? dim), by < 0 ? -1 : 0, dim);
    begin[axis] = start;
    step[axis] = by;
    size[axis] = Math.ceil((end - start) / by);
  });
  if (!size.every((dim) => dim >= 1)) throw new ImportError(`${describe(node)}: nothing is left of [${dims.join(', ')}]`);
  move(conversion, node, (x) => {
    const rows = toRows(builder, x);
    return { ...rows, dims: size, tensor: sliced(builder, node.outputs[0] ?? node.name, rows.tensor, rows.dims, begin, size, step) };
  });
}

/** Split into parts that the file names, or equal ones. */
export function convertSplit(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const value = conversion.input(node, 0);
  if (value.kind !== 'integers' && value.kind !== 'dequantized') throw new ImportError(`${describe(node)} splits a ${value.kind}: quantise the model around this node, too`);
  const rows = toRows(builder, value.activation);
  const axis = normalizeAxis(node, integer(node, 'axis', 0), rows.dims.length);
  const dim = rows.dims[axis] ?? 1;
  const count = node.outputs.length;
  const chunk = Math.ceil(dim / count);
  const attribute = node.attributes.get('split');
  const parts = conversion.has(node, 1) ? [...conversion.constant(node, 1, 'split').tensor.data] : Array.isArray(attribute) ? (attribute as readonly number[]) : node.outputs.map((_, index) => Math.min(chunk, dim - index * chunk));
  if (parts.length !== count || !parts.every((size) => Number.isSafeInteger(size) && size >= 1) || parts.reduce((sum, size) => sum + size, 0) !== dim) throw new ImportError(`${describe(node)}: [${parts.join(', ')}] do not make up ${dim}`);
  let before = 0;
  node.outputs.forEach((name, index) => {
    const dims = rows.dims.map((size, at) => (at === axis ? (parts[index] ?? 1) : size));
    const begin = rows.dims.map((_, at) => (at === axis ? before : 0));
    before += parts[index] ?? 0;
    if (name !== '') conversion.define(name, { ...value, activation: { ...rows, name, dims, tensor: sliced(builder, name, rows.tensor, rows.dims, begin, dims) } });
  });
}

function normalizeAxis(node: OnnxNode, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isSafeInteger(normalized) || normalized < 0 || normalized >= rank) throw new ImportError(`${describe(node)}: axis ${axis} is outside ${rank} dimensions`);
  return normalized;
}
