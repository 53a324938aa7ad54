import { ImportError } from '../import-error.ts';
import { describe } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';

/** Steps in 1 of a table of exponentials. */
const TABLE_STEPS = 2 ** 30;

/**
 * `SOFTMAX` of bytes, over the last axis: the exponentials that TensorFlow Lite's own table has (`PopulateSoftmaxLookupTable`: single precision), their sum exact instead of in single
 * precision.
 */
export function convertSoftmax(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  if (x.type !== 'int8' || y.type !== 'int8') throw new ImportError(`${describe(operator)}: a softmax from ${x.tensor.type} to ${y.tensor.type} is not supported; one of bytes is`);
  const steps = 1 / y.scale;
  if (!Number.isInteger(steps) || steps < 1 || steps > 2 ** 16) throw new ImportError(`${describe(operator)}: an output scale of ${y.scale}; 1/256 is the usual one`);
  const beta = operator.options?.float32(0, 0) ?? 0;
  const exponent = Math.fround(-x.scale * beta);
  const table = Int32Array.from({ length: 256 }, (_, distance) => Math.round(Math.fround(Math.exp(Math.fround(exponent * distance))) * TABLE_STEPS));
  conversion.append({ kind: 'softmax', name: y.name, x: x.name, output: y.name, table, outputSteps: steps, zeroPoint: y.zeroPoint });
}
