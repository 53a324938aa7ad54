import { ImportError } from '../import-error.ts';
import { broadcastDims, elementCount } from '../network/float-tensor.ts';
import { describe, float, integer, text } from './attributes.ts';
import { MAXIMUM_ELEMENTS } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import { normalizeAxis } from './convert-shape.ts';
import type { OnnxNode } from './graph.ts';

/** Concat. */
export function convertConcat(conversion: Conversion, node: OnnxNode): void {
  const given = node.inputs.map((_, index) => conversion.input(node, index));
  const dims = conversion.dimsOf(node, given[0] ?? '');
  const axis = normalizeAxis(node, integer(node, 'axis', 1), dims.length);
  // Parts without elements add nothing, and only constants can be such.
  const filled = given.filter((name) => conversion.dimsOf(node, name)[axis] !== 0);
  const names = filled.length === 0 ? given : filled;
  const [x = '', ...others] = names;
  let size = 0;
  for (const name of names) {
    const own = conversion.dimsOf(node, name);
    if (own.length !== dims.length || own.some((dim, index) => index !== axis && dim !== dims[index])) throw new ImportError(`${describe(node)}: [${own.join(', ')}] does not continue [${dims.join(', ')}] on axis ${axis}`);
    size += own[axis] ?? 0;
  }
  if (others.length === 0) conversion.alias(conversion.output(node), x);
  else conversion.add(node, { kind: 'concatenation', x, others, axis }, dims.map((dim, index) => (index === axis ? size : dim)));
}

/** Split: sizes as an input or an attribute, or equal parts. */
export function convertSplit(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', 0), dims.length);
  const whole = dims[axis] ?? 1;
  const parts = node.attributes.has('num_outputs') ? integer(node, 'num_outputs', node.outputs.length) : node.outputs.length;
  const attribute = node.attributes.get('split');
  const part = Math.ceil(whole / Math.max(parts, 1));
  const sizes = conversion.hasInput(node, 1) ? [...conversion.constantInput(node, 1, 'sizes').data]
    : Array.isArray(attribute) ? (attribute as number[]) : Array.from({ length: parts }, (_, index) => Math.min(part, whole - index * part));
  if (sizes.length !== node.outputs.length || sizes.some((size) => !(size >= 0)) || sizes.reduce((sum, size) => sum + size, 0) !== whole) throw new ImportError(`${describe(node)}: ${whole} elements do not split into [${sizes.join(', ')}]`);
  let start = 0;
  sizes.forEach((size, index) => {
    const output = node.outputs[index] ?? '';
    const starts = dims.map((_, at) => (at === axis ? start : 0));
    start += size;
    if (output === '') return;
    if (size === 0) {
      conversion.addConstant(output, { dims: dims.map((dim, at) => (at === axis ? 0 : dim)), data: new Float32Array() }, conversion.types.get(conversion.input(node, 0)) ?? 'float');
      return;
    }
    const own = { ...node, name: index === 0 ? node.name : `${node.name}.${index}`, outputs: [output] };
    conversion.add(own, { kind: 'slice', x: conversion.input(node, 0), starts, steps: dims.map(() => 1) }, dims.map((dim, at) => (at === axis ? size : dim)));
  });
}

/** Slice: starts, ends, axes and steps as inputs, or as attributes before operator set 10. */
export function convertSlice(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const listed = (index: number, attribute: string): readonly number[] | null => {
    if (conversion.hasInput(node, index)) return [...conversion.constantInput(node, index, attribute).data];
    const value = node.attributes.get(attribute);
    return Array.isArray(value) ? (value as number[]) : null;
  };
  const [from, to] = [listed(1, 'starts') ?? [], listed(2, 'ends') ?? []];
  const named = (listed(3, 'axes') ?? from.map((_, index) => index)).map((axis) => normalizeAxis(node, axis, dims.length));
  const by = listed(4, 'steps') ?? from.map(() => 1);
  const [starts, steps, sizes] = [dims.map(() => 0), dims.map(() => 1), [...dims]];
  named.forEach((axis, index) => {
    const [dim, step] = [dims[axis] ?? 1, by[index] ?? 1];
    if (step === 0 || !Number.isSafeInteger(step)) throw new ImportError(`${describe(node)}: a step of ${step}`);
    const wrap = (value: number): number => (value < 0 ? value + dim : value);
    const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
    const start = step > 0 ? clip(wrap(from[index] ?? 0), 0, dim) : clip(wrap(from[index] ?? 0), 0, dim - 1);
    const end = step > 0 ? clip(wrap(to[index] ?? 0), 0, dim) : clip(wrap(to[index] ?? 0), -1, dim - 1);
    starts[axis] = start;
    steps[axis] = step;
    sizes[axis] = Math.max(0, Math.ceil((end - start) / step));
  });
  conversion.add(node, { kind: 'slice', x: conversion.input(node, 0), starts, steps }, sizes);
}

