import type { Hex } from 'viem';
import { UnservableRequestError } from '../inference/inference.ts';
import type { RequestRecord, ResultRecord } from '../store/tables.ts';
import type { AgentContext } from './duty.ts';
import type { Task } from './tasks.ts';

export interface ComputedAnswer {
  readonly request: RequestRecord;
  readonly result: ResultRecord;
  /** Milliseconds of the wall clock. */
  readonly since: number;
}

/** Verified results that are ready to be asserted, and tasks that compute more. Nothing is lost with it: results are in the store. */
export interface Computer {
  /**
   * Tasks for those of the requests that are not computed yet. Answers to others are forgotten. A request that this
   * node cannot answer is said so once, and left alone.
   */
  tasks(context: AgentContext, requests: readonly RequestRecord[]): Task[];
  answers(): ComputedAnswer[];
}

/** @param now milliseconds; replaced in tests. */
export function createComputer(now: () => number = Date.now): Computer {
  const unservable = new Set<Hex>();
  const computed = new Map<Hex, ComputedAnswer>();
  return {
    answers: () => [...computed.values()],
    tasks: (context, requests) => {
      const wanted = new Set(requests.map(({ requestId }) => requestId));
      for (const requestId of computed.keys()) if (!wanted.has(requestId)) computed.delete(requestId);
      for (const requestId of unservable) if (!wanted.has(requestId)) unservable.delete(requestId);
      return requests.filter(({ requestId }) => !computed.has(requestId) && !unservable.has(requestId)).map((request) => ({
        key: `compute:${request.requestId}`,
        run: async () => {
          const { requestId, index } = request;
          try {
            const result = await context.inference.result(request, { verified: true });
            computed.set(requestId, { request, result, since: now() });
            context.log.info({ request: requestId, index, executor: result.executor, milliseconds: Math.round(result.milliseconds) }, 'computed');
          } catch (error) {
            if (!(error instanceof UnservableRequestError)) throw error;
            unservable.add(requestId);
            context.metrics.requestsSkipped.inc({ reason: context.inference.models.has(request.modelId) ? 'input' : 'model' });
            context.log.warn({ request: requestId, model: request.modelId, reason: error.message }, 'request skipped');
          }
        },
      }));
    },
  };
}
