import { fixedPointReciprocals, fixedPointShares, fixedPointSums } from '../../fixed-point-softmax.ts';
import { logarithmTable, logarithmicShares, rowLogarithms } from '../../log-softmax.ts';
import type { Tensor } from '../../program-builder.ts';
import { rowExtreme, rowSums } from '../../quantized-reduction.ts';
import { exponentialShares, exponentialSums, rowMaximum } from '../../quantized-softmax.ts';
import { wideExponentials, wideReciprocals, wideShares } from '../../wide-softmax.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { FixedPointSoftmaxOperation, LogSoftmaxOperation, SoftmaxOperation, WideSoftmaxOperation } from './network.ts';

/** One number, or two, for each row. */
const perRow = ({ shape: { rows } }: Tensor, columns = 1): Tensor['shape'] => ({ element: 'i32', rows, columns });

export function lowerSoftmax({ builder }: QuantizedLowering, x: Tensor, { name, table, outputSteps, zeroPoint }: SoftmaxOperation): Tensor {
  const exponentials = builder.integers(1, 256, table);
  const greatest = builder.append(`${name}.maximum`, { kernel: rowMaximum, output: perRow(x), operands: [x] });
  const sums = builder.append(`${name}.sums`, { kernel: exponentialSums, output: perRow(x, 2), operands: [x, greatest, exponentials] });
  return builder.append(name, { kernel: exponentialShares, output: x.shape, operands: [x, greatest, sums, exponentials], parameters: { steps: outputSteps, zeroPoint } });
}

export function lowerFixedPointSoftmax(lowering: QuantizedLowering, { name, x: given, output, table }: FixedPointSoftmaxOperation): Tensor {
  const { builder } = lowering;
  const x = lowering.tensor(given);
  const exponentials = builder.integers(1, 256, table);
  const greatest = builder.append(`${name}.maximum`, { kernel: rowMaximum, output: perRow(x), operands: [x] });
  const sums = builder.append(`${name}.sums`, { kernel: fixedPointSums, output: perRow(x), operands: [x, greatest, exponentials] });
  const reciprocals = builder.append(`${name}.reciprocals`, { kernel: fixedPointReciprocals, output: perRow(x, 2), operands: [sums] });
  const shape = lowering.shapeOf(output);
  const kernel = fixedPointShares({ output: shape.element, bits: shape.element === 'i8' ? 8 : 16 });
  return builder.append(name, { kernel, output: shape, operands: [x, greatest, reciprocals, exponentials] });
}

export function lowerWideSoftmax(lowering: QuantizedLowering, { name, x: given, factor, exponentials, reciprocals }: WideSoftmaxOperation): Tensor {
  const { builder } = lowering;
  const x = lowering.tensor(given);
  const { multiplier, shift, rounding } = factor;
  const greatest = builder.append(`${name}.maximum`, { kernel: rowExtreme({ element: 'i32', which: 'maximum' }), output: perRow(x), operands: [x] });
  const powers = builder.append(`${name}.exponentials`, { kernel: wideExponentials(rounding), output: x.shape, operands: [x, greatest, lowering.shared(exponentials)], parameters: { multiplier, shift } });
  const sums = builder.append(`${name}.sums`, { kernel: rowSums('i32'), output: perRow(x), operands: [powers], parameters: { xZero: 0 } });
  const inverse = builder.append(`${name}.reciprocals`, { kernel: wideReciprocals, output: perRow(x, 2), operands: [sums, lowering.shared(reciprocals)] });
  return builder.append(name, { kernel: wideShares, output: x.shape, operands: [powers, inverse] });
}

export function lowerLogSoftmax(lowering: QuantizedLowering, { name, x: given, table, multiplier, shift, steps, zeroPoint }: LogSoftmaxOperation): Tensor {
  const { builder } = lowering;
  const x = lowering.tensor(given);
  const greatest = builder.append(`${name}.maximum`, { kernel: rowMaximum, output: perRow(x), operands: [x] });
  const sums = builder.append(`${name}.sums`, { kernel: exponentialSums, output: perRow(x, 2), operands: [x, greatest, builder.integers(1, 256, table)] });
  const logarithms = builder.append(`${name}.logarithms`, { kernel: rowLogarithms, output: perRow(x), operands: [sums, builder.integers(2, 256, logarithmTable())] });
  return builder.append(name, { kernel: logarithmicShares, output: x.shape, operands: [x, greatest, logarithms], parameters: { multiplier, shift, steps, zeroPoint } });
}
