import { ImportError } from '../import-error.ts';
import type { OutputStage } from '../quantized/network.ts';
import { quantizeMultiplier } from './arithmetic.ts';
import { accumulatorFactors } from './convert-matrix.ts';
import { requireOneScale } from './convert-elementwise.ts';
import { describe, fusedRange, stageOf } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';

/** Axes from 0 on; negative ones count from the end. @throws ImportError for others, or the same twice. */
export function axesOf(operator: TfliteOperator, axes: readonly number[], { dims }: IntegerTensor): number[] {
  const fixed = axes.map((axis) => (axis < 0 ? axis + dims.length : axis));
  if (fixed.some((axis) => !(axis >= 0 && axis < dims.length)) || new Set(fixed).size !== fixed.length) throw new ImportError(`${describe(operator)}: axes ${axes.join(', ')} of [${dims.join(', ')}]`);
  return fixed;
}

function requireReduced(operator: TfliteOperator, x: IntegerTensor, axes: readonly number[], y: IntegerTensor): void {
  const kept = x.dims.filter((_, axis) => !axes.includes(axis)).reduce((product, dim) => product * dim, 1);
  if (y.dims.reduce((product, dim) => product * dim, 1) !== kept) throw new ImportError(`${describe(operator)}: [${x.dims.join(', ')}] over the axes ${axes.join(', ')} does not give [${y.dims.join(', ')}]`);
}

/** `SUM` and `MEAN` of bytes (tensorflow/lite/kernels/internal/reference/reduce.h, `QuantizedMeanOrSum`: a mean's factor has the number of elements in it). */
export const convertSum = (mean: boolean) => (conversion: Conversion, operator: TfliteOperator): void => {
  const x = conversion.input(operator, 0);
  const axes = axesOf(operator, [...new Set(conversion.integers(operator, 1))], x);
  const y = conversion.output(operator);
  requireReduced(operator, x, axes, y);
  if (x.type !== y.type) throw new ImportError(`${describe(operator)}: ${x.tensor.type} to ${y.tensor.type} is not supported`);
  const count = axes.reduce((product, axis) => product * (x.dims[axis] ?? 1), 1);
  const stage = sumStage(conversion, operator, x, y, mean ? count : 1, axes);
  conversion.append({ kind: 'reduce-sum', name: y.name, x: x.name, output: y.name, axes, xZero: x.zeroPoint, stage });
};

function sumStage(conversion: Conversion, operator: TfliteOperator, x: IntegerTensor, y: IntegerTensor, count: number, axes: readonly number[]): OutputStage {
  // XNNPACK has a kernel for means over an image's pixels only.
  if (conversion.rounding === 'float32' && count > 1 && x.dims.length === 4 && axes.length === 2 && axes.includes(1) && axes.includes(2)) {
    return stageOf(operator, 'float32', [Math.fround(Math.fround(x.scale / y.scale) / count)], y, 0, false);
  }
  const rounding = conversion.rounding === 'once' ? 'once' : 'twice';
  const { multiplier, shift } = quantizeMultiplier(Math.fround(x.scale / y.scale));
  const more = Math.min(Math.floor(Math.log2(count)), 32, 62 - shift);
  return {
    rounding, zeroPoint: y.zeroPoint, ...fusedRange(operator, 0, y),
    multipliers: [Number((BigInt(multiplier) << BigInt(more)) / BigInt(count))], shifts: [shift + more],
  };
}

/** `REDUCE_MAX` and `REDUCE_MIN`. */
export const convertReduceExtreme = (which: 'minimum' | 'maximum') => (conversion: Conversion, operator: TfliteOperator): void => {
  const x = conversion.input(operator, 0);
  const axes = axesOf(operator, [...new Set(conversion.integers(operator, 1))], x);
  const y = conversion.output(operator);
  requireReduced(operator, x, axes, y);
  requireOneScale(operator, [x, y]);
  conversion.append({ kind: 'reduce-extreme', which, name: y.name, x: x.name, output: y.name, axes });
};

/** `ARG_MAX` and `ARG_MIN`. */
export const convertArgument = (which: 'minimum' | 'maximum') => (conversion: Conversion, operator: TfliteOperator): void => {
  const x = conversion.input(operator, 0);
  const axes = axesOf(operator, conversion.integers(operator, 1), x);
  const y = conversion.output(operator);
  requireReduced(operator, x, axes, y);
  if (axes.length !== 1 || y.type !== 'int32') throw new ImportError(`${describe(operator)}: ${axes.length} axes to ${y.tensor.type} is not supported`);
  conversion.append({ kind: 'argument', which, name: y.name, x: x.name, output: y.name, axes });
};

/** `BATCH_MATMUL`, of two computed matrices or a constant one. */
export function convertBatchProduct(conversion: Conversion, operator: TfliteOperator): void {
  const [x, w] = [conversion.input(operator, 0), conversion.input(operator, 1)];
  const y = conversion.output(operator);
  const options = operator.options;
  if (x.type !== w.type || x.type !== y.type || x.dims.length < 2 || w.dims.length < 2) throw new ImportError(`${describe(operator)}: ${x.tensor.type} [${x.dims.join(', ')}] times ${w.tensor.type} [${w.dims.join(', ')}] is not supported`);
  const [xTransposed, wTransposed] = [options?.boolean(0, false) ?? false, options?.boolean(1, false) ?? false];
  const sides = (dims: readonly number[], swap: boolean): readonly [number, number] => {
    const [first = 1, second = 1] = dims.slice(-2);
    return swap ? [second, first] : [first, second];
  };
  const [[rows, inner], [other, columns]] = [sides(x.dims, xTransposed), sides(w.dims, wTransposed)];
  const batch = y.dims.slice(0, -2);
  const broadcasts = [x, w].every(({ dims }) => dims.slice(0, -2).every((dim, axis) => dim === 1 || dim === batch[axis + batch.length - (dims.length - 2)]));
  if (inner !== other || y.dims.at(-2) !== rows || y.dims.at(-1) !== columns || !broadcasts) throw new ImportError(`${describe(operator)}: [${x.dims.join(', ')}] times [${w.dims.join(', ')}] does not give [${y.dims.join(', ')}]`);
  const stage = stageOf(operator, conversion.rounding, accumulatorFactors(conversion.rounding, true, x, w, y), y, 0);
  conversion.append({ kind: 'matrix-product', name: y.name, x: x.name, output: y.name, xZero: x.zeroPoint, xTransposed, w: w.name, wZero: w.zeroPoint, wTransposed, stage });
}
