import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import { describe, integer, integers } from './attributes.ts';
import { typeOfElement } from './element-type.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** Dropout does nothing at inference. @throws ImportError where the model asks for training. */
export function convertDropout(conversion: Conversion, node: OnnxNode): void {
  if (conversion.hasInput(node, 2) && conversion.constantInput(node, 2, 'training_mode').data[0] !== 0) throw new ImportError(`${describe(node)}: training_mode is not supported`);
  convertIdentity(conversion, node);
}

/** Identity. */
export const convertIdentity = (conversion: Conversion, node: OnnxNode): void => conversion.alias(conversion.output(node), conversion.input(node, 0));

/** Constant, given as a tensor, a number, or a list of numbers. */
export function convertConstant(conversion: Conversion, node: OnnxNode): void {
  const value = node.attributes.get('value');
  const number = node.attributes.get('value_float') ?? node.attributes.get('value_int');
  const list = node.attributes.get('value_floats') ?? node.attributes.get('value_ints');
  if (typeof value === 'object' && 'data' in value) conversion.addConstant(conversion.output(node), value, typeOfElement(value.elementType));
  else if (typeof number === 'number') conversion.addConstant(conversion.output(node), { dims: [], data: Float64Array.of(number) }, node.attributes.has('value_int') ? 'integer' : 'float');
  else if (Array.isArray(list)) conversion.addConstant(conversion.output(node), { dims: [list.length], data: Float64Array.from(list as number[]) }, node.attributes.has('value_ints') ? 'integer' : 'float');
  else throw new ImportError(`${describe(node)} has no value of a kind that is read here`);
}

/** Reshape to a constant shape, where 0 keeps a dimension and one −1 takes what is left. */
export function convertReshape(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const wanted = [...conversion.constantInput(node, 1, 'shape').data];
  const copied = integer(node, 'allowzero', 0) !== 0 ? wanted : wanted.map((dim, axis) => (dim === 0 ? (dims[axis] ?? 0) : dim));
  const known = elementCount(copied.filter((dim) => dim !== -1));
  const open = copied.filter((dim) => dim === -1).length;
  const target = copied.map((dim) => (dim === -1 ? elementCount(dims) / known : dim));
  if (open > 1 || target.length > 8 || !target.every((dim) => Number.isSafeInteger(dim) && dim >= 1) || elementCount(target) !== elementCount(dims)) {
    throw new ImportError(`${describe(node)}: [${dims.join(', ')}] cannot take the shape [${wanted.join(', ')}]`);
  }
  addReshape(conversion, node, target);
}

/** Flatten: two dimensions, split before `axis`. */
export function convertFlatten(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const given = integer(node, 'axis', 1);
  const axis = normalizeAxis(node, given < 0 ? given + dims.length : given, dims.length + 1);
  addReshape(conversion, node, [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))]);
}

/** Squeeze: leaves out dimensions of 1; all of them where none is named. */
export function convertSqueeze(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const named = axes(conversion, node)?.map((axis) => normalizeAxis(node, axis, dims.length));
  const dropped = new Set(named ?? dims.flatMap((dim, axis) => (dim === 1 ? [axis] : [])));
  if ([...dropped].some((axis) => dims[axis] !== 1)) throw new ImportError(`${describe(node)}: [${dims.join(', ')}] has no dimension of 1 where it squeezes`);
  addReshape(conversion, node, dims.filter((_, axis) => !dropped.has(axis)));
}

/** Unsqueeze: puts dimensions of 1 in. */
export function convertUnsqueeze(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const named = axes(conversion, node) ?? [];
  const rank = dims.length + named.length;
  const inserted = new Set(named.map((axis) => normalizeAxis(node, axis, rank)));
  if (inserted.size !== named.length || rank > 8) throw new ImportError(`${describe(node)}: axes [${named.join(', ')}] do not fit`);
  const rest = [...dims];
  addReshape(conversion, node, Array.from({ length: rank }, (_, axis) => (inserted.has(axis) ? 1 : (rest.shift() ?? 1))));
}

/** Transpose; without `perm` the axes are reversed. */
export function convertTranspose(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const order = integers(node, 'perm', dims.map((_, axis) => dims.length - 1 - axis));
  if (new Set(order).size !== dims.length || order.some((axis) => axis >= dims.length)) throw new ImportError(`${describe(node)}: [${order.join(', ')}] is no order of ${dims.length} axes`);
  conversion.addLayer({ kind: 'transpose', name: node.name, x: conversion.input(node, 0), output: conversion.output(node), order }, order.map((axis) => dims[axis] ?? 1));
}

function addReshape(conversion: Conversion, node: OnnxNode, dims: readonly number[]): void {
  conversion.addLayer({ kind: 'reshape', name: node.name, x: conversion.input(node, 0), output: conversion.output(node) }, dims);
}

/** The axes that a node names, by its second input or an attribute; null where it names none. */
export function axes(conversion: Conversion, node: OnnxNode): readonly number[] | null {
  if (conversion.hasInput(node, 1)) return [...conversion.constantInput(node, 1, 'axes').data];
  const attribute = node.attributes.get('axes');
  return Array.isArray(attribute) ? (attribute as readonly number[]) : null;
}

/** An axis counted from the front. @throws ImportError when there is none of that number. */
export function normalizeAxis(node: OnnxNode, axis: number, rank: number): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isSafeInteger(normalized) || normalized < 0 || normalized >= rank) throw new ImportError(`${describe(node)}: axis ${axis} is outside ${rank} dimensions`);
  return normalized;
}
