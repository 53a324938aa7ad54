import { readFileSync } from 'node:fs';
import type { Hex } from 'viem';

/** A step kept as bytes: the contract and the verifier must get from `preState`, by `proof`, to `postState`. */
export interface Regression {
  readonly name: string;
  readonly preState: Hex;
  readonly proof: Hex;
  readonly postState: Hex;
}

/** Steps that the interpreter and the contract disagreed about once, after a stock of those at which a mistake is easily made. */
export const readRegressions = (): readonly Regression[] =>
  JSON.parse(readFileSync(new URL('regressions.json', import.meta.url), 'utf8')) as Regression[];
