import { ImportError } from '../import-error.ts';
import { axesOf } from './convert-reduction.ts';
import { requireBroadcast, requireOneScale } from './convert-elementwise.ts';
import { describe, fusedRange, requireDims } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import { awayFromZero } from './arithmetic.ts';
import { appendTable } from './convert-activation.ts';
import type { TfliteOperator } from './decode.ts';

const elements = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** Input 0 and output of an operator that moves elements. @throws ImportError when they have different types or scales. */
function moved(conversion: Conversion, operator: TfliteOperator): { readonly x: IntegerTensor; readonly y: IntegerTensor } {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  requireOneScale(operator, [x, y]);
  return { x, y };
}

/** Constants of an operator's input, as many as x has dimensions. */
function perAxis(conversion: Conversion, operator: TfliteOperator, position: number, { dims }: IntegerTensor, each = 1): number[] {
  const values = conversion.integers(operator, position);
  if (values.length !== dims.length * each) throw new ImportError(`${describe(operator)}: input ${position} has ${values.length} numbers for ${dims.length} dimensions`);
  return values;
}

/** `RESHAPE`, `SQUEEZE`, `EXPAND_DIMS`: the output's dimensions say it all. */
export function convertReshape(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  if (elements(x.dims) !== elements(y.dims) || x.type !== y.type) throw new ImportError(`${describe(operator)}: [${x.dims.join(', ')}] has not the elements of [${y.dims.join(', ')}]`);
  conversion.append({ kind: 'reshape', name: y.name, x: x.name, output: y.name });
}

/** `TRANSPOSE`. */
export function convertTranspose(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const order = axesOf(operator, perAxis(conversion, operator, 1, x), x);
  requireDims(operator, y, order.map((axis) => x.dims[axis] ?? 1));
  conversion.append({ kind: 'transpose', name: y.name, x: x.name, output: y.name, order });
}

/** `PAD` and `PADV2`: the border has the zero point, or the value that is given. */
export function convertPad(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const pads = perAxis(conversion, operator, 1, x, 2);
  if (pads.some((pad) => pad < 0)) throw new ImportError(`${describe(operator)}: negative borders`);
  const [before, after] = [x.dims.map((_, axis) => pads[2 * axis] ?? 0), x.dims.map((_, axis) => pads[2 * axis + 1] ?? 0)];
  requireDims(operator, y, x.dims.map((dim, axis) => dim + (before[axis] ?? 0) + (after[axis] ?? 0)));
  const [value] = operator.operator === 'PADV2' ? conversion.integers(operator, 2) : [];
  conversion.append({ kind: 'pad', name: y.name, x: x.name, output: y.name, before, after, fill: value === undefined ? x.zeroPoint : value - x.offset });
}

/** `MIRROR_PAD`: mode 0 leaves out the border's own elements, 1 repeats them. */
export function convertMirrorPad(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const pads = perAxis(conversion, operator, 1, x, 2);
  const apart = operator.options?.int8(0, 0) === 1 ? 0 : 1;
  const axes = x.dims.map((dim, axis) => [axis, dim, pads[2 * axis] ?? 0, pads[2 * axis + 1] ?? 0] as const);
  for (const [, dim, before, after] of axes) if (!(Math.min(before, after) >= 0 && Math.max(before, after) <= dim - apart)) throw new ImportError(`${describe(operator)}: borders of ${before} and ${after} of ${dim} cannot be mirrored`);
  requireDims(operator, y, axes.map(([, dim, before, after]) => dim + before + after));
  gatherAxes(conversion, x, y, axes.filter(([, , before, after]) => before + after > 0).map(([axis, dim, before, after]) => ({
    axis,
    indices: Array.from({ length: dim + before + after }, (_, place) => {
      const at = place - before;
      return at < 0 ? -at - 1 + apart : at >= dim ? 2 * dim - 1 - apart - at : at;
    }),
  })));
}

