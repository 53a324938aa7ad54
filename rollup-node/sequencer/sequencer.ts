import type { Hex } from 'viem';
import { standingAnswersOf, answersTo, pendingRequests } from '../agent/answers.ts';
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

/** Requests taken up at once: later ones wait until these are answered. */
const HORIZON = 1_000;

/** Answers pending requests in the inbox's order: computes them, and asserts the results in batches. */
export function answerRequests(options: SequencerOptions): Duty {
  const now = options.now ?? Date.now;
  const computer = createComputer(now);
  const refused = new Set<Hex>();
  return async (context, head) => {
    const { store, self } = context;
    const open: RequestRecord[] = [];
    for (const request of await pendingRequests(store, head.timestamp)) {
      if (open.length >= HORIZON) break;
      if (request.fee < (options.minimumFee ?? 0n)) {
        if (refused.has(request.requestId)) continue;
        refused.add(request.requestId);
        context.metrics.requestsSkipped.inc({ reason: 'fee' });
        context.log.info({ request: request.requestId, fee: request.fee, minimumFee: options.minimumFee }, 'request skipped: it pays too little');
        continue;
      }
      if (standingAnswersOf(await answersTo(store, request.requestId), self).length === 0) open.push(request);
    }
    const compute = computer.tasks(context, open);
    const batch = nextBatch(await notDisproven(context, computer.answers()), options, now());
    return [...compute, ...(await assertAnswers(context, batch))];
  };
}
