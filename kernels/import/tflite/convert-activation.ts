import { ImportError } from '../import-error.ts';
import { awayFromZero, quantizeMultiplier } from './arithmetic.ts';
import { describe, fusedRange, requireDims, stageOf } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';
import { hardSwish } from './hard-swish.ts';
import { functionTable16 } from './tables16.ts';
import type { Function16 } from './tables16.ts';
import { nearestEven, requireBroadcast } from './convert-elementwise.ts';

/** Input and output of an operator on each element. @throws ImportError when their types or dimensions differ. */
function unary(conversion: Conversion, operator: TfliteOperator): { readonly x: IntegerTensor; readonly y: IntegerTensor } {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  if (x.type !== y.type || x.dims.join() !== y.dims.join()) throw new ImportError(`${describe(operator)}: ${x.tensor.type} [${x.dims.join(', ')}] to ${y.tensor.type} [${y.dims.join(', ')}] is not supported`);
  return { x, y };
}

/** All 256 results of a function of one byte: `f` gives an output's integer, as the network counts it, for an input's. */
export function appendTable(conversion: Conversion, x: IntegerTensor, y: IntegerTensor, f: (value: number) => number): void {
  const table = Int8Array.from({ length: 256 }, (_, byte) => Math.min(127, Math.max(-128, f((byte << 24) >> 24))));
  conversion.append({ kind: 'table', name: y.name, x: x.name, output: y.name, table });
}

/**
 * A function of real numbers, by a table made in single precision (`LUTPopulate`, tensorflow/lite/kernels/internal/common.h). Of 16-bit numbers those that are named in `wide`: see
 * tables16.ts.
 */
export const convertFunction = (f: (x: number) => number, wide: Function16 | null = null) => (conversion: Conversion, operator: TfliteOperator): void => {
  const { x, y } = unary(conversion, operator);
  if (x.type === 'int16' && wide !== null) {
    if (x.zeroPoint !== 0 || y.zeroPoint !== 0 || Math.abs(y.scale * 32768 - 1) > 1e-3) throw new ImportError(`${describe(operator)}: an output scale of ${y.scale}; of 16 bits it is 1/32768, and zero points are 0`);
    conversion.append({ kind: 'wide-table', name: y.name, x: x.name, output: y.name, table: functionTable16(wide, x.scale, conversion.rounding === 'float32') });
    return;
  }
  if (x.type !== 'int8') throw new ImportError(`${describe(operator)}: of ${x.tensor.type} it is not supported; of bytes it is`);
  const inverse = Math.fround(1 / y.scale);
  appendTable(conversion, x, y, (value) => awayFromZero(Math.fround(Math.fround(f(Math.fround(x.scale * (value - x.zeroPoint)))) * inverse)) + y.zeroPoint);
};

/** `HARD_SWISH`, in the fixed point of the reference kernel. */
export function convertHardSwish(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = unary(conversion, operator);
  if (x.type !== 'int8') throw new ImportError(`${describe(operator)}: of ${x.tensor.type} it is not supported; of bytes it is`);
  const apply = hardSwish(x.scale, y.scale);
  appendTable(conversion, x, y, (value) => apply(value - x.zeroPoint) + y.zeroPoint);
}

/** `RELU`, `RELU6`, `RELU_N1_TO_1`: another scale, then cut (tensorflow/lite/kernels/activations.cc, `QuantizedReluX`). */
export const convertRelu = (activation: number) => (conversion: Conversion, operator: TfliteOperator): void => {
  const { x, y } = unary(conversion, operator);
  const range = fusedRange(operator, activation, y);
  if (x.scale === y.scale && x.zeroPoint === y.zeroPoint) {
    conversion.append({ kind: 'clamp', name: y.name, x: x.name, output: y.name, ...range });
    return;
  }
  const rounding = conversion.rounding === 'once' ? 'once' : 'twice';
  const stage = stageOf(operator, rounding, [Math.fround(x.scale / y.scale)], y, activation, false);
  conversion.append({ kind: 'rescale', name: y.name, x: x.name, output: y.name, xZero: x.zeroPoint, stage });
};

