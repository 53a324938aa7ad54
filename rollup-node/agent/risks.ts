import { formatEther } from 'viem';
import type { Hex } from 'viem';
import { turnEndsAt } from '../chain/urgency.ts';
import { ownOpenDisputes } from '../disputes/own.ts';
import { challengeStake } from '../watcher/stake.ts';
import type { AgentContext, Duty } from './duty.ts';

/** Seconds of the node's own turn below which somebody should look. */
const LITTLE_TIME = 3_600;

/** Notes what may cost the node its stakes: games with little time left, and too little money for what may come. Sends nothing. */
export function watchRisks(): Duty {
  /** What a challenge about a model's result locks; that of a request is the same for all requests of the model. */
  const stakes = new Map<Hex, bigint>();
  return async (context, head) => {
    const { client, self, metrics, problems, contracts } = context;
    const disputes = await ownOpenDisputes(context);
    metrics.disputeSecondsLeft.reset();
    const hurried = new Set<string>();
    let answers = 0n;
    for (const { dispute, role } of disputes) {
      const end = turnEndsAt(dispute);
      if (end === undefined || end <= head.timestamp) continue;
      const ours = dispute.phase.startsWith(role);
      const left = Number(end - head.timestamp);
      metrics.disputeSecondsLeft.set({ dispute: dispute.gameId, turn: ours ? 'own' : 'other' }, left);
      if (ours && dispute.phase === 'asserter-to-answer') answers += dispute.asserterStake;
      if (!ours || left >= LITTLE_TIME || left * 2 >= Number(role === 'asserter' ? dispute.asserterRemaining : dispute.challengerRemaining)) continue;
      const name = `time:${dispute.gameId}`;
      hurried.add(name);
      problems.set(name, `${left} seconds are left for this node's turn in dispute ${dispute.gameId}`);
    }
    problems.keepOnly('time:', hurried);
    const needed = answers + (await nextChallenge(context, stakes)) + contracts.bond;
    const balance = await client.getBalance({ address: self });
    metrics.balance.set(Number(formatEther(balance)));
    metrics.fundsNeeded.set(Number(formatEther(needed)));
    if (balance < needed) problems.set('funds', `account ${self} has ${formatEther(balance)} ETH; ${formatEther(needed)} are needed for open games, one more dispute and one assertion`);
    else problems.clear('funds');
    return [];
  };
}

/** The greatest stake among the models whose results are open to challenge; 0 while there are none. */
async function nextChallenge(context: AgentContext, stakes: Map<Hex, bigint>): Promise<bigint> {
  const { store, inference } = context;
  let most = 0n;
  // The newest are enough: an attacker decides how many are open.
  for (const { key } of await store.list('openAssertions', { limit: 32 })) {
    const [requestId] = (await store.get('assertions', key))?.requestIds ?? [];
    const request = requestId === undefined ? undefined : await store.get('requests', requestId);
    if (request === undefined || !inference.models.has(request.modelId)) continue;
    const stake = stakes.get(request.modelId) ?? (await challengeStake(context, request.requestId));
    stakes.set(request.modelId, stake);
    if (stake > most) most = stake;
  }
  return most;
}
