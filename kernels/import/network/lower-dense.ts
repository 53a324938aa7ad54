import { linear, linearSums } from '../../linear.ts';
import type { Tensor } from '../../program-builder.ts';
import { rescaleSums } from '../../requantize.ts';
import { requantizationRows } from '../requantization.ts';
import { bytesShape, toRows } from './activation.ts';
import type { Activation } from './activation.ts';
import { dimsOf } from './layer.ts';
import type { DenseLayer } from './layer.ts';
import { rearrange } from './lower-convolution.ts';
import { outputParameters } from './lowering.ts';
import type { Lowering } from './lowering.ts';
import { quantizeBiases, quantizeWeights } from './quantization.ts';
import type { QuantizedWeights } from './quantization.ts';

/** The finest scale of results with 32 bits: a step is the greatest channel's step over this, so that none loses precision to speak of. */
const RESULT_STEPS = 16;

interface Prepared { readonly x: Activation; readonly quantized: QuantizedWeights; readonly w: Tensor; readonly bias: Tensor }

/** Appends a fully connected layer. */
export function lowerDense(lowering: Lowering, layer: DenseLayer): Activation {
  const { builder } = lowering;
  const { x, quantized, w, bias } = prepare(lowering, layer);
  const quantization = lowering.quantizationOf(layer.output);
  const outputs = quantized.scales.length;
  const scale = builder.integers(2, outputs, requantizationRows(quantized.scales.map((weight) => (x.quantization.scale * weight) / quantization.scale)));
  const tensor = builder.append(layer.name, {
    kernel: linear,
    output: bytesShape(x.tensor.shape.rows, outputs),
    operands: [x.tensor, w, bias, scale],
    parameters: outputParameters(quantization, layer.range),
  });
  return { name: layer.output, tensor, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'rows' }, quantization };
}

/** Appends a fully connected layer whose results keep 32 bits, on one scale: what a classifier's last layer gives. */
export function lowerDenseResult(lowering: Lowering, layer: DenseLayer): Activation {
  const { builder } = lowering;
  const { x, quantized, w, bias } = prepare(lowering, layer);
  const { scales } = quantized;
  const output = { element: 'i32', rows: x.tensor.shape.rows, columns: scales.length } as const;
  const step = scales.reduce((left, right) => Math.max(left, right)) / RESULT_STEPS;
  const sums = builder.append(`${layer.name}.sums`, { kernel: linearSums, output, operands: [x.tensor, w, bias] });
  const factors = builder.integers(2, scales.length, requantizationRows(scales.map((weight) => weight / step)));
  const tensor = builder.append(layer.name, { kernel: rescaleSums, output, operands: [sums, factors] });
  return {
    name: layer.output,
    tensor,
    dims: dimsOf(lowering.network, layer.output),
    layout: { kind: 'rows' },
    quantization: { scale: x.quantization.scale * step, zeroPoint: 0 },
  };
}

function prepare(lowering: Lowering, layer: DenseLayer): Prepared {
  const { builder } = lowering;
  const given = lowering.activation(layer.x);
  const [outputs = 0, inputs = 0] = layer.weights.dims;
  const quantized = quantizeWeights(layer.weights);
  const bias = (x: Activation): Tensor => builder.integers(1, outputs, quantizeBiases(layer.bias, quantized, x.quantization));
  if (given.layout.kind === 'flat-image' && given.tensor.shape.columns === inputs) {
    // The weights' columns take the image's order, so the image needs not take theirs.
    const { channels, pixels } = given.layout;
    const values = rearrange(quantized.values, [outputs, pixels, channels], [inputs, 1, pixels]);
    return { x: given, quantized, w: builder.bytes(outputs, inputs, values), bias: bias(given) };
  }
  const x = toRows(builder, given);
  return { x, quantized, w: builder.bytes(outputs, inputs, quantized.values), bias: bias(x) };
}
