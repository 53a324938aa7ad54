import { encodeFunctionData } from 'viem';
import type { Hex } from 'viem';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import type { Role } from '../../fraud-proof/dispute/player.ts';
import type { AgentContext, Duty } from '../agent/duty.ts';
import { disputePhase, isOver } from '../chain/clock.ts';
import type { DisputePhase } from '../chain/clock.ts';
import type { Contracts } from '../chain/contracts.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { singly } from './batch.ts';
import { ownOpenDisputes } from './own.ts';
import { checkByReplay } from './replayed.ts';
import { gameTerms } from './turn.ts';

/** Brings disputes that are over to their end: the assertion's note of it, which also records a time-out that nobody has. */
export function settleDisputes(): Duty {
  let running = new Map<Hex, Role>();
  return async (context, head) => {
    const { self, client, batches = singly(context) } = context;
    const open = await ownOpenDisputes(context);
    const over = open.filter(({ dispute }) => isOver(disputePhase(dispute, head.timestamp)));
    const next = new Map(open.filter((entry) => !over.includes(entry)).map(({ dispute, role }) => [dispute.gameId, role]));
    // Whoever settles it, maybe between two looks: what ran before and no longer does has ended.
    for (const [gameId, role] of running) {
      const dispute = next.has(gameId) ? undefined : await context.store.get('disputes', gameId);
      if (dispute !== undefined) report(context, dispute, role, disputePhase(dispute, head.timestamp));
    }
    running = next;
    return over.flatMap(({ dispute, role }) => transactionsAfter(dispute, role, disputePhase(dispute, head.timestamp), context.contracts).map((transaction) => ({
      key: transaction.intent,
      run: () => batches.join(async (send) => void (await send(transaction, await checkByReplay(transaction, self, client, head)))),
    })));
  };
}

function report({ log, metrics }: AgentContext, dispute: DisputeRecord, role: Role, phase: DisputePhase): void {
  if (!isOver(phase)) return;
  const outcome = phase === `${role}-won` ? 'won' : 'lost';
  metrics.disputesEnded.inc({ role, outcome });
  const facts = { dispute: dispute.gameId, assertion: dispute.assertionId, request: dispute.requestId, role, ending: dispute.ending ?? 'timeout', moves: dispute.moves.length };
  if (outcome === 'won') log.info(facts, 'dispute won');
  else log.error(facts, 'dispute lost: what this node computed was disproven, or it did not answer in time; check its executor and its clock');
}

/** What a party still has to send once nobody can move any more. */
export function transactionsAfter(dispute: DisputeRecord, role: Role, phase: DisputePhase, contracts: Contracts): TransactionIntent[] {
  if (!isOver(phase)) return [];
  const won = phase === `${role}-won`;
  const { gameId, assertionId, requestId, outputCommitment } = dispute;
  // An asserter sends this even if it lost: until then the assertion counts the game as open.
  if (dispute.settled || (!won && role !== 'asserter')) return [];
  const args = [assertionId, requestId, outputCommitment, gameTerms(dispute, contracts)] as const;
  return [{ intent: `settle:${gameId}`, to: contracts.assertions, data: encodeFunctionData({ abi: resultAssertionsAbi, functionName: 'settle', args }) }];
}
