import { clampOf } from '../../quantized-elementwise.ts';
import { concatenated, gathered, padded, reshaped, sliced, tiled, transposed } from '../../movement.ts';
import { bilinearUpwards } from '../../quantized-resize.ts';
import { resizeBilinear } from '../../resample.ts';
import type { Tensor } from '../../program-builder.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { BilinearOperation, ConcatenateOperation, GatherOperation, PadOperation, ReshapeOperation, SliceOperation, TileOperation, TransposeOperation } from './network.ts';

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
