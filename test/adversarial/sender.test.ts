import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransactionReceiptNotFoundError, TransactionRejectedRpcError, keccak256, parseTransaction } from 'viem';
import type { Hex, TransactionSerializedEIP1559 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import type { ChainClient } from '../../rollup-node/chain/client.ts';
import { createSender } from '../../rollup-node/chain/sender.ts';
import { deadlineOf } from '../../rollup-node/chain/urgency.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import type { DisputeRecord } from '../../rollup-node/store/tables.ts';
import { addressOf, assertion, dispute, idOf } from '../../rollup-node/testing/records.ts';

const GWEI = 10n ** 9n;

/** A chain that mines a transaction once its fee is enough and all earlier nonces are mined; `refuse` says whom it finds too poor. */
function market(refuse: (value: bigint) => boolean = () => false): { client: ChainClient; price: { wei: bigint } } {
  const price = { wei: GWEI };
  const waiting = new Map<number, { readonly hash: Hex; readonly fee: bigint }>();
  const mined = new Map<Hex, number>();
  let next = 0;
  const mine = (): void => {
    for (let found = waiting.get(next); found !== undefined && found.fee >= price.wei; found = waiting.get(next)) {
      mined.set(found.hash, next);
      next += 1;
    }
  };
  const client = {
    chain: { id: 1 },
    pollingInterval: 5,
    estimateGas: async () => 21_000n,
    estimateFeesPerGas: async () => ({ maxFeePerGas: price.wei, maxPriorityFeePerGas: 1n }),
    getTransactionCount: async () => { mine(); return next; },
    sendRawTransaction: async ({ serializedTransaction }: { serializedTransaction: TransactionSerializedEIP1559 }) => {
      const { nonce = 0, maxFeePerGas = 0n, value = 0n } = parseTransaction(serializedTransaction);
      if (refuse(value)) throw new TransactionRejectedRpcError(new Error('Insufficient funds for gas * price + value'));
      waiting.set(nonce, { hash: keccak256(serializedTransaction), fee: maxFeePerGas });
    },
    getTransactionReceipt: async ({ hash }: { hash: Hex }) => {
      mine();
      if (!mined.has(hash)) throw new TransactionReceiptNotFoundError({ hash });
      return { transactionHash: hash, status: 'success', blockNumber: 1n, gasUsed: 21_000n, effectiveGasPrice: price.wei };
    },
  } as unknown as ChainClient;
  return { client, price };
}

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const newStore = async () => openStore(await mkdtemp(join(tmpdir(), 'assay-sender-')));

test('a bond that the account cannot pay for does not hold up the moves behind it', async () => {
  const store = await newStore();
  const { client } = market((value) => value > 0n);
  const sender = createSender({ client, account, store, log: silentLogger() });
  await expect(sender.send({ intent: 'assert:0', to: addressOf(1), data: '0x', value: 1n })).rejects.toThrow(/cannot pay/);
  await sender.send({ intent: 'move', to: addressOf(1), data: '0x' });
  expect((await store.get('transactions', 'move'))?.nonce).toBe(0);
  await store.close();
}, 5_000);

test('a transaction from cheaper days does not hold up the moves behind it, however much fees have risen', async () => {
  const store = await newStore();
  const { client, price } = market();
  const sender = createSender({ client, account, store, log: silentLogger(), resendAfter: 20, maximumFeeMultiplier: 4 });
  price.wei = 2n * GWEI;
  // Offered at the estimate of the moment, just before fees rise a hundredfold.
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: GWEI, maxPriorityFeePerGas: 1n })) as never;
  const delivery = sender.send({ intent: 'deliver', to: addressOf(1), data: '0x' });
  await expect.poll(() => store.get('transactions', 'deliver')).toBeDefined();
  price.wei = 100n * GWEI;
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: price.wei, maxPriorityFeePerGas: 1n })) as never;
  const move = sender.send({ intent: 'move', to: addressOf(1), data: '0x' });
  await Promise.all([delivery, move]);
  await store.close();
}, 5_000);

