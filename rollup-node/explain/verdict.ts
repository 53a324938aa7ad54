import type { Hex } from 'viem';
import { segmentAt, splitBounds } from '../../fraud-proof/dispute/split.ts';
import type { Segment } from '../../fraud-proof/dispute/split.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import type { SplitClaim } from './transcript.ts';

/** Which of a split's claims are right, against a run of one's own. */
export interface Verdict {
  /** Claims that are known: all of them, or the last alone where a blob carried the others. */
  readonly claims: number;
  /** Those that are wrong, by their step numbers. */
  readonly wrong: readonly bigint[];
  /** The first segment that starts right and ends wrong, as far as is known: what an honest party disputes; null if there is none. */
  readonly firstWrong: (Segment & { readonly index: number | null; readonly end: Hex }) | null;
}

/** Compares a split with the states of one's own run. The state at its start is agreed, and no claim. */
export async function judge(split: SplitClaim, trace: Pick<Trace, 'stateAt'>): Promise<Verdict> {
  const bounds = splitBounds(split, split.arity);
  if (split.inner === null) {
    const end = split.start + split.length;
    const [own] = await trace.stateAt([end]);
    const right = own === split.last;
    return { claims: 1, wrong: right ? [] : [end], firstWrong: right ? null : { start: split.start, length: split.length, index: null, end: split.last } };
  }
  const claimed = [split.first, ...split.inner, split.last];
  const own = await trace.stateAt(bounds);
  const differs = claimed.map((state, index) => state !== own[index]);
  const index = differs.findIndex((wrong, position) => position + 1 < differs.length && !wrong && differs[position + 1] === true);
  return {
    claims: claimed.length - 1,
    wrong: bounds.filter((_, position) => position > 0 && differs[position] === true),
    firstWrong: index < 0 ? null : { ...segmentAt(split, index, split.arity), index, end: claimed[index + 1] as Hex },
  };
}
