import { ImportError } from '../import-error.ts';
import { quantizeMultiplier } from './arithmetic.ts';
import { describe, stageOf } from './conversion.ts';
import type { Conversion, IntegerTensor } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';

/** Dimensions that two tensors broadcast to have to be the output's. */
export function requireBroadcast(operator: TfliteOperator, parts: readonly IntegerTensor[], y: IntegerTensor): void {
  for (const { dims } of parts) {
    const added = y.dims.length - dims.length;
    if (added < 0 || dims.some((dim, axis) => dim !== 1 && dim !== y.dims[axis + added])) throw new ImportError(`${describe(operator)}: [${dims.join(', ')}] does not broadcast to [${y.dims.join(', ')}]`);
  }
}

/**
 * `ADD` and `SUB`: each input is brought to a common scale, twice the greater one's, less `leftShift` bits (tensorflow/lite/kernels/add.cc, `PrepareGeneralAddOrSub`), with gemmlowp's
 * two roundings: runtimes agree there, whatever they do elsewhere.
 */
export const convertAdd = (subtract: boolean) => (conversion: Conversion, operator: TfliteOperator): void => {
  const [a, b] = [conversion.input(operator, 0), conversion.input(operator, 1)];
  const y = conversion.output(operator);
  if (a.type !== y.type || b.type !== y.type || y.type === 'int32') throw new ImportError(`${describe(operator)}: ${a.tensor.type} and ${b.tensor.type} to ${y.tensor.type} is not supported`);
  requireBroadcast(operator, [a, b], y);
  const leftShift = y.type === 'int16' ? 15 : 20;
  const common = 2 * Math.max(a.scale, b.scale);
  const rounding = conversion.rounding === 'once' ? 'once' : 'twice';
  const term = (x: IntegerTensor): { x: string; zeroPoint: number; multiplier: number; shift: number } => ({ x: x.name, zeroPoint: x.zeroPoint, ...quantizeMultiplier(x.scale / common) });
  const stage = stageOf(operator, rounding, [1], y, operator.options?.int8(0, 0) ?? 0);
  const { multiplier, shift } = quantizeMultiplier(common / (2 ** leftShift * y.scale));
  conversion.append({ kind: 'add', name: y.name, output: y.name, a: term(a), b: term(b), subtract, leftShift, stage: { ...stage, multipliers: [multiplier], shifts: [shift], rounding } });
};
