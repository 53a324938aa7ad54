import { ImportError } from '../import-error.ts';
import { broadcastDims } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import type { Range } from '../network/layer.ts';
import { describe, float } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

export const convertAdd = (conversion: Conversion, node: OnnxNode): void => convertBinary(conversion, node, 'add', conversion.input(node, 1));
export const convertMul = (conversion: Conversion, node: OnnxNode): void => convertBinary(conversion, node, 'multiply', conversion.input(node, 1));

/** Sub and Div are Add and Mul with the negative and the reciprocal of a constant. */
export const convertSub = (conversion: Conversion, node: OnnxNode): void => convertInverse(conversion, node, 'add', (value) => -value);
export const convertDiv = (conversion: Conversion, node: OnnxNode): void => convertInverse(conversion, node, 'multiply', (value) => 1 / value);

function convertInverse(conversion: Conversion, node: OnnxNode, kind: 'add' | 'multiply', invert: (value: number) => number): void {
  const { dims, data } = conversion.constantInput(node, 1, 'second operand');
  const inverted = Float32Array.from(data, invert);
  if (!inverted.every(Number.isFinite)) throw new ImportError(`${describe(node)} divides by zero`);
  const name = conversion.fresh(node, 'inverse');
  conversion.addConstant(name, { dims, data: inverted });
  convertBinary(conversion, node, kind, name);
}

function convertBinary(conversion: Conversion, node: OnnxNode, kind: 'add' | 'multiply', right: string): void {
  const left = conversion.input(node, 0);
  const [leftDims, rightDims] = [conversion.inputDims(node, 0), conversion.dims.get(right) ?? []];
  const dims = broadcastDims(leftDims, rightDims);
  if (dims === null) throw new ImportError(`${describe(node)}: [${leftDims.join(', ')}] and [${rightDims.join(', ')}] do not broadcast`);
  // A constant stands second.
  const [x, b] = conversion.constants.has(left) ? [right, left] : [left, right];
  conversion.addLayer({ kind, name: node.name, x, b, output: conversion.output(node), range: null }, dims);
}

export const convertRelu = (conversion: Conversion, node: OnnxNode): void => addClamp(conversion, node, { low: 0, high: Infinity });

/** Clip: bounds are attributes before operator set 11, inputs from then on. */
export function convertClip(conversion: Conversion, node: OnnxNode): void {
  const bound = (index: number, attribute: string, otherwise: number): number => {
    if (conversion.hasInput(node, index)) return conversion.constantInput(node, index, 'bound').data[0] ?? otherwise;
    return node.attributes.has(attribute) ? float(node, attribute, 0) : otherwise;
  };
  const range = { low: bound(1, 'min', -Infinity), high: bound(2, 'max', Infinity) };
  if (!(range.low <= range.high)) throw new ImportError(`${describe(node)}: its lower bound ${range.low} is above the upper one, ${range.high}`);
  addClamp(conversion, node, range);
}

function addClamp(conversion: Conversion, node: OnnxNode, range: Range): void {
  conversion.addLayer({ kind: 'clamp', name: node.name, x: conversion.input(node, 0), output: conversion.output(node), range }, conversion.inputDims(node, 0));
}

/** A function of each element, with the node's attributes in it. */
export function elementFunction(of: (node: OnnxNode) => (x: number) => number) {
  return (conversion: Conversion, node: OnnxNode): void =>
    conversion.addLayer({ kind: 'function', name: node.name, x: conversion.input(node, 0), output: conversion.output(node), apply: of(node) }, conversion.inputDims(node, 0));
}

/** BatchNormalization at inference: `x · s + (beta − mean · s)` with `s = gamma / √(variance + epsilon)`, a channel. */
export function convertBatchNormalization(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const [, channels = 1] = dims;
  const [gamma, beta, mean, variance] = ['scale', 'bias', 'mean', 'variance'].map((what, index) => {
    const values = conversion.constantInput(node, index + 1, what);
    if (values.data.length !== channels) throw new ImportError(`${describe(node)}: its ${what} has ${values.data.length} entries for ${channels} channels`);
    return values.data;
  }) as [FloatTensor['data'], FloatTensor['data'], FloatTensor['data'], FloatTensor['data']];
  const epsilon = float(node, 'epsilon', 1e-5);
  const scale = Float32Array.from({ length: channels }, (_, c) => (gamma[c] ?? 0) / Math.sqrt((variance[c] ?? 0) + epsilon));
  const offset = Float32Array.from({ length: channels }, (_, c) => (beta[c] ?? 0) - (mean[c] ?? 0) * (scale[c] ?? 0));
  if (!scale.every(Number.isFinite)) throw new ImportError(`${describe(node)}: a variance is negative`);
  const shape = [channels, ...new Array<number>(Math.max(dims.length - 2, 0)).fill(1)];
  const names = { scale: conversion.fresh(node, 'scale'), offset: conversion.fresh(node, 'offset'), scaled: conversion.fresh(node, 'scaled') };
  conversion.addConstant(names.scale, { dims: shape, data: scale });
  conversion.addConstant(names.offset, { dims: shape, data: offset });
  const x = conversion.input(node, 0);
  conversion.addLayer({ kind: 'multiply', name: `${node.name}.scale`, x, b: names.scale, output: names.scaled, range: null }, dims);
  conversion.addLayer({ kind: 'add', name: node.name, x: names.scaled, b: names.offset, output: conversion.output(node), range: null }, dims);
}
