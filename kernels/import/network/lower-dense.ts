import { linearSums } from '../../linear.ts';
import { ROW_STEPS, linearRows } from '../../linear-rows.ts';
import { byteRowSums, matrixProduct } from '../../matrix-product.ts';
import { expanded, reshaped, transposed } from '../../movement.ts';
import { centredSums } from '../../normalization.ts';
import type { Tensor } from '../../program-builder.ts';
import { rescaleSums } from '../../requantize.ts';
import { requantizationRows, toShortRequantization } from '../requantization.ts';
import { rowsShape, toRows } from './activation.ts';
import type { Activation } from './activation.ts';
import { placedConstant, rowPattern } from './broadcast.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { DenseLayer, MatrixProductLayer } from './layer.ts';
import { WIDE_MULTIPLIER_BITS, appendLinear } from './lower-convolution.ts';
import { rearrange } from './rearrange.ts';
import type { Lowering, Target } from './lowering.ts';
import { planesOf } from './planes-of.ts';
import { rowsOf } from './rows-of.ts';
import { quantizeBiases, quantizeWeights } from './quantization.ts';
import type { Quantization, QuantizedWeights } from './quantization.ts';

/** The finest scale of results with 32 bits: a step is the greatest channel's step over this, so that none loses precision to speak of. */
const RESULT_STEPS = 16;

/** Appends a fully connected layer. */
export function lowerDense(lowering: Lowering, layer: DenseLayer): Activation {
  const { x, quantized } = prepare(lowering, layer);
  const target = lowering.target(layer.output, layer.range);
  if (layer.activations === 'row' && x.tensor.shape.element === 'i32') return lowerRows(lowering, layer, x, quantized, target);
  const tensor = appendLinear(lowering, layer.name, planesOf(lowering, x), quantized, layer.bias, x.quantization, target);
  return { name: layer.output, tensor, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'rows' }, quantization: target.quantization };
}

/** Bits that `linearRows` has for a product of an accumulator and a multiplier; all but the columns' are known. */
const ROW_PRODUCT_BITS = 61;

function lowerRows(lowering: Lowering, layer: DenseLayer, x: Activation, quantized: QuantizedWeights, target: Target): Activation {
  const { builder } = lowering;
  const { rows, columns } = x.tensor.shape;
  const outputs = quantized.scales.length;
  const { bytes, magnitudes } = rowsOf(lowering, x);
  // Sums of products of bytes times a magnitude of 15 bits; the biases' 29 and 7 bits are no more, and a carry.
  const bits = Math.min(WIDE_MULTIPLIER_BITS, ROW_PRODUCT_BITS - Math.max(14 + Math.ceil(Math.log2(columns)) + 15, 36) - 1);
  const factors = quantized.scales.map((weight) => (x.quantization.scale * weight) / (ROW_STEPS * target.quantization.scale));
  const tensor = builder.append(layer.name, {
    kernel: linearRows(target.element), output: { element: target.element, rows, columns: outputs },
    operands: [
      bytes, magnitudes, builder.bytes(outputs, columns, quantized.values), builder.integers(1, outputs, quantizeBiases(layer.bias, quantized, x.quantization)),
      builder.integers(2, outputs, requantizationRows(factors, (factor) => toShortRequantization(factor, bits))),
    ],
    parameters: target.parameters,
  });
  return { name: layer.output, tensor, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'rows' }, quantization: target.quantization };
}

/** Appends a fully connected layer whose results keep 32 bits, on one scale: what a classifier's last layer gives. Its input has eight bits. */
export function lowerDenseResult(lowering: Lowering, layer: DenseLayer): Activation {
  const { builder } = lowering;
  const { x, quantized } = prepare(lowering, layer);
  if (x.tensor.shape.element !== 'i8') return lowerDense(lowering, layer);
  const { scales } = quantized;
  const output = { element: 'i32', rows: x.tensor.shape.rows, columns: scales.length } as const;
  const step = scales.reduce((left, right) => Math.max(left, right)) / RESULT_STEPS;
  const w = builder.bytes(scales.length, x.tensor.shape.columns, quantized.values);
  const bias = builder.integers(1, scales.length, quantizeBiases(layer.bias, quantized, x.quantization));
  const sums = builder.append(`${layer.name}.sums`, { kernel: linearSums, output, operands: [x.tensor, w, bias] });
  const factors = builder.integers(2, scales.length, requantizationRows(scales.map((weight) => weight / step)));
  const tensor = builder.append(layer.name, { kernel: rescaleSums, output, operands: [sums, factors] });
  return {
    name: layer.output,
    tensor,
    dims: dimsOf(lowering.network, layer.output),
    layout: { kind: 'rows' },
    quantization: { scale: x.quantization.scale * step, zeroPoint: 0 },
    wide: true,
  };
}

