import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { describe, integer, integers, text } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';
import { axisWindows, layerWindow } from './volume-windows.ts';
import type { AxisWindow } from './volume-windows.ts';

/** Batch, channels and sizes of what a node reads. @throws ImportError when it has not one to three axes of pixels. */
function imageDims(conversion: Conversion, node: OnnxNode): { readonly batch: number; readonly channels: number; readonly sizes: readonly number[] } {
  const dims = conversion.inputDims(node, 0);
  const [batch = 0, channels = 0, ...sizes] = dims;
  if (sizes.length < 1 || sizes.length > 3) throw new ImportError(`${describe(node)} reads dimensions [${dims.join(', ')}]; supported are images, [batch, channels, …] with one to three axes behind`);
  return { batch, channels, sizes };
}

/** Conv; weights and bias must be constant. */
export function convertConv(conversion: Conversion, node: OnnxNode): void {
  const { channels, sizes } = imageDims(conversion, node);
  const weights = conversion.constantInput(node, 1, 'weights');
  const [outputs = 0, perGroup = 0, ...kernel] = weights.dims;
  const groups = integer(node, 'group', 1);
  if (kernel.length !== sizes.length || groups < 1 || perGroup * groups !== channels || outputs < 1 || outputs % groups !== 0) {
    throw new ImportError(`${describe(node)}: weights [${weights.dims.join(', ')}] in ${groups} groups do not fit an image of ${channels} channels`);
  }
  const declared = integers(node, 'kernel_shape', kernel);
  if (declared.some((size, axis) => size !== kernel[axis])) throw new ImportError(`${describe(node)}: kernel_shape [${declared.join(', ')}] is not that of its weights`);
  addConvolution(conversion, node, conversion.input(node, 0), weights, biasOf(conversion, node, outputs), groups, axisWindows(node, sizes, kernel));
}

function biasOf(conversion: Conversion, node: OnnxNode, outputs: number): Float32Array | null {
  const bias = conversion.hasInput(node, 2) ? Float32Array.from(conversion.constantInput(node, 2, 'bias').data) : null;
  if (bias !== null && bias.length !== outputs) throw new ImportError(`${describe(node)}: ${bias.length} biases for ${outputs} channels`);
  return bias;
}

/** Layers work on images: a signal gets a height of 1 and loses it again. */
function onImage(conversion: Conversion, node: OnnxNode, x: string, dims: readonly number[], signal: boolean, layer: (x: string) => Parameters<Conversion['add']>[1]): void {
  if (!signal) {
    conversion.add(node, layer(x), dims, 'float');
    return;
  }
  const own = conversion.dimsOf(node, x);
  const image = conversion.step(node, 'image', { kind: 'reshape', x }, [own[0] ?? 1, own[1] ?? 1, 1, own[2] ?? 1]);
  const result = conversion.step(node, 'result', layer(image), [dims[0] ?? 1, dims[1] ?? 1, 1, dims[2] ?? 1], 'float');
  conversion.add(node, { kind: 'reshape', x: result }, dims, 'float');
}

function addConvolution(conversion: Conversion, node: OnnxNode, x: string, given: FloatTensor, bias: Float32Array | null, groups: number, axes: readonly AxisWindow[]): void {
  const [batch = 1] = conversion.dimsOf(node, x);
  const [outputs = 0, perGroup = 0, ...kernel] = given.dims;
  const weights = { dims: [outputs, perGroup, ...(kernel.length === 1 ? [1] : []), ...kernel], data: given.data };
  const dims = [batch, outputs, ...axes.map(({ output }) => output)];
  onImage(conversion, node, x, dims, axes.length === 1, (image) => ({ kind: 'convolution', x: image, weights, bias, groups, ...layerWindow(axes), range: null }));
}

/**
 * ConvTranspose: the image with `stride − 1` zeros between its pixels, and a convolution of it with the kernel turned round, padded by `(kernel − 1) · dilation − pad`.
 */
