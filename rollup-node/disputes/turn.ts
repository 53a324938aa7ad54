import { decodeErrorResult, encodeFunctionData } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, inboxAbi, modelContractAbi, resultAssertionsAbi, wordMachineAbi } from '../../contracts/abi/generated.ts';
import type { Action, ClaimedSplit, GameView, Role, SplitClaims } from '../../fraud-proof/dispute/player.ts';
import { disputePhase, isOver } from '../chain/clock.ts';
import type { Contracts } from '../chain/contracts.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import type { DisputeRecord } from '../store/tables.ts';

/** What the store says of a dispute, as a player reads it. `time` in seconds of block time. */
export function gameView(dispute: DisputeRecord, split: ClaimedSplit, time: bigint): GameView {
  const phase = disputePhase(dispute, time);
  return {
    status: isOver(phase) ? 'settled' : phase === 'asserter-to-answer' ? 'awaiting-answer' : 'awaiting-move',
    turn: phase === 'challenger-to-move' ? 'challenger' : 'asserter',
    split,
  };
}

/** What a game was opened with, as its calls repeat it. */
export type TermsOfGame = Pick<DisputeRecord, 'asserter' | 'challenger' | 'initialState' | 'binding' | 'steps' | 'allowance' | 'asserterStake' | 'challengerStake'>;

/** The contract's `GameTerms`. */
export function gameTerms(terms: TermsOfGame, { assertions }: Pick<Contracts, 'assertions'>) {
  const { asserter, challenger, initialState, binding, steps, allowance, asserterStake, challengerStake } = terms;
  return { client: assertions, asserter, challenger, initialState, binding, steps, allowance: Number(allowance), asserterStake, challengerStake };
}

/** The contract's `Split`; a transaction of ours carries one blob at most. */
export const splitArgument = ({ end, inner, blob }: SplitClaims) => ({ end, inner, blob: blob === undefined ? 0n : 1n });

/** What travels beside a transaction that carries a split. */
export const blobsOf = ({ blob }: SplitClaims): { readonly blobs?: readonly Uint8Array[] } => (blob === undefined ? {} : { blobs: [blob] });

/** The transaction that an action is. Its intent names the split that it answers, so that no turn is taken twice. */
export function actionTransaction(action: Action, gameId: Hex, terms: TermsOfGame, contracts: Pick<Contracts, 'assertions' | 'game'>): TransactionIntent {
  const { pick } = action;
  const named = { intent: `${action.kind}:${gameId}:${pick.steps}`, to: contracts.game };
  if (action.kind === 'prove') {
    return { ...named, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'prove', args: [gameTerms(terms, contracts), pick, action.proof] }) };
  }
  const split = splitArgument(action.split);
  const blobs = blobsOf(action.split);
  if (action.kind === 'answer') {
    return {
      ...named, ...blobs, value: terms.asserterStake,
      data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'answer', args: [gameTerms(terms, contracts), pick, split] }),
    };
  }
  const { asserter, challenger } = terms;
  return { ...named, ...blobs, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'move', args: [gameId, { asserter, challenger }, pick, split] }) };
}

/** The role that an account has in a dispute, or null. */
export function roleOf(dispute: Pick<DisputeRecord, 'asserter' | 'challenger'>, account: Address): Role | null {
  if (dispute.challenger.toLowerCase() === account.toLowerCase()) return 'challenger';
  return dispute.asserter.toLowerCase() === account.toLowerCase() ? 'asserter' : null;
}

/** What a contract reverted with, in words. */
export function revertReason(data: Hex): string {
  if (data === '0x') return 'no reason given';
  for (const abi of [dissectionGameAbi, resultAssertionsAbi, inboxAbi, modelContractAbi, wordMachineAbi]) {
    try {
      const { errorName, args } = decodeErrorResult({ abi, data });
      return `${errorName}(${(args ?? []).map(String).join(', ')})`;
    } catch {
      // An error of one of the other contracts.
    }
  }
  return data;
}
