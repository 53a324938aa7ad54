import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createTestClient, createWalletClient, http, isAddressEqual, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { smallClassifier } from '../test/models/small-classifier.ts';
import { connect } from './chain/client.ts';
import { DEVNET_ACCOUNTS, startDevnet } from './devnet.ts';
import type { Devnet, DevnetOptions } from './devnet.ts';
import { randomFaults } from './inference/faults.ts';
import { libraryOf } from './inference/models.ts';
import { silentLogger } from './log.ts';
import { ask, callOptions, delivered, until, warp } from './testing/requests.ts';

const model = smallClassifier();
const { signature } = model.program;
const image = (salt: number): Uint8Array => Uint8Array.from({ length: 64 }, (_, index) => (index * 29 + salt * 7) % 256);

let devnet: Devnet | undefined;
const start = async (options: Partial<DevnetOptions> = {}): Promise<Devnet> => {
  devnet = await startDevnet({
    models: [{ model }],
    sequencerExecutor: createWasmExecutor(),
    parameters: { window: 300n },
    pollInterval: 20,
    batchDelay: 0,
    log: silentLogger(),
    ...options,
  });
  return devnet;
};
afterEach(async () => devnet?.stop());
const control = (net: Devnet) => createTestClient({ mode: 'anvil', transport: http(net.url) });

/** An executor whose results have one bit wrong. */
function wrongExecutor(): Executor {
  const right = createWasmExecutor();
  return {
    ...right,
    name: 'webgpu',
    prepare: async (wanted) => {
      const prepared = await right.prepare(wanted);
      return {
        ...prepared,
        model: wanted,
        dispose: () => prepared.dispose(),
        run: async (input, options) => {
          const result = await prepared.run(input, options);
          const output = result.output.slice();
          output[0] = (output[0] ?? 0) ^ 1;
          return { ...result, output, tensor: (slot) => result.tensor(slot) };
        },
      };
    },
  };
}

describe('sequencer', () => {
  test('a request for a model that it does not have stops nobody else', async () => {
    const other = smallClassifier(2);
    const net = await start({ models: [{ model }, { model: other }] });
    const partial = await net.addNode({
      name: 'partial', roles: { sequence: { size: 8, delay: 0 } }, executor: createWasmExecutor(), accountIndex: 5,
      models: libraryOf(net.models.slice(0, 1)),
    });
    await net.sequencer.stop();
    const [strange, known] = [await ask(net, net.models[1]!.contract, signature, image(0), callOptions(0)), await ask(net, net.models[0]!.contract, signature, image(1), callOptions(0))];
    expect((await delivered(partial, known)).status).toBe('delivered');
    expect((await partial.context.store.get('requests', strange))?.status).toBe('pending');
    expect((await partial.context.metrics.requestsSkipped.get()).values).toMatchObject([{ value: 1, labels: { reason: 'model' } }]);
  }, 30_000);

  test('a request that pays too little is left alone', async () => {
    const net = await start({ models: [{ model, fee: 1_000n }] });
    await net.sequencer.stop();
    const choosy = await net.addNode({ name: 'choosy', roles: { sequence: { size: 8, delay: 0, minimumFee: 1_001n } }, executor: createWasmExecutor(), accountIndex: 5 });
    const modest = await net.addNode({ name: 'modest', roles: { sequence: { size: 8, delay: 0, minimumFee: 1_000n } }, executor: createWasmExecutor(), accountIndex: 6 });
    const requestId = await ask(net, net.models[0]!.contract, signature, image(0), callOptions(0));
    await delivered(modest, requestId);
    expect((await choosy.context.metrics.requestsSkipped.get()).values).toMatchObject([{ value: 1, labels: { reason: 'fee' } }]);
    expect(await net.client.getTransactionCount({ address: choosy.context.self })).toBe(0);
  }, 30_000);

  test('no bond stands on a result about which the executors disagree', async () => {
    const net = await start({ verifyWith: wrongExecutor() });
    await ask(net, net.models[0]!.contract, signature, image(0), callOptions(0));
    await until(async () => (await net.sequencer.context.metrics.taskFailures.get()).values.some(({ labels, value }) => labels.task === 'compute' && value > 1), 'the disagreement is found');
    expect(await net.sequencer.context.store.list('assertions')).toEqual([]);
    expect(await net.sequencer.context.store.list('results')).toEqual([]);
  }, 30_000);

  test('a reorganisation that takes an assertion back: the same one is made again', async () => {
    const net = await start();
    const { store } = net.sequencer.context;
    const requestId = await ask(net, net.models[0]!.contract, signature, image(0));
    const snapshot = await control(net).snapshot();
    const first = (await until(async () => (await store.list('assertions'))[0], 'asserted')).value;
    await control(net).revert({ id: snapshot });
    await control(net).mine({ blocks: 3 });
    const second = await until(async () => {
      const found = (await store.list('assertions'))[0]?.value;
      return found !== undefined && found.asserted.blockNumber > first.asserted.blockNumber && found;
    }, 'asserted again');
    expect(second).toMatchObject({ assertionId: first.assertionId, asserted: { transactionHash: first.asserted.transactionHash } });
    await warp(net, 300);
    expect((await delivered(net.sequencer, requestId)).delivery?.assertionId).toBe(first.assertionId);
  }, 30_000);
});

