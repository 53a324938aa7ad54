import { createTestClient, http } from 'viem';
import { expect, test } from 'vitest';
import type { Devnet } from '../devnet.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import type { AssayNode } from '../node.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { ask, delivered, until, warp } from '../testing/requests.ts';
import { executor, image, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';

const start = useDevnet();
const control = (net: Devnet) => createTestClient({ mode: 'anvil', transport: http(net.url) });
const disputesOf = async (node: AssayNode): Promise<DisputeRecord[]> => (await node.context.store.list('disputes')).map(({ value }) => value);
const reorganizations = async (node: AssayNode): Promise<number> => (await node.context.metrics.reorganizations.get()).values[0]?.value ?? 0;

/** Replaces the newest blocks by empty ones. */
const reorganize = (net: Devnet, depth: number): Promise<unknown> =>
  (control(net).request as (call: { method: string; params: unknown[] }) => Promise<unknown>)({ method: 'anvil_reorg', params: [depth, []] });

test.each([['the last move', 2], ['the answer and all moves', 1], ['the challenge itself', 0]])('a reorganisation takes back %s: it is played again, and won', async (_, from) => {
  const net = await start({ fault: randomFaults(7n) });
  const watcher = await net.addNode({ name: 'steady', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, pollInterval: 150 });
  const requestId = await ask(net, net.models[0]!.contract, signature, image(0));
  const running = await until(async () => (await disputesOf(watcher)).find(({ moves }) => moves.length > 2), 'the dispute runs');
  await net.sequencer.stop();
  const newest = await net.client.getBlockNumber();
  await reorganize(net, Number(newest - running.moves[from]!.blockNumber) + 1);
  await until(async () => (await reorganizations(watcher)) > 0, 'the watcher sees it');
  await net.addNode({ name: 'liar-again', roles: { sequence: { size: 8, delay: 0 } }, executor: executor(), accountIndex: DEVNET_ACCOUNTS.sequencer, chooseFault: randomFaults(7n), store: net.sequencer.context.store });
  const won = await until(async () => (await disputesOf(watcher)).find(({ settled, paidOut }) => settled && paidOut !== undefined), 'the dispute is over', 40_000);
  expect(won).toMatchObject({ gameId: running.gameId, phase: 'challenger-won', ending: expect.stringMatching(/^(proof|concession)$/), challenger: watcher.context.self });
  expect(await disputesOf(watcher)).toHaveLength(1);
  // Every move that the store has is on the chain that there is now.
  for (const { transactionHash, blockNumber } of won.moves) expect((await net.client.getTransactionReceipt({ hash: transactionHash })).blockNumber).toBe(blockNumber);
  await until(async () => (await watcher.context.store.list('assertions')).length > 1, 'the right result sponsored');
  await warp(net, 300);
  await delivered(watcher, requestId);
}, 60_000);

test('a reorganisation replaces a lie by another one: the watcher forgets the first, and wins against the second', async () => {
  const net = await start();
  await net.sequencer.stop();
  const requestId = await ask(net, net.models[0]!.contract, signature, image(0));
  const watcher = await net.addNode({ name: 'watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher });
  const snapshot = await control(net).snapshot();
  const liar = (seed: bigint, accountIndex: number): Promise<AssayNode> =>
    net.addNode({ name: `liar-${seed}`, roles: { sequence: { size: 8, delay: 0 } }, executor: executor(), accountIndex, chooseFault: randomFaults(seed) });
  const first = await liar(7n, DEVNET_ACCOUNTS.liar);
  const [before] = await until(async () => { const found = await disputesOf(watcher); return found.length > 0 && found; }, 'the first lie is challenged');
  await first.stop();
  await control(net).revert({ id: snapshot });
  await control(net).mine({ blocks: 3 });
  const second = await liar(8n, 7);
  const won = await until(async () => (await disputesOf(watcher)).find(({ settled, asserter }) => settled && asserter === second.context.self), 'the second lie is settled', 40_000);
  expect(won).toMatchObject({ phase: 'challenger-won', ending: expect.stringMatching(/^(proof|concession)$/) });
  expect((await disputesOf(watcher)).map(({ gameId }) => gameId)).not.toContain(before!.gameId);
  await until(async () => (await watcher.context.store.list('answers', { prefix: `${requestId}!` })).length > 1, 'the right result sponsored');
  await warp(net, 300);
  await delivered(watcher, requestId);
}, 60_000);
