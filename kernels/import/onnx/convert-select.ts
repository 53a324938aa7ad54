import { ImportError } from '../import-error.ts';
import { broadcastDims, elementCount, strides } from '../network/float-tensor.ts';
import { describe, integer } from './attributes.ts';
import { MAXIMUM_ELEMENTS } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import { normalizeAxis } from './convert-shape.ts';
import type { OnnxNode } from './graph.ts';

/** Elements of x by their number in row-major order, which is computed or constant; as the node's output. */
function takeElements(conversion: Conversion, node: OnnxNode, numbers: string, width: number, dims: readonly number[]): void {
  const [x, own] = [conversion.input(node, 0), conversion.inputDims(node, 0)];
  const rows = elementCount(own) / width;
  const table = conversion.step(node, 'table', { kind: 'reshape', x }, [rows, width]);
  const constant = conversion.constants.get(numbers);
  const count = elementCount(conversion.dimsOf(node, numbers));
  const taken = constant === undefined
    ? conversion.step(node, 'taken', { kind: 'embedding', x: conversion.step(node, 'numbers', { kind: 'reshape', x: numbers }, [count]), table }, [count, width])
    : conversion.step(node, 'taken', { kind: 'gather', x: table, axis: 0, indices: Array.from(constant.data) }, [count, width]);
  conversion.add(node, { kind: 'reshape', x: taken }, dims);
}

/** Whole numbers with a size added where they are negative. */
function wrapped(conversion: Conversion, node: OnnxNode, x: string, size: string, what: string): string {
  const dims = conversion.dimsOf(node, x);
  const zero = conversion.constant(node, `${what}.zero`, [], [0], 'integer');
  const negative = conversion.step(node, `${what}.negative`, { kind: 'operation', operation: 'less', x, b: zero }, dims, 'integer');
  const moved = conversion.step(node, `${what}.moved`, { kind: 'add', x, b: size, range: null }, dims, 'integer');
  return conversion.step(node, what, { kind: 'select', x: negative, a: moved, b: x }, dims, 'integer');
}

/**
 * The indices of a node from the start of their axis on; the last axis of the indices goes round `sizes`. Constant ones have to lie inside. Of computed ones those that do not are
 * moved to the nearest end of the axis: the specification has them fail, but a program has a value for every input, and it must not be another row's.
 */
function indicesOf(conversion: Conversion, node: OnnxNode, sizes: readonly number[], dims: readonly number[]): string {
  const name = givenIndices(conversion, node, sizes);
  const indices = wrapped(conversion, node, name, conversion.constant(node, 'sizes', dims, sizes, 'integer'), 'indices');
  if (conversion.constants.has(name)) return indices;
  const shape = conversion.dimsOf(node, name);
  const zero = conversion.constant(node, 'first', [], [0], 'integer');
  const last = conversion.constant(node, 'last', dims, sizes.map((size) => size - 1), 'integer');
  const above = conversion.step(node, 'above', { kind: 'operation', operation: 'maximum', x: indices, b: zero }, shape, 'integer');
  return conversion.step(node, 'inside', { kind: 'operation', operation: 'minimum', x: above, b: last }, shape, 'integer');
}

function givenIndices(conversion: Conversion, node: OnnxNode, sizes: readonly number[]): string {
  const name = conversion.input(node, 1);
  if (!conversion.isInteger(name)) throw new ImportError(`${describe(node)}: its indices are not whole numbers`);
  const outside = conversion.constants.get(name)?.data.find((value, index) => !(value >= -(sizes[index % sizes.length] ?? 0) && value < (sizes[index % sizes.length] ?? 0)));
  if (outside !== undefined) throw new ImportError(`${describe(node)}: an index of ${outside} is outside of [${conversion.inputDims(node, 0).join(', ')}]`);
  return name;
}

