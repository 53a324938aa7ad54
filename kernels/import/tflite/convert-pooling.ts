import { ImportError } from '../import-error.ts';
import { describe, fusedRange } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';
import { windowOf } from './windows.ts';

/** `AVERAGE_POOL_2D` and `MAX_POOL_2D`: on the integers as they are, since both sides have one scale. */
export const convertPooling = (mode: 'maximum' | 'average') => (conversion: Conversion, operator: TfliteOperator): void => {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  if (x.type !== y.type || x.offset !== y.offset || x.scale !== y.scale || x.zeroPoint !== y.zeroPoint) throw new ImportError(`${describe(operator)}: its input and output have different scales or types`);
  const options = operator.options;
  const window = windowOf(operator, x, y, {
    padding: options?.int8(0, 0) ?? 0, strideX: options?.int32(1, 0) ?? 0, strideY: options?.int32(2, 0) ?? 0,
    kernelWidth: options?.int32(3, 0) ?? 0, kernelHeight: options?.int32(4, 0) ?? 0, dilationX: 1, dilationY: 1,
  });
  const { low, high } = fusedRange(operator, options?.int8(5, 0) ?? 0, y);
  conversion.append({ kind: 'pooling', mode, name: y.name, x: x.name, output: y.name, window, low, high, offset: x.offset });
};
