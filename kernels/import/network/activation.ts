import type { TensorShape } from '../../../deterministic-runtime/program/tensor.ts';
import { reshape } from '../../layout.ts';
import { copied, reshaped, rowMajorShape, transposed } from '../../movement.ts';
import type { ProgramBuilder, Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import { elementCount } from './float-tensor.ts';
import type { Quantization } from './quantization.ts';

/**
 * How a value of the network lies in a tensor of the program.
 * - `rows`: row-major; leading dimensions are the rows, the last one the columns.
 * - `image`: dimensions [N][C][H][W] (or [N][C][L], [N][C][D][H][W]) as N·H·W rows of C columns.
 * - `flat-image`: what was an image, with one row left: the element order is the image's, not the network's.
 */
export type Layout =
  | { readonly kind: 'rows' }
  | { readonly kind: 'image' }
  | { readonly kind: 'flat-image'; readonly channels: number; readonly pixels: number };

/** A value of the network inside the program. */
export interface Activation {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dims: readonly number[];
  readonly layout: Layout;
  readonly quantization: Quantization;
  /** Its integers may have all 32 bits: indices and the like, and sums that keep their precision. Else i32 tensors hold 16 bits. */
  readonly wide?: boolean;
}

export const bytesShape = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });

/** Channels and pixels of an image. @throws ImportError when the dimensions are not those of one image. */
export function imageSize(dims: readonly number[], what: string): { readonly channels: number; readonly height: number; readonly width: number } {
  const [batch = 0, channels = 0, height = 0, width = 0] = dims;
  if (dims.length !== 4 || batch !== 1) throw new ImportError(`${what} has the dimensions [${dims.join(', ')}]; an image here is [1, channels, height, width]`);
  return { channels, height, width };
}

/** Rows and columns of a value in row-major order. */
export const rowsShape = (dims: readonly number[], element: TensorShape['element'] = 'i8'): TensorShape => rowMajorShape(element, dims);

/** The order in which a value's axes lie in its tensor, slowest first. */
export const axisOrder = ({ kind }: Layout, rank: number): number[] => {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return kind === 'image' ? [0, ...axes.slice(2), 1] : axes;
};

/** Dimensions in the order in which they lie. */
export const lyingDims = (layout: Layout, dims: readonly number[]): number[] => axisOrder(layout, dims.length).map((axis) => dims[axis] ?? 1);

/** The same value in row-major order. */
export function toRows(builder: ProgramBuilder, activation: Activation): Activation {
  const { layout, dims, name, tensor } = activation;
  if (layout.kind === 'rows') return activation;
  const { element } = tensor.shape;
  if (layout.kind === 'flat-image') {
    const natural = transposed(builder, `${name}.rows`, tensor, [layout.pixels, layout.channels], [1, 0]);
    return { ...activation, tensor: reshaped(builder, `${name}.rows`, natural, rowsShape(dims, element)), layout: { kind: 'rows' } };
  }
  const lying = lyingDims(layout, dims);
  const back = dims.map((_, axis) => axisOrder(layout, dims.length).indexOf(axis));
  return { ...activation, tensor: transposed(builder, `${name}.rows`, tensor, lying, back), layout: { kind: 'rows' } };
}

/** The same value as an image. @throws ImportError when it has fewer than three dimensions. */
export function toImage(builder: ProgramBuilder, activation: Activation): Activation {
  const { layout, dims, name } = activation;
  if (layout.kind === 'image') return activation;
  if (dims.length < 3) throw new ImportError(`${name} has the dimensions [${dims.join(', ')}]; an image here is [batch, channels, …]`);
  const rows = toRows(builder, activation);
  return { ...activation, tensor: transposed(builder, `${name}.image`, rows.tensor, dims, axisOrder({ kind: 'image' }, dims.length)), layout: { kind: 'image' } };
}

/** The same value in this layout: rows or an image. */
export const toLayout = (builder: ProgramBuilder, activation: Activation, kind: 'rows' | 'image'): Activation =>
  kind === 'image' ? toImage(builder, activation) : toRows(builder, activation);

/** The same elements under another shape. */
export function withShape(builder: ProgramBuilder, name: string, tensor: Tensor, shape: TensorShape): Tensor {
  if (tensor.shape.rows === shape.rows && tensor.shape.columns === shape.columns) return tensor;
  if (shape.element === 'i8') return builder.append(name, { kernel: reshape, output: shape, operands: [tensor] });
  return reshaped(builder, name, tensor, shape);
}

/** Axes in another order: coordinates below `sizes`, each `steps` elements apart in the source. */
export const reorder = (builder: ProgramBuilder, name: string, tensor: Tensor, shape: TensorShape, sizes: readonly number[], steps: readonly number[]): Tensor =>
  copied(builder, name, tensor, shape, sizes.map((size, axis) => ({ size, step: steps[axis] ?? 0 })));

/** Elements of a value. */
export const sizeOf = ({ dims }: Pick<Activation, 'dims'>): number => elementCount(dims);
