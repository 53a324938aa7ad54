import { nextAction, NothingToDisputeError } from '../../fraud-proof/dispute/player.ts';
import type { Role } from '../../fraud-proof/dispute/player.ts';
import type { Duty } from '../agent/duty.ts';
import { disputePhase, isOver } from '../chain/clock.ts';
import { singly } from './batch.ts';
import { ownOpenDisputes } from './own.ts';
import { checkByReplay } from './replayed.ts';
import { claimedSplit, keepBlobs, playOptionsOf } from './split-states.ts';
import { actionTransaction, gameView } from './turn.ts';

/** Takes the node's turn in every dispute that it is a party to: all of them side by side. */
export const playDisputes: Duty = async (context, head) => {
  const { store, self, inference, contracts, client, log, batches = singly(context) } = context;
  const disputes = await ownOpenDisputes(context);
  // What is over needs no trace, though its stakes may wait for somebody for a long time.
  const running = disputes.filter(({ dispute }) => !isOver(disputePhase(dispute, head.timestamp)));
  await inference.keepTraces(new Set(running.map(({ dispute }) => dispute.requestId)));
  await keepBlobs(new Set(running.map(({ dispute }) => dispute.gameId)), context);
  return running.flatMap(({ dispute, role }) => {
    const mover: Role = disputePhase(dispute, head.timestamp) === 'challenger-to-move' ? 'challenger' : 'asserter';
    if (mover !== role) return [];
    return [{
      key: `turn:${dispute.gameId}:${dispute.split.length}`,
      run: () => batches.join(async (send) => {
        const request = await store.get('requests', dispute.requestId);
        if (request === undefined) throw new Error(`dispute ${dispute.gameId} is about a request that is not in the store`);
        // Side by side: running a long inference again may take longer than a blob is kept.
        const [trace, split] = await Promise.all([inference.trace(request), claimedSplit(dispute, context)]);
        const view = gameView(dispute, split, head.timestamp);
        const action = await nextAction(view, role, trace, playOptionsOf(context)).catch((error: unknown) => {
          if (!(error instanceof NothingToDisputeError)) throw error;
          throw new Error(`nothing to play in dispute ${dispute.gameId}: this node computed the same as the other side claims`, { cause: error });
        });
        if (action === null) return;
        const transaction = actionTransaction(action, dispute.gameId, dispute, contracts);
        const { gasUsed, items } = await send(transaction, await checkByReplay(transaction, self, client, head));
        log.info({ dispute: dispute.gameId, role, action: action.kind, ...(action.kind === 'prove' ? { step: action.step } : {}), gasUsed, ...(items === 1 ? {} : { batchOf: items }) }, 'played');
      }),
    }];
  });
};
