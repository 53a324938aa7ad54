import { ImportError } from '../import-error.ts';
import type { Term } from '../quantized/network.ts';
import { quantizeMultiplier } from './arithmetic.ts';
import { describe, fusedRange, stageOf } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';

/** Dimensions that tensors broadcast to have to be the output's. @throws ImportError when they are not. */
export function requireBroadcast(operator: TfliteOperator, parts: readonly IntegerTensor[], y: IntegerTensor): void {
  for (const { dims } of parts) {
    const added = y.dims.length - dims.length;
    if (added < 0 || dims.some((dim, axis) => dim !== 1 && dim !== y.dims[axis + added])) throw new ImportError(`${describe(operator)}: [${dims.join(', ')}] does not broadcast to [${y.dims.join(', ')}]`);
  }
  const larger = y.dims.some((dim, axis) => dim !== 1 && parts.every(({ dims }) => (dims[axis + dims.length - y.dims.length] ?? 1) === 1));
  if (larger) throw new ImportError(`${describe(operator)}: ${parts.map(({ dims }) => `[${dims.join(', ')}]`).join(' and ')} give less than [${y.dims.join(', ')}]`);
}

/** Two inputs that broadcast to the output. @throws ImportError when they do not, or are not of the output's type. */
function operandsOf(conversion: Conversion, operator: TfliteOperator): { readonly a: IntegerTensor; readonly b: IntegerTensor; readonly y: IntegerTensor } {
  const [a, b] = [conversion.input(operator, 0), conversion.input(operator, 1)];
  const y = conversion.output(operator);
  if (a.type !== y.type || b.type !== y.type || y.type === 'int32') throw new ImportError(`${describe(operator)}: ${a.tensor.type} and ${b.tensor.type} to ${y.tensor.type} is not supported`);
  requireBroadcast(operator, [a, b], y);
  return { a, b, y };
}

const termOf = (x: IntegerTensor, factor: number): Term => ({ x: x.name, zeroPoint: x.zeroPoint, ...quantizeMultiplier(factor) });

/**
 * `ADD` and `SUB`. The reference kernels bring both inputs to twice the greater one's scale, less `leftShift` bits (tensorflow/lite/kernels/add.cc, `PrepareGeneralAddOrSub`). XNNPACK
 * adds bytes with two multipliers of 21 bits and one rounding (`xnn_init_qs8_add_minmax_*_params`, src/microparams-init.c).
 */
export const convertAdd = (subtract: boolean) => (conversion: Conversion, operator: TfliteOperator): void => {
  const { a, b, y } = operandsOf(conversion, operator);
  const activation = operator.options?.int8(0, 0) ?? 0;
  const common = { name: y.name, output: y.name };
  if (conversion.rounding === 'float32' && y.type === 'int8') {
    const [left, right] = [Math.fround(a.scale / y.scale), Math.fround(b.scale / y.scale)];
    const shift = 20 - Math.floor(Math.log2(Math.max(left, right)));
    if (shift < 12 || shift > 30) throw new ImportError(`${describe(operator)}: scales of ${a.scale}, ${b.scale} and ${y.scale} are too far apart`);
    const multiplier = (scale: number): number => nearestEven(scale * 2 ** shift);
    const { low, high } = fusedRange(operator, activation, y);
    conversion.append({
      kind: 'weighted-add', ...common, a: a.name, aZero: a.zeroPoint, aMultiplier: multiplier(left), b: b.name, bZero: b.zeroPoint,
      bMultiplier: multiplier(right) * (subtract ? -1 : 1), shift, zeroPoint: y.zeroPoint, low, high,
    });
    return;
  }
  const leftShift = y.type === 'int16' ? 15 : 20;
  const greater = 2 * Math.max(a.scale, b.scale);
  const rounding = conversion.rounding === 'once' ? 'once' : 'twice';
  const { multiplier, shift } = quantizeMultiplier(greater / (2 ** leftShift * y.scale));
  const stage = { rounding, multipliers: [multiplier], shifts: [shift], zeroPoint: y.zeroPoint, ...fusedRange(operator, activation, y) } as const;
  conversion.append({ kind: 'add', ...common, a: termOf(a, a.scale / greater), b: termOf(b, b.scale / greater), subtract, leftShift, stage });
};

