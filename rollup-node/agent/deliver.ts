import { bytesToHex, encodeFunctionData } from 'viem';
import { inboxAbi } from '../../contracts/abi/generated.ts';
import { assertionPhase } from '../chain/clock.ts';
import { proveEntry } from '../chain/entries.ts';
import { answersTo, pendingRequests, standingAnswersOf } from './answers.ts';
import type { Duty } from './duty.ts';
import type { Task } from './tasks.ts';

/** Delivers the results that the node itself has asserted, as soon as each requester's finality allows. */
export const deliverResults: Duty = async (context, head) => {
  const { store, self, inference, sender, contracts, log } = context;
  const tasks: Task[] = [];
  for (const request of await pendingRequests(store, head.timestamp)) {
    const { requestId, finality } = request;
    const answer = standingAnswersOf(await answersTo(store, requestId), self)
      .find(({ assertion }) => finality === 'asserted' || assertionPhase(assertion, head.timestamp) === 'final');
    if (answer === undefined) continue;
    const { assertion, assertionId } = answer;
    const intent = `deliver:${requestId}:${assertionId}`;
    tasks.push({
      key: intent,
      run: async () => {
        const { output } = await inference.result(request);
        const { index, path } = proveEntry(assertion, answer.index);
        const data = encodeFunctionData({ abi: inboxAbi, functionName: 'deliver', args: [requestId, assertionId, index, path, bytesToHex(output)] });
        const { gasUsed } = await sender.send({ intent, to: contracts.inbox, data });
        log.info({ request: requestId, assertion: assertionId, finality, gasUsed }, 'delivered');
      },
    });
  }
  return tasks;
};
