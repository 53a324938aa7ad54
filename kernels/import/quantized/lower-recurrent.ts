import { lstmCell, lstmGates, lstmGatesWide, lstmOutput } from '../../lstm.ts';
import type { Tensor } from '../../program-builder.ts';
import { filterSums, shiftState } from '../../svdf.ts';
import { ImportError } from '../import-error.ts';
import { biases, rowTotals, splitBytes } from './lower-matrix.ts';
import { singleFactor, stageParameters } from './lowering.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { FilterSumsOperation, LstmCellOperation, LstmGatesOperation, LstmOutputOperation, ShiftStateOperation } from './network.ts';

export function lowerLstmGates(lowering: QuantizedLowering, { name, output, given, first, hidden, hiddenZero, weights, factors, sigmoid, tanh }: LstmGatesOperation): Tensor {
  const { builder } = lowering;
  const { data, dims } = lowering.constant(weights, name);
  const [columns = 1] = dims;
  const totals = rowTotals(Int8Array.from(data), columns);
  const h = lowering.tensor(hidden);
  const scale = lowering.sharedBy(factors, () => builder.integers(2, columns, Int32Array.from([...factors.multipliers, ...factors.shifts])));
  const tail = [scale, lowering.shared(sigmoid), lowering.shared(tanh)];
  const parameters = { first };
  const bias = (zero: number): Tensor => lowering.sharedBy(data, () => builder.integers(1, columns, biases(totals.map((total) => -zero * total), name)));
  if (h.shape.element === 'i8') return builder.append(name, { kernel: lstmGates, output: lowering.shapeOf(output), operands: [lowering.tensor(given), h, lowering.tensor(weights), bias(hiddenZero), ...tail], parameters });
  if (hiddenZero !== 0) throw new ImportError(`${name}: outputs of 16 bits have the zero point 0`);
  return builder.append(name, { kernel: lstmGatesWide, output: lowering.shapeOf(output), operands: [lowering.tensor(given), ...splitBytes(builder, name, h), lowering.tensor(weights), bias(-128), ...tail], parameters });
}

export function lowerLstmCell(lowering: QuantizedLowering, { name, output, gates, cell, forget, input, powers, clip }: LstmCellOperation): Tensor {
  const parameters = { forgetMultiplier: forget.multiplier, forgetShift: forget.shift, inputMultiplier: input.multiplier, inputShift: input.shift, clip };
  return lowering.builder.append(name, { kernel: lstmCell({ powers }), output: lowering.shapeOf(output), operands: [lowering.tensor(gates), lowering.tensor(cell)], parameters });
}

export function lowerLstmOutput(lowering: QuantizedLowering, { name, output, gates, cell, tanh, stage }: LstmOutputOperation): Tensor {
  const shape = lowering.shapeOf(output);
  const operands = [lowering.tensor(gates), lowering.tensor(cell), lowering.shared(tanh)];
  return lowering.builder.append(name, { kernel: lstmOutput(shape.element), output: shape, operands, parameters: { ...singleFactor(stage), ...stageParameters(stage) } });
}

export function lowerShiftState(lowering: QuantizedLowering, { name, output, state, newest, memory }: ShiftStateOperation): Tensor {
  return lowering.builder.append(name, { kernel: shiftState, output: lowering.shapeOf(output), operands: [lowering.tensor(state), lowering.tensor(newest)], parameters: { memory } });
}

export function lowerFilterSums(lowering: QuantizedLowering, { name, output, state, weights, bias, rank, stage }: FilterSumsOperation): Tensor {
  const { builder } = lowering;
  const { data, dims } = lowering.constant(weights, name);
  const [filters = 1, memory = 1] = dims;
  const w = lowering.sharedBy(data, () => builder.integers(filters, memory, Int32Array.from(data)));
  const operands = [lowering.tensor(state), w, builder.integers(1, bias.length, biases(bias, name))];
  return builder.append(name, { kernel: filterSums, output: lowering.shapeOf(output), operands, parameters: { rank, ...singleFactor(stage), ...stageParameters(stage) } });
}
