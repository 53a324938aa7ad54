import { ImportError } from '../import-error.ts';
import { quantizeMultiplier } from './arithmetic.ts';
import { describe } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';
import { exponential } from './gemmlowp.ts';
import { lines16 } from './tables16.ts';

/** Steps in 1 of a table of exponentials. */
const TABLE_STEPS = 2 ** 30;

/** Bits of a fixed-point exponent before the point, and behind it (`kScaledDiffIntegerBits`). */
const [WHOLE_BITS, FRACTION_BITS] = [5, 26];

/** Input and output, of the same dimensions. */
function rows(conversion: Conversion, operator: TfliteOperator): { readonly x: IntegerTensor; readonly y: IntegerTensor } {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  if (x.dims.join() !== y.dims.join()) throw new ImportError(`${describe(operator)}: from [${x.dims.join(', ')}] to [${y.dims.join(', ')}]; both have the same dimensions`);
  return { x, y };
}

/**
 * `SOFTMAX` over the last axis. Of bytes: with the exponentials that TensorFlow Lite's own table has (`PopulateSoftmaxLookupTable`: single precision), their sum exact instead of in single
 * precision; with the rounding `twice`, and to 16 bits always, in gemmlowp's fixed point, as the reference kernel. Of 16-bit numbers: with the reference kernel's tables.
 */
export function convertSoftmax(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = rows(conversion, operator);
  const beta = operator.options?.float32(0, 0) ?? 0;
  if (!(beta > 0 && beta < 2 ** 16)) throw new ImportError(`${describe(operator)}: a beta of ${beta}; it is positive`);
  if (x.type === 'int16' && y.type === 'int16') appendWide(conversion, operator, x, y, beta);
  else if (x.type === 'int8' && (y.type === 'int16' || (y.type === 'int8' && conversion.rounding === 'twice'))) appendFixedPoint(conversion, operator, x, y, beta);
  else if (x.type === 'int8' && y.type === 'int8') appendExact(conversion, operator, x, y, beta);
  else throw new ImportError(`${describe(operator)}: a softmax from ${x.tensor.type} to ${y.tensor.type} is not supported; those of bytes, and of int16 to int16, are`);
}

function appendExact(conversion: Conversion, operator: TfliteOperator, x: IntegerTensor, y: IntegerTensor, beta: number): void {
  const steps = 1 / y.scale;
  if (!Number.isInteger(steps) || steps < 1 || steps > 2 ** 16) throw new ImportError(`${describe(operator)}: an output scale of ${y.scale}; 1/256 is the usual one`);
  conversion.append({ kind: 'softmax', name: y.name, x: x.name, output: y.name, table: singlePrecisionTable(x, beta), outputSteps: steps, zeroPoint: y.zeroPoint });
}

/** `exp(−scale · beta · d)` for d = 0 … 255 in single precision, times `TABLE_STEPS`. */
function singlePrecisionTable(x: IntegerTensor, beta: number): Int32Array {
  const exponent = Math.fround(-x.scale * beta);
  return Int32Array.from({ length: 256 }, (_, distance) => Math.round(Math.fround(Math.exp(Math.fround(exponent * distance))) * TABLE_STEPS));
}

/** `PreprocessSoftmaxScaling` and `CalculateInputRadius` (tensorflow/lite/kernels/internal/quantization_util.cc), then `exp_on_negative_values` of every distance. */
export function fixedPointTable(multiplier: number, left: number, least: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, distance) => {
    if (-distance < least) return 0;
    const raw = (BigInt(-distance) * (1n << BigInt(left)) * BigInt(multiplier) + (1n << 30n)) >> 31n;
    return exponential(32, Number(raw), WHOLE_BITS);
  });
}

function appendFixedPoint(conversion: Conversion, operator: TfliteOperator, x: IntegerTensor, y: IntegerTensor, beta: number): void {
  const [scale, zero] = y.type === 'int8' ? [1 / 256, -128] : [1 / 65536, -32768];
  if (Math.abs(y.scale / scale - 1) > 1e-3 || y.zeroPoint !== zero) throw new ImportError(`${describe(operator)}: an output scale of ${y.scale} with the zero point ${y.zeroPoint}; it is ${scale} with ${zero}`);
  const { multiplier, shift } = quantizeMultiplier(Math.min(beta * x.scale * 2 ** FRACTION_BITS, 2 ** 31 - 1));
  const left = 31 - shift;
  if (left < 0) throw new ImportError(`${describe(operator)}: an input scale of ${x.scale} is too small`);
  const least = -Math.floor(((2 ** WHOLE_BITS - 1) * 2 ** FRACTION_BITS) / 2 ** left);
  conversion.append({ kind: 'fixed-point-softmax', name: y.name, x: x.name, output: y.name, table: fixedPointTable(multiplier, left, least) });
}

/** Tables of `exp` on [−10, 0] and of `1 / (1 + x)` on [0, 1]. */
export const softmaxTables = (doubles: boolean): { readonly exponentials: Int32Array; readonly reciprocals: Int32Array } =>
  ({ exponentials: lines16(Math.exp, -10, 0, doubles), reciprocals: lines16((x) => 1 / (1 + x), 0, 1, doubles) });

const TABLES = { doubles: softmaxTables(true), singles: softmaxTables(false) };

/** `SoftmaxPrepare` for int16 (tensorflow/lite/kernels/activations.cc, tensorflow/lite/micro/kernels/softmax_common.cc). */
function appendWide(conversion: Conversion, operator: TfliteOperator, x: IntegerTensor, y: IntegerTensor, beta: number): void {
  if (y.zeroPoint !== 0 || Math.abs(y.scale * 32768 - 1) > 1e-3) throw new ImportError(`${describe(operator)}: an output scale of ${y.scale} with the zero point ${y.zeroPoint}; it is 1/32768 with 0`);
  const { multiplier, shift } = quantizeMultiplier((x.scale * beta) / (10 / 65535));
  const factor = { multiplier, shift, rounding: conversion.rounding === 'once' ? 'once' : 'twice' } as const;
  conversion.append({ kind: 'wide-softmax', name: y.name, x: x.name, output: y.name, factor, ...(conversion.rounding === 'float32' ? TABLES.doubles : TABLES.singles) });
}

/**
 * `LOG_SOFTMAX` of bytes over the last axis, as TensorFlow Lite's kernel for CPUs has it in single precision (tensorflow/lite/kernels/internal/optimized/optimized_ops.h), with an exact
 * sum and a logarithm of 24 bits behind the point.
 */
export function convertLogSoftmax(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = rows(conversion, operator);
  if (x.type !== 'int8' || y.type !== 'int8') throw new ImportError(`${describe(operator)}: from ${x.tensor.type} to ${y.tensor.type} it is not supported; of bytes it is`);
  if (y.scale !== 1 / 16 || y.zeroPoint !== 127) throw new ImportError(`${describe(operator)}: an output scale of ${y.scale} with the zero point ${y.zeroPoint + y.offset}; it is 1/16 with ${127 + y.offset}`);
  const factor = Math.fround(x.scale / y.scale);
  const shift = 30 - Math.max(0, Math.floor(Math.log2(factor)) + 1);
  if (shift < 1) throw new ImportError(`${describe(operator)}: an input scale of ${x.scale} is too large`);
  conversion.append({
    kind: 'log-softmax', name: y.name, x: x.name, output: y.name, table: singlePrecisionTable(x, 1), multiplier: Math.round(factor * 2 ** shift), shift, steps: 16, zeroPoint: y.zeroPoint,
  });
}
