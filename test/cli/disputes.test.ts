import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../rollup-node/api/api.ts';
import { serveApi } from '../../rollup-node/api/server.ts';
import type { ApiServer } from '../../rollup-node/api/server.ts';
import { DEVNET_ACCOUNTS } from '../../rollup-node/devnet.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { createMetrics } from '../../rollup-node/metrics.ts';
import { warp } from '../../rollup-node/testing/requests.ts';
import { answer, assay, refusal } from './assay.ts';
import { openDisputedRollup } from './disputed-rollup.ts';
import type { DisputedRollup } from './disputed-rollup.ts';

let rollup: DisputedRollup;
let server: ApiServer;
const account = (name: keyof typeof DEVNET_ACCOUNTS): string => rollup.devnet.wallet(DEVNET_ACCOUNTS[name]).account.address;

beforeAll(async () => {
  rollup = await openDisputedRollup();
  const { watcher, devnet } = rollup;
  server = await serveApi(createApi({
    store: watcher.context.store, models: devnet.library, metrics: createMetrics(), log: silentLogger(), status: () => watcher.agent.status(),
    identity: { chainId: 31337, account: account('watcher'), assertions: devnet.deployment.resultAssertions },
  }), { host: '127.0.0.1', port: 0 });
}, 60_000);
afterAll(async () => {
  await server?.close();
  await rollup?.devnet.stop();
});

const listed = async (...more: string[]): Promise<Record<string, unknown>[]> => (await answer(['disputes', ...more], { environment: rollup.environment })).disputes as Record<string, unknown>[];

test('from L1 alone and from a node: the same list', async () => {
  const [own, ofNode] = await Promise.all([listed(), listed('--api-url', server.url)]);
  expect(own).toMatchObject([{
    gameId: rollup.gameId, entry: 0, asserter: account('sequencer'), challenger: account('watcher'), turn: 'asserter', phase: 'asserter-to-answer', level: 1, levels: 3, open: true,
    model: { modelId: rollup.devnet.models[0]!.modelId, signature: 'classify(uint8[64])->(int32)' }, next: expect.stringMatching(/^the asserter has to answer .* and a bounty of .* ETH$/),
  }]);
  const { next, secondsLeft, ...facts } = own[0]!;
  expect(ofNode).toMatchObject([facts]);
  const terms = await rollup.watcher.context.store.get('disputes', rollup.gameId);
  expect(own[0]).toMatchObject({ stakes: { asserter: terms!.asserterStake.toString(), challenger: terms!.challengerStake.toString() }, deadline: Number(terms!.turnStartedAt + terms!.allowance) });
});

test('a party\'s own', async () => {
  const [mine, none] = await Promise.all([listed('--mine', '--api-url', server.url, '--open'), listed('--mine', '--account', account('user'))]);
  expect([mine.length, none.length]).toEqual([1, 0]);
});

test('a table', async () => {
  const { code, stdout } = await assay(['disputes'], { environment: rollup.environment });
  expect(code).toBe(0);
  const [head, row, ...rest] = stdout.trimEnd().split('\n');
  expect(head).toMatch(/^game +model +request +asserter +challenger +level +turn +left +stakes +next$/);
  expect(row).toMatch(new RegExp(`^${rollup.gameId.slice(0, 10)}… +classify +0x[0-9a-f]{8}… +0x.{4}….{4} +0x.{4}….{4} +1 of 3 +asserter +[\\d,]+ s +.* ETH, .* ETH +the asserter has to answer`));
  expect(rest).toEqual([]);
});

test('what it cannot read', async () => {
  const { environment } = rollup;
  await Promise.all([
    refusal(['disputes'], 2, /rpcUrl is missing.*assertions is missing/),
    refusal(['disputes', '--mine'], 2, /no key/, { environment }),
    refusal(['disputes', '--assertion', 'mine'], 2, /Expected 0x and up to 64 hex digits/, { environment }),
    refusal(['disputes', '--api-url', 'http://127.0.0.1:9'], 3, /no node answers at http:\/\/127\.0\.0\.1:9/),
    refusal(['disputes', '--api-url', 'nowhere'], 2, /nowhere is no URL/),
  ]);
});

test('a clock that has run out', async () => {
  await rollup.watcher.stop();
  const { allowance } = (await rollup.watcher.context.store.get('disputes', rollup.gameId))!;
  await warp(rollup.devnet, Number(allowance) + 5);
  const [late] = await listed();
  expect(late).toMatchObject({ phase: 'challenger-won', turn: null, secondsLeft: null, open: true, next: expect.stringMatching(/^anybody can settle: the asserter's clock ran out at .* UTC, and the challenger has won$/) });
});
