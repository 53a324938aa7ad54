import { parseEther } from 'viem';
import { expect, test } from 'vitest';
import type { AgentContext } from '../../rollup-node/agent/duty.ts';
import { watchRisks } from '../../rollup-node/agent/risks.ts';
import { watchSurroundings } from '../../rollup-node/agent/surroundings.ts';
import { createTaskRunner } from '../../rollup-node/agent/tasks.ts';
import { byDeadline, deadlineOf } from '../../rollup-node/chain/urgency.ts';
import { UnservableRequestError } from '../../rollup-node/inference/inference.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { createMetrics } from '../../rollup-node/metrics.ts';
import type { DisputeRecord } from '../../rollup-node/store/tables.ts';
import { addressOf, assertion, dispute, idOf, request } from '../../rollup-node/testing/records.ts';
import { checkAssertions } from '../../rollup-node/watcher/watcher.ts';
import { HEAD, surround } from './context.ts';

const { signal } = new AbortController();
const self = addressOf(9);

async function values(context: AgentContext, name: string): Promise<Record<string, number>> {
  const found = await context.metrics.registry.getSingleMetric(name)!.get();
  return Object.fromEntries(found.values.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

const store = (context: AgentContext, disputes: readonly DisputeRecord[]): Promise<void> =>
  context.store.write(disputes.flatMap((value) => [{ table: 'disputes' as const, key: value.gameId, value }, { table: 'openDisputes' as const, key: value.gameId, value: true as const }]));

test('seconds left of every own game, and a word when they are few', async () => {
  const { context } = await surround({ compute: () => idOf(1) });
  const clock = { turnStartedAt: 0n, asserterRemaining: 100n, challengerRemaining: 100n };
  await store(context, [
    dispute(1, { ...clock, challenger: self, phase: 'challenger-to-move' }),
    dispute(2, { ...clock, challenger: self, phase: 'asserter-to-move' }),
    dispute(3, { ...clock, challenger: addressOf(8), phase: 'challenger-to-move' }),
    dispute(4, { ...clock, challenger: self, phase: 'asserter-won' }),
    dispute(5, { ...clock, challenger: self, phase: 'challenger-to-move', challengerRemaining: 10_000n }),
  ]);
  const risks = watchRisks();
  await risks(context, { ...HEAD, timestamp: 10n });
  expect(await values(context, 'assay_dispute_seconds_left')).toEqual({ [`${idOf(0x301)} own`]: 90, [`${idOf(0x302)} other`]: 90, [`${idOf(0x305)} own`]: 9_990 });
  expect(context.problems.list()).toEqual([]);
  await risks(context, { ...HEAD, timestamp: 70n });
  expect(context.problems.list()).toEqual([`30 seconds are left for this node's turn in dispute ${idOf(0x301)}`]);
  // Its time is over: nobody can do anything any more.
  await risks(context, { ...HEAD, timestamp: 100n });
  expect(await values(context, 'assay_dispute_seconds_left')).toEqual({ [`${idOf(0x305)} own`]: 9_900 });
  expect(context.problems.list()).toEqual([]);
});

test('the funds that may be needed: stakes of games to answer, one more challenge, one bond', async () => {
  const { context } = await surround({ requests: [request(0)], assertions: [assertion(1, [0])], compute: () => idOf(1) });
  await store(context, [
    dispute(1, { asserter: self, phase: 'asserter-to-answer', asserterStake: parseEther('0.25') }),
    dispute(2, { asserter: self, phase: 'asserter-to-move', asserterStake: parseEther('7') }),
  ]);
  const contracts = { ...context.contracts, bond: parseEther('0.5') };
  const rich = { ...context, contracts };
  await watchRisks()(rich, HEAD);
  // The test's chain asks 10 wei of a challenger, and gives the account 1 ether.
  expect(await values(context, 'assay_funds_needed_ether')).toEqual({ '': 0.75 });
  expect(await values(context, 'assay_balance_ether')).toEqual({ '': 1 });
  expect(context.problems.list()).toEqual([]);
  await watchRisks()({ ...rich, contracts: { ...contracts, bond: parseEther('0.75') } }, HEAD);
  expect(context.problems.list()).toEqual([expect.stringMatching(/has 1 ETH; 1\.00000000000000001 are needed/)]);
});

test('assertions that are not checked whole are told, until they are or nobody can challenge them', async () => {
  const { context } = await surround({
    requests: [request(0), request(1), request(2, { modelId: idOf(2) })], assertions: [assertion(1, [0, 1]), assertion(3, [2], { challengeableUntil: 50n })],
    compute: ({ index }) => {
      if (index === 1n) throw new UnservableRequestError('the input does not fit');
      return idOf(0x500 + Number(index));
    },
  });
  const check = checkAssertions();
  const look = async (timestamp: bigint): Promise<void> => {
    for (const { run } of await check(context, { ...HEAD, timestamp })) await run(signal);
  };
  const unchecked = async () => [(await values(context, 'assay_unchecked_assertions'))[''], (await values(context, 'assay_unchecked_seconds_left'))['']];
  await look(10n);
  expect(await unchecked()).toEqual([2, 40]);
  await look(20n);
  // A model that the node was not given is not its business; an input that does not fit one that it has is.
  expect(await unchecked()).toEqual([1, 80]);
  expect(context.problems.list()).toEqual([`1 entries of assertion ${idOf(0x201)} cannot be checked; it can be challenged for 80 more seconds`]);
  await look(100n);
  expect(await unchecked()).toEqual([0, -1]);
  expect(context.problems.list()).toEqual([]);
});

test('endpoints that are left out and transactions that wait are told', async () => {
  const { context } = await surround({ compute: () => idOf(1) });
  const contradiction = { text: '1:a and 2:b differ about a block', endpoints: ['1:a', '2:b'] };
  let contradictions = [contradiction];
  const client = { ...context.client, endpoints: { contradictions: () => contradictions, status: () => [{ name: '1:a', state: 'usable', lag: 0, failures: 0 }, { name: '2:b', state: 'behind', reason: 'its newest block is 9 blocks older', lag: 9, failures: 3 }] } } as unknown as AgentContext['client'];
  watchSurroundings({ ...context, client, sender: { ...context.sender, pending: () => 2, oldest: () => 400_000 } });
  expect(await values(context, 'assay_endpoint_usable')).toEqual({ '1:a': 1, '2:b': 0 });
  expect(await values(context, 'assay_endpoint_lag_blocks')).toEqual({ '1:a': 0, '2:b': 9 });
  expect(await values(context, 'assay_endpoint_failures')).toEqual({ '1:a': 0, '2:b': 3 });
  expect([await values(context, 'assay_transactions_pending'), await values(context, 'assay_transaction_oldest_seconds')]).toEqual([{ '': 2 }, { '': 400 }]);
  expect(await values(context, 'assay_endpoint_contradicts')).toEqual({ '1:a': 1, '2:b': 1 });
  expect(context.problems.list()).toEqual([contradiction.text, 'endpoint 2:b is left out: its newest block is 9 blocks older', expect.stringMatching(/a transaction has waited for 400 seconds/)]);
  contradictions = [];
  watchSurroundings({ ...context, client, sender: { ...context.sender, pending: () => 2, oldest: () => 400_000 } });
  expect(await values(context, 'assay_endpoint_contradicts')).toEqual({ '1:a': 0, '2:b': 0 });
  watchSurroundings(context);
  expect(context.problems.list()).toEqual(['endpoint 2:b is left out: its newest block is 9 blocks older']);
});

test('tasks of the game with least time left are started first', async () => {
  const { context } = await surround({ assertions: [assertion(1, [0], { challengeableUntil: 60n })], compute: () => idOf(1) });
  await store(context, [dispute(1, { turnStartedAt: 0n, asserterRemaining: 90n }), dispute(2, { turnStartedAt: 0n, asserterRemaining: 30n }), dispute(3, { phase: 'challenger-won' })]);
  const keys = ['collect:x', `turn:${idOf(0x303)}:y`, `turn:${idOf(0x301)}:answer`, `check:${idOf(0x201)}`, `turn:${idOf(0x302)}:answer`];
  expect(await byDeadline(context.store, keys, (key) => key)).toEqual([keys[4], keys[3], keys[2], keys[0], keys[1]]);
  expect(await deadlineOf(context.store, `prove:${idOf(0x302)}:z`)).toBe(30n);
  const started: string[] = [];
  const runner = createTaskRunner({ log: silentLogger(), metrics: createMetrics(), onFatal: () => undefined });
  for (const key of await byDeadline(context.store, keys, (name) => name)) runner.launch({ key, run: async () => void started.push(key) }, Number.POSITIVE_INFINITY);
  await runner.stop();
  expect(started[0]).toBe(keys[4]);
});