/** Gathers along several axes, one after another. */
export function gatherAxes(conversion: Conversion, x: IntegerTensor, y: IntegerTensor, gathers: readonly { readonly axis: number; readonly indices: readonly number[] }[]): void {
  let [source, dims] = [x.name, x.dims];
  if (gathers.length === 0) conversion.append({ kind: 'reshape', name: y.name, x: source, output: y.name });
  gathers.forEach(({ axis, indices }, index) => {
    dims = dims.map((dim, other) => (other === axis ? indices.length : dim));
    const last = index === gathers.length - 1;
    const output = last ? y.name : conversion.addValue({ dims, type: x.type, quantization: null });
    conversion.append({ kind: 'gather', name: last ? y.name : `${y.name}.axis${axis}`, x: source, output, axis, indices });
    source = output;
  });
}

/** `STRIDED_SLICE` (tensorflow/lite/kernels/internal/strided_slice_logic.h): masks by axis say where begin and end are left out, and which axes of one element go. */
export function convertStridedSlice(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const mask = (field: number): number => operator.options?.int32(field, 0) ?? 0;
  if (mask(2) !== 0 || mask(3) !== 0) throw new ImportError(`${describe(operator)}: ellipses and new axes are not supported`);
  const offset = operator.options?.boolean(5, false) ?? false;
  const [begins, ends, strides] = [1, 2, 3].map((position) => conversion.integers(operator, position)) as [number[], number[], number[]];
  if (begins.length > x.dims.length || ends.length !== begins.length || strides.length !== begins.length) throw new ImportError(`${describe(operator)}: ${begins.length} begins, ${ends.length} ends and ${strides.length} strides for ${x.dims.length} dimensions`);
  const axes = x.dims.map((dim, axis) => {
    const step = strides[axis] ?? 1;
    if (step === 0) throw new ImportError(`${describe(operator)}: a stride of 0`);
    const [least, most] = step > 0 ? [0, dim] : [-1, dim - 1];
    const place = (value: number): number => Math.min(most, Math.max(least, value < 0 ? value + dim : value));
    const given = axis < begins.length;
    const start = given && ((mask(0) >> axis) & 1) === 0 ? place(begins[axis] ?? 0) : step > 0 ? least : most;
    const single = given && ((mask(4) >> axis) & 1) === 1;
    const end = single ? start + Math.sign(step) : given && ((mask(1) >> axis) & 1) === 0 ? place((ends[axis] ?? 0) + (offset ? (begins[axis] ?? 0) : 0)) : step > 0 ? most : least;
    return { start, step, size: Math.max(0, Math.ceil((end - start) / step)), single };
  });
  requireDims(operator, y, axes.filter(({ single }) => !single).map(({ size }) => size));
  if (axes.some(({ start, size }, axis) => size < 1 || start < 0 || start >= (x.dims[axis] ?? 0))) throw new ImportError(`${describe(operator)} begins outside [${x.dims.join(', ')}]`);
  conversion.append({ kind: 'slice', name: y.name, x: x.name, output: y.name, starts: axes.map(({ start }) => start), sizes: axes.map(({ size }) => size), steps: axes.map(({ step }) => step) });
}

/** `SLICE`: a size of −1 reaches to the end. */
export function convertSlice(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const [starts, given] = [perAxis(conversion, operator, 1, x), perAxis(conversion, operator, 2, x)];
  appendSlice(conversion, operator, x, y, starts, given.map((size, axis) => (size === -1 ? (x.dims[axis] ?? 0) - (starts[axis] ?? 0) : size)));
}

function appendSlice(conversion: Conversion, operator: TfliteOperator, x: IntegerTensor, y: IntegerTensor, starts: readonly number[], sizes: readonly number[]): void {
  if (sizes.some((size, axis) => !(size >= 1 && (starts[axis] ?? -1) >= 0 && (starts[axis] ?? 0) + size <= (x.dims[axis] ?? 0)))) throw new ImportError(`${describe(operator)}: [${sizes.join(', ')}] from [${starts.join(', ')}] on is not inside [${x.dims.join(', ')}]`);
  if (elements(y.dims) !== elements(sizes)) requireDims(operator, y, sizes);
  conversion.append({ kind: 'slice', name: y.name, x: x.name, output: y.name, starts, sizes, steps: sizes.map(() => 1) });
}

