import { ImportError } from '../import-error.ts';
import { broadcastDims } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import type { BinaryOperation, Range } from '../network/layer.ts';
import { describe, float, integer } from './attributes.ts';
import type { Conversion, ValueType } from './conversion.ts';
import { ELEMENT_FUNCTIONS, WHOLE_FUNCTIONS } from './element-functions.ts';
import type { ElementFunction } from './element-functions.ts';
import type { OnnxNode } from './graph.ts';

type Combination = 'add' | 'multiply' | BinaryOperation;

/** Dimensions that values broadcast to. @throws ImportError when they do not. */
function broadcast(conversion: Conversion, node: OnnxNode, names: readonly string[]): number[] {
  let result: number[] = [];
  for (const name of names) {
    const dims = conversion.dimsOf(node, name);
    const wider = broadcastDims(result, dims);
    if (wider === null) throw new ImportError(`${describe(node)}: [${result.join(', ')}] and [${dims.join(', ')}] do not broadcast`);
    result = wider;
  }
  return result;
}

/** Adds the layer that combines two values; a constant stands second in sums and products. */
function combine(conversion: Conversion, node: OnnxNode, combination: Combination, left: string, right: string, dims: readonly number[], what: string | null, type?: ValueType): string {
  const swapped = (combination === 'add' || combination === 'multiply') && conversion.constants.has(left);
  const [x, b] = swapped ? [right, left] : [left, right];
  const parts = combination === 'add' || combination === 'multiply' ? ({ kind: combination, x, b, range: null } as const) : ({ kind: 'operation', operation: combination, x, b } as const);
  if (what !== null) return conversion.step(node, what, parts, dims, type);
  conversion.add(node, parts, dims, type);
  return conversion.output(node);
}

/** Operators of two inputs; `swapped` for those that are another's with the inputs exchanged. */
export const binary = (combination: Combination, swapped = false) => (conversion: Conversion, node: OnnxNode): void => {
  const names = [conversion.input(node, 0), conversion.input(node, 1)];
  const [left, right] = (swapped ? [...names].reverse() : names) as [string, string];
  combine(conversion, node, combination, left, right, broadcast(conversion, node, names), null);
};

/** Operators of any number of inputs (Sum, Mean, Min, Max). */
export const variadic = (combination: Combination, mean = false) => (conversion: Conversion, node: OnnxNode): void => {
  const names = node.inputs.map((_, index) => conversion.input(node, index));
  const [first = '', ...rest] = names;
  if (rest.length === 0) {
    conversion.alias(conversion.output(node), first);
    return;
  }
  let sofar = first;
  rest.forEach((name, index) => {
    const final = index === rest.length - 1 && !mean;
    sofar = combine(conversion, node, combination, sofar, name, broadcast(conversion, node, [sofar, name]), final ? null : `part${index}`);
  });
  if (mean) combine(conversion, node, 'multiply', sofar, conversion.constant(node, 'share', [], [1 / names.length]), conversion.dimsOf(node, sofar), null);
};

/** Div: by a constant it is a product; of whole numbers it is cut towards zero, which is supported for constants. */
export function convertDiv(conversion: Conversion, node: OnnxNode): void {
  const [left, right] = [conversion.input(node, 0), conversion.input(node, 1)];
  const dims = broadcast(conversion, node, [left, right]);
  if (conversion.isInteger(left) && conversion.isInteger(right)) {
    const quotient = combine(conversion, node, 'divide', left, right, dims, 'quotient');
    if (!conversion.constants.has(quotient)) throw new ImportError(`${describe(node)} divides whole numbers that are computed; supported are floats`);
    conversion.add(node, { kind: 'function', x: quotient, apply: Math.trunc }, dims, 'integer');
    return;
  }
  const divisor = conversion.constants.get(right);
  if (divisor === undefined) {
    combine(conversion, node, 'divide', left, right, dims, null);
    return;
  }
  const inverted = Float32Array.from(divisor.data, (value) => 1 / value);
  if (!inverted.every(Number.isFinite)) throw new ImportError(`${describe(node)} divides by zero`);
  combine(conversion, node, 'multiply', left, conversion.constant(node, 'inverse', divisor.dims, inverted), dims, null);
}

/** Sub: of a constant it is a sum. */
export function convertSub(conversion: Conversion, node: OnnxNode): void {
  const [left, right] = [conversion.input(node, 0), conversion.input(node, 1)];
  const dims = broadcast(conversion, node, [left, right]);
  const constant = conversion.constants.get(right);
  if (constant === undefined || conversion.constants.has(left)) {
    combine(conversion, node, 'subtract', left, right, dims, null);
    return;
  }
  const type = conversion.types.get(right) ?? 'float';
  combine(conversion, node, 'add', left, conversion.constant(node, 'negative', constant.dims, Float64Array.from(constant.data, (value) => -value), type), dims, null);
}

/** Pow: with one constant exponent a function of each element; with one constant base too. */
export function convertPow(conversion: Conversion, node: OnnxNode): void {
  const [base, exponent] = [conversion.input(node, 0), conversion.input(node, 1)];
  const dims = broadcast(conversion, node, [base, exponent]);
  const [fixedBase, fixedExponent] = [conversion.constants.get(base), conversion.constants.get(exponent)];
  const type = conversion.types.get(base) ?? 'float';
  if (fixedExponent !== undefined && fixedExponent.data.every((value) => value === fixedExponent.data[0])) {
    const power = fixedExponent.data[0] ?? 1;
    const same = conversion.dimsOf(node, base).length === dims.length;
    const x = same ? base : conversion.step(node, 'wider', { kind: 'expand', x: base }, dims, type);
    conversion.add(node, { kind: 'function', x, apply: (value) => value ** power }, dims, type);
    return;
  }
  if (fixedBase?.data.length === 1) {
    const [value = 1] = fixedBase.data;
    conversion.add(node, { kind: 'function', x: exponent, apply: (power) => value ** power }, dims, type);
    return;
  }
  throw new ImportError(`${describe(node)}: one of its inputs must be a single constant`);
}

