import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { ReductionLayer } from '../network/layer.ts';
import { describe, float, integer } from './attributes.ts';
import type { Conversion, LayerParts } from './conversion.ts';
import { axes, normalizeAxis } from './convert-shape.ts';
import { addAffine } from './convert-elementwise.ts';
import type { OnnxNode } from './graph.ts';

/** Adds the layer `parts` on axis `axis` of x for layers that work on the last one: x is turned, and the result turned back. */
function onLastAxis(conversion: Conversion, node: OnnxNode, axis: number, parts: (x: string) => LayerParts, size: (dim: number) => number, type?: 'integer'): string {
  const x = conversion.input(node, 0);
  const dims = conversion.inputDims(node, 0);
  const last = dims.length - 1;
  const result = dims.map((dim, index) => (index === axis ? size(dim) : dim));
  if (axis === last) return conversion.step(node, 'rows', parts(x), result, type);
  const order = dims.map((_, index) => (index === axis ? last : index === last ? axis : index));
  const turned = conversion.step(node, 'turned', { kind: 'transpose', x, order }, order.map((index) => dims[index] ?? 1));
  const rows = conversion.step(node, 'rows', parts(turned), order.map((index) => result[index] ?? 1), type);
  return conversion.step(node, 'back', { kind: 'transpose', x: rows, order }, result);
}

/** Softmax and LogSoftmax; before operator set 13 they are over all axes from `axis` on, taken as one. */
export const softmax = (logarithmic: boolean) => (conversion: Conversion, node: OnnxNode): void => {
  const dims = conversion.inputDims(node, 0);
  const x = conversion.input(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', conversion.opset < 13 ? 1 : -1), dims.length);
  if (conversion.opset < 13 && axis < dims.length - 1) {
    const flat = conversion.step(node, 'flat', { kind: 'reshape', x }, [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))]);
    const rows = conversion.step(node, 'rows', { kind: 'softmax', x: flat, logarithmic }, conversion.dimsOf(node, flat));
    conversion.add(node, { kind: 'reshape', x: rows }, dims);
    return;
  }
  if (axis === dims.length - 1) conversion.add(node, { kind: 'softmax', x, logarithmic }, dims);
  else conversion.alias(conversion.output(node), onLastAxis(conversion, node, axis, (turned) => ({ kind: 'softmax', x: turned, logarithmic }), (dim) => dim));
};

