import { quantizedAddition, weightedAddition } from '../../quantized-add.ts';
import { quantizedComparison, selection } from '../../quantized-comparison.ts';
import { clampOf, extremeOf, leakyOf, parametricOf, quantizedProduct, rescaleOf } from '../../quantized-elementwise.ts';
import { lookup } from '../../lookup.ts';
import { fullTable } from '../../table.ts';
import { expanded } from '../../movement.ts';
import type { Tensor } from '../../program-builder.ts';
import { elementOf, singleFactor, stageParameters } from './lowering.ts';
import type { QuantizedLowering } from './lowering.ts';
import type {
  AddOperation, ClampOperation, CompareOperation, ExtremeOperation, LeakyOperation, MultiplyOperation, ParametricOperation, RescaleOperation, SelectOperation, TableOperation, WeightedAddOperation,
  WideTableOperation,
} from './network.ts';

/** A value repeated to the dimensions of another. */
export function broadcast(lowering: QuantizedLowering, operation: string, name: string, target: readonly number[]): Tensor {
  return expanded(lowering.builder, `${operation}.${name}`, lowering.tensor(name), lowering.value(name).dims, target);
}

export function lowerAdd(lowering: QuantizedLowering, { name, output, a, b, subtract, leftShift, stage }: AddOperation): Tensor {
  const { dims, type } = lowering.value(output);
  const operands = [broadcast(lowering, name, a.x, dims), broadcast(lowering, name, b.x, dims)];
  const parameters = {
    leftShift, aZero: a.zeroPoint, aMultiplier: a.multiplier, aShift: a.shift, bZero: b.zeroPoint, bMultiplier: b.multiplier, bShift: b.shift,
    ...singleFactor(stage), ...stageParameters(stage),
  };
  return lowering.builder.append(name, { kernel: quantizedAddition({ element: elementOf(type), rounding: stage.rounding, subtract }), output: lowering.shapeOf(output), operands, parameters });
}

export function lowerMultiply(lowering: QuantizedLowering, { name, output, a, aZero, b, bZero, stage }: MultiplyOperation): Tensor {
  const { dims, type } = lowering.value(output);
  const operands = [broadcast(lowering, name, a, dims), broadcast(lowering, name, b, dims)];
  const kernel = quantizedProduct({ element: elementOf(type), rounding: stage.rounding });
  return lowering.builder.append(name, { kernel, output: lowering.shapeOf(output), operands, parameters: { aZero, bZero, ...singleFactor(stage), ...stageParameters(stage) } });
}

export function lowerExtreme(lowering: QuantizedLowering, { name, kind, output, a, b }: ExtremeOperation): Tensor {
  const { dims, type } = lowering.value(output);
  const operands = [broadcast(lowering, name, a, dims), broadcast(lowering, name, b, dims)];
  return lowering.builder.append(name, { kernel: extremeOf({ element: elementOf(type), which: kind }), output: lowering.shapeOf(output), operands });
}

export function lowerWeightedAdd(lowering: QuantizedLowering, { name, output, a, b, kind: _, ...parameters }: WeightedAddOperation): Tensor {
  const { dims } = lowering.value(output);
  const operands = [broadcast(lowering, name, a, dims), broadcast(lowering, name, b, dims)];
  return lowering.builder.append(name, { kernel: weightedAddition, output: lowering.shapeOf(output), operands, parameters });
}

export function lowerLeaky(lowering: QuantizedLowering, { name, x, output, xZero, negative, stage }: LeakyOperation): Tensor {
  const tensor = lowering.tensor(x);
  const parameters = { xZero, ...singleFactor(stage), negativeMultiplier: negative.multiplier, negativeShift: negative.shift, ...stageParameters(stage) };
  return lowering.builder.append(name, { kernel: leakyOf({ element: tensor.shape.element, rounding: stage.rounding }), output: lowering.shapeOf(output), operands: [tensor], parameters });
}

export function lowerParametric(lowering: QuantizedLowering, { name, x, slope, output, xZero, slopeZero, negative, stage }: ParametricOperation): Tensor {
  const { dims, type } = lowering.value(output);
  const operands = [broadcast(lowering, name, x, dims), broadcast(lowering, name, slope, dims)];
  const parameters = { xZero, aZero: slopeZero, ...singleFactor(stage), negativeMultiplier: negative.multiplier, negativeShift: negative.shift, ...stageParameters(stage) };
  return lowering.builder.append(name, { kernel: parametricOf({ element: elementOf(type), rounding: stage.rounding }), output: lowering.shapeOf(output), operands, parameters });
}

export function lowerCompare(lowering: QuantizedLowering, { name, output, comparison, a, b }: CompareOperation): Tensor {
  const { dims } = lowering.value(output);
  const operands = [broadcast(lowering, name, a.x, dims), broadcast(lowering, name, b.x, dims)];
  const parameters = { aZero: a.zeroPoint, aMultiplier: a.multiplier, aShift: a.shift, bZero: b.zeroPoint, bMultiplier: b.multiplier, bShift: b.shift };
  return lowering.builder.append(name, { kernel: quantizedComparison({ element: elementOf(lowering.value(a.x).type), comparison }), output: lowering.shapeOf(output), operands, parameters });
}

export function lowerSelect(lowering: QuantizedLowering, { name, output, condition, a, b }: SelectOperation): Tensor {
  const { dims, type } = lowering.value(output);
  const operands = [condition, a, b].map((value) => broadcast(lowering, name, value, dims));
  return lowering.builder.append(name, { kernel: selection(elementOf(type)), output: lowering.shapeOf(output), operands });
}

export function lowerTable({ builder }: QuantizedLowering, x: Tensor, { name, table }: TableOperation): Tensor {
  return builder.append(name, { kernel: lookup, output: x.shape, operands: [x, builder.bytes(1, 256, table)] });
}

export function lowerRescale(lowering: QuantizedLowering, { name, x, output, xZero, stage }: RescaleOperation): Tensor {
  const form = { from: lowering.tensor(x).shape.element, to: elementOf(lowering.value(output).type), rounding: stage.rounding };
  return lowering.builder.append(name, { kernel: rescaleOf(form), output: lowering.shapeOf(output), operands: [lowering.tensor(x)], parameters: { xZero, ...singleFactor(stage), ...stageParameters(stage) } });
}

export function lowerClamp(lowering: QuantizedLowering, { name, x, low, high }: ClampOperation): Tensor {
  const tensor = lowering.tensor(x);
  return lowering.builder.append(name, { kernel: clampOf(tensor.shape.element), output: tensor.shape, operands: [tensor], parameters: { low, high } });
}

export function lowerWideTable(lowering: QuantizedLowering, { name, x, table }: WideTableOperation): Tensor {
  const tensor = lowering.tensor(x);
  return lowering.builder.append(name, { kernel: fullTable('i32'), output: tensor.shape, operands: [tensor, lowering.shared(table)] });
}
