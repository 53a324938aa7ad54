import { convolution, depthwiseConvolution } from '../../convolution.ts';
import { linear } from '../../linear.ts';
import { linearPlanes, linearToWide } from '../../linear-planes.ts';
import { concatenated } from '../../movement.ts';
import { patches } from '../../patches.ts';
import type { Tensor } from '../../program-builder.ts';
import { volumeDepthwise, volumePatches } from '../../volume-window.ts';
import { ImportError } from '../import-error.ts';
import { requantizationRows, toShortRequantization } from '../requantization.ts';
import { bytesShape, toImage } from './activation.ts';
import type { Activation } from './activation.ts';
import { FLAT } from './evaluate-image.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { ConvolutionLayer, DepthWindow, Window } from './layer.ts';
import type { Lowering, Target } from './lowering.ts';
import { planesOf } from './planes-of.ts';
import { quantizeBiases, quantizeWeights } from './quantization.ts';
import type { Quantization, QuantizedWeights } from './quantization.ts';
import { rearrange } from './rearrange.ts';
import { windowNumbers, withBorder } from './window-operands.ts';

/** Below so many channels an image's words are mostly padding, and patches followed by a linear layer are cheaper. */
const CHANNELS_FOR_DIRECT = 32;
/** Bits of multipliers of sums of more than 32 bits. */
export const WIDE_MULTIPLIER_BITS = 23;

/** Appends a convolution. @throws ImportError when groups and channels do not fit. */
export function lowerConvolution(lowering: Lowering, layer: ConvolutionLayer): Activation {
  const { builder } = lowering;
  const x = toImage(builder, lowering.narrow(layer.x));
  const [batches = 1, channels = 1] = x.dims;
  const [outputs = 0, perGroup = 0] = layer.weights.dims;
  const depthwise = layer.groups === channels && outputs === channels && perGroup === 1 && channels > 1;
  if (perGroup * layer.groups !== channels || outputs % layer.groups !== 0) throw new ImportError(`${layer.name}: ${channels} channels in ${layer.groups} groups, and weights for ${perGroup} a group`);
  const target = lowering.target(layer.output, layer.range);
  const dims = dimsOf(lowering.network, layer.output);
  const finish = (tensor: Tensor): Activation => ({ name: layer.output, tensor, dims, layout: { kind: 'image' }, quantization: target.quantization });
  const plain = batches === 1 && layer.depth === undefined && x.dims.length === 4 && x.tensor.shape.element === 'i8' && target.element === 'i8';
  if (plain && depthwise) return finish(lowerPlain(lowering, layer, x, target, 'depthwise'));
  if (plain && layer.groups === 1) return finish(lowerPlain(lowering, layer, x, target, channels >= CHANNELS_FOR_DIRECT ? 'direct' : 'patches'));
  return finish(depthwise ? lowerVolumeDepthwise(lowering, layer, x, target) : lowerVolume(lowering, layer, x, target));
}

/** One image, eight bits in and out. */
function lowerPlain(lowering: Lowering, layer: ConvolutionLayer, x: Activation, target: Target, way: 'depthwise' | 'direct' | 'patches'): Tensor {
  const { builder } = lowering;
  const [, channels = 1] = x.dims;
  const [outputs = 0] = layer.weights.dims;
  const quantized = quantizeWeights(layer.weights, layer.bias, x.quantization.scale);
  const bias = builder.integers(1, outputs, quantizeBiases(layer.bias, quantized, x.quantization));
  const scale = builder.integers(2, outputs, requantizationRows(quantized.scales.map((weight) => (x.quantization.scale * weight) / target.quantization.scale)));
  const { outputHeight, outputWidth, kernelHeight, kernelWidth } = layer.window;
  const taps = kernelHeight * kernelWidth;
  const output = bytesShape(outputHeight * outputWidth, outputs);
  const { parameters } = target;

  if (way === 'depthwise') {
    const w = builder.bytes(taps, channels, rearrange(quantized.values, [taps, channels], [1, taps]));
    const { tensor, window } = withBorder(builder, x, layer.window, layer.name);
    return builder.append(layer.name, { kernel: depthwiseConvolution, output, operands: [tensor, w, bias, scale], parameters: { ...windowNumbers(window), ...parameters } });
  }
  if (way === 'direct') {
    const w = builder.bytes(outputs * taps, channels, rearrange(quantized.values, [outputs, taps, channels], [channels * taps, 1, taps]));
    const { tensor, window } = withBorder(builder, x, layer.window, layer.name);
    return builder.append(layer.name, { kernel: convolution, output, operands: [tensor, w, bias, scale], parameters: { ...windowNumbers(window), ...parameters } });
  }
  const w = builder.bytes(outputs, taps * channels, rearrange(quantized.values, [outputs, taps, channels], [channels * taps, 1, taps]));
  const rows = builder.append(`${layer.name}.patches`, {
    kernel: patches,
    output: bytesShape(outputHeight * outputWidth, taps * channels),
    operands: [x.tensor],
    parameters: { ...windowNumbers(layer.window), fill: x.quantization.zeroPoint },
  });
  return builder.append(layer.name, { kernel: linear, output, operands: [rows, w, bias, scale], parameters });
}