/** Parts of x along an axis, one for each output. */
function appendParts(conversion: Conversion, operator: TfliteOperator, x: IntegerTensor, axis: number, sizes: readonly number[]): void {
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.dims[axis] || operator.outputs.length !== sizes.length) throw new ImportError(`${describe(operator)}: parts of ${sizes.join(', ')} of ${x.dims[axis]} for ${operator.outputs.length} outputs`);
  let at = 0;
  sizes.forEach((size, index) => {
    const y = conversion.output(operator, index);
    requireOneScale(operator, [x, y]);
    appendSlice(conversion, operator, x, y, x.dims.map((_, other) => (other === axis ? at : 0)), x.dims.map((dim, other) => (other === axis ? size : dim)));
    at += size;
  });
}

/** `SPLIT`: the axis is input 0. */
export function convertSplit(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 1);
  const [axis = 0] = axesOf(operator, conversion.integers(operator, 0), x);
  const count = operator.outputs.length;
  appendParts(conversion, operator, x, axis, Array.from({ length: count }, () => (x.dims[axis] ?? 0) / count));
}

/** `SPLIT_V`: sizes, of which one may be −1, and the axis. */
export function convertSplitSizes(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const given = conversion.integers(operator, 1);
  const [axis = 0] = axesOf(operator, conversion.integers(operator, 2), x);
  const rest = (x.dims[axis] ?? 0) - given.filter((size) => size >= 0).reduce((sum, size) => sum + size, 0);
  appendParts(conversion, operator, x, axis, given.map((size) => (size === -1 ? rest : size)));
}

/** `UNPACK`. */
export function convertUnpack(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const [axis = 0] = axesOf(operator, [operator.options?.int32(1, 0) ?? 0], x);
  appendParts(conversion, operator, x, axis, operator.outputs.map(() => 1));
}

/** `PACK`: parts of one entry along a new axis. */
export function convertPack(conversion: Conversion, operator: TfliteOperator): void {
  const parts = operator.inputs.map((_, position) => conversion.input(operator, position));
  const y = conversion.output(operator);
  requireOneScale(operator, [...parts, y]);
  const [axis = 0] = axesOf(operator, [operator.options?.int32(1, 0) ?? 0], y);
  const dims = y.dims.map((dim, other) => (other === axis ? 1 : dim));
  const names = parts.map((part, position) => {
    if (elements(part.dims) !== elements(dims)) throw new ImportError(`${describe(operator)}: [${part.dims.join(', ')}] is no part of [${y.dims.join(', ')}]`);
    const output = conversion.addValue({ dims, type: part.type, quantization: null });
    conversion.append({ kind: 'reshape', name: `${y.name}.part${position}`, x: part.name, output });
    return output;
  });
  requireDims(operator, y, dims.map((dim, other) => (other === axis ? parts.length : dim)));
  conversion.append({ kind: 'concatenate', name: y.name, output: y.name, parts: names, axis });
}

/** `CONCATENATION`: parts of another scale are brought to the output's first (uint8 only, in the reference kernel too: `ConcatenationWithScaling`, in single precision). */
export function convertConcatenation(conversion: Conversion, operator: TfliteOperator): void {
  const parts = operator.inputs.map((_, position) => conversion.input(operator, position));
  const y = conversion.output(operator);
  const [axis = 0] = axesOf(operator, [operator.options?.int32(0, 0) ?? 0], y);
  const { low, high } = fusedRange(operator, operator.options?.int8(1, 0) ?? 0, y);
  const total = parts.reduce((sum, { dims }) => sum + (dims[axis] ?? 0), 0);
  if (parts.some(({ dims, type, offset }) => dims.length !== y.dims.length || type !== y.type || offset !== y.offset || dims.some((dim, other) => other !== axis && dim !== y.dims[other]))) throw new ImportError(`${describe(operator)}: its inputs do not fit along axis ${axis} of [${y.dims.join(', ')}]`);
  requireDims(operator, y, y.dims.map((dim, other) => (other === axis ? total : dim)));
  const names = parts.map((part) => {
    if (part.scale === y.scale && part.zeroPoint === y.zeroPoint) return part.name;
    if (part.offset === 0) throw new ImportError(`${describe(operator)}: ${part.name} has another scale than the output; there they are the same`);
    const inverse = Math.fround(1 / y.scale);
    const scale = Math.fround(part.scale * inverse);
    const bias = Math.fround(-(part.zeroPoint + part.offset) * scale);
    const output = conversion.addValue({ dims: part.dims, type: part.type, quantization: null });
    appendTable(conversion, part, { ...y, name: output }, (value) => awayFromZero(Math.fround(Math.fround((value + part.offset) * scale) + bias)) + y.zeroPoint);
    return output;
  });
  const cut = low > -128 || high < 127;
  const joined = cut && y.type === 'int8' ? conversion.addValue({ dims: y.dims, type: y.type, quantization: null }) : y.name;
  conversion.append({ kind: 'concatenate', name: y.name, output: joined, parts: names, axis });
  if (joined !== y.name) conversion.append({ kind: 'clamp', name: `${y.name}.activation`, x: joined, output: y.name, low, high });
}

