import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { concatenateColumns, concatenateRows } from './concatenate.ts';
import { gather, gatherWholeRows } from './gather.ts';
import type { ProgramBuilder, Tensor } from './program-builder.ts';
import { planCopy } from './strided-copy-plan.ts';
import type { CopyAxis } from './strided-copy-plan.ts';

/*
 * Tensors of any number of dimensions, moved about. A tensor of dimensions `dims` is here any tensor of the program that holds its elements in row-major order, whatever its
 * rows and columns; what these functions give has the last dimension as its columns. They append one or two operators, and none where nothing moves.
 */

const product = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);

/** Distance between neighbours along each axis, in elements. */
function strides(dims: readonly number[]): number[] {
  const result = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis -= 1) result[axis] = (result[axis + 1] ?? 1) * (dims[axis + 1] ?? 1);
  return result;
}

/** Rows and columns of a tensor of these dimensions: the last one is the columns. */
export function rowMajorShape(element: TensorShape['element'], dims: readonly number[]): TensorShape {
  const columns = dims.at(-1) ?? 1;
  return { element, rows: product(dims) / columns, columns };
}

/** A tensor of another shape that holds x's elements in their order. @throws RangeError when it does not have as many. */
export const reshaped = (builder: ProgramBuilder, name: string, x: Tensor, output: TensorShape): Tensor =>
  copied(builder, name, x, output, [{ size: x.shape.rows * x.shape.columns, step: 1 }]);

/**
 * Elements of x under `axes` of the output, slowest first, each with its step in x's elements: see `stridedCopy`.
 *
 * @throws RangeError when the axes do not have as many elements as the output.
 */
export function copied(builder: ProgramBuilder, name: string, x: Tensor, output: TensorShape, axes: readonly CopyAxis[], offset = 0, fill = 0): Tensor {
  const plan = planCopy(x.shape, output, axes, offset, fill);
  if (plan.kind === 'same') return x;
  if (plan.kind === 'through') return reshaped(builder, name, copied(builder, `${name}.elements`, x, plan.shape, axes, offset, fill), output);
  return builder.append(name, { kernel: plan.kernel, output, operands: [x], parameters: plan.parameters });
}

/** Axes in another order: axis i of the result is axis `order[i]` of x. */
export function transposed(builder: ProgramBuilder, name: string, x: Tensor, dims: readonly number[], order: readonly number[]): Tensor {
  const steps = strides(dims);
  const axes = order.map((axis): CopyAxis => ({ size: dims[axis] ?? 1, step: steps[axis] ?? 0 }));
  return copied(builder, name, x, rowMajorShape(x.shape.element, axes.map(({ size }) => size)), axes);
}

/** A part of each axis: `sizes[i]` elements from `starts[i]` on, `steps[i]` apart (which may be negative: a flip). */
export function sliced(builder: ProgramBuilder, name: string, x: Tensor, dims: readonly number[], starts: readonly number[], sizes: readonly number[], steps: readonly number[] = dims.map(() => 1)): Tensor {
  const along = strides(dims);
  const axes = sizes.map((size, axis): CopyAxis => ({ size, step: (steps[axis] ?? 1) * (along[axis] ?? 0) }));
  const offset = starts.reduce((sum, start, axis) => sum + start * (along[axis] ?? 0), 0);
  return copied(builder, name, x, rowMajorShape(x.shape.element, sizes), axes, offset);
}

/** Dimensions of 1 repeated (ONNX `Expand`): `target` has at least as many dimensions as `dims`, which are aligned at their ends. */
export function expanded(builder: ProgramBuilder, name: string, x: Tensor, dims: readonly number[], target: readonly number[]): Tensor {
  const steps = strides(dims);
  const added = target.length - dims.length;
  const axes = target.map((size, axis): CopyAxis => ({ size, step: (dims[axis - added] ?? 1) === 1 ? 0 : (steps[axis - added] ?? 0) }));
  return copied(builder, name, x, rowMajorShape(x.shape.element, target), axes);
}

/** Each axis repeated as a whole, `repeats[i]` times. */
export function tiled(builder: ProgramBuilder, name: string, x: Tensor, dims: readonly number[], repeats: readonly number[]): Tensor {
  const steps = strides(dims);
  const axes = dims.flatMap((size, axis): CopyAxis[] => [{ size: repeats[axis] ?? 1, step: 0 }, { size, step: steps[axis] ?? 0 }]);
  return copied(builder, name, x, rowMajorShape(x.shape.element, dims.map((size, axis) => size * (repeats[axis] ?? 1))), axes);
}