test('a transaction that was given up when an endpoint failed, and that nobody wants any more, does not hold up the moves behind it', async () => {
  const store = await newStore();
  const { client, price } = market();
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: price.wei, maxPriorityFeePerGas: 1n })) as never;
  const sender = createSender({ client, account, store, log: silentLogger(), resendAfter: 20 });
  const { getTransactionReceipt } = client;
  client.getTransactionReceipt = (async () => { throw new Error('endpoint failed'); }) as never;
  client.sendRawTransaction = ((send) => async (call: never) => { price.wei = 100n * GWEI; return send(call); })(client.sendRawTransaction) as never;
  await expect(sender.send({ intent: 'deliver', to: addressOf(1), data: '0x' })).rejects.toThrow('endpoint failed');
  client.getTransactionReceipt = getTransactionReceipt;
  await sender.send({ intent: 'move', to: addressOf(1), data: '0x' });
  expect((await store.get('transactions', 'move'))?.nonce).toBe(1);
  await expect.poll(() => sender.pending()).toBe(0);
  await store.close();
}, 5_000);

test.each([[undefined, 100n], [50n * GWEI, 50n]])('the only move goes on following the network however much fees have risen, within the cap of %s', async (maximumFee, reached) => {
  const store = await newStore();
  const { client, price } = market();
  price.wei = 2n * GWEI;
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: GWEI, maxPriorityFeePerGas: 1n })) as never;
  const sender = createSender({ client, account, store, log: silentLogger(), resendAfter: 10, ...(maximumFee === undefined ? {} : { maximumFee }) });
  const move = sender.send({ intent: 'move', to: addressOf(1), data: '0x' });
  await expect.poll(() => store.get('transactions', 'move')).toBeDefined();
  price.wei = 100n * GWEI;
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 1n })) as never;
  await expect.poll(async () => (await store.get('transactions', 'move'))?.attempts.at(-1)?.maxFeePerGas, { timeout: 2_000 }).toBe(reached * GWEI);
  price.wei = reached * GWEI;
  await move;
  await store.close();
}, 5_000);

test('a transaction that the network does not outbid is offered for the multiplier of its first offer at most', async () => {
  const store = await newStore();
  const { client, price } = market();
  price.wei = 1_000n * GWEI;
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: GWEI, maxPriorityFeePerGas: 1n })) as never;
  const warned: string[] = [];
  const log = { ...silentLogger(), debug: () => undefined, warn: (_: unknown, text: string) => warned.push(text) } as never;
  const move = createSender({ client, account, store, log, resendAfter: 5, maximumFeeMultiplier: 2 }).send({ intent: 'move', to: addressOf(1), data: '0x' });
  await expect.poll(() => warned.at(-1), { timeout: 2_000 }).toMatch(/no higher fee may be offered/);
  const last = (await store.get('transactions', 'move'))?.attempts.at(-1)?.maxFeePerGas ?? 0n;
  expect(last > GWEI && last <= 2n * GWEI).toBe(true);
  price.wei = 0n;
  await move;
  await store.close();
}, 5_000);

test('after a restart fees go on rising from the last offer, and stop at the cap', async () => {
  const store = await newStore();
  const { client, price } = market();
  price.wei = 1_000n * GWEI;
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: 1n })) as never;
  const options = { client, account, store, log: silentLogger(), resendAfter: 10, maximumFeeMultiplier: 100, maximumFee: 40n * GWEI };
  const offers = async (): Promise<bigint[]> => (await store.get('transactions', 'move'))?.attempts.map(({ maxFeePerGas }) => maxFeePerGas) ?? [];
  const killed = new AbortController();
  const first = createSender({ ...options, signal: killed.signal });
  const lost = first.send({ intent: 'move', to: addressOf(1), data: '0x' }).catch(() => undefined);
  await expect.poll(async () => (await offers()).length).toBeGreaterThan(2);
  killed.abort();
  await lost;
  const before = await offers();
  const second = createSender(options);
  await second.resume();
  await expect.poll(async () => (await offers()).at(-1)! >= (40n * GWEI * 8n) / 9n - 1n).toBe(true);
  const after = await offers();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after).toEqual([...after].sort((a, b) => (a < b ? -1 : 1)));
  expect(after.every((offer) => offer <= 40n * GWEI)).toBe(true);
  expect(second.oldest()).toBeGreaterThan(0);
  price.wei = after.at(-1)!;
  expect(await second.send({ intent: 'move', to: addressOf(1), data: '0x' })).toMatchObject({ gasUsed: 21_000n });
  expect([second.pending(), second.oldest()]).toEqual([0, 0]);
  await store.close();
}, 10_000);

