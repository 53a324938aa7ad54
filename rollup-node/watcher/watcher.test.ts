import { isAddressEqual } from 'viem';
import type { Hex } from 'viem';
import { expect, test } from 'vitest';
import { connect } from '../chain/client.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { startProxy } from '../testing/proxy.ts';
import { ask, delivered, until, warp } from '../testing/requests.ts';
import { executor, image, model, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';
import { tinyModel } from '../testing/tiny-model.ts';

const start = useDevnet();

test('several lies about several models, all disputed side by side and set right', async () => {
  const other = tinyModel(2);
  const net = await start({ models: [{ model }, { model: other }], fault: randomFaults(19n), watcherExecutor: otherExecutor() });
  await Promise.all([net.watcher!.stop(), net.sequencer.stop()]);
  const ids: Hex[] = [];
  for (const [salt, { contract }] of net.models.entries()) ids.push(await ask(net, contract, signature, image(salt)), await ask(net, contract, signature, image(salt + 4)));
  // One assertion for each answer.
  const liar = await net.addNode({ name: 'liar', roles: { sequence: { size: 1, delay: 0 } }, executor: executor(), accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(19n) });
  await until(async () => (await liar.context.store.list('assertions')).length >= ids.length, 'the lies are told');
  const watcher = await net.addNode({ name: 'second-watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: 6 });
  const disputes = await until(async () => {
    const all = (await watcher.context.store.list('disputes')).map(({ value }) => value);
    return all.length === ids.length && all.every(({ settled }) => settled) && all;
  }, 'all disputes settled', 40_000);
  expect(disputes.map(({ phase, ending }) => [phase, ending])).toEqual(ids.map(() => ['challenger-won', expect.stringMatching(/^(proof|concession)$/)]));
  // Turns of different games were taken between each other's.
  const spans = disputes.map(({ moves }) => [moves[0]!.blockNumber, moves.at(-1)!.blockNumber] as const);
  expect(spans.some(([begin, end], index) => spans.some(([from], place) => place !== index && from > begin && from < end))).toBe(true);
  await until(async () => (await Promise.all(ids.map(async (id) => (await watcher.context.store.list('answers', { prefix: `${id}!` })).length))).every((count) => count > 1), 'the right results sponsored');
  await warp(net, 300);
  for (const requestId of ids) {
    const { delivery } = await delivered(watcher, requestId);
    expect(isAddressEqual((await watcher.context.store.get('assertions', delivery!.assertionId))!.sponsor, watcher.context.self)).toBe(true);
  }
}, 60_000);

test('wins by the clock against a liar that has gone, and sets the result right', async () => {
  const net = await start({ fault: randomFaults(7n), watcherExecutor: otherExecutor() });
  const { store, self } = net.watcher!.context;
  const requestId = await ask(net, net.models[0]!.contract, signature, image(0));
  await until(async () => (await store.list('assertions')).length > 0, 'the lie is told');
  await net.sequencer.stop();
  await until(async () => (await store.list('disputes')).length > 0 && (await store.list('assertions')).length > 1, 'the lie is challenged, the truth sponsored');
  await warp(net, 200);
  const dispute = await until(async () => (await store.list('disputes')).map(({ value }) => value).find(({ settled, paidOut }) => settled && paidOut !== undefined), 'the clock is claimed');
  expect(dispute).toMatchObject({ phase: 'challenger-won', ending: 'timeout', challenger: self });
  expect(dispute.paidOut?.paid).toBe(dispute.challengerStake);
  await warp(net, 300);
  await delivered(net.watcher!, requestId);
}, 30_000);

test('does nothing while its view of L1 is old; afterwards it does', async () => {
  const net = await start({ fault: randomFaults(7n) });
  let clock = Date.now() + 3_600_000;
  const watcher = await net.addNode({ name: 'late', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, maximumHeadAge: 60, now: () => clock });
  await ask(net, net.models[0]!.contract, signature, image(0));
  await until(async () => (await watcher.context.store.list('assertions')).length > 0, 'the watcher has read the lie');
  expect(watcher.agent.holdBack()).toMatch(/seconds old/);
  expect(watcher.agent.status()).toMatchObject({ state: 'stale', problem: expect.stringMatching(/seconds old/) as unknown });
  expect(await net.client.getTransactionCount({ address: watcher.context.self })).toBe(0);
  clock = Date.now();
  await until(async () => (await watcher.context.store.list('disputes')).length > 0, 'the lie is challenged');
}, 30_000);

test('rides out an endpoint that fails in the middle of a dispute', async () => {
  const net = await start({ fault: randomFaults(7n) });
  const proxy = await startProxy(net.url);
  const client = await connect({ rpcUrl: proxy.url, pollInterval: 20, retryCount: 1, retryDelay: 1 });
  const watcher = await net.addNode({ name: 'far', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, client });
  const requestId = await ask(net, net.models[0]!.contract, signature, image(0));
  await until(async () => (await watcher.context.store.list('disputes')).some(({ value }) => value.moves.length > 1), 'the dispute runs');
  proxy.down = true;
  await until(async () => watcher.agent.status().state === 'failing', 'the endpoint is down');
  proxy.down = false;
  await until(async () => (await watcher.context.store.list('disputes')).some(({ value }) => value.settled && value.phase === 'challenger-won'), 'the dispute is won');
  await until(async () => (await watcher.context.store.list('assertions')).length > 1, 'the right result sponsored');
  await warp(net, 300);
  expect((await delivered(watcher, requestId)).status).toBe('delivered');
  await watcher.stop();
  await proxy.close();
}, 60_000);
