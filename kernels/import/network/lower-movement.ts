import { embed } from '../../gather.ts';
import { concatenated, expanded, gathered, padded, reshaped, sliced, transposed } from '../../movement.ts';
import type { Tensor } from '../../program-builder.ts';
import { resample } from '../../resample.ts';
import { axisOrder, lyingDims, reorder, rowsShape, toLayout, toRows } from './activation.ts';
import type { Activation } from './activation.ts';
import { placedConstant } from './broadcast.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { ConcatenationLayer, EmbeddingLayer, ExpandLayer, GatherLayer, PadLayer, ResamplingLayer, ReshapeLayer, SliceLayer, TransposeLayer } from './layer.ts';
import type { Lowering } from './lowering.ts';
import { WIDE_LIMIT, quantizeTo } from './quantization.ts';

/** A value whose axes all lie apart: images and rows. */
const axial = (lowering: Lowering, activation: Activation): Activation => (activation.layout.kind === 'flat-image' ? toRows(lowering.builder, activation) : activation);

/** What is known of each axis, in the order in which the axes lie. */
const lying = <T>(activation: Activation, values: readonly T[]): T[] => axisOrder(activation.layout, values.length).map((axis) => values[axis] as T);

/** Gives a value other dimensions. An image that becomes one row keeps its own order, which a dense layer after it can read. */
export function lowerReshape(lowering: Lowering, layer: ReshapeLayer): Activation {
  const { builder } = lowering;
  const x = lowering.activation(layer.x);
  const dims = dimsOf(lowering.network, layer.output);
  const shape = rowsShape(dims, x.tensor.shape.element);
  const oneImage = x.layout.kind === 'image' && x.dims[0] === 1;
  if (shape.rows === 1 && (oneImage || x.layout.kind === 'flat-image')) {
    const channels = x.layout.kind === 'flat-image' ? x.layout.channels : (x.dims[1] ?? 1);
    const pixels = elementCount(dims) / channels;
    const tensor = reorder(builder, layer.name, x.tensor, shape, [shape.columns], [1]);
    const layout = channels === 1 || pixels === 1 ? ({ kind: 'rows' } as const) : ({ kind: 'flat-image', channels, pixels } as const);
    return { ...x, name: layer.output, dims, tensor, layout };
  }
  const rows = toRows(builder, x);
  return { ...rows, name: layer.output, dims, tensor: reshaped(builder, layer.name, rows.tensor, shape) };
}

/** Puts axes in another order; an image's axes are read where they lie. */
export function lowerTranspose(lowering: Lowering, layer: TransposeLayer): Activation {
  const x = axial(lowering, lowering.activation(layer.x));
  const dims = dimsOf(lowering.network, layer.output);
  const places = axisOrder(x.layout, x.dims.length);
  const order = layer.order.map((axis) => places.indexOf(axis));
  return { ...x, name: layer.output, dims, layout: { kind: 'rows' }, tensor: transposed(lowering.builder, layer.name, x.tensor, lyingDims(x.layout, x.dims), order) };
}

export function lowerSlice(lowering: Lowering, layer: SliceLayer): Activation {
  const x = axial(lowering, lowering.activation(layer.x));
  const dims = dimsOf(lowering.network, layer.output);
  const tensor = sliced(lowering.builder, layer.name, x.tensor, lyingDims(x.layout, x.dims), lying(x, layer.starts), lying(x, dims), lying(x, layer.steps));
  return { ...x, name: layer.output, dims, tensor };
}

export function lowerExpand(lowering: Lowering, layer: ExpandLayer): Activation {
  const given = axial(lowering, lowering.activation(layer.x));
  const dims = dimsOf(lowering.network, layer.output);
  const x = given.dims.length === dims.length ? given : toRows(lowering.builder, given);
  return { ...x, name: layer.output, dims, tensor: expanded(lowering.builder, layer.name, x.tensor, lyingDims(x.layout, x.dims), dims.length === x.dims.length ? lying(x, dims) : dims) };
}

export function lowerPad(lowering: Lowering, layer: PadLayer): Activation {
  const x = axial(lowering, lowering.activation(layer.x));
  const dims = dimsOf(lowering.network, layer.output);
  const [least, greatest] = x.tensor.shape.element === 'i8' ? [-128, 127] : x.wide === true ? [-(2 ** 31), 2 ** 31 - 1] : [-WIDE_LIMIT, WIDE_LIMIT];
  // A fill outside of what x can stand for needs the scale of the result.
  const own = quantizeTo(layer.fill, x.quantization, -Infinity, Infinity);
  const source = own >= least && own <= greatest ? x : lowering.rescaled(x, layer.name, lowering.target(layer.output));
  const fill = quantizeTo(layer.fill, source.quantization, source.tensor.shape.element === 'i8' ? -128 : -(2 ** 31), source.tensor.shape.element === 'i8' ? 127 : 2 ** 31 - 1);
  return { ...source, name: layer.output, dims, tensor: padded(lowering.builder, layer.name, source.tensor, lyingDims(x.layout, x.dims), lying(x, layer.before), lying(x, layer.after), fill) };
}

