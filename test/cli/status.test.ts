import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentStatus } from '../../rollup-node/agent/agent.ts';
import { createApi } from '../../rollup-node/api/api.ts';
import { serveApi } from '../../rollup-node/api/server.ts';
import type { ApiServer } from '../../rollup-node/api/server.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { createMetrics } from '../../rollup-node/metrics.ts';
import { idOf } from '../../rollup-node/testing/records.ts';
import { assay } from './assay.ts';

const head = { number: 70n, hash: idOf(7), timestamp: 1_700_000_000n };
let status: AgentStatus;
let server: ApiServer;

beforeAll(async () => {
  server = await serveApi(createApi({
    store: { get: async () => undefined, list: async () => [] }, models: new Map(), metrics: createMetrics(), log: silentLogger(),
    status: () => status, identity: { chainId: 5, account: '0xabc', assertions: '0xdef' },
  }), { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

test('where a node stands, for people and for scripts', async () => {
  status = { state: 'following', head, tasks: 2, pendingTransactions: 1, problems: ['30 seconds are left'] };
  const { code, stdout } = await assay(['status', '--api-url', server.url]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^status {15}degraded\nproblems\.1 {11}30 seconds are left\nblock {16}70\nblockTime {12}2023-11-14T22:13:20\.000Z\ntasks {16}2\n/) });
  status = { state: 'following', head, tasks: 0, pendingTransactions: 0, problems: [] };
  expect(JSON.parse((await assay(['status', '--api-url', `${server.url}/`, '--json'])).stdout)).toMatchObject({ status: 'ok', problems: [], block: '70', chainId: 5, account: '0xabc' });
});

test('exit code 3 while it does not follow the chain, or nobody answers', async () => {
  status = { state: 'disagreeing', head, tasks: 0, pendingTransactions: 0, problem: 'endpoints disagree about eth_getLogs', problems: [] };
  const { code, stdout, stderr } = await assay(['status', '--api-url', server.url]);
  expect({ code, stdout, stderr }).toEqual({
    code: 3, stdout: expect.stringMatching(/^status .*disagreeing\nproblem .*eth_getLogs\n/), stderr: expect.stringContaining('the node does not follow the chain: endpoints disagree about eth_getLogs'),
  });
  expect(await assay(['status', '--api-url', 'http://127.0.0.1:9'])).toMatchObject({ code: 3, stderr: expect.stringContaining('no node answers at http://127.0.0.1:9') });
  expect(await assay(['status', '--api-url', 'nowhere'])).toMatchObject({ code: 2, stderr: expect.stringContaining('nowhere is no URL') });
});
