import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFunctionData, isAddressEqual } from 'viem';
import type { Address, Hex } from 'viem';
import { expect, test } from 'vitest';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import type { Devnet } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { openStore } from '../store/store.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { killPoints } from '../testing/kill-points.ts';
import { ask, until } from '../testing/requests.ts';
import { image, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';

const GAMES = 4;
const start = useDevnet();

/** Several requests, each answered by an assertion of its own. */
async function answered(net: Devnet): Promise<void> {
  for (let number = 0; number < GAMES; number += 1) {
    await ask(net, net.models[0]!.contract, signature, image(number));
    await until(async () => (await net.sequencer.context.store.list('assertions')).length > number, 'asserted');
  }
}

/** The games of the sequencer's assertions, once all of them are settled. */
const settled = (net: Devnet): Promise<DisputeRecord[]> => until(async () => {
  const all = (await net.sequencer.context.store.list('disputes')).map(({ value }) => value).filter(({ asserter }) => isAddressEqual(asserter, net.sequencer.context.self));
  return all.length === GAMES && all.every((dispute) => dispute.settled) && all;
}, 'all games settled', 60_000);

interface Traffic {
  /** Transactions to the game and the assertions with turns or settlements. */
  readonly transactions: number;
  readonly batches: number;
  /** Calls, those within batches one by one. */
  readonly calls: readonly Hex[];
}

const GAME_CALLS = ['answer', 'move', 'prove'];

/** What an account sent to the game, as the chain has it. */
async function trafficOf(net: Devnet, account: Address): Promise<Traffic> {
  const calls: Hex[] = [];
  let [transactions, batches] = [0, 0];
  const last = await net.client.getBlockNumber({ cacheTime: 0 });
  for (let blockNumber = 0n; blockNumber <= last; blockNumber += 1n) {
    const block = await net.client.getBlock({ blockNumber, includeTransactions: true });
    for (const { from, to, input } of block.transactions) {
      if (!isAddressEqual(from, account) || to === null || !isAddressEqual(to, net.deployment.dissectionGame)) continue;
      const { functionName, args } = decodeFunctionData({ abi: dissectionGameAbi, data: input });
      if (functionName === 'batch') batches += 1;
      if (functionName === 'batch') calls.push(...args[0]);
      else if (GAME_CALLS.includes(functionName)) calls.push(input);
      else continue;
      transactions += 1;
    }
  }
  return { transactions, batches, calls };
}

/** Every turn was taken once, and in fewer transactions than there were turns. */
function expectFewTransactions({ transactions, batches, calls }: Traffic, disputes: readonly DisputeRecord[], account: Address): void {
  expect(batches).toBeGreaterThan(0);
  expect(new Set(calls).size).toBe(calls.length);
  const role = isAddressEqual(disputes[0]!.asserter, account) ? 'asserter' : 'challenger';
  const turns = disputes.flatMap(({ moves }) => moves).filter(({ by, kind }) => by === role && kind !== 'challenge');
  expect(calls).toHaveLength(turns.length);
  expect(transactions).toBeLessThan(calls.length);
}

test('a challenger of several lies wins all games in fewer transactions than it has turns', async () => {
  const net = await start({ fault: randomFaults(7n), pollInterval: 200 });
  await answered(net);
  const { context: { self } } = await net.addNode({ name: 'watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher });
  const disputes = await settled(net);
  expect(disputes.map(({ phase }) => phase)).toEqual(Array.from({ length: GAMES }, () => 'challenger-won'));
  expectFewTransactions(await trafficOf(net, self), disputes, self);
}, 90_000);

test('a sequencer whose right results are attacked wins all games in fewer transactions than it has turns', async () => {
  const net = await start({ pollInterval: 200 });
  await answered(net);
  await net.addNode({ name: 'attacker', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(3n) });
  const disputes = await settled(net);
  expect(disputes.map(({ phase }) => phase)).toEqual(Array.from({ length: GAMES }, () => 'asserter-won'));
  const { self } = net.sequencer.context;
  expectFewTransactions(await trafficOf(net, self), disputes, self);
}, 90_000);

test('a challenger that is killed when a batch is signed and nobody has it takes each turn once, and wins', async () => {
  const net = await start({ fault: randomFaults(7n), pollInterval: 200 });
  await answered(net);
  const location = await mkdtemp(join(tmpdir(), 'assay-batch-'));
  const store = await openStore(location);
  let dead = false;
  const points = killPoints((point) => {
    if (point === 'broadcast batch') dead = true;
    if (dead) throw new Error('killed');
  });
  const watch = { name: 'watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher } as const;
  const mortal = await net.addNode({ ...watch, store: points.wrap(store), probe: points.probe });
  await until(async () => dead, 'death', 60_000);
  await mortal.stop();
  const [signed] = await store.list('transactions', { prefix: 'batch:' });
  expect(signed?.value.status).toBe('sent');
  const next = await net.addNode({ ...watch, store });
  const disputes = await settled(net);
  expect(disputes.map(({ phase }) => phase)).toEqual(Array.from({ length: GAMES }, () => 'challenger-won'));
  expect((await until(async () => { const record = await store.get('transactions', signed!.key); return record?.status !== 'sent' && record; }, 'batch mined'))?.status).toBe('mined');
  expectFewTransactions(await trafficOf(net, next.context.self), disputes, next.context.self);
  await next.stop();
  await store.close();
}, 120_000);