/** GatherElements: for each element of the indices, the element of x in the same place but for one axis. */
export function convertGatherElements(conversion: Conversion, node: OnnxNode): void {
  const [dims, shape] = [conversion.inputDims(node, 0), conversion.inputDims(node, 1)];
  const axis = normalizeAxis(node, integer(node, 'axis', 0), dims.length);
  if (shape.length !== dims.length || shape.some((dim, at) => at !== axis && dim > (dims[at] ?? 0))) throw new ImportError(`${describe(node)}: indices [${shape.join(', ')}] for [${dims.join(', ')}]`);
  const indices = indicesOf(conversion, node, [dims[axis] ?? 1], []);
  const [along, within] = [strides(dims), strides(shape)];
  const places = Float64Array.from({ length: elementCount(shape) }, (_, index) => shape.reduce((sum, dim, at) => sum + (at === axis ? 0 : (Math.floor(index / (within[at] ?? 1)) % dim) * (along[at] ?? 0)), 0));
  const far = conversion.step(node, 'along', { kind: 'multiply', x: indices, b: conversion.constant(node, 'stride', [], [along[axis] ?? 1], 'integer'), range: null }, shape, 'integer');
  const numbers = conversion.step(node, 'places', { kind: 'add', x: far, b: conversion.constant(node, 'starts', shape, places, 'integer'), range: null }, shape, 'integer');
  takeElements(conversion, node, numbers, 1, shape);
}

/** GatherND: the last axis of the indices names a place on the first axes of x, behind those that both share. */
export function convertGatherNd(conversion: Conversion, node: OnnxNode): void {
  const [dims, shape] = [conversion.inputDims(node, 0), conversion.inputDims(node, 1)];
  const batch = integer(node, 'batch_dims', 0);
  const depth = shape.at(-1) ?? 1;
  if (batch < 0 || batch >= shape.length || shape.slice(0, batch).some((dim, axis) => dim !== dims[axis]) || batch + depth > dims.length) throw new ImportError(`${describe(node)}: indices [${shape.join(', ')}] for [${dims.join(', ')}]`);
  const inner = dims.slice(batch + depth);
  const width = elementCount(inner);
  const along = strides(dims).map((stride) => stride / width);
  const named = dims.slice(batch, batch + depth);
  const indices = indicesOf(conversion, node, named, [depth]);
  const far = conversion.step(node, 'along', { kind: 'multiply', x: indices, b: conversion.constant(node, 'strides', [depth], along.slice(batch, batch + depth), 'integer'), range: null }, shape, 'integer');
  const outer = shape.slice(0, -1);
  const summed = conversion.step(node, 'offsets', { kind: 'reduction', x: far, operation: 'sum', axes: [shape.length - 1] }, [...outer, 1], 'integer');
  const flat = conversion.step(node, 'flat', { kind: 'reshape', x: summed }, outer);
  const each = elementCount(outer.slice(batch));
  const starts = Float64Array.from({ length: elementCount(outer) }, (_, index) => Math.floor(index / each) * elementCount(named));
  const numbers = batch === 0 ? flat : conversion.step(node, 'places', { kind: 'add', x: flat, b: conversion.constant(node, 'starts', outer, starts, 'integer'), range: null }, outer, 'integer');
  takeElements(conversion, node, numbers, width, [...outer, ...inner]);
}

/** 1 where numbers equal their place on an axis that is put in, as truth values. */
function places(conversion: Conversion, node: OnnxNode, numbers: string, axis: number, depth: number): string {
  const dims = conversion.dimsOf(node, numbers);
  if (!(Number.isInteger(depth) && depth >= 1 && elementCount(dims) * depth <= MAXIMUM_ELEMENTS)) throw new ImportError(`${describe(node)}: a depth of ${depth}`);
  const whole = [...dims.slice(0, axis), depth, ...dims.slice(axis)];
  const apart = conversion.step(node, 'apart', { kind: 'reshape', x: numbers }, whole.map((dim, at) => (at === axis ? 1 : dim)));
  const range = conversion.constant(node, 'range', whole.map((_, at) => (at === axis ? depth : 1)), Array.from({ length: depth }, (_, index) => index), 'integer');
  return conversion.step(node, 'equal', { kind: 'operation', operation: 'equal', x: apart, b: range }, whole, 'integer');
}