/** ArgMax and ArgMin. */
export const argument = (least: boolean) => (conversion: Conversion, node: OnnxNode): void => {
  const dims = conversion.inputDims(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', 0), dims.length);
  const last = integer(node, 'select_last_index', 0) !== 0;
  const result = onLastAxis(conversion, node, axis, (x) => ({ kind: 'argument', x, least, last }), () => 1, 'integer');
  finishAxes(conversion, node, result, [axis]);
};

/** Drops dimensions of 1 if the node does not keep them. */
function finishAxes(conversion: Conversion, node: OnnxNode, value: string, reduced: readonly number[]): void {
  if (integer(node, 'keepdims', 1) !== 0) conversion.alias(conversion.output(node), value);
  else conversion.add(node, { kind: 'reshape', x: value }, conversion.dimsOf(node, value).filter((_, axis) => !reduced.includes(axis)));
}

/** What a reduction does to elements before, and to the result after. */
interface Around { readonly operation: ReductionLayer['operation']; readonly before?: (x: number) => number; readonly after?: (x: number) => number }

const KINDS: Readonly<Record<string, Around>> = {
  ReduceSum: { operation: 'sum' },
  ReduceMean: { operation: 'mean' },
  ReduceMax: { operation: 'maximum' },
  ReduceMin: { operation: 'minimum' },
  ReduceL1: { operation: 'sum', before: Math.abs },
  ReduceL2: { operation: 'sum', before: (x) => x * x, after: (x) => Math.sqrt(Math.max(x, 0)) },
  ReduceLogSum: { operation: 'sum', after: (x) => Math.log(Math.max(x, 0)) },
  ReduceSumSquare: { operation: 'sum', before: (x) => x * x },
};

/** The reductions of `KINDS`. */
export function convertReduce(conversion: Conversion, node: OnnxNode): void {
  const { operation, before, after } = KINDS[node.operator] as Around;
  const dims = conversion.inputDims(node, 0);
  const named = axes(conversion, node)?.map((axis) => normalizeAxis(node, axis, dims.length)) ?? [];
  const nothing = named.length === 0 && integer(node, 'noop_with_empty_axes', 0) !== 0;
  const over = nothing ? [] : named.length > 0 ? named : dims.map((_, axis) => axis);
  let x = conversion.input(node, 0);
  const type = conversion.isInteger(x) && after === undefined ? 'integer' : 'float';
  if (before !== undefined) x = conversion.step(node, 'before', { kind: 'function', x, apply: before }, dims, type);
  const kept = dims.map((dim, axis) => (over.includes(axis) ? 1 : dim));
  if (over.length > 0) x = conversion.step(node, 'reduced', { kind: 'reduction', x, operation, axes: over }, kept);
  if (after !== undefined) x = conversion.step(node, 'after', { kind: 'function', x, apply: after }, kept);
  finishAxes(conversion, node, x, over);
}

/** ReduceLogSumExp: `max + ln Σ exp(x − max)`. */
export function convertLogSumExp(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const named = axes(conversion, node)?.map((axis) => normalizeAxis(node, axis, dims.length)) ?? [];
  const over = named.length > 0 ? named : dims.map((_, axis) => axis);
  const kept = dims.map((dim, axis) => (over.includes(axis) ? 1 : dim));
  const x = conversion.input(node, 0);
  const greatest = conversion.step(node, 'greatest', { kind: 'reduction', x, operation: 'maximum', axes: over }, kept);
  const distance = conversion.step(node, 'distance', { kind: 'operation', operation: 'subtract', x, b: greatest }, dims, 'float');
  const powers = conversion.step(node, 'powers', { kind: 'function', x: distance, apply: Math.exp }, dims);
  const total = conversion.step(node, 'total', { kind: 'reduction', x: powers, operation: 'sum', axes: over }, kept);
  const logarithm = conversion.step(node, 'logarithm', { kind: 'function', x: total, apply: (value) => Math.log(Math.max(value, 1e-30)) }, kept);
  finishAxes(conversion, node, conversion.step(node, 'sum', { kind: 'add', x: logarithm, b: greatest, range: null }, kept, 'float'), over);
}

interface Normalized { readonly centred: boolean; readonly sum?: boolean; readonly epsilon: number }

/** A normalisation over all axes from `axis` on, taken as one. */
function normalizeFrom(conversion: Conversion, node: OnnxNode, x: string, axis: number, { centred, sum = false, epsilon }: Normalized): string {
  const dims = conversion.dimsOf(node, x);
  const parts = (value: string): LayerParts => ({ kind: 'normalization', x: value, centred, sum, epsilon });
  if (axis === dims.length - 1) return conversion.step(node, 'normalized', parts(x), dims, 'float');
  const flat = conversion.step(node, 'flat', { kind: 'reshape', x }, [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))]);
  const rows = conversion.step(node, 'rows', parts(flat), conversion.dimsOf(node, flat), 'float');
  return conversion.step(node, 'normalized', { kind: 'reshape', x: rows }, dims);
}

