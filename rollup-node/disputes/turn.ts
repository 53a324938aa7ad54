import { decodeErrorResult, encodeFunctionData } from 'viem';
import type { Address, Hex } from 'viem';
import { dissectionGameAbi, inboxAbi, modelContractAbi, resultAssertionsAbi, wordMachineAbi } from '../../contracts/abi/generated.ts';
import type { Action, GameView, Role } from '../../fraud-proof/dispute/player.ts';
import { disputePhase, isOver } from '../chain/clock.ts';
import type { Contracts } from '../chain/contracts.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import type { DisputeRecord } from '../store/tables.ts';

/** What the store says of a dispute, as a player reads it. `time` in seconds of block time. */
export function gameView(dispute: DisputeRecord, time: bigint): GameView {
  const phase = disputePhase(dispute, time);
  return {
    status: isOver(phase) ? 'settled' : phase === 'asserter-to-answer' ? 'awaiting-answer' : 'awaiting-move',
    turn: phase === 'challenger-to-move' ? 'challenger' : 'asserter',
    steps: dispute.steps,
    split: dispute.split,
  };
}

/** What a game is about, and the stake that its answer brings. */
export type DisputedEntry = Pick<DisputeRecord, 'gameId' | 'requestId' | 'outputCommitment' | 'asserterStake'>;

/** The transaction that an action is. Its intent names the claims that it answers, so that no turn is taken twice. */
export function actionTransaction(action: Action, dispute: DisputedEntry, contracts: Pick<Contracts, 'assertions' | 'game'>): TransactionIntent {
  const { gameId } = dispute;
  if (action.kind === 'answer') {
    return {
      intent: `answer:${gameId}`,
      to: contracts.assertions,
      value: dispute.asserterStake,
      data: encodeFunctionData({
        abi: resultAssertionsAbi,
        functionName: 'answer',
        args: [gameId, dispute.requestId, dispute.outputCommitment, action.opening, action.states],
      }),
    };
  }
  const path = action.path as readonly [Hex, Hex, Hex, Hex];
  const opened = [gameId, action.claims, BigInt(action.segment), action.start, action.end, path] as const;
  const data = action.kind === 'move'
    ? encodeFunctionData({ abi: dissectionGameAbi, functionName: 'move', args: [...opened, action.states] })
    : encodeFunctionData({ abi: dissectionGameAbi, functionName: 'prove', args: [...opened, action.proof] });
  return { intent: `${action.kind}:${gameId}:${action.claims}`, to: contracts.game, data };
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
