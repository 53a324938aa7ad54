import { createTestClient, createWalletClient, http, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import type { Devnet } from '../devnet.ts';
import { libraryOf } from '../inference/models.ts';
import { ask, callOptions, delivered, until, warp } from '../testing/requests.ts';
import { executor, image, model, signature, useDevnet } from '../testing/small-devnet.ts';
import { tinyModel } from '../testing/tiny-model.ts';

const start = useDevnet();
const control = (net: Devnet) => createTestClient({ mode: 'anvil', transport: http(net.url) });

/** An executor whose results have one bit wrong. */
function wrongExecutor(): Executor {
  const right = executor();
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

test('a request for a model that it does not have stops nobody else', async () => {
  const other = tinyModel(2);
  const net = await start({ models: [{ model }, { model: other }] });
  const partial = await net.addNode({
    name: 'partial', roles: { sequence: { size: 8, delay: 0 } }, executor: executor(), accountIndex: 5,
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
  const choosy = await net.addNode({ name: 'choosy', roles: { sequence: { size: 8, delay: 0, minimumFee: 1_001n } }, executor: executor(), accountIndex: 5 });
  const modest = await net.addNode({ name: 'modest', roles: { sequence: { size: 8, delay: 0, minimumFee: 1_000n } }, executor: executor(), accountIndex: 6 });
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

test('an account without money: said so, and tried again once it has some', async () => {
  const net = await start();
  await net.sequencer.stop();
  const account = privateKeyToAccount(generatePrivateKey());
  const poor = await net.addNode({ name: 'poor', roles: { sequence: { size: 8, delay: 0 } }, executor: executor(), accountIndex: 0, account });
  const requestId = await ask(net, net.models[0]!.contract, signature, image(0), callOptions(0));
  await until(async () => (await poor.context.metrics.taskFailures.get()).values.some(({ labels }) => labels.task === 'assert'), 'the assertion fails');
  const rich = createWalletClient({ account: net.wallet(7).account, chain: net.client.chain, transport: http(net.url) });
  await rich.sendTransaction({ to: account.address, value: parseEther('10') });
  expect((await delivered(poor, requestId)).status).toBe('delivered');
}, 30_000);