/** Pad: constant, edge, reflect, wrap; pads as an input, or an attribute before operator set 11. */
export function convertPad(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const given = conversion.hasInput(node, 1) ? [...conversion.constantInput(node, 1, 'pads').data] : node.attributes.get('pads');
  if (!Array.isArray(given)) throw new ImportError(`${describe(node)} has no pads`);
  const list = given as number[];
  const named = conversion.hasInput(node, 3) ? [...conversion.constantInput(node, 3, 'axes').data].map((axis) => normalizeAxis(node, axis, dims.length)) : dims.map((_, axis) => axis);
  if (list.length !== named.length * 2 || !list.every((pad) => Number.isSafeInteger(pad) && Math.abs(pad) <= MAXIMUM_ELEMENTS)) throw new ImportError(`${describe(node)}: pads [${list.join(', ')}] for ${named.length} axes`);
  const [before, after] = [dims.map(() => 0), dims.map(() => 0)];
  named.forEach((axis, index) => {
    before[axis] = list[index] ?? 0;
    after[axis] = list[index + named.length] ?? 0;
  });
  const target = dims.map((dim, axis) => dim + (before[axis] ?? 0) + (after[axis] ?? 0));
  const mode = text(node, 'mode', 'constant');
  const x = conversion.input(node, 0);
  if (mode === 'constant') {
    const fill = conversion.hasInput(node, 2) ? (conversion.constantInput(node, 2, 'fill').data[0] ?? 0) : float(node, 'value', 0);
    conversion.add(node, { kind: 'pad', x, before, after, fill }, target);
    return;
  }
  if (elementCount(target) > MAXIMUM_ELEMENTS) throw new ImportError(`${describe(node)} gives more than ${MAXIMUM_ELEMENTS} elements`);
  const source = (at: number, size: number): number => {
    if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1);
    if (mode === 'wrap') return ((at % size) + size) % size;
    if (mode !== 'reflect') throw new ImportError(`${describe(node)}: mode ${mode} is unknown`);
    const period = Math.max(2 * (size - 1), 1);
    const within = ((at % period) + period) % period;
    return within < size ? within : period - within;
  };
  gatherAxes(conversion, node, x, target.flatMap((size, axis) => (size === dims[axis] && before[axis] === 0 ? [] : [{ axis, indices: Array.from({ length: size }, (_, at) => source(at - (before[axis] ?? 0), dims[axis] ?? 1)) }])));
}

/** Gathers along several axes, the last one under the node's name. */
function gatherAxes(conversion: Conversion, node: OnnxNode, x: string, gathers: readonly { readonly axis: number; readonly indices: readonly number[] }[]): void {
  if (gathers.length === 0) conversion.alias(conversion.output(node), x);
  let value = x;
  gathers.forEach(({ axis, indices }, index) => {
    const dims = conversion.dimsOf(node, value).map((dim, at) => (at === axis ? indices.length : dim));
    const parts = { kind: 'gather', x: value, axis, indices } as const;
    if (index === gathers.length - 1) conversion.add(node, parts, dims);
    else value = conversion.step(node, `axis${axis}`, parts, dims);
  });
}

/** Gather: along an axis by constant numbers, or rows of a table by computed ones (on axis 0). */
export function convertGather(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const axis = normalizeAxis(node, integer(node, 'axis', 0), dims.length);
  const numbers = conversion.input(node, 1);
  const shape = conversion.inputDims(node, 1);
  const target = [...dims.slice(0, axis), ...shape, ...dims.slice(axis + 1)];
  const constant = conversion.constants.get(numbers);
  if (constant !== undefined) {
    const size = dims[axis] ?? 1;
    const indices = Array.from(constant.data, (index) => (index < 0 ? index + size : index));
    if (indices.some((index) => !(index >= 0 && index < size))) throw new ImportError(`${describe(node)}: an index is outside ${size} entries`);
    const gathered = conversion.step(node, 'gathered', { kind: 'gather', x: conversion.input(node, 0), axis, indices }, dims.map((dim, at) => (at === axis ? indices.length : dim)));
    conversion.add(node, { kind: 'reshape', x: gathered }, target);
    return;
  }
  if (!conversion.isInteger(numbers)) throw new ImportError(`${describe(node)}: its indices are not whole numbers`);
  if (axis !== 0) {
    // The axis is brought to the front, and back afterwards.
    const order = [axis, ...dims.map((_, at) => at).filter((at) => at !== axis)];
    const front = conversion.step(node, 'front', { kind: 'transpose', x: conversion.input(node, 0), order }, order.map((at) => dims[at] ?? 1));
    const rows = conversion.step(node, 'rows', { kind: 'embedding', x: numbers, table: front }, [...shape, ...order.slice(1).map((at) => dims[at] ?? 1)]);
    const back = [...Array.from({ length: axis }, (_, at) => at + shape.length), ...shape.map((_, at) => at), ...dims.slice(axis + 1).map((_, at) => at + shape.length + axis)];
    conversion.add(node, { kind: 'transpose', x: rows, order: back }, target);
    return;
  }
  conversion.add(node, { kind: 'embedding', x: numbers, table: conversion.input(node, 0) }, target);
}

