import { transposed } from '../../movement.ts';
import { centredSums, normalizationFactors, normalized } from '../../normalization.ts';
import { argumentOf, reduceColumns, reduceRows } from '../../reduce.ts';
import { LOGARITHM_BITS, exponentials, logarithmTable, logarithmicShares, naturalLogarithm, rowMaximum, rowSums, shares } from '../../softmax.ts';
import { toShortRequantization } from '../requantization.ts';
import { axisOrder, lyingDims, rowsShape, toRows, withShape } from './activation.ts';
import type { Activation } from './activation.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { ArgumentLayer, NormalizationLayer, ReductionLayer, SoftmaxLayer } from './layer.ts';
import { WIDE_MULTIPLIER_BITS } from './lower-convolution.ts';
import type { Lowering } from './lowering.ts';

/** Appends a sum, mean, maximum or minimum over neighbouring axes. */
export function lowerReduction(lowering: Lowering, layer: ReductionLayer): Activation {
  const { builder } = lowering;
  const given = lowering.activation(layer.x);
  const dims = dimsOf(lowering.network, layer.output);
  const target = lowering.target(layer.output);
  const neighbours = (activation: Activation): { readonly first: number; readonly last: number } | null => {
    const places = layer.axes.map((axis) => axisOrder(activation.layout, activation.dims.length).indexOf(axis)).sort((a, b) => a - b);
    const [first = 0, last = 0] = [places[0], places.at(-1)];
    return last - first + 1 === places.length ? { first, last } : null;
  };
  const direct = given.layout.kind === 'flat-image' ? null : neighbours(given);
  const x = direct === null ? toRows(builder, given) : given;
  const axes = direct ?? neighbours(x);
  if (axes === null) return reduceApart(lowering, layer, x);
  const own = lyingDims(x.layout, x.dims);
  const length = elementCount(own.slice(axes.first, axes.last + 1));
  const count = layer.operation === 'mean' ? length : 1;
  const what = layer.operation === 'maximum' ? 'max' : layer.operation === 'minimum' ? 'min' : 'sum';
  const { element } = x.tensor.shape;
  const parameters = { xZero: x.quantization.zeroPoint, ...toShortRequantization(x.quantization.scale / (target.quantization.scale * count), WIDE_MULTIPLIER_BITS), ...target.parameters };
  const shape = rowsShape(lyingDims(x.layout, dims), target.element);
  const finish = { name: layer.output, dims, layout: x.layout, quantization: target.quantization, wide: target.wide };
  if (axes.last === own.length - 1) {
    const rows = elementCount(own) / length;
    const lined = withShape(builder, `${layer.name}.rows`, x.tensor, { element, rows, columns: length });
    const tensor = builder.append(layer.name, { kernel: reduceColumns({ what, x: element, output: target.element }), output: { element: target.element, rows, columns: 1 }, operands: [lined], parameters });
    return { ...finish, tensor: withShape(builder, `${layer.name}.shape`, tensor, shape) };
  }
  const inner = elementCount(own.slice(axes.last + 1, -1));
  const tensor = builder.append(layer.name, { kernel: reduceRows({ what, x: element, output: target.element }), output: shape, operands: [x.tensor], parameters: { length, inner, ...parameters } });
  return { ...finish, tensor };
}

/** Axes that lie apart are brought together behind the others. */
function reduceApart(lowering: Lowering, layer: ReductionLayer, x: Activation): Activation {
  const kept = x.dims.map((_, axis) => axis).filter((axis) => !layer.axes.includes(axis));
  const order = [...kept, ...layer.axes];
  const moved: Activation = { ...x, tensor: transposed(lowering.builder, `${layer.name}.together`, x.tensor, x.dims, order), dims: order.map((axis) => x.dims[axis] ?? 1), name: `${layer.name}.together` };
  lowering.define(moved);
  const result = lowerReduction(lowering, { ...layer, x: moved.name, axes: order.map((_, place) => place).slice(kept.length) });
  const dims = dimsOf(lowering.network, layer.output);
  return { ...result, dims, tensor: withShape(lowering.builder, `${layer.name}.whole`, result.tensor, rowsShape(dims, result.tensor.shape.element)) };
}

/** Appends the index of the greatest or least of each row. */
export function lowerArgument(lowering: Lowering, layer: ArgumentLayer): Activation {
  const x = toRows(lowering.builder, lowering.activation(layer.x));
  const { element, rows } = x.tensor.shape;
  const dims = dimsOf(lowering.network, layer.output);
  const tensor = lowering.builder.append(layer.name, { kernel: argumentOf({ x: element, least: layer.least, last: layer.last }), output: { element: 'i32', rows, columns: 1 }, operands: [x.tensor] });
  return { name: layer.output, tensor, dims, layout: { kind: 'rows' }, quantization: { scale: 1, zeroPoint: 0 }, wide: true };
}

/** Entries of the table of exponentials of sixteen bits are so far apart. */
const EXPONENTIAL_BITS = 4;
/** Bits of the quotient's multiplier's shift. */
const SHARE_BITS = 20;

