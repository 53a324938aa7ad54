import { MEAN_STEPS, averagePooling, maxPooling } from '../../pooling.ts';
import { WIDE_LIMIT } from './quantization.ts';
import { volumeMaximum, volumeMean } from '../../volume-window.ts';
import { toRequantization, toShortRequantization } from '../requantization.ts';
import { bytesShape, toImage } from './activation.ts';
import type { Activation } from './activation.ts';
import { FLAT } from './evaluate-image.ts';
import { dimsOf } from './layer.ts';
import type { DepthWindow, PoolingLayer, Window } from './layer.ts';
import { volumeNumbers } from './lower-convolution.ts';
import type { Lowering } from './lowering.ts';
import { windowNumbers } from './window-operands.ts';

/** Appends a pooling layer. A maximum has its input's scale and zero point, a mean its own. */
export function lowerPooling(lowering: Lowering, layer: PoolingLayer): Activation {
  const { builder } = lowering;
  const x = toImage(builder, lowering.narrow(layer.x));
  const [batches = 1, channels = 1] = x.dims;
  const { window, depth = FLAT } = layer;
  const { element } = x.tensor.shape;
  const rows = batches * depth.outputDepth * window.outputHeight * window.outputWidth;
  const base = { name: layer.output, dims: dimsOf(lowering.network, layer.output), layout: { kind: 'image' } } as const;
  const plain = batches === 1 && layer.depth === undefined && x.dims.length === 4 && element === 'i8' && layer.counts === undefined;
  if (layer.mode === 'maximum') {
    const output = { element, rows, columns: channels };
    const tensor = plain
      ? builder.append(layer.name, { kernel: maxPooling, output, operands: [x.tensor], parameters: windowNumbers(window) })
      : builder.append(layer.name, { kernel: volumeMaximum(element), output, operands: [x.tensor], parameters: { ...volumeNumbers(window, depth), fill: element === 'i8' ? -128 : -WIDE_LIMIT } });
    return { ...base, quantization: x.quantization, tensor };
  }
  const target = lowering.target(layer.output);
  const { quantization } = target;
  if (plain && target.element === 'i8') {
    const parameters = {
      ...windowNumbers(window),
      ...target.parameters,
      ...toRequantization(x.quantization.scale / (MEAN_STEPS * quantization.scale)),
      countPadding: layer.countPadding ? 1 : 0,
      xZero: x.quantization.zeroPoint,
    };
    return { ...base, quantization, tensor: builder.append(layer.name, { kernel: averagePooling, output: bytesShape(rows, channels), operands: [x.tensor], parameters }) };
  }
  const counts = layer.counts ?? tapCounts(window, depth, layer.countPadding);
  const tensor = builder.append(layer.name, {
    kernel: volumeMean({ x: element, output: target.element }),
    output: { element: target.element, rows, columns: channels },
    operands: [x.tensor, builder.integers(1, counts.length, counts)],
    parameters: { ...volumeNumbers(window, depth), xZero: x.quantization.zeroPoint, ...toShortRequantization(x.quantization.scale / quantization.scale, MEAN_BITS), ...target.parameters },
  });
  return { ...base, quantization, tensor };
}

/** Bits of a mean's multiplier: sums of up to 2^32 times it, and counts of up to 2^20 shifted by it, stay within 64 bits. */
const MEAN_BITS = 24;

/** What each output's sum is divided by. */
function tapCounts(window: Window, depth: DepthWindow, all: boolean): Int32Array {
  const inside = (output: number, kernel: number, stride: number, dilation: number, pad: number, input: number): number[] =>
    Array.from({ length: output }, (_, at) => Array.from({ length: kernel }, (__, tap) => at * stride - pad + tap * dilation).filter((place) => all || (place >= 0 && place < input)).length);
  const z = inside(depth.outputDepth, depth.kernelDepth, depth.strideZ, depth.dilationZ, depth.padFront, depth.inputDepth);
  const y = inside(window.outputHeight, window.kernelHeight, window.strideY, window.dilationY, window.padTop, window.inputHeight);
  const x = inside(window.outputWidth, window.kernelWidth, window.strideX, window.dilationX, window.padLeft, window.inputWidth);
  return Int32Array.from(z.flatMap((a) => y.flatMap((b) => x.map((c) => Math.max(a * b * c, 1)))));
}