/** Expand: to a constant shape, broadcast both ways. */
export function convertExpand(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const shape = [...conversion.constantInput(node, 1, 'shape').data];
  const target = broadcastDims(dims, shape);
  if (target === null) throw new ImportError(`${describe(node)}: [${dims.join(', ')}] does not expand to [${shape.join(', ')}]`);
  conversion.add(node, { kind: 'expand', x: conversion.input(node, 0) }, target);
}

/** Tile: a reshape that gives every axis one of 1 before it, an expansion of that, and a reshape. */
export function convertTile(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const repeats = [...conversion.constantInput(node, 1, 'repeats').data];
  if (repeats.length !== dims.length || !repeats.every((repeat) => Number.isSafeInteger(repeat) && repeat >= 1 && repeat <= MAXIMUM_ELEMENTS)) throw new ImportError(`${describe(node)}: repeats [${repeats.join(', ')}] for [${dims.join(', ')}]`);
  let x = conversion.input(node, 0);
  let own = [...dims];
  // One axis at a time: at most eight dimensions stand beside each other.
  repeats.forEach((repeat, axis) => {
    if (repeat === 1) return;
    const [outer, inner] = [elementCount(own.slice(0, axis)), elementCount(own.slice(axis))];
    const apart = conversion.step(node, `apart${axis}`, { kind: 'reshape', x }, [outer, 1, inner]);
    const wide = conversion.step(node, `repeated${axis}`, { kind: 'expand', x: apart }, [outer, repeat, inner]);
    own = own.map((dim, at) => (at === axis ? dim * repeat : dim));
    x = conversion.step(node, `tiled${axis}`, { kind: 'reshape', x: wide }, own);
  });
  conversion.alias(conversion.output(node), x);
}

/** Shape, Size: dimensions are constants here. */
export function convertShape(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const [start, end] = [integer(node, 'start', 0), integer(node, 'end', dims.length)];
  const part = dims.slice(start, end);
  conversion.addConstant(conversion.output(node), { dims: [part.length], data: Float64Array.from(part) }, 'integer');
}

export function convertSize(conversion: Conversion, node: OnnxNode): void {
  conversion.addConstant(conversion.output(node), { dims: [], data: Float64Array.of(elementCount(conversion.inputDims(node, 0))) }, 'integer');
}

export function convertConstantOfShape(conversion: Conversion, node: OnnxNode): void {
  const dims = [...conversion.constantInput(node, 0, 'shape').data];
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 1) || elementCount(dims) > MAXIMUM_ELEMENTS) throw new ImportError(`${describe(node)}: a constant of [${dims.join(', ')}]`);
  const value = node.attributes.get('value');
  const tensor = typeof value === 'object' && 'data' in value ? value : null;
  conversion.addConstant(conversion.output(node), { dims, data: new Float64Array(elementCount(dims)).fill(tensor?.data[0] ?? 0) }, tensor !== null && [6, 7, 9].includes(tensor.elementType) ? 'integer' : 'float');
}

export function convertRange(conversion: Conversion, node: OnnxNode): void {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((index) => conversion.constantInput(node, index, 'bound').data[0] ?? 0);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count >= 1 && count <= MAXIMUM_ELEMENTS)) throw new ImportError(`${describe(node)}: ${count} numbers`);
  conversion.addConstant(conversion.output(node), { dims: [count], data: Float64Array.from({ length: count }, (_, index) => start + index * delta) }, conversion.types.get(conversion.input(node, 0)) ?? 'float');
}

/** Trilu of a constant, or of a computed matrix by a product with a constant one of ones. */
export function convertTrilu(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const [rows, columns] = [dims.at(-2) ?? 1, dims.at(-1) ?? 1];
  const diagonal = conversion.hasInput(node, 1) ? (conversion.constantInput(node, 1, 'diagonal').data[0] ?? 0) : 0;
  const upper = integer(node, 'upper', 1) !== 0;
  if (dims.length < 2 || rows * columns > MAXIMUM_ELEMENTS) throw new ImportError(`${describe(node)}: dimensions [${dims.join(', ')}]`);
  const kept = Float64Array.from({ length: rows * columns }, (_, index) => {
    const distance = (index % columns) - Math.floor(index / columns) - diagonal;
    return (upper ? distance >= 0 : distance <= 0) ? 1 : 0;
  });
  const x = conversion.input(node, 0);
  const type = conversion.types.get(x) ?? 'float';
  conversion.add(node, { kind: 'multiply', x, b: conversion.constant(node, 'kept', [rows, columns], kept, type), range: null }, dims, type);
}
