import { addFixedBias, DROPPED_STEPS, dynamicQuantize, dynamicRange, rescaleDynamicSums } from '../../../dynamic-quantization.ts';
import { reshaped, rowMajorShape } from '../../../movement.ts';
import { ImportError } from '../../import-error.ts';
import { elementCount } from '../../network/float-tensor.ts';
import { requantizationRows } from '../../requantization.ts';
import { describe } from '../attributes.ts';
import type { OnnxNode } from '../graph.ts';
import { lowerSums } from './lower-product.ts';
import type { QuantizedConversion } from './quantized-conversion.ts';
import type { Dynamic, DynamicScale, DynamicSums, Fixed, Product } from './value.ts';

/** Fixed-point numbers hold what calibration saw as ±2^20, so that they have 10 bits of headroom below ±2^30. */
const CALIBRATED_STEPS = 2 ** 20;

/** The step of fixed-point numbers, from what they are for the calibration data. */
export function fixedScale(samples: Float32Array): number {
  const greatest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return greatest > 0 ? greatest / CALIBRATED_STEPS : 1;
}

/** DynamicQuantizeLinear: bytes, scale and zero point from the values' own range. */
export function convertDynamicQuantize(conversion: QuantizedConversion, node: OnnxNode): void {
  const { builder } = conversion;
  const of = conversion.fixed(node, 0);
  const [name = node.name, scale = '', zero = ''] = node.outputs;
  const { tensor } = of.activation;
  const range = builder.append(`${name}.range`, { kernel: dynamicRange, output: { element: 'i32', rows: 1, columns: 2 }, operands: [tensor] });
  const bytes = builder.append(name, { kernel: dynamicQuantize, output: { ...tensor.shape, element: 'i8' }, operands: [tensor, range] });
  const dynamic: Dynamic = { kind: 'dynamic', of, range, bytes: { ...of.activation, name, tensor: bytes, quantization: { scale: 1, zeroPoint: 0 } } };
  conversion.define(name, dynamic);
  if (scale !== '') conversion.define(scale, { kind: 'dynamic-scale', dynamic, factors: [1] });
  if (zero !== '') conversion.define(zero, { kind: 'dynamic-zero', dynamic });
}

/** MatMulInteger of dynamic bytes. `product` has the bytes as its operand, with a zero point of 0. */
export function dynamicSums(conversion: QuantizedConversion, node: OnnxNode, dynamic: Dynamic, product: Product): void {
  const zero = conversion.has(node, 2) ? conversion.input(node, 2) : null;
  if (zero?.kind !== 'dynamic-zero' || zero.dynamic !== dynamic) throw new ImportError(`${describe(node)}: bytes that are quantised while the model runs want their own zero point`);
  if (product.window !== null) throw new ImportError(`${describe(node)}: matrix products of what is quantised while the model runs are supported, not convolutions`);
  const { tensor, layout } = lowerSums(conversion, product);
  const sums = { name: product.name, tensor, layout, dims: product.dims, quantization: { scale: 1, zeroPoint: 0 } };
  conversion.output(node, { kind: 'dynamic-sums', dynamic, sums, weights: product.weights, outputs: product.scales.length });
}

/** A dynamic scale times a constant, as `Mul` has it. */
export const scaledBy = ({ dynamic, factors }: DynamicScale, constant: ArrayLike<number>): DynamicScale => {
  const count = Math.max(factors.length, constant.length);
  return { kind: 'dynamic-scale', dynamic, factors: Array.from({ length: count }, (_, index) => Math.fround((factors[factors.length === 1 ? 0 : index] ?? 1) * (constant[constant.length === 1 ? 0 : index] ?? 1))) };
};

