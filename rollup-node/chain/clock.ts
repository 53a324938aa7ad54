import type { AssertionRecord, DisputeRecord } from '../store/tables.ts';

export type DisputePhase = DisputeRecord['phase'];
export type AssertionPhase = 'challengeable' | 'disputed' | 'waiting' | 'final' | 'defeated';

/** The phase of a game at a moment, as `GameClock.classify` computes it: whoever's time has run out has lost. `time` in seconds. */
export function disputePhase(dispute: Pick<DisputeRecord, 'phase' | 'turnStartedAt' | 'asserterRemaining' | 'challengerRemaining'>, time: bigint): DisputePhase {
  const elapsed = time - dispute.turnStartedAt;
  switch (dispute.phase) {
    case 'asserter-to-answer':
    case 'asserter-to-move':
      return elapsed >= dispute.asserterRemaining ? 'challenger-won' : dispute.phase;
    case 'challenger-to-move':
      return elapsed >= dispute.challengerRemaining ? 'asserter-won' : dispute.phase;
    default:
      return dispute.phase;
  }
}

/** True once nobody can move any more. */
export const isOver = (phase: DisputePhase): boolean => phase === 'asserter-won' || phase === 'challenger-won';

/** The phase of an assertion at a moment, as `AssertionClock.classify` computes it. `time` in seconds. */
export function assertionPhase(assertion: Pick<AssertionRecord, 'defeated' | 'challengeableUntil' | 'openGames' | 'parentConfirmed'>, time: bigint): AssertionPhase {
  if (assertion.defeated) return 'defeated';
  if (time < assertion.challengeableUntil) return 'challengeable';
  if (assertion.openGames > 0) return 'disputed';
  return assertion.parentConfirmed ? 'final' : 'waiting';
}
