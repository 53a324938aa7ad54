import { Hono } from 'hono';
import type { Context } from 'hono';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import type { Hex } from 'viem';
import { z } from 'zod';
import type { AgentStatus } from '../agent/agent.ts';
import { answersTo, disputesOf } from '../agent/answers.ts';
import { assertionPhase, disputePhase, isOver } from '../chain/clock.ts';
import { proveEntry } from '../chain/entries.ts';
import { resultKey } from '../inference/inference.ts';
import type { ModelLibrary } from '../inference/models.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';
import type { RequestRecord } from '../store/tables.ts';
import { newestFirst } from './page.ts';
import { assertionView, disputeView, modelView, readable, requestView, toJson } from './view.ts';

export interface ApiOptions {
  readonly store: Pick<Store, 'get' | 'list'>;
  readonly models: ModelLibrary;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly status: () => AgentStatus;
  /** For `/health`. */
  readonly identity: { readonly chainId: number; readonly account: string; readonly assertions: string };
}

const id = z.string().regex(/^0x[0-9a-f]{64}$/i, 'must be 0x and 64 hex digits').transform((text) => text.toLowerCase() as Hex);
const paging = {
  limit: z.coerce.number({ error: 'must be a number' }).int('must be a whole number').min(1, 'must be at least 1').max(200, 'must be at most 200').default(50),
  before: z.string().max(120).optional(),
};
const queries = {
  page: z.strictObject(paging),
  requests: z.strictObject({ ...paging, status: z.enum(['pending', 'delivered', 'refunded']).optional(), model: id.optional() }),
  assertions: z.strictObject({ ...paging, phase: z.enum(['challengeable', 'disputed', 'final', 'defeated']).optional() }),
  disputes: z.strictObject({ ...paging, state: z.enum(['open', 'over']).optional() }),
};

/** The HTTP API, to read only; docs/node-operators.md describes the routes. Knows no server: `app.fetch` answers requests. */
export function createApi(options: ApiOptions): Hono {
  const { store, models, metrics, log, status } = options;
  const app = new Hono();
  const time = (): bigint => status().head?.timestamp ?? 0n;
  const json = (context: Context, body: unknown, code: 200 | 503 = 200): Response => context.json(toJson(body) as object, code);

  app.use(cors({ origin: '*', allowMethods: ['GET'] }));
  app.notFound((context) => context.json(problem('not-found', `there is no ${context.req.method} ${context.req.path}`), 404));
  app.onError((error, context) => {
    if (error instanceof HTTPException) return context.json(problem(error.status === 404 ? 'not-found' : 'bad-request', error.message), error.status);
    log.error({ path: context.req.path, err: error }, 'a request to the API failed');
    return context.json(problem('internal', 'the node could not answer: see its log'), 500);
  });

  app.get('/health', (context) => {
    const { state, head, tasks, pendingTransactions, problem: reason, problems = [] } = status();
    const healthy = state === 'following';
    return json(context, { status: !healthy ? state : problems.length > 0 ? 'degraded' : 'ok', problem: reason ?? null, problems, head: head ?? null, tasks, pendingTransactions, models: [...models.keys()], ...options.identity }, healthy ? 200 : 503);
  });

  app.get('/metrics', async (context) => context.text(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }));

  app.get('/models', async (context) => {
    const { limit, before } = valid(queries.page, context.req.query());
    const records = await store.list('models', { limit: limit + 1, ...(before === undefined ? {} : { after: before }) });
    const items = records.slice(0, limit);
    return json(context, { items: items.map(({ value }) => modelView(value, models.get(value.modelId))), next: records.length > limit ? items.at(-1)?.key : null });
  });

  app.get('/models/:id', async (context) => {
    const model = await found(store.get('models', idOf(context)), 'model');
    return json(context, modelView(model, models.get(model.modelId)));
  });

  app.get('/requests', async (context) => {
    const { status: wanted, model, ...page } = valid(queries.requests, context.req.query());
    const table = wanted === 'pending' ? 'pendingRequests' : 'requestOrder';
    return json(context, await newestFirst((range) => store.list(table, range), async (requestId) => {
      const request = await store.get('requests', requestId);
      if (request === undefined || (wanted !== undefined && request.status !== wanted) || (model !== undefined && request.modelId !== model)) return undefined;
      return requestView(request, await store.get('models', request.modelId));
    }, page));
  });

  app.get('/requests/:id', async (context) => {
    const request = await found(store.get('requests', idOf(context)), 'request');
    const answers = (await answersTo(store, request.requestId)).map(({ assertion, ...answer }) => ({ ...answer, phase: assertionPhase(assertion, time()) }));
    return json(context, { ...requestView(request, await store.get('models', request.modelId)), answers });
  });

  app.get('/results/:id', async (context) => {
    const request = await found(store.get('requests', idOf(context)), 'request');
    return json(context, await found(resultOf(store, request, time()), 'result for this request yet'));
  });

  app.get('/assertions', async (context) => {
    const { phase, ...page } = valid(queries.assertions, context.req.query());
    return json(context, await newestFirst((range) => store.list('assertionOrder', range), async (assertionId) => {
      const assertion = await store.get('assertions', assertionId);
      return assertion === undefined || (phase !== undefined && assertionPhase(assertion, time()) !== phase) ? undefined : assertionView(assertion, time());
    }, page));
  });

  app.get('/assertions/:id', async (context) => {
    const assertion = await found(store.get('assertions', idOf(context)), 'assertion');
    const disputes = await disputesOf(store, assertion.assertionId);
    return json(context, { ...assertionView(assertion, time()), disputes: disputes.map((dispute) => disputeView(dispute, time())) });
  });

  app.get('/disputes', async (context) => {
    const { state, ...page } = valid(queries.disputes, context.req.query());
    return json(context, await newestFirst((range) => store.list('disputeOrder', range), async (gameId) => {
      const dispute = await store.get('disputes', gameId);
      if (dispute === undefined) return undefined;
      const over = isOver(disputePhase(dispute, time()));
      return state !== undefined && over !== (state === 'over') ? undefined : disputeView(dispute, time());
    }, page));
  });

  app.get('/disputes/:id', async (context) => json(context, disputeView(await found(store.get('disputes', idOf(context)), 'dispute'), time())));

  return app;
}