/** Sums times their scale: the float that they stand for, as fixed-point numbers. */
export function fixedOfSums(conversion: QuantizedConversion, name: string, { dynamic, sums, weights, outputs }: DynamicSums, scale: DynamicScale): Fixed {
  const { builder } = conversion;
  const { of } = dynamic;
  if (scale.dynamic !== dynamic || (scale.factors.length !== 1 && scale.factors.length !== outputs)) throw new ImportError(`${name}: sums are brought to a scale that is not theirs`);
  const factors = Array.from({ length: outputs }, (_, channel) => scale.factors[scale.factors.length === 1 ? 0 : channel] ?? 1);
  const inputs = weights.length / outputs;
  const samples = new Float32Array((of.samples.length / inputs) * outputs);
  for (let row = 0; row < of.samples.length / inputs; row += 1) {
    for (let channel = 0; channel < outputs; channel += 1) {
      let total = 0;
      for (let k = 0; k < inputs; k += 1) total += (of.samples[row * inputs + k] ?? 0) * (weights[channel * inputs + k] ?? 0);
      samples[row * outputs + channel] = total * (factors[channel] ?? 1);
    }
  }
  const step = fixedScale(samples);
  const totals = Int32Array.from(factors, (_, channel) => weights.subarray(channel * inputs, (channel + 1) * inputs).reduce((sum, weight) => sum + weight, 0));
  const rows = requantizationRows(factors.map((factor) => (of.activation.quantization.scale / 255) * factor * (DROPPED_STEPS / step)));
  const tensor = builder.append(name, {
    kernel: rescaleDynamicSums,
    output: { ...sums.tensor.shape, element: 'i32' },
    operands: [sums.tensor, dynamic.range, builder.integers(1, outputs, totals), builder.integers(2, outputs, rows)],
  });
  return { kind: 'fixed', samples, activation: { ...sums, name, tensor, quantization: { scale: step, zeroPoint: 0 } } };
}

/** A constant a column added. */
export function addBias(conversion: QuantizedConversion, node: OnnxNode, x: Fixed, bias: ArrayLike<number>): Fixed {
  const columns = x.activation.tensor.shape.columns;
  if (bias.length !== 1 && bias.length !== columns) throw new ImportError(`${describe(node)}: a constant of ${bias.length} numbers is added to rows of ${columns}`);
  const numbers = Array.from({ length: columns }, (_, column) => bias[bias.length === 1 ? 0 : column] ?? 0);
  return cutFixed(conversion, node, x, numbers, -(2 ** 30), x.samples.map((value, index) => value + (numbers[index % columns] ?? 0)));
}

/** Negative numbers as 0. */
export const reluFixed = (conversion: QuantizedConversion, node: OnnxNode, x: Fixed): Fixed => cutFixed(conversion, node, x, null, 0, x.samples.map((value) => Math.max(0, value)));

function cutFixed({ builder }: QuantizedConversion, node: OnnxNode, x: Fixed, bias: readonly number[] | null, low: number, samples: Float32Array): Fixed {
  const { tensor, quantization } = x.activation;
  const { columns } = tensor.shape;
  const values = Int32Array.from({ length: columns }, (_, column) => Math.round((bias?.[column] ?? 0) / quantization.scale));
  if (bias?.some((value) => Math.abs(value / quantization.scale) >= 2 ** 29) === true) throw new ImportError(`${describe(node)}: its constant is out of proportion to what calibration saw`);
  const [name = node.name] = node.outputs;
  const result = builder.append(name, { kernel: addFixedBias, output: tensor.shape, operands: [tensor, builder.integers(1, columns, values)], parameters: { low } });
  return { kind: 'fixed', samples, activation: { ...x.activation, name, tensor: result } };
}

/** The float input as fixed-point numbers. */
export function fixedInput(conversion: QuantizedConversion, name: string, dims: readonly number[], samples: Float32Array): Fixed {
  const size = elementCount(dims);
  if (samples.length === 0 || samples.length % size !== 0) throw new ImportError(`calibration data has ${samples.length} numbers, which are not one or more whole inputs of ${size}`);
  if (!samples.every(Number.isFinite)) throw new ImportError('calibration data has numbers that are not finite');
  const { builder } = conversion;
  const tensor = reshaped(builder, `${name}.rows`, builder.input, rowMajorShape('i32', dims));
  return { kind: 'fixed', samples, activation: { name, tensor, dims, layout: { kind: 'rows' }, quantization: { scale: fixedScale(samples), zeroPoint: 0 } } };
}