export function convertConvTranspose(conversion: Conversion, node: OnnxNode): void {
  const { batch, channels, sizes } = imageDims(conversion, node);
  const weights = conversion.constantInput(node, 1, 'weights');
  const [inputs = 0, perGroup = 0, ...kernel] = weights.dims;
  const groups = integer(node, 'group', 1);
  const rank = sizes.length;
  if (kernel.length !== rank || inputs !== channels || groups < 1 || channels % groups !== 0) throw new ImportError(`${describe(node)}: weights [${weights.dims.join(', ')}] in ${groups} groups do not fit an image of ${channels} channels`);
  const fill = (value: number): number[] => new Array<number>(rank).fill(value);
  const [strides, dilations, extra] = [integers(node, 'strides', fill(1), 1), integers(node, 'dilations', fill(1), 1), integers(node, 'output_padding', fill(0))];
  const pads = integers(node, 'pads', [...fill(0), ...fill(0)]);
  const mode = text(node, 'auto_pad', 'NOTSET');
  const wanted = node.attributes.has('output_shape') ? integers(node, 'output_shape', fill(0), 1) : null;
  const borders = sizes.map((size, axis): readonly [number, number] => {
    const [stride, extent] = [strides[axis] ?? 1, ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1];
    const full = stride * (size - 1) + (extra[axis] ?? 0) + extent;
    const target = wanted?.[axis] ?? (mode.startsWith('SAME') ? size * stride : null);
    if (target === null) return mode === 'VALID' ? [0, 0] : [pads[axis] ?? 0, pads[axis + rank] ?? 0];
    const total = full - target;
    const half = Math.floor(total / 2);
    // With SAME_UPPER the end gets the odd one, else the beginning (ONNX ConvTranspose).
    return mode === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
  });
  const spread = sizes.map((size, axis) => (size - 1) * (strides[axis] ?? 1) + 1);
  let x = conversion.input(node, 0);
  if (strides.some((stride) => stride > 1)) {
    // [H] → [H][1] → [H][stride] → [H · stride], cut to (H − 1) · stride + 1.
    const apart = [batch, channels, ...sizes.flatMap((size) => [size, 1])];
    const wide = [batch, channels, ...sizes.flatMap((size, axis) => [size, strides[axis] ?? 1])];
    x = conversion.step(node, 'apart', { kind: 'reshape', x }, apart);
    x = conversion.step(node, 'zeros', { kind: 'pad', x, before: wide.map(() => 0), after: wide.map((dim, axis) => dim - (apart[axis] ?? 1)), fill: 0 }, wide);
    x = conversion.step(node, 'spread', { kind: 'reshape', x }, [batch, channels, ...sizes.map((size, axis) => size * (strides[axis] ?? 1))]);
    x = conversion.step(node, 'cut', { kind: 'slice', x, starts: [0, 0, ...fill(0)], steps: [1, 1, ...fill(1)] }, [batch, channels, ...spread]);
  }
  const outputs = perGroup * groups;
  const taps = elementCount(kernel);
  const ofGroup = channels / groups;
  const data = Float32Array.from({ length: outputs * ofGroup * taps }, (_, index) => {
    const [tap, c, o] = [index % taps, Math.floor(index / taps) % ofGroup, Math.floor(index / (taps * ofGroup))];
    const group = Math.floor(o / perGroup);
    return weights.data[((group * ofGroup + c) * perGroup + (o % perGroup)) * taps + (taps - 1 - tap)] ?? 0;
  });
  const before = borders.map(([border], axis) => ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) - border);
  const after = borders.map(([, border], axis) => ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) - border + (extra[axis] ?? 0));
  // A border that cuts more than the kernel reaches is a slice of the image.
  if ([...before, ...after].some((border) => border < 0)) {
    const [cutBefore, cutAfter] = [before.map((border) => Math.min(border, 0)), after.map((border) => Math.min(border, 0))];
    const dims = [batch, channels, ...spread.map((size, axis) => size + (cutBefore[axis] ?? 0) + (cutAfter[axis] ?? 0))];
    x = conversion.step(node, 'inside', { kind: 'pad', x, before: [0, 0, ...cutBefore], after: [0, 0, ...cutAfter], fill: 0 }, dims);
  }
  const axes = spread.map((size, axis): AxisWindow => {
    const input = conversion.dimsOf(node, x)[axis + 2] ?? size;
    const [pad, padAfter, dilation] = [Math.max(before[axis] ?? 0, 0), Math.max(after[axis] ?? 0, 0), dilations[axis] ?? 1];
    return { input, kernel: kernel[axis] ?? 1, stride: 1, dilation, pad, padAfter, output: input + pad + padAfter - ((kernel[axis] ?? 1) - 1) * dilation };
  });
  addConvolution(conversion, node, x, { dims: [outputs, ofGroup, ...kernel], data }, biasOf(conversion, node, outputs), groups, axes);
}

export const convertMaxPool = (conversion: Conversion, node: OnnxNode): void => convertPool(conversion, node, 'maximum');
export const convertAveragePool = (conversion: Conversion, node: OnnxNode): void => convertPool(conversion, node, 'average');

function convertPool(conversion: Conversion, node: OnnxNode, mode: 'maximum' | 'average'): void {
  const { sizes } = imageDims(conversion, node);
  if (node.outputs.length > 1 && node.outputs[1] !== '') throw new ImportError(`${describe(node)}: its second output (indices) is not supported`);
  const axes = axisWindows(node, sizes, integers(node, 'kernel_shape', sizes.map(() => 0)));
  addPool(conversion, node, conversion.input(node, 0), mode, axes, integer(node, 'count_include_pad', 0) !== 0);
}