/** A border of `fill`: `before[i]` and `after[i]` elements on each axis; negative numbers cut. */
export function padded(builder: ProgramBuilder, name: string, x: Tensor, dims: readonly number[], before: readonly number[], after: readonly number[], fill: number): Tensor {
  const steps = strides(dims);
  const sizes = dims.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0));
  const axes = sizes.map((size, axis): CopyAxis => ({ size, step: steps[axis] ?? 0, low: before[axis] ?? 0, high: (before[axis] ?? 0) + (dims[axis] ?? 0) }));
  const offset = before.reduce((sum, border, axis) => sum - border * (steps[axis] ?? 0), 0);
  return copied(builder, name, x, rowMajorShape(x.shape.element, sizes), axes, offset, fill);
}

/**
 * Elements by number along one axis: entry i of the result's axis is entry `indices[i]` of x's, and `fill` where that is negative (ONNX `Gather`, edge and reflecting `Pad`,
 * nearest `Resize`).
 */
export function gathered(builder: ProgramBuilder, name: string, x: Tensor, dims: readonly number[], axis: number, indices: readonly number[], fill = 0): Tensor {
  const { element } = x.shape;
  const size = dims[axis] ?? 1;
  const inner = product(dims.slice(axis + 1));
  const target = dims.map((dim, index) => (index === axis ? indices.length : dim));
  const output = rowMajorShape(element, target);
  const numbers = (values: readonly number[]): Tensor => builder.integers(1, values.length, Int32Array.from(values));
  if (axis === dims.length - 1) {
    const natural = reshaped(builder, `${name}.rows`, x, rowMajorShape(element, dims));
    const rows = numbers(Array.from({ length: output.rows }, (_, row) => row));
    return builder.append(name, { kernel: gather(element), output, operands: [natural, rows, numbers(indices)], parameters: { fill } });
  }
  // Rows of the last dimension are moved as they are.
  const columns = dims.at(-1) ?? 1;
  const below = inner / columns;
  const natural = reshaped(builder, `${name}.rows`, x, rowMajorShape(element, dims));
  const rows = Array.from({ length: output.rows }, (_, row) => {
    const index = indices[Math.floor(row / below) % indices.length] ?? -1;
    return index < 0 ? -1 : (Math.floor(row / (below * indices.length)) * size + index) * below + (row % below);
  });
  return builder.append(name, { kernel: gatherWholeRows(element), output, operands: [natural, numbers(rows)], parameters: { fill } });
}

/** Operands that one operator reads at most, here. */
const AT_ONCE = 8;

/** Tensors one after another along an axis; `dims` are each one's dimensions, the same but for that axis. Elements are not changed: give them one scale first. */
export function concatenated(builder: ProgramBuilder, name: string, parts: readonly { readonly tensor: Tensor; readonly dims: readonly number[] }[], axis: number): Tensor {
  const [first] = parts;
  if (first === undefined) throw new RangeError(`${name}: nothing to concatenate`);
  if (parts.length === 1) return first.tensor;
  if (parts.length > AT_ONCE) {
    const groups = Array.from({ length: Math.ceil(parts.length / AT_ONCE) }, (_, index) => parts.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
    return concatenated(builder, name, groups.map((group, index) => ({ tensor: concatenated(builder, `${name}.${index}`, group, axis), dims: joinedDims(group, axis) })), axis);
  }
  const { element } = first.tensor.shape;
  const dims = joinedDims(parts, axis);
  const output = rowMajorShape(element, dims);
  const operands = parts.map(({ tensor, dims: own }, index) => reshaped(builder, `${name}.part${index}`, tensor, rowMajorShape(element, own)));
  if (axis === dims.length - 1) return builder.append(name, { kernel: concatenateColumns({ element, count: parts.length }), output, operands });
  const below = product(dims.slice(axis + 1, -1));
  const parameters = Object.fromEntries(parts.map(({ dims: own }, index) => [`rows_x${index}`, (own[axis] ?? 1) * below]));
  return builder.append(name, { kernel: concatenateRows({ element, count: parts.length }), output, operands, parameters });
}

const joinedDims = (parts: readonly { readonly dims: readonly number[] }[], axis: number): number[] =>
  (parts[0]?.dims ?? []).map((dim, index) => (index === axis ? parts.reduce((sum, { dims }) => sum + (dims[axis] ?? 1), 0) : dim));