function prepare(lowering: Lowering, layer: DenseLayer): { readonly x: Activation; readonly quantized: QuantizedWeights } {
  const given = lowering.narrow(layer.x);
  const [outputs = 0, inputs = 0] = layer.weights.dims;
  const quantized = quantizeWeights(layer.weights, layer.bias, given.quantization.scale);
  if (given.layout.kind === 'flat-image' && given.tensor.shape.columns === inputs) {
    // The weights' columns take the image's order, so the image needs not take theirs.
    const { channels, pixels } = given.layout;
    return { x: given, quantized: { ...quantized, values: rearrange(quantized.values, [outputs, pixels, channels], [inputs, 1, pixels]) } };
  }
  return { x: toRows(lowering.builder, given), quantized };
}

/** Bits of a product's multiplier: sums of products of sixteen bits have up to 43. */
const PRODUCT_MULTIPLIER_BITS = 20;

/** Appends a product of two matrices, computed or constant. */
export function lowerMatrixProduct(lowering: Lowering, layer: MatrixProductLayer): Activation {
  const { builder } = lowering;
  const dims = dimsOf(lowering.network, layer.output);
  const [m, n] = [dims.at(-2) ?? 1, dims.at(-1) ?? 1];
  const batch = dims.slice(0, -2);
  const target = lowering.target(layer.output);
  const a = side(lowering, layer.x, `${layer.name}.a`, batch, false);
  const b = side(lowering, layer.b, `${layer.name}.b`, batch, !layer.transposed);
  const [aPlanes, bPlanes] = [planesOf(lowering, a), planesOf(lowering, b)];
  const sums = (of: Side, other: Side, name: string): Tensor => {
    if (other.quantization.zeroPoint === 0) return builder.integers(1, 1, new Int32Array(1));
    const output = { element: 'i32', rows: of.tensor.shape.rows, columns: 1 } as const;
    if (of.tensor.shape.element === 'i32') return builder.append(`${layer.name}.${name}`, { kernel: centredSums('i32'), output, operands: [of.tensor], parameters: { xZero: 0 } });
    return builder.append(`${layer.name}.${name}`, { kernel: byteRowSums, output, operands: [of.tensor, builder.bytes(1, 32, new Int8Array(32).fill(1))] });
  };
  const factor = (a.quantization.scale * b.quantization.scale) / target.quantization.scale;
  const tensor = builder.append(layer.name, {
    kernel: matrixProduct({ a: aPlanes.length as 1 | 2, b: bPlanes.length as 1 | 2, output: target.element }),
    output: { element: target.element, rows: elementCount(batch) * m, columns: n },
    operands: [...aPlanes, ...bPlanes, sums(a, b, 'aSums'), sums(b, a, 'bSums')],
    parameters: {
      m, aDivide: a.divide, aBatches: a.batches, bDivide: b.divide, bBatches: b.batches, aZero: a.quantization.zeroPoint, bZero: b.quantization.zeroPoint, inner: a.tensor.shape.columns,
      ...toShortRequantization(factor, PRODUCT_MULTIPLIER_BITS), ...target.parameters,
    },
  });
  return { name: layer.output, tensor, dims, layout: { kind: 'rows' }, quantization: target.quantization };
}

interface Side { readonly name: string; readonly tensor: Tensor; readonly quantization: Quantization; readonly divide: number; readonly batches: number }

/** A matrix whose columns are the axis that is summed over, and which of its batches a batch of the product reads. */
function side(lowering: Lowering, value: string, name: string, batch: readonly number[], turn: boolean): Side {
  const { builder } = lowering;
  const constant = lowering.constant(value);
  const given = constant === null ? toRows(builder, lowering.narrow(value)) : placedConstant(lowering, constant, 'rows', constant.dims.length, 16);
  const rank = given.dims.length;
  const turned = turn ? transposed(builder, `${name}.turned`, given.tensor, given.dims, given.dims.map((_, axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis))) : given.tensor;
  const [rows = 1, columns = 1] = turn ? [given.dims.at(-1), given.dims.at(-2)] : [given.dims.at(-2), given.dims.at(-1)];
  const natural = reshaped(builder, `${name}.rows`, turned, rowsShape([given.dims.slice(0, -2).reduce((product, dim) => product * dim, 1) * rows, columns], turned.shape.element));
  const own = [...new Array<number>(batch.length - (rank - 2)).fill(1), ...given.dims.slice(0, -2)];
  const pattern = rowPattern(own, batch);
  const base = { name, quantization: given.quantization };
  if (pattern !== null) return { ...base, tensor: natural, divide: pattern.divide, batches: pattern.rows };
  return { ...base, tensor: expanded(builder, `${name}.expanded`, natural, [...own, rows, columns], [...batch, rows, columns]), divide: 1, batches: elementCount(batch) };
}