test('a first offer is within the cap, too', async () => {
  const store = await newStore();
  const { client } = market();
  client.estimateFeesPerGas = (async () => ({ maxFeePerGas: 500n * GWEI, maxPriorityFeePerGas: 300n * GWEI })) as never;
  await createSender({ client, account, store, log: silentLogger(), maximumFee: 100n * GWEI }).send({ intent: 'move', to: addressOf(1), data: '0x' });
  expect((await store.get('transactions', 'move'))?.attempts).toMatchObject([{ maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 100n * GWEI }]);
  await store.close();
});

test('of the transactions that wait, that of the dispute with least time left has the next nonce', async () => {
  const store = await newStore();
  const game = (number: number, changes: Partial<DisputeRecord>): DisputeRecord => dispute(number, { phase: 'challenger-to-move', turnStartedAt: 0n, ...changes });
  const games = [game(1, { challengerRemaining: 900n }), game(2, { challengerRemaining: 50n }), game(3, { phase: 'asserter-to-answer', asserterRemaining: 400n })];
  await store.write(games.map((value) => ({ table: 'disputes', key: value.gameId, value })));
  await store.write([{ table: 'assertions', key: idOf(0x201), value: assertion(1, [0], { challengeableUntil: 100n }) }]);
  const { client } = market();
  const sender = createSender({ client, account, store, log: silentLogger(), deadlineOf: (intent) => deadlineOf(store, intent) });
  const intents = ['deliver:x', `move:${games[0]!.gameId}:y`, `answer:${games[2]!.gameId}`, `challenge:${idOf(0x201)}`, `prove:${games[1]!.gameId}:z`];
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => { open = resolve; });
  // Whoever is first holds the queue until all others stand in it.
  const fees = client.estimateFeesPerGas;
  client.estimateFeesPerGas = (async () => { await gate; return fees(); }) as never;
  const all = Promise.all([sender.send({ intent: 'first', to: addressOf(1), data: '0x' }), ...intents.map((intent) => sender.send({ intent, to: addressOf(1), data: '0x' }))]);
  setTimeout(open, 100);
  await all;
  const nonces = await Promise.all(intents.map(async (intent) => (await store.get('transactions', intent))!.nonce));
  const order = intents.map((intent, index) => ({ intent, nonce: nonces[index]! })).sort((a, b) => a.nonce - b.nonce).map(({ intent }) => intent.split(':')[0]);
  expect(order).toEqual(['prove', 'challenge', 'answer', 'move', 'deliver']);
  await store.close();
}, 10_000);

test('what is held back is not signed, and takes no nonce', async () => {
  const store = await newStore();
  const { client } = market();
  let reason: string | null = 'the view of L1 is old';
  const sender = createSender({ client, account, store, log: silentLogger(), holdBack: () => reason });
  await expect(sender.send({ intent: 'challenge', to: addressOf(1), data: '0x' })).rejects.toThrow(/challenge is held back: the view of L1 is old/);
  expect(await store.list('transactions')).toEqual([]);
  reason = null;
  await sender.send({ intent: 'challenge', to: addressOf(1), data: '0x' });
  expect((await store.get('transactions', 'challenge'))?.nonce).toBe(0);
  await store.close();
});

test('a transaction that a reorganisation put before what it answers, where it failed, is sent anew with the next nonce', async () => {
  const store = await newStore();
  const { client } = market();
  const sender = createSender({ client, account, store, log: silentLogger() });
  const move = { intent: 'move', to: addressOf(1), data: '0x' } as const;
  const first = await sender.send(move);
  expect((await sender.send(move)).hash, 'mined once').toBe(first.hash);
  const receiptOf = client.getTransactionReceipt;
  client.getTransactionReceipt = (async ({ hash }: { hash: Hex }) => ({ ...(await receiptOf({ hash })), ...(hash === first.hash && { status: 'reverted' }) })) as never;
  const second = await sender.send(move);
  expect(second.hash).not.toBe(first.hash);
  expect(await store.get('transactions', 'move')).toMatchObject({ nonce: 1, status: 'mined', attempts: [{ hash: second.hash }] });
  // The chain may turn back: what has nonce 0 stays known.
  expect(await store.get('transactions', 'superseded:0:move')).toMatchObject({ nonce: 0, status: 'failed', attempts: [{ hash: first.hash }] });
  await store.close();
}, 5_000);
