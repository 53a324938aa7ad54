import type { Hex } from 'viem';
import { answersTo, canBeDelivered, pendingRequests, standingAnswersOf } from '../agent/answers.ts';
import { createComputer } from '../agent/compute.ts';
import type { Duty } from '../agent/duty.ts';
import { assertAnswers, notDisproven } from '../agent/sponsor.ts';
import type { RequestRecord } from '../store/tables.ts';
import { nextBatch } from './batch.ts';
import type { BatchRules } from './batch.ts';

export interface SequencerOptions extends BatchRules {
  /** Wei that a request has to bring, the callback's part included; 0 by default. Anybody can register a model for any fee. */
  readonly minimumFee?: bigint;
  /** Milliseconds; replaced in tests. */
  readonly now?: () => number;
}

/** Requests taken up at once: later ones wait until these are answered. Those for models that the node does not have are not counted. */
const HORIZON = 1_000;

/** Answers pending requests in the inbox's order: computes them, and asserts the results in batches. */
export function answerRequests(options: SequencerOptions): Duty {
  const now = options.now ?? Date.now;
  const computer = createComputer(now);
  const refused = new Set<Hex>();
  return async (context, head) => {
    const { store, self } = context;
    const open: RequestRecord[] = [];
    const skip = ({ requestId, fee, deadline }: RequestRecord, reason: 'fee' | 'deadline'): void => {
      if (refused.has(requestId)) return;
      refused.add(requestId);
      context.metrics.requestsSkipped.inc({ reason });
      context.log.info({ request: requestId, fee, minimumFee: options.minimumFee, deadline }, reason === 'fee' ? 'request skipped: it pays too little' : 'request skipped: no result could be final before its deadline');
    };
    let taken = 0;
    for (const request of await pendingRequests(store, head.timestamp)) {
      if (taken >= HORIZON) break;
      if (request.fee < (options.minimumFee ?? 0n)) {
        skip(request, 'fee');
        continue;
      }
      if (standingAnswersOf(await answersTo(store, request.requestId), self).length > 0) continue;
      if (!canBeDelivered(request, head.timestamp + context.contracts.window)) {
        skip(request, 'deadline');
        continue;
      }
      open.push(request);
      if (context.inference.models.has(request.modelId)) taken += 1;
    }
    const compute = computer.tasks(context, open);
    const batch = nextBatch(await notDisproven(context, computer.answers()), options, now());
    return [...compute, ...(await assertAnswers(context, batch))];
  };
}