/** `GATHER`, of constant or computed indices. */
export function convertGather(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const [axis = 0] = axesOf(operator, [operator.options?.int32(0, 0) ?? 0], x);
  if ((operator.options?.int32(1, 0) ?? 0) !== 0) throw new ImportError(`${describe(operator)}: batch dimensions are not supported`);
  const given = conversion.input(operator, 1);
  if (given.tensor.data === null) {
    if (given.type !== 'int32') throw new ImportError(`${describe(operator)}: indices of type ${given.tensor.type}; they are int32 or int64`);
    requireDims(operator, y, [...x.dims.slice(0, axis), ...given.dims, ...x.dims.slice(axis + 1)]);
    conversion.append({ kind: 'take', name: y.name, x: x.name, output: y.name, axis, indices: given.name });
    return;
  }
  const indices = conversion.integers(operator, 1);
  const bad = indices.find((index) => !(index >= 0 && index < (x.dims[axis] ?? 0)));
  if (bad !== undefined) throw new ImportError(`${describe(operator)}: index ${bad} of ${x.dims[axis]}`);
  if (elements(y.dims) !== (elements(x.dims) / (x.dims[axis] ?? 1)) * indices.length) requireDims(operator, y, x.dims.map((dim, other) => (other === axis ? indices.length : dim)));
  conversion.append({ kind: 'gather', name: y.name, x: x.name, output: y.name, axis, indices });
}

/** `REVERSE_V2`. */
export function convertReverse(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const axes = axesOf(operator, conversion.integers(operator, 1), x);
  requireDims(operator, y, x.dims);
  const turned = (axis: number): boolean => axes.includes(axis);
  conversion.append({ kind: 'slice', name: y.name, x: x.name, output: y.name, starts: x.dims.map((dim, axis) => (turned(axis) ? dim - 1 : 0)), sizes: x.dims, steps: x.dims.map((_, axis) => (turned(axis) ? -1 : 1)) });
}

/** `TILE`. */
export function convertTile(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const repeats = perAxis(conversion, operator, 1, x);
  requireDims(operator, y, x.dims.map((dim, axis) => dim * (repeats[axis] ?? 1)));
  conversion.append({ kind: 'tile', name: y.name, x: x.name, output: y.name, repeats });
}

/** `BROADCAST_TO`: dimensions of 1 are repeated. */
export function convertBroadcast(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  requireBroadcast(operator, [x], y);
  const dims = [...y.dims.slice(x.dims.length).map(() => 1), ...x.dims];
  const whole = conversion.addValue({ dims, type: x.type, quantization: null });
  conversion.append({ kind: 'reshape', name: `${y.name}.dimensions`, x: x.name, output: whole });
  conversion.append({ kind: 'tile', name: y.name, x: whole, output: y.name, repeats: y.dims.map((dim, axis) => dim / (dims[axis] ?? 1)) });
}