describe('watcher', () => {
  test('several lies about several models, all disputed side by side and set right', async () => {
    const other = smallClassifier(2);
    const net = await start({ models: [{ model }, { model: other }], fault: randomFaults(19n), watcherExecutor: createLiftedExecutor() });
    await Promise.all([net.watcher!.stop(), net.sequencer.stop()]);
    const ids: `0x${string}`[] = [];
    for (const [salt, { contract }] of net.models.entries()) ids.push(await ask(net, contract, signature, image(salt)), await ask(net, contract, signature, image(salt + 4)));
    // One assertion for each answer.
    const liar = await net.addNode({ name: 'liar', roles: { sequence: { size: 1, delay: 0 } }, executor: createWasmExecutor(), accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(19n) });
    await until(async () => (await liar.context.store.list('assertions')).length >= ids.length, 'the lies are told');
    const watcher = await net.addNode({ name: 'second-watcher', roles: { watch: true }, executor: createLiftedExecutor(), accountIndex: 6 });
    const disputes = await until(async () => {
      const all = (await watcher.context.store.list('disputes')).map(({ value }) => value);
      return all.length === ids.length && all.every(({ settled }) => settled) && all;
    }, 'all disputes settled', 40_000);
    expect(disputes.map(({ phase, ending }) => [phase, ending])).toEqual(ids.map(() => ['challenger-won', 'proof']));
    // Turns of different games were taken between each other's.
    const spans = disputes.map(({ moves }) => [moves[0]!.blockNumber, moves.at(-1)!.blockNumber] as const);
    expect(spans.some(([begin, end], index) => spans.some(([from], place) => place !== index && from > begin && from < end))).toBe(true);
    await warp(net, 300);
    for (const requestId of ids) {
      const { delivery } = await delivered(watcher, requestId);
      expect(isAddressEqual((await watcher.context.store.get('assertions', delivery!.assertionId))!.sponsor, watcher.context.self)).toBe(true);
    }
  }, 60_000);

  test('wins by the clock against a liar that has gone, and sets the result right', async () => {
    const net = await start({ fault: randomFaults(7n), watcherExecutor: createLiftedExecutor() });
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
    const watcher = await net.addNode({ name: 'late', roles: { watch: true }, executor: createLiftedExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, maximumHeadAge: 60, now: () => clock });
    await ask(net, net.models[0]!.contract, signature, image(0));
    await until(async () => (await watcher.context.store.list('assertions')).length > 0, 'the watcher has read the lie');
    expect(watcher.agent.status()).toMatchObject({ state: 'stale', problem: expect.stringMatching(/seconds old/) as unknown });
    expect(await net.client.getTransactionCount({ address: watcher.context.self })).toBe(0);
    clock = Date.now();
    await until(async () => (await watcher.context.store.list('disputes')).length > 0, 'the lie is challenged');
  }, 30_000);

  test('rides out an endpoint that fails in the middle of a dispute', async () => {
    const net = await start({ fault: randomFaults(7n) });
    let broken = false;
    let refused = 0;
    const proxy = createServer((incoming, outgoing) => {
      if (broken) {
        refused += 1;
        return void outgoing.writeHead(502).end('bad gateway');
      }
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => void fetch(net.url, { method: 'POST', body: Buffer.concat(chunks), headers: { 'content-type': 'application/json' } })
        .then(async (answer) => outgoing.end(await answer.text()), () => outgoing.destroy()));
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const client = await connect({ rpcUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, pollInterval: 20, retryCount: 1, retryDelay: 1 });
    const watcher = await net.addNode({ name: 'far', roles: { watch: true }, executor: createLiftedExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, client });
    const requestId = await ask(net, net.models[0]!.contract, signature, image(0));
    await until(async () => (await watcher.context.store.list('disputes')).some(({ value }) => value.moves.length > 1), 'the dispute runs');
    broken = true;
    await until(async () => refused > 20 && watcher.agent.status().state === 'failing', 'the endpoint is down');
    broken = false;
    await until(async () => (await watcher.context.store.list('disputes')).some(({ value }) => value.settled && value.phase === 'challenger-won'), 'the dispute is won');
    await warp(net, 300);
    expect((await delivered(watcher, requestId)).status).toBe('delivered');
    await watcher.stop();
    proxy.close();
  }, 60_000);
});

test('an account without money: said so, and tried again once it has some', async () => {
  const net = await start();
  await net.sequencer.stop();
  const account = privateKeyToAccount(generatePrivateKey());
  const poor = await net.addNode({ name: 'poor', roles: { sequence: { size: 8, delay: 0 } }, executor: createWasmExecutor(), accountIndex: 0, account });
  const requestId = await ask(net, net.models[0]!.contract, signature, image(0), callOptions(0));
  await until(async () => (await poor.context.metrics.taskFailures.get()).values.some(({ labels }) => labels.task === 'assert'), 'the assertion fails');
  const rich = createWalletClient({ account: net.wallet(7).account, chain: net.client.chain, transport: http(net.url) });
  await rich.sendTransaction({ to: account.address, value: parseEther('10') });
  expect((await delivered(poor, requestId)).status).toBe('delivered');
}, 30_000);
