import { convolution, depthwiseConvolution } from '../../convolution.ts';
import { pad } from '../../layout.ts';
import { linear } from '../../linear.ts';
import { patches } from '../../patches.ts';
import { MEAN_STEPS, averagePooling, maxPooling } from '../../pooling.ts';
import type { Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import { requantizationRows, toRequantization } from '../requantization.ts';
import { bytesShape, imageSize, toImage } from './activation.ts';
import type { Activation } from './activation.ts';
import { dimsOf } from './layer.ts';
import type { ConvolutionLayer, PoolingLayer, Window } from './layer.ts';
import { outputParameters } from './lowering.ts';
import type { Lowering } from './lowering.ts';
import { quantizeBiases, quantizeWeights } from './quantization.ts';

/** Below so many channels an image's words are mostly padding, and patches followed by a linear layer are cheaper. */
const CHANNELS_FOR_DIRECT = 32;

/** Appends a convolution. @throws ImportError for groups other than one, or one a channel. */
export function lowerConvolution(lowering: Lowering, layer: ConvolutionLayer): Activation {
  const { builder } = lowering;
  const x = toImage(builder, lowering.activation(layer.x));
  const { channels } = imageSize(x.dims, layer.x);
  const [outputs = 0, perGroup = 0] = layer.weights.dims;
  const depthwise = layer.groups === channels && outputs === channels && perGroup === 1 && channels > 1;
  if (layer.groups !== 1 && !depthwise) throw new ImportError(`${layer.name}: a convolution of ${channels} channels in ${layer.groups} groups; 1 and ${channels} (with as many outputs) are supported`);

  const quantization = lowering.quantizationOf(layer.output);
  const quantized = quantizeWeights(layer.weights);
  const bias = builder.integers(1, outputs, quantizeBiases(layer.bias, quantized, x.quantization));
  const scale = builder.integers(2, outputs, requantizationRows(quantized.scales.map((weight) => (x.quantization.scale * weight) / quantization.scale)));
  const { outputHeight, outputWidth, kernelHeight, kernelWidth } = layer.window;
  const taps = kernelHeight * kernelWidth;
  const output = bytesShape(outputHeight * outputWidth, outputs);
  const parameters = outputParameters(quantization, layer.range);
  const finish = (tensor: Tensor): Activation => ({ name: layer.output, tensor, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'image' }, quantization });

  if (depthwise) {
    const w = builder.bytes(taps, channels, rearrange(quantized.values, [taps, channels], [1, taps]));
    const { tensor, window } = padded(lowering, x, layer.window, layer.name);
    return finish(builder.append(layer.name, { kernel: depthwiseConvolution, output, operands: [tensor, w, bias, scale], parameters: { ...windowNumbers(window), ...parameters } }));
  }
  if (channels >= CHANNELS_FOR_DIRECT) {
    const w = builder.bytes(outputs * taps, channels, rearrange(quantized.values, [outputs, taps, channels], [channels * taps, 1, taps]));
    const { tensor, window } = padded(lowering, x, layer.window, layer.name);
    return finish(builder.append(layer.name, { kernel: convolution, output, operands: [tensor, w, bias, scale], parameters: { ...windowNumbers(window), ...parameters } }));
  }
  const w = builder.bytes(outputs, taps * channels, rearrange(quantized.values, [outputs, taps, channels], [channels * taps, 1, taps]));
  const rows = builder.append(`${layer.name}.patches`, {
    kernel: patches,
    output: bytesShape(outputHeight * outputWidth, taps * channels),
    operands: [x.tensor],
    parameters: { ...windowNumbers(layer.window), fill: x.quantization.zeroPoint },
  });
  return finish(builder.append(layer.name, { kernel: linear, output, operands: [rows, w, bias, scale], parameters }));
}

/** Appends a pooling layer. A maximum has its input's scale and zero point, a mean its own. */
export function lowerPooling(lowering: Lowering, layer: PoolingLayer): Activation {
  const { builder } = lowering;
  const x = toImage(builder, lowering.activation(layer.x));
  const { channels } = imageSize(x.dims, layer.x);
  const output = bytesShape(layer.window.outputHeight * layer.window.outputWidth, channels);
  const base = { name: layer.output, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'image' } } as const;
  const window = windowNumbers(layer.window);
  if (layer.mode === 'maximum') {
    return { ...base, quantization: x.quantization, tensor: builder.append(layer.name, { kernel: maxPooling, output, operands: [x.tensor], parameters: window }) };
  }
  const quantization = lowering.quantizationOf(layer.output);
  const parameters = {
    ...window,
    ...outputParameters(quantization, null),
    ...toRequantization(x.quantization.scale / (MEAN_STEPS * quantization.scale)),
    countPadding: layer.countPadding ? 1 : 0,
    xZero: x.quantization.zeroPoint,
  };
  return { ...base, quantization, tensor: builder.append(layer.name, { kernel: averagePooling, output, operands: [x.tensor], parameters }) };
}

/** The image with a border of its zero point, where the window reaches outside and 0 is not the zero point. */
function padded(lowering: Lowering, x: Activation, window: Window, name: string): { readonly tensor: Tensor; readonly window: Window } {
  const bottom = (window.outputHeight - 1) * window.strideY + (window.kernelHeight - 1) * window.dilationY + 1 - window.padTop;
  const right = (window.outputWidth - 1) * window.strideX + (window.kernelWidth - 1) * window.dilationX + 1 - window.padLeft;
  const inside = window.padTop === 0 && window.padLeft === 0 && bottom <= window.inputHeight && right <= window.inputWidth;
  if (inside || x.quantization.zeroPoint === 0) return { tensor: x.tensor, window };
  const inputHeight = window.padTop + Math.max(window.inputHeight, bottom);
  const inputWidth = window.padLeft + Math.max(window.inputWidth, right);
  const tensor = lowering.builder.append(`${name}.pad`, {
    kernel: pad,
    output: bytesShape(inputHeight * inputWidth, x.tensor.shape.columns),
    operands: [x.tensor],
    parameters: { height: window.inputHeight, width: window.inputWidth, outputWidth: inputWidth, top: window.padTop, left: window.padLeft, fill: x.quantization.zeroPoint },
  });
  return { tensor, window: { ...window, inputHeight, inputWidth, padTop: 0, padLeft: 0 } };
}

function windowNumbers({ outputHeight: _, ...numbers }: Window): Record<string, number> {
  return { ...numbers };
}

/** Elements in another order: coordinates below `sizes`, each `steps` elements apart in the source. */
export function rearrange(values: Int8Array, sizes: readonly number[], steps: readonly number[]): Int8Array {
  return values.map((_, index) => {
    let rest = index;
    let source = 0;
    for (let axis = sizes.length - 1; axis >= 0; axis -= 1) {
      const size = sizes[axis] ?? 1;
      source += (rest % size) * (steps[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    return values[source] ?? 0;
  });
}
