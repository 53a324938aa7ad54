import { clampOf } from '../../quantized-elementwise.ts';
import { embed } from '../../gather.ts';
import { concatenated, gathered, padded, reshaped, rowMajorShape, sliced, tiled, transposed } from '../../movement.ts';
import { bilinearUpwards } from '../../quantized-resize.ts';
import { resizeBilinear } from '../../resample.ts';
import type { Tensor } from '../../program-builder.ts';
import { elementCount } from '../network/float-tensor.ts';
import { elementOf } from './lowering.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { BilinearOperation, ConcatenateOperation, GatherOperation, PadOperation, ReshapeOperation, SliceOperation, TakeOperation, TileOperation, TransposeOperation } from './network.ts';

export const lowerReshape = (lowering: QuantizedLowering, { name, x, output }: ReshapeOperation): Tensor =>
  reshaped(lowering.builder, name, lowering.tensor(x), lowering.shapeOf(output));

export const lowerTranspose = (lowering: QuantizedLowering, { name, x, order }: TransposeOperation): Tensor =>
  transposed(lowering.builder, name, lowering.tensor(x), lowering.value(x).dims, order);

export const lowerSlice = (lowering: QuantizedLowering, { name, x, output, starts, sizes, steps }: SliceOperation): Tensor =>
  reshaped(lowering.builder, `${name}.shape`, sliced(lowering.builder, name, lowering.tensor(x), lowering.value(x).dims, starts, sizes, steps), lowering.shapeOf(output));

export const lowerPad = (lowering: QuantizedLowering, { name, x, before, after, fill }: PadOperation): Tensor =>
  padded(lowering.builder, name, lowering.tensor(x), lowering.value(x).dims, before, after, fill);

export const lowerConcatenate = (lowering: QuantizedLowering, { name, parts, axis }: ConcatenateOperation): Tensor =>
  concatenated(lowering.builder, name, parts.map((part) => ({ tensor: lowering.tensor(part), dims: lowering.value(part).dims })), axis);

export const lowerGather = (lowering: QuantizedLowering, { name, x, axis, indices, output }: GatherOperation): Tensor =>
  reshaped(lowering.builder, `${name}.shape`, gathered(lowering.builder, name, lowering.tensor(x), lowering.value(x).dims, axis, indices), lowering.shapeOf(output));

/** Appends a gather with computed indices: entries of `axis` become rows, rows are taken by number, and the axes go back. */
export function lowerTake(lowering: QuantizedLowering, { name, x, axis, indices, output }: TakeOperation): Tensor {
  const { builder } = lowering;
  const { dims, type } = lowering.value(x);
  const front = [axis, ...dims.keys()].filter((other, place) => place === 0 || other !== axis);
  const rest = front.slice(1).map((other) => dims[other] ?? 1);
  const [entries, columns, count] = [dims[axis] ?? 1, elementCount(rest), elementCount(lowering.value(indices).dims)];
  const element = elementOf(type);
  const table = reshaped(builder, `${name}.entries`, transposed(builder, `${name}.axes`, lowering.tensor(x), dims, front), { element, rows: entries, columns });
  const index = reshaped(builder, `${name}.indices`, lowering.tensor(indices), { element: 'i32', rows: count, columns: 1 });
  const taken = builder.append(name, { kernel: embed(element), output: { element, rows: count, columns }, operands: [index, table] });
  const own = [count, ...rest];
  const turned = reshaped(builder, `${name}.taken`, taken, rowMajorShape(element, own));
  const back = transposed(builder, `${name}.back`, turned, own, [...own.keys()].map((place) => (place < axis ? place + 1 : place === axis ? 0 : place)));
  return reshaped(builder, `${name}.shape`, back, lowering.shapeOf(output));
}

export const lowerTile = (lowering: QuantizedLowering, { name, x, repeats }: TileOperation): Tensor =>
  tiled(lowering.builder, name, lowering.tensor(x), lowering.value(x).dims, repeats);

/** Appends a bilinear interpolation of one image. */
export function lowerBilinear({ builder }: QuantizedLowering, { name, bits, vertical, horizontal }: BilinearOperation, x: Tensor, width: number): Tensor {
  const table = (entries: BilinearOperation['vertical']): Tensor => builder.integers(3, entries.length, Int32Array.from([0, 1, 2].flatMap((row) => entries.map((entry) => entry[row] ?? 0))));
  const output = { element: 'i8', rows: vertical.length * horizontal.length, columns: x.shape.columns } as const;
  return builder.append(name, { kernel: bits === 10 ? resizeBilinear : bilinearUpwards, output, operands: [x, table(vertical), table(horizontal)], parameters: { width } });
}

/** A tensor of its own with the same elements, for a result that no operator has computed. */
export const copyOf = ({ builder }: QuantizedLowering, name: string, x: Tensor): Tensor =>
  builder.append(name, { kernel: clampOf(x.shape.element), output: x.shape, operands: [x], parameters: { low: -(2 ** 31), high: 2 ** 31 - 1 } });