/** OneHot: values of two kinds, by whether an index names the place. */
export function convertOneHot(conversion: Conversion, node: OnnxNode): void {
  const depth = conversion.constantInput(node, 1, 'depth').data[0] ?? 0;
  const given = conversion.input(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', -1), conversion.inputDims(node, 0).length + 1);
  const type = conversion.isInteger(given) ? 'integer' : 'float';
  const indices = type === 'integer' ? given : conversion.step(node, 'whole', { kind: 'function', x: given, apply: Math.trunc }, conversion.inputDims(node, 0), 'integer');
  const equal = places(conversion, node, wrapped(conversion, node, indices, conversion.constant(node, 'depth', [], [depth], 'integer'), 'indices'), axis, depth);
  const part = (index: number, what: string): string => {
    const one = conversion.step(node, `${what}.slice`, { kind: 'slice', x: conversion.input(node, 2), starts: [index], steps: [1] }, [1]);
    return conversion.step(node, what, { kind: 'reshape', x: one }, []);
  };
  conversion.add(node, { kind: 'select', x: equal, a: part(1, 'on'), b: part(0, 'off') }, conversion.dimsOf(node, equal));
}

/** Hardmax: 1 for the first greatest element along an axis, else 0; before operator set 13 over all axes from `axis` on, taken as one. */
export function convertHardmax(conversion: Conversion, node: OnnxNode): void {
  const [x, dims] = [conversion.input(node, 0), conversion.inputDims(node, 0)];
  const axis = normalizeAxis(node, integer(node, 'axis', conversion.opset < 13 ? 1 : -1), dims.length);
  const flat = conversion.opset < 13;
  const order = flat ? dims.map((_, at) => at) : [...dims.map((_, at) => at).filter((at) => at !== axis), axis];
  const length = flat ? elementCount(dims.slice(axis)) : (dims[axis] ?? 1);
  const turnedDims = order.map((at) => dims[at] ?? 1);
  const turned = conversion.step(node, 'turned', { kind: 'transpose', x, order }, turnedDims);
  const rows = conversion.step(node, 'rows', { kind: 'reshape', x: turned }, [elementCount(dims) / length, length]);
  const best = conversion.step(node, 'best', { kind: 'argument', x: rows, least: false, last: false }, [elementCount(dims) / length, 1], 'integer');
  const flatBest = conversion.step(node, 'best.flat', { kind: 'reshape', x: best }, [elementCount(dims) / length]);
  const equal = places(conversion, node, flatBest, 1, length);
  const whole = conversion.step(node, 'whole', { kind: 'reshape', x: equal }, turnedDims, 'float');
  conversion.add(node, { kind: 'transpose', x: whole, order: dims.map((_, at) => order.indexOf(at)) }, dims, 'float');
}

/** Mod: the remainder, with the sign of the divisor, or with `fmod` of the dividend. */
export function convertMod(conversion: Conversion, node: OnnxNode): void {
  const [x, b] = [conversion.input(node, 0), conversion.input(node, 1)];
  const dims = broadcastDims(conversion.dimsOf(node, x), conversion.dimsOf(node, b));
  if (dims === null) throw new ImportError(`${describe(node)}: [${conversion.dimsOf(node, x).join(', ')}] and [${conversion.dimsOf(node, b).join(', ')}] do not broadcast`);
  if (conversion.constants.get(b)?.data.includes(0) === true) throw new ImportError(`${describe(node)} divides by zero`);
  conversion.add(node, { kind: 'operation', operation: integer(node, 'fmod', 0) === 0 ? 'modulo' : 'remainder', x, b }, dims, conversion.isInteger(x) && conversion.isInteger(b) ? 'integer' : 'float');
}