/** Rescaling of bytes in XNNPACK: a factor of 2^-8 … 2^7 is rounded to eight bits behind the point, and the product has one rounding (`xnn_init_qs8_cvt_*_params`, src/microparams-init.c). */
const coarseFactor = (factor: number): { readonly multiplier: number; readonly shift: number } | null =>
  factor >= 2 ** -8 && factor <= 2 ** 7 ? { multiplier: nearestEven(256 * factor), shift: 8 } : null;

/** True where XNNPACK is followed, which has kernels for bytes only. */
const followsXnnpack = ({ rounding }: Conversion, ...tensors: readonly IntegerTensor[]): boolean => rounding === 'float32' && tensors.every(({ type }) => type === 'int8');

/** `LEAKY_RELU` (tensorflow/lite/kernels/activations.cc, `LeakyReluPrepare`: factors in single precision). */
export function convertLeakyRelu(conversion: Conversion, operator: TfliteOperator): void {
  const { x, y } = unary(conversion, operator);
  const alpha = operator.options?.float32(0, 0) ?? 0;
  if (!(alpha >= 0)) throw new ImportError(`${describe(operator)}: a slope of ${alpha}; it is not negative`);
  const factor = Math.fround(x.scale / y.scale);
  const coarse = followsXnnpack(conversion, x, y) ? [coarseFactor(factor), coarseFactor(Math.fround(factor * alpha))] as const : [null, null] as const;
  const rounding = coarse[0] !== null && coarse[1] !== null || conversion.rounding === 'once' ? 'once' : 'twice';
  const positive = coarse[0] !== null && coarse[1] !== null ? coarse[0] : quantizeMultiplier(factor);
  const negative = coarse[0] !== null && coarse[1] !== null ? coarse[1] : quantizeMultiplier(Math.fround(Math.fround(x.scale * alpha) / y.scale));
  const stage = { rounding, multipliers: [positive.multiplier], shifts: [positive.shift], zeroPoint: y.zeroPoint, ...fusedRange(operator, 0, y) } as const;
  conversion.append({ kind: 'leaky', name: y.name, x: x.name, output: y.name, xZero: x.zeroPoint, negative, stage });
}

/** `PRELU` (tensorflow/lite/kernels/activations.cc, `PreluPrepare`). */
export function convertParametricRelu(conversion: Conversion, operator: TfliteOperator): void {
  const [x, slope] = [conversion.input(operator, 0), conversion.input(operator, 1)];
  const y = conversion.output(operator);
  if (x.type !== y.type || slope.type !== y.type || y.type !== 'int8') throw new ImportError(`${describe(operator)}: of ${x.tensor.type} it is not supported; of bytes it is`);
  requireBroadcast(operator, [x, slope], y);
  const rounding = conversion.rounding === 'once' ? 'once' : 'twice';
  const stage = stageOf(operator, rounding, [x.scale / y.scale], y, 0, false);
  const negative = quantizeMultiplier(Math.fround(Math.fround(x.scale * slope.scale) / y.scale));
  conversion.append({ kind: 'parametric', name: y.name, x: x.name, output: y.name, slope: slope.name, xZero: x.zeroPoint, slopeZero: slope.zeroPoint, negative, stage });
}

/** `QUANTIZE` between integers (tensorflow/lite/kernels/quantize.cc); from float32 it is a border: see import.ts. */
export function convertQuantize(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  requireDims(operator, y, x.dims);
  const coarse = x.offset === y.offset && followsXnnpack(conversion, x, y) ? coarseFactor(Math.fround(x.scale / y.scale)) : null;
  const rounding = coarse !== null || conversion.rounding === 'once' ? 'once' : 'twice';
  const { multiplier, shift } = coarse ?? quantizeMultiplier(x.scale / y.scale);
  const stage = { rounding, multipliers: [multiplier], shifts: [shift], zeroPoint: y.zeroPoint, ...fusedRange(operator, 0, y) } as const;
  conversion.append({ kind: 'rescale', name: y.name, x: x.name, output: y.name, xZero: x.zeroPoint, stage });
}