/** PRelu: `max(x, 0) + slope · min(x, 0)`. */
export function convertPRelu(conversion: Conversion, node: OnnxNode): void {
  const x = conversion.input(node, 0);
  const dims = conversion.inputDims(node, 0);
  const positive = conversion.step(node, 'positive', { kind: 'function', x, apply: (value) => Math.max(value, 0) }, dims);
  const negative = conversion.step(node, 'negative', { kind: 'function', x, apply: (value) => Math.min(value, 0) }, dims);
  const slope = conversion.input(node, 1);
  broadcast(conversion, node, [x, slope]);
  const scaled = combine(conversion, node, 'multiply', negative, slope, dims, 'scaled');
  combine(conversion, node, 'add', positive, scaled, dims, null);
}

export function convertWhere(conversion: Conversion, node: OnnxNode): void {
  const [x, a, b] = [0, 1, 2].map((index) => conversion.input(node, index)) as [string, string, string];
  conversion.add(node, { kind: 'select', x, a, b }, broadcast(conversion, node, [x, a, b]));
}

export const convertRelu = (conversion: Conversion, node: OnnxNode): void => addClamp(conversion, node, { low: 0, high: Infinity });

/** Clip: bounds are attributes before operator set 11, inputs from then on. */
export function convertClip(conversion: Conversion, node: OnnxNode): void {
  const bound = (index: number, attribute: string, otherwise: number): number => {
    if (conversion.hasInput(node, index)) return conversion.constantInput(node, index, 'bound').data[0] ?? otherwise;
    return node.attributes.has(attribute) ? float(node, attribute, 0) : otherwise;
  };
  const [low, high] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)];
  // With bounds that cross, everything is the upper one.
  addClamp(conversion, node, { low: Math.min(low, high), high });
}

function addClamp(conversion: Conversion, node: OnnxNode, range: Range): void {
  conversion.add(node, { kind: 'clamp', x: conversion.input(node, 0), range }, conversion.inputDims(node, 0));
}

const elementFunction = (operator: string, of: ElementFunction) => (conversion: Conversion, node: OnnxNode): void => {
  const x = conversion.input(node, 0);
  const type = WHOLE_FUNCTIONS.has(operator) && (conversion.isInteger(x) || operator === 'Not') ? 'integer' : 'float';
  conversion.add(node, { kind: 'function', x, apply: of(node) }, conversion.inputDims(node, 0), type);
};

/** A conversion for each operator that is a function of one element. */
export const elementFunctions: readonly (readonly [string, (conversion: Conversion, node: OnnxNode) => void])[] = Object.entries(ELEMENT_FUNCTIONS).map(([operator, of]) => [operator, elementFunction(operator, of)]);

/** ONNX element types of whole numbers. */
const WHOLE_TYPES: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 12, 13]);
const FLOAT_TYPES: ReadonlySet<number> = new Set([1, 10, 11, 16]);
const BOOLEAN = 9;

/** Cast: whole numbers become floats as they are; floats are cut towards zero; truth is what is not zero. Precision that the target type lacks is not taken away. */
export function convertCast(conversion: Conversion, node: OnnxNode): void {
  const [x, to] = [conversion.input(node, 0), integer(node, 'to', 1)];
  castTo(conversion, node, x, to);
}

/** CastLike: to the type of the second input. */
export function convertCastLike(conversion: Conversion, node: OnnxNode): void {
  castTo(conversion, node, conversion.input(node, 0), conversion.isInteger(conversion.input(node, 1)) ? 7 : 1);
}

function castTo(conversion: Conversion, node: OnnxNode, x: string, to: number): void {
  const dims = conversion.dimsOf(node, x);
  if (to === BOOLEAN) conversion.add(node, { kind: 'function', x, apply: (value) => (value === 0 ? 0 : 1) }, dims, 'integer');
  else if (WHOLE_TYPES.has(to) && !conversion.isInteger(x)) conversion.add(node, { kind: 'function', x, apply: Math.trunc }, dims, 'integer');
  else if (FLOAT_TYPES.has(to) || WHOLE_TYPES.has(to)) conversion.add(node, { kind: 'reshape', x }, dims, FLOAT_TYPES.has(to) ? 'float' : 'integer');
  else throw new ImportError(`${describe(node)}: element type ${to} is not supported`);
}

/** BatchNormalization at inference: `x · s + (beta − mean · s)` with `s = gamma / √(variance + epsilon)`, a channel. */
export function convertBatchNormalization(conversion: Conversion, node: OnnxNode): void {
  if (integer(node, 'training_mode', 0) !== 0) throw new ImportError(`${describe(node)}: training_mode is not supported`);
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
  addAffine(conversion, node, conversion.input(node, 0), dims, scale, offset, 1);
}

/** `x · scale + offset`, an entry for each of `axis`, as the node's output. */
export function addAffine(conversion: Conversion, node: OnnxNode, x: string, dims: readonly number[], scale: Float32Array, offset: Float32Array, axis: number): void {
  const shape = [scale.length, ...new Array<number>(Math.max(dims.length - 1 - axis, 0)).fill(1)];
  const scaled = conversion.step(node, 'scaled', { kind: 'multiply', x, b: conversion.constant(node, 'scale', shape, scale), range: null }, dims, 'float');
  conversion.add(node, { kind: 'add', x: scaled, b: conversion.constant(node, 'offset', shape, offset), range: null }, dims, 'float');
}
