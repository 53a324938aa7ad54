import type { Role } from '../../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, calldataArity, CALLDATA_ARITY, levels, segmentCount } from '../../fraud-proof/dispute/split.ts';
import { disputePhase, isOver } from '../chain/clock.ts';
import type { DisputePhase } from '../chain/clock.ts';
import type { DisputeRecord, SplitRecord } from '../store/tables.ts';
import { count, ether, moment } from './words.ts';

/** Where a game stands at a moment. */
export interface GameStatus {
  /** The phase at this moment: clocks that have run out count. */
  readonly phase: DisputePhase;
  /** Whose turn it is; null once nobody can move. */
  readonly turn: Role | null;
  /** Seconds that the party to move has left, and the second of block time in which they are over; null once nobody can move. */
  readonly secondsLeft: number | null;
  readonly deadline: number | null;
  /** Splits so far, and how many there will be at most if the game is played to the end. */
  readonly level: number;
  readonly levels: number;
  /** True as long as somebody still has to send a transaction. */
  readonly open: boolean;
  /** What would happen next, in words. */
  readonly next: string;
}

/** @param time seconds of block time @param bounty wei that a winning challenger gets of the bond, if known */
export function gameStatus(dispute: DisputeRecord, time: bigint, bounty?: bigint): GameStatus {
  const phase = disputePhase(dispute, time);
  const turn = isOver(phase) ? null : phase === 'challenger-to-move' ? 'challenger' : 'asserter';
  const end = deadlineOf(dispute);
  const level = dispute.moves.filter(({ kind }) => kind !== 'end').length;
  return {
    phase, turn, level,
    secondsLeft: turn === null || end === null ? null : Number(end - time),
    deadline: turn === null || end === null ? null : Number(end),
    levels: level + levelsBelow(dispute.split),
    open: !dispute.settled,
    next: describeNext(dispute, phase, time, bounty),
  };
}

/** When the running clock is over, in seconds of block time; null once the end is recorded. */
function deadlineOf({ phase, turnStartedAt, asserterRemaining, challengerRemaining }: DisputeRecord): bigint | null {
  if (isOver(phase)) return null;
  return turnStartedAt + (phase === 'challenger-to-move' ? challengerRemaining : asserterRemaining);
}

/** Segments of a recorded split: one more than inner states where calldata carries them. */
export const segmentsOf = ({ length, inner, blob }: SplitRecord): number => (blob === undefined ? inner.length + 1 : segmentCount(length, BLOB_ARITY));

/** Splits that are still to come below a split, if none of them is ended early. */
function levelsBelow(split: SplitRecord): number {
  const segments = BigInt(segmentsOf(split));
  if (split.length <= segments) return 0;
  // What a node says of a split that no chain takes, of one segment, must not be halved for ever.
  const arity = split.blob === undefined ? calldataArity(Math.max(2, Number(segments))) : CALLDATA_ARITY;
  return levels((split.length + segments - 1n) / segments, arity);
}

function describeNext(dispute: DisputeRecord, phase: DisputePhase, time: bigint, bounty: bigint | undefined): string {
  const { asserterStake, challengerStake, split } = dispute;
  const end = deadlineOf(dispute);
  if (isOver(phase)) return describeEnd(dispute, phase, end === null ? null : moment(end, time));
  const by = moment(end as bigint, time);
  const bonus = bounty === undefined || bounty === 0n ? '' : ` and a bounty of ${ether(bounty)}`;
  const single = split.length <= BigInt(segmentsOf(split));
  const move = single ? `has to prove one of ${count(split.length)} ${split.length === 1n ? 'step' : 'steps'}` : `has to split one of ${segmentsOf(split)} segments`;
  switch (phase) {
    case 'asserter-to-answer':
      return `the asserter has to answer with a stake of ${ether(asserterStake)} by ${by}, else the challenger wins: its ${ether(challengerStake)} back${bonus}`;
    case 'asserter-to-move':
      return `the asserter ${move} by ${by}, else the challenger wins: its ${ether(challengerStake)} back, at most ${ether(asserterStake)} for its moves${bonus}`;
    default:
      return `the challenger ${move} by ${by}, else the asserter wins: its ${ether(asserterStake)} back, at most ${ether(challengerStake)} for its moves`;
  }
}

const REASONS: Readonly<Record<NonNullable<DisputeRecord['ending']>, string>> = {
  proof: 'by proof', concession: 'as the other side proved what it disputed', timeout: 'as the other side was out of time',
};

function describeEnd({ ending, settled, bounty }: DisputeRecord, phase: DisputePhase, ranOut: string | null): string {
  const [winner, loser] = phase === 'asserter-won' ? ['asserter', 'challenger'] : ['challenger', 'asserter'];
  if (settled) return `nothing: the ${winner} has won${ending === undefined ? '' : ` ${REASONS[ending]}`}${bounty > 0n ? `, with a bounty of ${ether(bounty)}` : ''}`;
  if (ending === undefined) return `anybody can settle: the ${loser}'s clock ran out${ranOut === null ? '' : ` at ${ranOut}`}, and the ${winner} has won`;
  return `anybody can settle: the ${winner} has won ${REASONS[ending]}`;
}