/** What is known of a request's result: computed here, asserted, final, delivered; with the entry's proof for contracts that check it. */
async function resultOf(store: ApiOptions['store'], request: RequestRecord, time: bigint): Promise<object | undefined> {
  const standing = (await answersTo(store, request.requestId)).filter(({ assertion }) => !assertion.defeated);
  const final = standing.find(({ assertion }) => assertionPhase(assertion, time) === 'final');
  const answer = final ?? standing[0];
  const computed = await store.get('results', resultKey(request));
  if (answer === undefined && computed === undefined && request.delivery === undefined) return undefined;
  const model = await store.get('models', request.modelId);
  return {
    requestId: request.requestId,
    modelId: request.modelId,
    status: final !== undefined ? 'final' : answer !== undefined ? 'asserted' : 'computed',
    ...(request.delivery === undefined ? {} : { delivered: { result: request.delivery.result, value: model === undefined ? null : readable(model.signature, request.delivery.result) } }),
    ...(answer === undefined ? {} : { assertion: { assertionId: answer.assertionId, sponsor: answer.sponsor, ...proveEntry(answer.assertion, answer.index) } }),
    ...(computed === undefined ? {} : { computed }),
  };
}

const problem = (code: string, message: string): object => ({ error: { code, message } });

const idOf = (context: Context): Hex => valid(z.object({ id }), context.req.param()).id;

function valid<T extends z.ZodType>(schema: T, values: unknown): z.output<T> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues.map(({ path, message: text }) => `${path.length === 0 ? 'query' : path.join('.')}: ${text}`).join('; ');
  throw new HTTPException(400, { message });
}

async function found<T>(record: Promise<T | undefined>, what: string): Promise<T> {
  const value = await record;
  if (value === undefined) throw new HTTPException(404, { message: `there is no such ${what}` });
  return value;
}