/** Appends a softmax of each row, or its logarithm. */
export function lowerSoftmax(lowering: Lowering, layer: SoftmaxLayer): Activation {
  const { builder } = lowering;
  const x = toRows(builder, lowering.narrow(layer.x));
  const { element, rows, columns } = x.tensor.shape;
  const target = layer.logarithmic === true ? lowering.target(layer.output) : lowering.targetBetween(layer.output, 0, 1);
  const dims = dimsOf(lowering.network, layer.output);
  const one = 30 - Math.max(1, Math.ceil(Math.log2(columns)));
  const bits = element === 'i8' ? 0 : EXPONENTIAL_BITS;
  const entries = element === 'i8' ? 256 : 2 ** (16 - bits);
  const table = Int32Array.from({ length: entries + 1 }, (_, index) => Math.round(2 ** one * Math.exp(-index * 2 ** bits * x.quantization.scale)));
  const single = { element: 'i32', rows, columns: 1 } as const;
  const greatest = builder.append(`${layer.name}.greatest`, { kernel: rowMaximum(element), output: single, operands: [x.tensor] });
  const powers = builder.append(`${layer.name}.powers`, { kernel: exponentials(element), output: { element: 'i32', rows, columns }, operands: [x.tensor, greatest, builder.integers(1, entries + 1, table)], parameters: { bits } });
  const total = builder.append(`${layer.name}.total`, { kernel: rowSums, output: single, operands: [powers] });
  const output = { element: target.element, rows, columns };
  const finish = { name: layer.output, dims, layout: { kind: 'rows' }, quantization: target.quantization } as const;
  const { scale } = target.quantization;
  if (layer.logarithmic !== true) {
    const tensor = builder.append(layer.name, { kernel: shares(target.element), output, operands: [powers, total], parameters: { multiplier: Math.round(2 ** Math.min(SHARE_BITS, 14) / scale), shift: Math.min(SHARE_BITS, 14), ...target.parameters } });
    return { ...finish, tensor };
  }
  const numbers = logarithmTable();
  const logarithm = builder.append(`${layer.name}.logarithm`, { kernel: naturalLogarithm, output: single, operands: [total, builder.integers(1, numbers.length, numbers)], parameters: { one } });
  const shift = Math.max(1, Math.min(40, 30 - Math.ceil(Math.log2(Math.max(x.quantization.scale, 2 ** -LOGARITHM_BITS) / scale))));
  const parameters = { multiplier: Math.round((x.quantization.scale / scale) * 2 ** shift), logarithmMultiplier: Math.round((2 ** (shift - LOGARITHM_BITS)) / scale), shift, ...target.parameters };
  return { ...finish, tensor: builder.append(layer.name, { kernel: logarithmicShares({ x: element, output: target.element }), output, operands: [x.tensor, greatest, logarithm], parameters }) };
}

/** Bits that a sum of squares may have. */
const SQUARE_BITS = 61;

/** Appends a normalisation of each row: see kernels/normalization.ts. */
export function lowerNormalization(lowering: Lowering, layer: NormalizationLayer): Activation {
  const { builder } = lowering;
  const x = toRows(builder, lowering.narrow(layer.x));
  const { element, rows, columns } = x.tensor.shape;
  const target = lowering.target(layer.output);
  const { scale, zeroPoint: xZero } = x.quantization;
  const valueBits = element === 'i8' ? 9 : 16;
  // |D| < 2^distanceBits before it is shifted by t, so that columns · D² stays below 2^SQUARE_BITS.
  const distanceBits = valueBits + (layer.centred ? Math.ceil(Math.log2(columns)) : 0);
  const t = Math.max(0, Math.ceil(distanceBits + Math.log2(columns) / 2 - SQUARE_BITS / 2));
  const unit = layer.centred ? columns : 1;
  // D is unit · (x − mean) / (scale · 2^t), in real numbers.
  const epsilon = layer.epsilon * (layer.sum ? 1 : columns) * (unit / (scale * 2 ** t)) ** 2;
  const epsilonShift = Math.max(0, Math.min(60, Math.floor(Math.log2(Math.max(epsilon, 1))) - 29));
  const epsilonMantissa = Math.min(2 ** 31 - 1, Math.round(epsilon / 2 ** epsilonShift));
  const factor = (layer.sum ? 1 : Math.sqrt(columns)) / target.quantization.scale;
  const factorShift = 30 - Math.floor(Math.log2(factor));
  const factorMultiplier = Math.min(2 ** 31 - 1, Math.round(factor * 2 ** factorShift));
  const form = { x: element, centred: layer.centred };
  const single = { element: 'i32', rows, columns: 1 } as const;
  const sums = layer.centred ? builder.append(`${layer.name}.sums`, { kernel: centredSums(element), output: single, operands: [x.tensor], parameters: { xZero } }) : builder.integers(1, 1, new Int32Array(1));
  const factors = builder.append(`${layer.name}.factors`, {
    kernel: normalizationFactors(form), output: { ...single, columns: 2 }, operands: [x.tensor, sums], parameters: { xZero, t, epsilonMantissa, epsilonShift, factorMultiplier, factorShift },
  });
  const tensor = builder.append(layer.name, { kernel: normalized({ ...form, output: target.element }), output: { element: target.element, rows, columns }, operands: [x.tensor, sums, factors], parameters: { xZero, t, ...target.parameters } });
  return { name: layer.output, tensor, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'rows' }, quantization: target.quantization };
}
