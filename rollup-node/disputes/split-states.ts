import type { Hex } from 'viem';
import type { DisputeRecord } from '../store/tables.ts';

/** The states at all bounds of a dispute's latest split. */
export function splitStates({ split }: Pick<DisputeRecord, 'split'>): Hex[] {
  return [split.first, ...split.inner, split.last];
}