/** Batches, signals, volumes, groups, sixteen bits: patches and a linear layer, for each group. */
function lowerVolume(lowering: Lowering, layer: ConvolutionLayer, x: Activation, target: Target): Tensor {
  const { builder } = lowering;
  const { groups, window, depth = FLAT } = layer;
  const [batches = 1] = x.dims;
  const [outputs = 0, perGroup = 0] = layer.weights.dims;
  const taps = depth.kernelDepth * window.kernelHeight * window.kernelWidth;
  const rows = batches * depth.outputDepth * window.outputHeight * window.outputWidth;
  const numbers = volumeNumbers(window, depth);
  const perOutput = elementCount(layer.weights.dims) / outputs;
  const parts = Array.from({ length: groups }, (_, group) => {
    const size = outputs / groups;
    const name = groups === 1 ? layer.name : `${layer.name}.group${group}`;
    const bias = layer.bias === null ? null : layer.bias.slice(group * size, (group + 1) * size);
    const quantized = quantizeWeights({ dims: [size, perGroup, taps], data: layer.weights.data.slice(group * size * perOutput, (group + 1) * size * perOutput) }, bias, x.quantization.scale);
    const values = rearrange(quantized.values, [size, taps, perGroup], [perGroup * taps, 1, taps]);
    const lined = (tensor: Tensor, suffix: string, fill: number): Tensor => builder.append(`${name}.patches${suffix}`, {
      kernel: volumePatches('i8'),
      output: bytesShape(rows, taps * perGroup),
      operands: [tensor],
      parameters: { ...numbers, channels: perGroup, from: group * perGroup, fill },
    });
    const tensors = x.tensor.shape.element === 'i8' ? [lined(x.tensor, '', x.quantization.zeroPoint)] : planesOf(lowering, x).map((plane, index) => lined(plane, index === 0 ? '.high' : '.low', 0));
    return { tensor: appendLinear(lowering, name, tensors, { values, scales: quantized.scales }, bias, x.quantization, target), dims: [rows, size] };
  });
  return concatenated(builder, layer.name, parts, 1);
}

/**
 * A linear layer of rows of eight bits, or of two planes of sixteen, to what the target wants; weights [outputs][columns].
 *
 * @throws RangeError when a bias is out of proportion.
 */
export function appendLinear(lowering: Lowering, name: string, tensors: readonly Tensor[], quantized: QuantizedWeights, biases: Float32Array | null, x: Quantization, target: Target): Tensor {
  const { builder } = lowering;
  const outputs = quantized.scales.length;
  const [first] = tensors as [Tensor];
  const w = builder.bytes(outputs, quantized.values.length / outputs, quantized.values);
  const bias = builder.integers(1, outputs, quantizeBiases(biases, quantized, x));
  const factors = quantized.scales.map((weight) => (x.scale * weight) / target.quantization.scale);
  const output = { element: target.element, rows: first.shape.rows, columns: outputs };
  if (tensors.length === 1 && target.element === 'i8') {
    return builder.append(name, { kernel: linear, output, operands: [first, w, bias, builder.integers(2, outputs, requantizationRows(factors))], parameters: target.parameters });
  }
  const scale = builder.integers(2, outputs, requantizationRows(factors, (factor) => toShortRequantization(factor, WIDE_MULTIPLIER_BITS)));
  return builder.append(name, { kernel: tensors.length === 1 ? linearToWide : linearPlanes(target.element), output, operands: [...tensors, w, bias, scale], parameters: target.parameters });
}

function lowerVolumeDepthwise(lowering: Lowering, layer: ConvolutionLayer, x: Activation, target: Target): Tensor {
  const { builder } = lowering;
  const { window, depth = FLAT } = layer;
  const [batches = 1, channels = 1] = x.dims;
  const quantized = quantizeWeights(layer.weights, layer.bias, x.quantization.scale);
  const taps = quantized.values.length / channels;
  const w = builder.bytes(taps, channels, rearrange(quantized.values, [taps, channels], [1, taps]));
  // The kernel takes the zero point off x itself.
  const bias = builder.integers(1, channels, quantizeBiases(layer.bias, quantized, { ...x.quantization, zeroPoint: 0 }));
  const scale = builder.integers(2, channels, requantizationRows(quantized.scales.map((weight) => (x.quantization.scale * weight) / target.quantization.scale), (factor) => toShortRequantization(factor, WIDE_MULTIPLIER_BITS)));
  return builder.append(layer.name, {
    kernel: volumeDepthwise({ x: x.tensor.shape.element, output: target.element }),
    output: { element: target.element, rows: batches * depth.outputDepth * window.outputHeight * window.outputWidth, columns: channels },
    operands: [x.tensor, w, bias, scale],
    parameters: { ...volumeNumbers(window, depth), xZero: x.quantization.zeroPoint, ...target.parameters },
  });
}

/** A window as kernels of volumes take it. */
export const volumeNumbers = (window: Window, depth: DepthWindow): Record<string, number> => ({
  inputZ: depth.inputDepth, outputZ: depth.outputDepth, kernelZ: depth.kernelDepth, strideZ: depth.strideZ, dilationZ: depth.dilationZ, padZ: depth.padFront,
  inputY: window.inputHeight, outputY: window.outputHeight, kernelY: window.kernelHeight, strideY: window.strideY, dilationY: window.dilationY, padY: window.padTop,
  inputX: window.inputWidth, outputX: window.outputWidth, kernelX: window.kernelWidth, strideX: window.strideX, dilationX: window.dilationX, padX: window.padLeft,
});