function addPool(conversion: Conversion, node: OnnxNode, x: string, mode: 'maximum' | 'average', axes: readonly AxisWindow[], countPadding: boolean): void {
  const { batch, channels } = imageDims(conversion, node);
  const dims = [batch, channels, ...axes.map(({ output }) => output)];
  // Taps beyond the padding, which ceil_mode makes, never count.
  const inside = axes.map(({ input, output, kernel, stride, dilation, pad, padAfter }) =>
    Array.from({ length: output }, (_, at) => Array.from({ length: kernel }, (__, tap) => at * stride - pad + tap * dilation).filter((place) => place < input + padAfter).length));
  const whole = inside.every((counts, axis) => counts.every((count) => count === axes[axis]?.kernel));
  const counts = countPadding && !whole ? { counts: Int32Array.from(inside.reduce<number[]>((all, own) => all.flatMap((left) => own.map((right) => left * right)), [1])) } : {};
  onImage(conversion, node, x, dims, axes.length === 1, (image) => ({ kind: 'pooling', x: image, mode, ...layerWindow(axes), countPadding, ...counts }));
}

/** GlobalAveragePool and GlobalMaxPool: one number a channel. */
export const globalPool = (mode: 'maximum' | 'average') => (conversion: Conversion, node: OnnxNode): void => {
  const { sizes } = imageDims(conversion, node);
  addPool(conversion, node, conversion.input(node, 0), mode, sizes.map((size) => ({ input: size, output: 1, kernel: size, stride: 1, dilation: 1, pad: 0, padAfter: 0 })), false);
};

/** LpPool: `(Σ |x|^p)^(1/p)` over windows, as a mean of powers. */
export function convertLpPool(conversion: Conversion, node: OnnxNode): void {
  const { sizes } = imageDims(conversion, node);
  const axes = node.operator === 'GlobalLpPool' ? sizes.map((size) => ({ input: size, output: 1, kernel: size, stride: 1, dilation: 1, pad: 0, padAfter: 0 })) : axisWindows(node, sizes, integers(node, 'kernel_shape', sizes.map(() => 0)));
  const p = integer(node, 'p', 2);
  const powers = conversion.step(node, 'powers', { kind: 'function', x: conversion.input(node, 0), apply: (value) => Math.abs(value) ** p }, conversion.inputDims(node, 0), 'float');
  const inner: OnnxNode = { ...node, outputs: [conversion.fresh(node, 'means')] };
  addPool(conversion, inner, powers, 'average', axes, true);
  const dims = conversion.dimsOf(node, conversion.output(inner));
  const taps = elementCount(axes.map(({ kernel }) => kernel));
  conversion.add(node, { kind: 'function', x: conversion.output(inner), apply: (value) => (Math.max(value, 0) * taps) ** (1 / p) }, dims, 'float');
}

/** DepthToSpace and SpaceToDepth: reshapes and a transpose. */
export function convertDepthToSpace(conversion: Conversion, node: OnnxNode): void {
  const [batch = 1, channels = 1, height = 1, width = 1] = conversion.inputDims(node, 0);
  const block = integer(node, 'blocksize', 1);
  const rest = channels / block ** 2;
  if (conversion.inputDims(node, 0).length !== 4 || block < 1 || !Number.isInteger(rest)) throw new ImportError(`${describe(node)}: ${channels} channels in blocks of ${block}`);
  const columnsFirst = text(node, 'mode', 'DCR') === 'CRD';
  move(conversion, node, columnsFirst ? [batch, rest, block, block, height, width] : [batch, block, block, rest, height, width], columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2], [batch, rest, height * block, width * block]);
}

export function convertSpaceToDepth(conversion: Conversion, node: OnnxNode): void {
  const [batch = 1, channels = 1, height = 1, width = 1] = conversion.inputDims(node, 0);
  const block = integer(node, 'blocksize', 1);
  if (conversion.inputDims(node, 0).length !== 4 || block < 1 || height % block !== 0 || width % block !== 0) throw new ImportError(`${describe(node)}: an image of ${height} × ${width} in blocks of ${block}`);
  move(conversion, node, [batch, channels, height / block, block, width / block, block], [0, 3, 5, 1, 2, 4], [batch, channels * block ** 2, height / block, width / block]);
}

/** A reshape, a transpose and a reshape. */
function move(conversion: Conversion, node: OnnxNode, shape: readonly number[], order: readonly number[], dims: readonly number[]): void {
  const split = conversion.step(node, 'split', { kind: 'reshape', x: conversion.input(node, 0) }, shape);
  const turned = conversion.step(node, 'turned', { kind: 'transpose', x: split, order }, order.map((axis) => shape[axis] ?? 1));
  conversion.add(node, { kind: 'reshape', x: turned }, dims);
}
