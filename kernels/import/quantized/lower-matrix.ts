import { linearSums } from '../../linear.ts';
import type { Tensor } from '../../program-builder.ts';
import { coarseBytes, fineBytes, linearSplit, linearWide, quantizedLinear, quantizedLinearOffset, quantizedLinearToWide } from '../../quantized-linear.ts';
import { ImportError } from '../import-error.ts';
import { elementOf, factorRows, stageParameters } from './lowering.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { LinearOperation, OutputStage } from './network.ts';

/** Constant weights as rows [outputs][inputs], and what is added to their sums. */
export interface MatrixWeights {
  readonly name: string;
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs][inputs]. */
  readonly weights: Int8Array;
  readonly weightZero: number;
  readonly xZero: number;
  readonly bias: readonly number[] | null;
  readonly stage: OutputStage | null;
  /** Of the output of 8-bit inputs; i8 otherwise. */
  readonly element?: 'i8' | 'i32';
}

export function lowerLinear(lowering: QuantizedLowering, operation: LinearOperation): Tensor {
  const { name, xZero, weightZero, bias, stage } = operation;
  const { dims, data } = lowering.constant(operation.weights, name);
  const [outputs = 1, inputs = 1] = dims;
  return appendMatrix(lowering, lowering.tensor(operation.x), { name, outputs, inputs, weights: Int8Array.from(data), weightZero, xZero, bias, stage, element: elementOf(lowering.value(operation.output).type) });
}

/**
 * Appends `y[r][c] = stage(Σ_k (x[r][k] − xZero) · (w[c][k] − weightZero) + bias[c])`.
 *
 * @throws ImportError when a bias does not fit, or 16-bit activations meet weights with a zero point.
 */
export function appendMatrix({ builder }: QuantizedLowering, x: Tensor, matrix: MatrixWeights): Tensor {
  const { name, outputs, inputs, weights, weightZero, xZero, bias, stage } = matrix;
  if (x.shape.columns !== inputs || weights.length !== outputs * inputs) throw new ImportError(`${name}: weights of ${outputs} × ${inputs} do not fit rows of ${x.shape.columns}`);
  const totals = rowTotals(weights, outputs);
  const w = builder.bytes(outputs, inputs, weights);
  if (x.shape.element === 'i32') {
    if (stage === null || weightZero !== 0 || stage.rounding === 'float32') throw new ImportError(`${name}: weights of 16-bit activations have the zero point 0, and sums one rounding (64 bits) or two (32 bits)`);
    const planes = splitBytes(builder, name, x);
    const sums = totals.map((total, output) => (bias?.[output] ?? 0) + (128 - xZero) * total);
    const wide = stage.rounding === 'once';
    const b = wide ? builder.integers(2, outputs, wideBiases(sums, name)) : builder.integers(1, outputs, biases(sums, name));
    const operands = [...planes, w, b, builder.integers(2, outputs, factorRows(stage, outputs))];
    return builder.append(name, { kernel: wide ? linearWide : linearSplit, output: { element: 'i32', rows: x.shape.rows, columns: outputs }, operands, parameters: stageParameters(stage) });
  }
  const offsets = totals.map((total, output) => (bias?.[output] ?? 0) - xZero * total + inputs * xZero * weightZero);
  const b = builder.integers(1, outputs, biases(offsets, name));
  if (stage === null) {
    if (weightZero !== 0) throw new ImportError(`${name}: sums of weights with a zero point are not supported`);
    return builder.append(name, { kernel: linearSums, output: { element: 'i32', rows: x.shape.rows, columns: outputs }, operands: [x, w, b] });
  }
  const scale = builder.integers(2, outputs, factorRows(stage, outputs));
  const output = { element: matrix.element ?? 'i8', rows: x.shape.rows, columns: outputs } as const;
  if (output.element === 'i32' && weightZero !== 0) throw new ImportError(`${name}: results of 16 bits from weights with a zero point are not supported`);
  if (output.element === 'i32') return builder.append(name, { kernel: quantizedLinearToWide(stage.rounding), output, operands: [x, w, b, scale], parameters: stageParameters(stage) });
  if (weightZero === 0) return builder.append(name, { kernel: quantizedLinear(stage.rounding), output, operands: [x, w, b, scale], parameters: stageParameters(stage) });
  const ones = builder.bytes(1, inputs, new Int8Array(inputs).fill(1));
  const zero = builder.integers(1, 1, Int32Array.of(0));
  const rowSum = builder.append(`${name}.row-sums`, { kernel: linearSums, output: { element: 'i32', rows: x.shape.rows, columns: 1 }, operands: [x, ones, zero] });
  return builder.append(name, { kernel: quantizedLinearOffset(stage.rounding), output, operands: [x, w, b, scale, rowSum], parameters: { weightZero, ...stageParameters(stage) } });
}

/** The two planes of bytes of a tensor of 16-bit numbers. */
export function splitBytes(builder: QuantizedLowering['builder'], name: string, x: Tensor): [Tensor, Tensor] {
  const output = { ...x.shape, element: 'i8' } as const;
  return [
    builder.append(`${name}.coarse`, { kernel: coarseBytes, output, operands: [x] }),
    builder.append(`${name}.fine`, { kernel: fineBytes, output, operands: [x] }),
  ];
}

/** Σ of each of `rows` rows. */
export function rowTotals(values: Int8Array, rows: number): number[] {
  const length = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.subarray(row * length, (row + 1) * length).reduce((sum, value) => sum + value, 0));
}

/** @throws ImportError when one does not fit 32 bits. */
export function biases(values: readonly number[], name: string): Int32Array {
  const bad = values.find((value) => Math.abs(value) >= 2 ** 31);
  if (bad !== undefined) throw new ImportError(`${name}: with its zero points, a bias comes to ${bad}, which does not fit 32 bits`);
  return Int32Array.from(values);
}

/** Low and high 32 bits of biases. @throws ImportError when one does not fit 48 bits. */
export function wideBiases(values: readonly number[], name: string): Int32Array {
  const bad = values.find((value) => Math.abs(value) >= 2 ** 47);
  if (bad !== undefined) throw new ImportError(`${name}: a bias of ${bad} does not fit 48 bits`);
  return Int32Array.from([...values.map((value) => value | 0), ...values.map((value) => Math.floor(value / 2 ** 32))]);
}
