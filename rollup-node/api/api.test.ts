import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, encodeAbiParameters, keccak256 } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentStatus } from '../agent/agent.ts';
import { answerKey } from '../chain/projection.ts';
import { silentLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { numberKey, openStore } from '../store/store.ts';
import type { Change, Store } from '../store/store.ts';
import { addressOf, assertion, at, dispute, idOf, request } from '../testing/records.ts';
import { createApi } from './api.ts';
import { serveApi } from './server.ts';

let store: Store;
let app: ReturnType<typeof createApi>;
let status: AgentStatus = { state: 'starting', tasks: 0, pendingTransactions: 0 };

const result = encodeAbiParameters([{ type: 'string' }], ['eng']);

beforeAll(async () => {
  store = await openStore(await mkdtemp(join(tmpdir(), 'assay-api-')));
  const requests = [
    request(0, { status: 'delivered', delivery: { ...at(9), assertionId: idOf(0x200), result, callbackSucceeded: true } }),
    request(1), request(2), request(3, { modelId: idOf(2) }), request(4, { status: 'refunded' }),
  ];
  const assertions = [assertion(0, [0, 1, 2]), assertion(1, [2], { defeated: true, challengeableUntil: 60n })];
  const disputes = [dispute(1, { phase: 'challenger-won', ending: 'proof' }), dispute(2)];
  const changes: Change[] = [
    { table: 'models', key: idOf(1), value: { modelId: idOf(1), header: [], signature: 'detect(string)->(string)', contracts: [], registered: at(1) } },
    ...requests.flatMap((value): Change[] => [
      { table: 'requests', key: value.requestId, value },
      { table: 'requestOrder', key: numberKey(value.index), value: value.requestId },
      ...(value.status === 'pending' ? [{ table: 'pendingRequests', key: numberKey(value.index), value: value.requestId } as const] : []),
    ]),
    ...assertions.flatMap((value): Change[] => [
      { table: 'assertions', key: value.assertionId, value },
      { table: 'assertionOrder', key: `${numberKey(value.asserted.blockNumber)}!${value.assertionId}`, value: value.assertionId },
      ...value.requestIds.map((requestId, index): Change => ({ table: 'answers', key: answerKey(requestId, value.assertionId), value: { assertionId: value.assertionId, index, outputCommitment: value.outputCommitments[index]!, sponsor: value.sponsor } })),
    ]),
    ...disputes.flatMap((value): Change[] => [
      { table: 'disputes', key: value.gameId, value },
      { table: 'disputeOrder', key: `${numberKey(1)}!${value.gameId}`, value: value.gameId },
      { table: 'assertionDisputes', key: `${value.assertionId}!${value.gameId}`, value: value.gameId },
    ]),
  ];
  await store.write(changes);
  app = createApi({ store, models: new Map(), metrics: createMetrics(), log: silentLogger(), status: () => status, identity: { chainId: 31337, account: addressOf(3), assertions: addressOf(5) } });
});
afterAll(() => store.close());

const get = async (path: string): Promise<{ code: number; body: Record<string, unknown> }> => {
  const response = await app.request(path);
  return { code: response.status, body: (await response.json()) as Record<string, unknown> };
};
const items = async (path: string): Promise<Record<string, unknown>[]> => (await get(path)).body.items as Record<string, unknown>[];

describe('health and metrics', () => {
  test('503 until the chain is followed, with the reason', async () => {
    status = { state: 'stale', tasks: 1, pendingTransactions: 2, problem: 'the newest block is 500 seconds old' };
    expect(await get('/health')).toMatchObject({ code: 503, body: { status: 'stale', problem: 'the newest block is 500 seconds old', tasks: 1 } });
    status = { state: 'following', tasks: 0, pendingTransactions: 0, head: { number: 70n, hash: idOf(7), timestamp: 70n } };
    expect(await get('/health')).toMatchObject({ code: 200, body: { status: 'ok', head: { number: '70' }, chainId: 31337, account: addressOf(3) } });
  });

  test('metrics in the text format of Prometheus', async () => {
    const response = await app.request('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toMatch(/^# TYPE assay_head_block gauge$/m);
  });
});

describe('records', () => {
  test('requests: newest first, by status, by model, page by page', async () => {
    const indices = async (path: string): Promise<unknown[]> => (await items(path)).map(({ index }) => index);
    expect(await indices('/requests')).toEqual(['4', '3', '2', '1', '0']);
    expect(await indices('/requests?status=pending')).toEqual(['3', '2', '1']);
    expect(await indices(`/requests?model=${idOf(2)}`)).toEqual(['3']);
    const first = await get('/requests?limit=2');
    expect(first.body.next).toBe(numberKey(3));
    expect(await indices(`/requests?limit=2&before=${String(first.body.next)}`)).toEqual(['2', '1']);
    expect((await get(`/requests?limit=4&before=${numberKey(3)}`)).body.next).toBeNull();
  });

  test('one request, with its answers and its result as a value', async () => {
    expect(await get(`/requests/${idOf(0x100)}`)).toMatchObject({
      code: 200,
      body: { fee: '5', delivery: { value: 'eng', callbackSucceeded: true }, answers: [{ assertionId: idOf(0x200), index: 0, phase: 'challengeable' }] },
    });
    expect((await get(`/requests/${idOf(0x102)}`)).body.answers).toMatchObject([{ phase: 'challengeable' }, { phase: 'defeated' }]);
  });

  test("a result's proof leads to the assertion's root", async () => {
    const { body } = await get(`/results/${idOf(0x101)}`);
    const { path, index } = body.assertion as { path: `0x${string}`[]; index: string };
    expect(body.status).toBe('asserted');
    let node = keccak256(concat([idOf(0x101), idOf(0x501)]));
    for (const [height, sibling] of path.entries()) node = keccak256((Number(index) >> height) & 1 ? concat([sibling, node]) : concat([node, sibling]));
    const leaf = (number: number): `0x${string}` => keccak256(concat([idOf(0x100 + number), idOf(0x500 + number)]));
    expect(node).toBe(keccak256(concat([keccak256(concat([leaf(0), leaf(1)])), keccak256(concat([leaf(2), idOf(0)]))])));
    expect(await get(`/results/${idOf(0x103)}`)).toMatchObject({ code: 404 });
  });

  test('assertions and disputes, with phases at the head of the chain', async () => {
    expect((await items('/assertions')).map(({ phase }) => phase)).toEqual(['defeated', 'challengeable']);
    expect(await items('/assertions?phase=defeated')).toHaveLength(1);
    expect((await get(`/assertions/${idOf(0x201)}`)).body.disputes).toMatchObject([{ phase: 'challenger-won', ending: 'proof' }]);
    expect(await items('/disputes?state=open')).toMatchObject([{ gameId: idOf(0x302), phase: 'asserter-to-answer' }]);
    expect((await get(`/disputes/${idOf(0x301)}`)).body).toMatchObject({ steps: '1000', moves: [{ kind: 'challenge', blockNumber: '50' }] });
  });

  test('a clock that has run out is an end, though no transaction says so', async () => {
    status = { ...status, head: { number: 200n, hash: idOf(8), timestamp: 200n } };
    expect((await get(`/disputes/${idOf(0x302)}`)).body).toMatchObject({ phase: 'challenger-won', recordedPhase: 'asserter-to-answer' });
    expect(await items('/disputes?state=open')).toEqual([]);
  });

  test('models say whether this node has their files', async () => {
    expect(await items('/models')).toMatchObject([{ modelId: idOf(1), served: false }]);
    expect((await get(`/models/${idOf(1)}`)).body).toMatchObject({ signature: 'detect(string)->(string)' });
  });
});

describe('bad input', () => {
  test.each([
    ['/requests/0x12', 400, /id: must be 0x and 64 hex digits/],
    [`/requests/${idOf(0x999)}`, 404, /no such request/],
    [`/models/${idOf(3)}`, 404, /no such model/],
    ['/requests?limit=0', 400, /limit: must be at least 1/],
    ['/requests?limit=1e9', 400, /limit: must be at most 200/],
    ['/requests?limit=many', 400, /limit: must be a number/],
    ['/requests?status=lost', 400, /status/],
    ['/requests?sort=up', 400, /sort/],
    ['/nothing', 404, /there is no GET \/nothing/],
  ])('%s → %i', async (path, code, message) => {
    const answer = await get(path);
    expect(answer.code).toBe(code);
    expect((answer.body.error as { message: string }).message).toMatch(message);
  });

  test('nothing can be written', async () => {
    expect((await app.request('/requests', { method: 'POST', body: '{}' })).status).toBe(404);
  });

  test('a failure inside is not told to the world', async () => {
    const broken = createApi({
      store: { get: () => Promise.reject(new Error('secret path /home/x')), list: () => Promise.reject(new Error('secret path /home/x')) },
      models: new Map(), metrics: createMetrics(), log: silentLogger(), status: () => status, identity: { chainId: 1, account: '0x', assertions: '0x' },
    });
    const response = await broken.request('/requests');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});

test('over HTTP; a taken port is one clear error', async () => {
  const server = await serveApi(app, { host: '127.0.0.1', port: 0 });
  const response = await fetch(`${server.url}/health`);
  expect(((await response.json()) as { chainId: number }).chainId).toBe(31337);
  await expect(serveApi(app, { host: '127.0.0.1', port: Number(new URL(server.url).port) })).rejects.toThrow(/cannot serve the API on 127\.0\.0\.1/);
  await server.close();
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});