/** LayerNormalization and RMSNormalization over the axes from `axis` on. */
export const layerNormalization = (centred: boolean) => (conversion: Conversion, node: OnnxNode): void => {
  const dims = conversion.inputDims(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', -1), dims.length);
  addStatistics(conversion, node, axis);
  const normalized = normalizeFrom(conversion, node, conversion.input(node, 0), axis, { centred, epsilon: float(node, 'epsilon', 1e-5) });
  const bias = conversion.hasInput(node, 2) ? conversion.input(node, 2) : null;
  const scale = { kind: 'multiply', x: normalized, b: conversion.input(node, 1), range: null } as const;
  if (bias === null) conversion.add(node, scale, dims, 'float');
  else conversion.add(node, { kind: 'add', x: conversion.step(node, 'scaled', scale, dims, 'float'), b: bias, range: null }, dims, 'float');
};

/** The further outputs of LayerNormalization, where something reads them: the mean, and the reciprocal of the deviation. */
function addStatistics(conversion: Conversion, node: OnnxNode, axis: number): void {
  const [, meanName = '', inverseName = ''] = node.outputs;
  if (meanName === '' && inverseName === '') return;
  const dims = conversion.inputDims(node, 0);
  const over = dims.map((_, index) => index).slice(axis);
  const kept = dims.map((dim, index) => (index < axis ? dim : 1));
  const x = conversion.input(node, 0);
  const mean = conversion.step(node, 'mean', { kind: 'reduction', x, operation: 'mean', axes: over }, kept);
  if (meanName !== '') conversion.alias(meanName, mean);
  if (inverseName === '') return;
  const distance = conversion.step(node, 'distance', { kind: 'operation', operation: 'subtract', x, b: mean }, dims);
  const squares = conversion.step(node, 'squares', { kind: 'function', x: distance, apply: (value) => value * value }, dims);
  const variance = conversion.step(node, 'variance', { kind: 'reduction', x: squares, operation: 'mean', axes: over }, kept);
  const epsilon = float(node, 'epsilon', 1e-5);
  conversion.add({ ...node, name: `${node.name}.inverse`, outputs: [inverseName] }, { kind: 'function', x: variance, apply: (value) => 1 / Math.sqrt(Math.max(value, 0) + epsilon) }, kept);
}

/** InstanceNormalization: over the pixels of each channel. GroupNormalization: over groups of channels and their pixels. */
export function convertInstanceNormalization(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const [batch = 1, channels = 1] = dims;
  const groups = node.operator === 'GroupNormalization' ? integer(node, 'num_groups', 1) : channels;
  if (dims.length < 3 || groups < 1 || channels % groups !== 0) throw new ImportError(`${describe(node)}: [${dims.join(', ')}] in ${groups} groups`);
  const [scale, offset] = [conversion.constantInput(node, 1, 'scale').data, conversion.constantInput(node, 2, 'bias').data];
  const perChannel = (data: Float32Array | Float64Array): Float32Array => Float32Array.from({ length: channels }, (_, channel) => data[data.length === channels ? channel : Math.floor(channel / (channels / data.length))] ?? 0);
  const rows = conversion.step(node, 'groups', { kind: 'reshape', x: conversion.input(node, 0) }, [batch * groups, elementCount(dims) / (batch * groups)]);
  const normalized = conversion.step(node, 'normalized', { kind: 'normalization', x: rows, centred: true, sum: false, epsilon: float(node, 'epsilon', 1e-5) }, conversion.dimsOf(node, rows), 'float');
  const whole = conversion.step(node, 'whole', { kind: 'reshape', x: normalized }, dims);
  addAffine(conversion, node, whole, dims, perChannel(scale), perChannel(offset), 1);
}

/** MeanVarianceNormalization over the named axes, which are brought to the end. */
export function convertMeanVariance(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const given = node.attributes.get('axes');
  const over = (Array.isArray(given) ? (given as number[]) : [0, 2, 3]).map((axis) => normalizeAxis(node, axis, dims.length));
  const kept = dims.map((_, axis) => axis).filter((axis) => !over.includes(axis));
  const order = [...kept, ...over];
  const turnedDims = order.map((axis) => dims[axis] ?? 1);
  const turned = conversion.step(node, 'turned', { kind: 'transpose', x: conversion.input(node, 0), order }, turnedDims);
  // The specification divides by the deviation plus 1e-9.
  const normalized = normalizeFrom(conversion, node, turned, kept.length, { centred: true, epsilon: 1e-18 });
  conversion.add(node, { kind: 'transpose', x: normalized, order: dims.map((_, axis) => order.indexOf(axis)) }, dims);
}

/** LpNormalization: by the Euclidean length along an axis, or the sum of magnitudes. */
export function convertLpNormalization(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', -1), dims.length);
  const x = conversion.input(node, 0);
  if (integer(node, 'p', 2) === 2) {
    conversion.alias(conversion.output(node), onLastAxis(conversion, node, axis, (turned) => ({ kind: 'normalization', x: turned, centred: false, sum: true, epsilon: 0 }), (dim) => dim));
    return;
  }
  const kept = dims.map((dim, index) => (index === axis ? 1 : dim));
  const magnitudes = conversion.step(node, 'magnitudes', { kind: 'function', x, apply: Math.abs }, dims);
  const total = conversion.step(node, 'total', { kind: 'reduction', x: magnitudes, operation: 'sum', axes: [axis] }, kept);
  conversion.add(node, { kind: 'operation', operation: 'divide', x, b: total }, dims);
}

/** CumSum along an axis: what stands 1, 2, 4, … before is added, so that the number of steps is a logarithm (Hillis and Steele, Data Parallel Algorithms, 1986). */
export function convertCumSum(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const axis = normalizeAxis(node, conversion.constantInput(node, 1, 'axis').data[0] ?? 0, dims.length);
  const reverse = integer(node, 'reverse', 0) !== 0;
  const size = dims[axis] ?? 1;
  const shifted = (x: string, by: number, what: string): string => {
    const [before, after] = [by, -by].map((border) => dims.map((_, at) => (at === axis ? (reverse ? -border : border) : 0))) as [number[], number[]];
    return conversion.step(node, what, { kind: 'pad', x, before, after, fill: 0 }, dims);
  };
  let x = conversion.input(node, 0);
  if (integer(node, 'exclusive', 0) !== 0) x = size > 1 ? shifted(x, 1, 'exclusive') : conversion.step(node, 'nothing', { kind: 'multiply', x, b: conversion.constant(node, 'zero', [], [0], 'integer'), range: null }, dims);
  for (let by = 1; by < size; by *= 2) x = conversion.step(node, `sums${by}`, { kind: 'add', x, b: shifted(x, by, `before${by}`), range: null }, dims);
  conversion.alias(conversion.output(node), x);
}