export function lowerGather(lowering: Lowering, layer: GatherLayer): Activation {
  const x = axial(lowering, lowering.activation(layer.x));
  const axis = axisOrder(x.layout, x.dims.length).indexOf(layer.axis);
  const tensor = gathered(lowering.builder, layer.name, x.tensor, lyingDims(x.layout, x.dims), axis, layer.indices, x.quantization.zeroPoint);
  return { ...x, name: layer.output, dims: dimsOf(lowering.network, layer.output), tensor };
}

/** Values one after another, on one scale. */
export function lowerConcatenation(lowering: Lowering, layer: ConcatenationLayer): Activation {
  const { builder } = lowering;
  const dims = dimsOf(lowering.network, layer.output);
  const names = [layer.x, ...layer.others];
  const target = lowering.target(layer.output);
  const image = names.some((name) => lowering.constant(name) === null && lowering.activation(name).layout.kind === 'image');
  const layout = { kind: image ? 'image' : 'rows' } as const;
  const parts = names.map((name, index) => {
    const constant = lowering.constant(name);
    const value: Activation = constant === null
      ? toLayout(builder, lowering.activation(name), layout.kind)
      : { ...placedConstant(lowering, constant, layout.kind, constant.dims.length, lowering.precision(layer.output)), name, dims: constant.dims, layout };
    const { tensor } = lowering.rescaled({ ...value, wide: target.wide }, `${layer.name}.part${index}`, target);
    return { tensor, dims: lyingDims(layout, value.dims) };
  });
  const tensor = concatenated(builder, layer.name, parts, axisOrder(layout, dims.length).indexOf(layer.axis));
  return { name: layer.output, tensor, dims, layout, quantization: target.quantization, wide: target.wide };
}

/** Rows of a constant table, on the result's scale. */
export function lowerEmbedding(lowering: Lowering, layer: EmbeddingLayer): Activation {
  const { builder } = lowering;
  const dims = dimsOf(lowering.network, layer.output);
  const index = toRows(builder, lowering.activation(layer.x));
  const constant = lowering.constant(layer.table);
  const target = lowering.target(layer.output);
  const { element } = target;
  const own = constant?.dims ?? lowering.activation(layer.table).dims;
  const width = elementCount(own.slice(1));
  const shape = { element, rows: own[0] ?? 1, columns: width };
  const entries = constant === null ? null : Int32Array.from(constant.data, (value) => quantizeTo(value, target.quantization, target.parameters.low, target.parameters.high));
  const table: Tensor = entries === null
    ? reshaped(builder, `${layer.name}.table`, lowering.rescaled(toRows(builder, lowering.activation(layer.table)), `${layer.name}.table`, target).tensor, shape)
    : element === 'i8' ? builder.bytes(shape.rows, width, Int8Array.from(entries)) : builder.integers(shape.rows, width, entries);
  const count = elementCount(index.dims);
  const numbers = reshaped(builder, `${layer.name}.numbers`, lowering.rescaled(index, layer.name, lowering.targetOf(layer.x, 'integer')).tensor, { element: 'i32', rows: count, columns: 1 });
  const tensor = builder.append(layer.name, { kernel: embed(element), output: { element, rows: count, columns: width }, operands: [numbers, table] });
  return { name: layer.output, tensor: reshaped(builder, `${layer.name}.shape`, tensor, rowsShape(dims, element)), dims, layout: { kind: 'rows' }, quantization: target.quantization, wide: target.wide };
}

/** Fraction bits of resampling's weights, and bits that its results have beyond those of x. */
const WEIGHT_BITS = 14;
const EXTRA_BITS = 6;

/** Weighted sums along an axis; what comes out has the result's scale at once. */
export function lowerResampling(lowering: Lowering, layer: ResamplingLayer): Activation {
  const { builder } = lowering;
  const given = axial(lowering, lowering.narrow(layer.x));
  const places = axisOrder(given.layout, given.dims.length);
  // The kernel works on axes among the rows.
  const x = places.at(-1) === layer.axis ? toLayout(builder, given, given.layout.kind === 'image' ? 'rows' : 'image') : given;
  const axis = axisOrder(x.layout, x.dims.length).indexOf(layer.axis);
  const own = lyingDims(x.layout, x.dims);
  const dims = dimsOf(lowering.network, layer.output);
  const result = lyingDims(x.layout, dims);
  const taps = layer.source.length;
  const length = result[axis] ?? 1;
  const table = (rows: readonly (readonly number[])[], of: (value: number) => number): Tensor => builder.integers(taps, length, Int32Array.from(rows.flat(), of));
  const { element } = x.tensor.shape;
  const tensor = builder.append(`${layer.name}.sums`, {
    kernel: resample(element),
    output: rowsShape(result, 'i32'),
    operands: [x.tensor, table(layer.source, (value) => value), table(layer.weight, (value) => Math.round(value * 2 ** WEIGHT_BITS))],
    parameters: { length: own[axis] ?? 1, inner: elementCount(result.slice(axis + 1, -1)), shift: WEIGHT_BITS - EXTRA_BITS },
  });
  // The sums of a place's weights times the zero point: the weights add up to one, or the zero point is 0.
  const sums = { ...x, tensor, quantization: { scale: x.quantization.scale / 2 ** EXTRA_BITS, zeroPoint: x.quantization.zeroPoint * 2 ** EXTRA_BITS }, dims, name: layer.output, wide: true };
  return { ...lowering.rescaled(sums, layer.name, lowering.target(layer.output)), name: layer.output };
}
