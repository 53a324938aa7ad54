import type { ComputedAnswer } from '../agent/compute.ts';

export interface BatchRules {
  /** Most answers in one assertion. */
  readonly size: number;
  /** Milliseconds that an answer waits for others at most. */
  readonly delay: number;
}

/** The next assertion's answers, in the inbox's order: a full batch, or all there are once the oldest has waited long enough; else none. */
export function nextBatch(ready: readonly ComputedAnswer[], rules: BatchRules, now: number): ComputedAnswer[] {
  if (ready.length === 0) return [];
  const oldest = Math.min(...ready.map(({ since }) => since));
  if (ready.length < rules.size && now - oldest < rules.delay) return [];
  return [...ready].sort((a, b) => (a.request.index < b.request.index ? -1 : 1)).slice(0, rules.size);
}