/** Reshape, transpose, reshape: what the operators between space, depth and batch are. */
function rearrange(conversion: Conversion, x: string, y: IntegerTensor, dims: readonly number[], order: readonly number[], output = y.name): void {
  const split = conversion.addValue({ dims, type: y.type, quantization: null });
  conversion.append({ kind: 'reshape', name: `${y.name}.split`, x, output: split });
  const turned = conversion.addValue({ dims: order.map((axis) => dims[axis] ?? 1), type: y.type, quantization: null });
  conversion.append({ kind: 'transpose', name: y.name, x: split, output: turned, order });
  conversion.append({ kind: 'reshape', name: `${y.name}.shape`, x: turned, output });
}

/** `SPACE_TO_DEPTH` and `DEPTH_TO_SPACE`. */
export const convertSpaceDepth = (toDepth: boolean) => (conversion: Conversion, operator: TfliteOperator): void => {
  const { x, y } = moved(conversion, operator);
  const block = operator.options?.int32(0, 0) ?? 0;
  const [deep, wide] = toDepth ? [y, x] : [x, y];
  const [batch = 0, height = 0, width = 0, channels = 0] = deep.dims;
  if (deep.dims.length !== 4 || block < 1 || channels % (block * block) !== 0) throw new ImportError(`${describe(operator)}: blocks of ${block} of [${x.dims.join(', ')}]`);
  const inner = channels / (block * block);
  requireDims(operator, wide, [batch, height * block, width * block, inner]);
  if (toDepth) rearrange(conversion, x.name, y, [batch, height, block, width, block, inner], [0, 1, 3, 2, 4, 5]);
  else rearrange(conversion, x.name, y, [batch, height, width, block, block, inner], [0, 1, 3, 2, 4, 5]);
};

/** `SPACE_TO_BATCH_ND`, for images. */
export function convertSpaceToBatch(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const [blocks, pads] = [conversion.integers(operator, 1), conversion.integers(operator, 2)];
  const [batch = 0, height = 0, width = 0, channels = 0] = x.dims;
  const [down = 0, across = 0] = blocks;
  const [top = 0, bottom = 0, left = 0, right = 0] = pads;
  if (x.dims.length !== 4 || blocks.length !== 2 || pads.length !== 4 || Math.min(down, across) < 1 || Math.min(...pads) < 0) throw new ImportError(`${describe(operator)}: blocks of ${blocks.join(', ')} of [${x.dims.join(', ')}]`);
  const [tall, broad] = [(height + top + bottom) / down, (width + left + right) / across];
  requireDims(operator, y, [batch * down * across, tall, broad, channels]);
  const padded = conversion.addValue({ dims: [batch, tall * down, broad * across, channels], type: x.type, quantization: null });
  conversion.append({ kind: 'pad', name: `${y.name}.pad`, x: x.name, output: padded, before: [0, top, left, 0], after: [0, bottom, right, 0], fill: x.zeroPoint });
  rearrange(conversion, padded, y, [batch, tall, down, broad, across, channels], [2, 4, 0, 1, 3, 5]);
}

/** `BATCH_TO_SPACE_ND`, for images. */
export function convertBatchToSpace(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = moved(conversion, operator);
  const [blocks, crops] = [conversion.integers(operator, 1), conversion.integers(operator, 2)];
  const [batches = 0, height = 0, width = 0, channels = 0] = x.dims;
  const [down = 0, across = 0] = blocks;
  const [top = 0, bottom = 0, left = 0, right = 0] = crops;
  const batch = batches / (down * across);
  if (x.dims.length !== 4 || blocks.length !== 2 || crops.length !== 4 || Math.min(down, across) < 1 || !Number.isInteger(batch) || Math.min(...crops) < 0) throw new ImportError(`${describe(operator)}: blocks of ${blocks.join(', ')} of [${x.dims.join(', ')}]`);
  const whole = [batch, height * down, width * across, channels];
  const output = conversion.addValue({ dims: whole, type: x.type, quantization: null });
  rearrange(conversion, x.name, y, [down, across, batch, height, width, channels], [2, 3, 0, 4, 1, 5], output);
  const sizes = [batch, height * down - top - bottom, width * across - left - right, channels];
  requireDims(operator, y, sizes);
  conversion.append({ kind: 'slice', name: `${y.name}.crop`, x: output, output: y.name, starts: [0, top, left, 0], sizes, steps: [1, 1, 1, 1] });
}
