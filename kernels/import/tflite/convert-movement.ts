import { ImportError } from '../import-error.ts';
import { describe } from './conversion.ts';
import type { Conversion } from './conversion.ts';
import type { TfliteOperator } from './decode.ts';

const elements = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** `RESHAPE`, `SQUEEZE`, `EXPAND_DIMS`: the output's dimensions say it all. */
export function convertReshape(conversion: Conversion, operator: TfliteOperator): void {
  const x = conversion.input(operator, 0);
  const y = conversion.output(operator);
  if (elements(x.dims) !== elements(y.dims) || x.type !== y.type) throw new ImportError(`${describe(operator)}: [${x.dims.join(', ')}] has not the elements of [${y.dims.join(', ')}]`);
  conversion.append({ kind: 'reshape', name: y.name, x: x.name, output: y.name });
}