/** To the nearest integer, halves to even, as C's `lrintf`. */
export function nearestEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** `MUL`: the factor is computed in single precision (tensorflow/lite/kernels/mul.cc). */
export function convertMultiply(conversion: Conversion, operator: TfliteOperator): void {
  const { a, b, y } = operandsOf(conversion, operator);
  const factor = Math.fround(Math.fround(a.scale * b.scale) / y.scale);
  const rounding = y.type === 'int16' && conversion.rounding === 'float32' ? 'twice' : conversion.rounding;
  const stage = stageOf(operator, rounding, [factor], y, operator.options?.int8(0, 0) ?? 0, false);
  conversion.append({ kind: 'multiply', name: y.name, output: y.name, a: a.name, aZero: a.zeroPoint, b: b.name, bZero: b.zeroPoint, stage });
}

/** `MAXIMUM` and `MINIMUM`: on the integers, since all have one scale. */
export const convertExtreme = (kind: 'minimum' | 'maximum') => (conversion: Conversion, operator: TfliteOperator): void => {
  const [a, b] = [conversion.input(operator, 0), conversion.input(operator, 1)];
  const y = conversion.output(operator);
  requireBroadcast(operator, [a, b], y);
  requireOneScale(operator, [a, b, y]);
  conversion.append({ kind, name: y.name, output: y.name, a: a.name, b: b.name });
};

/** @throws ImportError when tensors differ in type, scale or zero point. */
export function requireOneScale(operator: TfliteOperator, tensors: readonly IntegerTensor[]): void {
  const [first] = tensors;
  if (first === undefined) return;
  const different = tensors.find((tensor) => tensor.type !== first.type || tensor.offset !== first.offset || tensor.scale !== first.scale || tensor.zeroPoint !== first.zeroPoint);
  if (different !== undefined) throw new ImportError(`${describe(operator)}: ${first.name} and ${different.name} differ in type, scale or zero point; there they are the same`);
}

const COMPARISONS = {
  EQUAL: { comparison: 'equal', swap: false, not: false },
  NOT_EQUAL: { comparison: 'equal', swap: false, not: true },
  LESS: { comparison: 'less', swap: false, not: false },
  GREATER: { comparison: 'less', swap: true, not: false },
  LESS_EQUAL: { comparison: 'less-or-equal', swap: false, not: false },
  GREATER_EQUAL: { comparison: 'less-or-equal', swap: true, not: false },
} as const;

/** `EQUAL`, `LESS` and the like: each side with eight bits more, and its own scale (tensorflow/lite/kernels/comparisons.cc, `ComparisonQuantized`). */
export const convertComparison = (name: keyof typeof COMPARISONS) => (conversion: Conversion, operator: TfliteOperator): void => {
  const { comparison, swap, not } = COMPARISONS[name];
  const [first, second] = [conversion.input(operator, 0), conversion.input(operator, 1)];
  const y = conversion.output(operator);
  if (first.type !== second.type || first.offset !== second.offset || first.type !== 'int8') throw new ImportError(`${describe(operator)}: comparing ${first.tensor.type} with ${second.tensor.type} is not supported; bytes are`);
  requireBroadcast(operator, [first, second], y);
  const [a, b] = swap ? [second, first] : [first, second];
  const result = not ? conversion.addValue({ dims: y.dims, type: 'int8', quantization: null }) : y.name;
  conversion.append({ kind: 'compare', name: y.name, output: result, comparison, a: termOf(a, a.scale), b: termOf(b, b.scale) });
  if (not) conversion.append({ kind: 'table', name: `${y.name}.not`, x: result, output: y.name, table: Int8Array.from({ length: 256 }, (_, byte) => (byte === 0 ? 1 : 0)) });
};

/** `SELECT` and `SELECT_V2`. */
export function convertSelect(conversion: Conversion, operator: TfliteOperator): void {
  const [condition, a, b] = [conversion.input(operator, 0), conversion.input(operator, 1), conversion.input(operator, 2)];
  const y = conversion.output(operator);
  requireOneScale(operator, [a, b, y]);
  // SELECT's condition may have one entry for each of the first dimension's.
  const rows = operator.operator === 'SELECT' && condition.dims.length === 1 && y.dims.length > 1 && condition.dims[0] === y.dims[0];
  const dims = rows ? [...condition.dims, ...y.dims.slice(1).map(() => 1)] : condition.dims;
  requireBroadcast(operator, [{ ...condition, dims }, a, b], y);
  const shaped = rows ? conversion.addValue({ dims, type: condition.type, quantization: null }) : condition.name;
  if (rows) conversion.append({ kind: 'reshape', name: `${y.name}.condition`, x: condition.name, output: shaped });
  conversion.append({ kind: 'select', name: y.name, output: y.name, condition: shaped, a: a.name, b: b.name });
}
