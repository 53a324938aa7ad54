import type { TensorShape } from '../../../deterministic-runtime/program/tensor.ts';
import { permute, reshape } from '../../layout.ts';
import type { ProgramBuilder, Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import { elementCount, strides } from './float-tensor.ts';
import type { Quantization } from './quantization.ts';

/**
 * How a value of the network lies in a tensor of the program.
 * - `rows`: row-major; leading dimensions are the rows, the last one the columns.
 * - `image`: dimensions [1][C][H][W] as H·W rows of C columns.
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
}

export const bytesShape = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });

/** Channels and pixels of an image. @throws ImportError when the dimensions are not those of one image. */
export function imageSize(dims: readonly number[], what: string): { readonly channels: number; readonly height: number; readonly width: number } {
  const [batch = 0, channels = 0, height = 0, width = 0] = dims;
  if (dims.length !== 4 || batch !== 1) throw new ImportError(`${what} has the dimensions [${dims.join(', ')}]; an image here is [1, channels, height, width]`);
  return { channels, height, width };
}

/** Rows and columns of a value in row-major order. */
export function rowsShape(dims: readonly number[]): TensorShape {
  const columns = dims.at(-1) ?? 1;
  return bytesShape(elementCount(dims) / columns, columns);
}

/** The same value in row-major order. */
export function toRows(builder: ProgramBuilder, activation: Activation): Activation {
  const { layout, dims, name } = activation;
  const shape = rowsShape(dims);
  if (layout.kind === 'rows') return activation;
  const channels = layout.kind === 'image' ? imageSize(dims, name).channels : layout.channels;
  const pixels = elementCount(dims) / channels;
  const tensor = reorder(builder, `${name}.rows`, activation.tensor, shape, [channels, pixels], [1, channels]);
  return { ...activation, tensor, layout: { kind: 'rows' } };
}

/** The same value as an image. @throws ImportError when it is none. */
export function toImage(builder: ProgramBuilder, activation: Activation): Activation {
  const { layout, dims, name } = activation;
  if (layout.kind === 'image') return activation;
  const { channels, height, width } = imageSize(dims, name);
  const rows = toRows(builder, activation);
  const tensor = reorder(builder, `${name}.image`, rows.tensor, bytesShape(height * width, channels), [height * width, channels], [1, height * width]);
  return { ...activation, tensor, layout: { kind: 'image' } };
}

/** The same elements under another shape. */
export function withShape(builder: ProgramBuilder, name: string, tensor: Tensor, shape: TensorShape): Tensor {
  if (tensor.shape.rows === shape.rows && tensor.shape.columns === shape.columns) return tensor;
  return builder.append(name, { kernel: reshape, output: shape, operands: [tensor] });
}

/** Axes in another order: coordinates below `sizes`, each `steps` elements apart in the source. */
export function reorder(
  builder: ProgramBuilder,
  name: string,
  tensor: Tensor,
  shape: TensorShape,
  sizes: readonly number[],
  steps: readonly number[],
): Tensor {
  const inOrder = strides(sizes).every((stride, axis) => sizes[axis] === 1 || stride === steps[axis]);
  if (inOrder) return withShape(builder, name, tensor, shape);
  const missing = 4 - sizes.length;
  const size = [...new Array<number>(missing).fill(1), ...sizes];
  const step = [...new Array<number>(missing).fill(0), ...steps];
  const [, size1 = 1, size2 = 1, size3 = 1] = size;
  const [stride0 = 0, stride1 = 0, stride2 = 0, stride3 = 0] = step;
  return builder.append(name, { kernel: permute, output: shape, operands: [tensor], parameters: { size1, size2, size3, stride0, stride1, stride2, stride3 } });
}
