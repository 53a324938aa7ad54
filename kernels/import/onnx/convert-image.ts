import { ImportError } from '../import-error.ts';
import type { Window } from '../network/layer.ts';
import { describe, integer, integers } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';
import { windowOf } from './windows.ts';

function imageDims(conversion: Conversion, node: OnnxNode): { readonly channels: number; readonly height: number; readonly width: number } {
  const dims = conversion.inputDims(node, 0);
  const [batch = 0, channels = 0, height = 0, width = 0] = dims;
  if (dims.length !== 4 || batch !== 1) throw new ImportError(`${describe(node)} reads dimensions [${dims.join(', ')}]; supported is one image, [1, channels, height, width]`);
  return { channels, height, width };
}

/** Conv, in two dimensions; weights and bias must be constant. */
export function convertConv(conversion: Conversion, node: OnnxNode): void {
  const { channels, height, width } = imageDims(conversion, node);
  const weights = conversion.constantInput(node, 1, 'weights');
  const [outputs = 0, perGroup = 0, kernelHeight = 0, kernelWidth = 0] = weights.dims;
  const groups = integer(node, 'group', 1);
  if (weights.dims.length !== 4 || groups < 1 || perGroup * groups !== channels || outputs < 1 || outputs % groups !== 0) {
    throw new ImportError(`${describe(node)}: weights [${weights.dims.join(', ')}] in ${groups} groups do not fit an image of ${channels} channels`);
  }
  const declared = integers(node, 'kernel_shape', [kernelHeight, kernelWidth]);
  if (declared[0] !== kernelHeight || declared[1] !== kernelWidth) throw new ImportError(`${describe(node)}: kernel_shape [${declared.join(', ')}] is not that of its weights`);
  const window = windowOf(node, [height, width], [kernelHeight, kernelWidth]);
  const bias = conversion.hasInput(node, 2) ? Float32Array.from(conversion.constantInput(node, 2, 'bias').data) : null;
  if (bias !== null && bias.length !== outputs) throw new ImportError(`${describe(node)}: ${bias.length} biases for ${outputs} channels`);
  conversion.addLayer(
    { kind: 'convolution', name: node.name, x: conversion.input(node, 0), output: conversion.output(node), weights, bias, groups, window, range: null },
    [1, outputs, window.outputHeight, window.outputWidth],
  );
}

export const convertMaxPool = (conversion: Conversion, node: OnnxNode): void => convertPool(conversion, node, 'maximum');
export const convertAveragePool = (conversion: Conversion, node: OnnxNode): void => convertPool(conversion, node, 'average');

function convertPool(conversion: Conversion, node: OnnxNode, mode: 'maximum' | 'average'): void {
  const { height, width } = imageDims(conversion, node);
  if (node.outputs.length > 1 && node.outputs[1] !== '') throw new ImportError(`${describe(node)}: its second output (indices) is not supported`);
  const window = windowOf(node, [height, width], integers(node, 'kernel_shape', [0, 0]));
  const countPadding = integer(node, 'count_include_pad', 0) !== 0;
  if (mode === 'average' && countPadding && integer(node, 'ceil_mode', 0) !== 0) throw new ImportError(`${describe(node)}: count_include_pad together with ceil_mode is not supported`);
  addPooling(conversion, node, mode, window, countPadding);
}

/** GlobalAveragePool: the mean of each channel. */
export function convertGlobalAveragePool(conversion: Conversion, node: OnnxNode): void {
  const { height, width } = imageDims(conversion, node);
  const window = {
    inputHeight: height, inputWidth: width, outputHeight: 1, outputWidth: 1, kernelHeight: height, kernelWidth: width,
    strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 0, padLeft: 0,
  };
  addPooling(conversion, node, 'average', window, false);
}

function addPooling(conversion: Conversion, node: OnnxNode, mode: 'maximum' | 'average', window: Window, countPadding: boolean): void {
  const { channels } = imageDims(conversion, node);
  conversion.addLayer(
    { kind: 'pooling', name: node.name, x: conversion.input(node, 0), output: conversion.output(node), mode, window, countPadding },
    [1, channels, window.outputHeight, window.outputWidth],
  );
}
