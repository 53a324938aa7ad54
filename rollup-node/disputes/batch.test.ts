import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeFunctionData, encodeAbiParameters, encodeEventTopics, encodeFunctionData, getAddress } from 'viem';
import type { Hex } from 'viem';
import { expect, test } from 'vitest';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import type { MinedTransaction, TransactionIntent } from '../chain/sender.ts';
import { deadlineOf } from '../chain/urgency.ts';
import { silentLogger } from '../log.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { addressOf, dispute, idOf } from '../testing/records.ts';
import { batchOf, createBatches, groupsWithin } from './batch.ts';
import type { BatchContext, Mined } from './batch.ts';

const GAME = addressOf(8);
const call = (number: number): Hex => encodeFunctionData({ abi: dissectionGameAbi, functionName: 'withdraw', args: [addressOf(number)] });
const move = (number: number, changes: Partial<TransactionIntent> = {}): TransactionIntent => ({ intent: `move:${idOf(0x300 + number)}:5`, to: GAME, data: call(number), ...changes });
const answer = (number: number): TransactionIntent => move(number, { intent: `answer:${idOf(0x300 + number)}:5`, value: 10n });
const callsIn = (data: Hex): readonly Hex[] => {
  const { functionName, args } = decodeFunctionData({ abi: dissectionGameAbi, data });
  return functionName === 'batch' ? args[0] : [data];
};

interface Surroundings {
  readonly store?: Store;
  /** Calls that fail within a batch. */
  readonly failing?: readonly Hex[];
  /** Transactions that are not sent. */
  readonly refuse?: (transaction: TransactionIntent) => boolean;
}

/** Batches over a sender that writes to a real store and mines at once. */
async function surround({ failing = [], refuse = () => false, ...given }: Surroundings = {}) {
  const store = given.store ?? await openStore(await mkdtemp(join(tmpdir(), 'assay-batch-')));
  const sent: TransactionIntent[] = [];
  const send = async (transaction: TransactionIntent): Promise<MinedTransaction> => {
    if (refuse(transaction)) throw new Error('refused');
    const known = await store.get('transactions', transaction.intent);
    const number = known?.nonce ?? sent.length;
    if (known?.status !== 'mined') sent.push(transaction);
    const { intent, to, data, value = 0n } = transaction;
    await store.write([{ table: 'transactions', key: intent, value: { intent, nonce: number, gas: 1n, to, data, value, attempts: [], status: 'mined' } }]);
    return { hash: data, blockNumber: 1n, gasUsed: 100n, gasPrice: 1n };
  };
  const client = {
    // The sender names a transaction by its data here.
    getTransactionReceipt: async ({ hash }: { readonly hash: Hex }) => ({
      logs: callsIn(hash).flatMap((item, index) => (failing.includes(item) ? [{
        address: GAME, data: encodeAbiParameters([{ type: 'bytes' }], ['0x']),
        topics: encodeEventTopics({ abi: dissectionGameAbi, eventName: 'BatchItemFailed', args: { index: BigInt(index) } }),
      }] : [])),
    }),
  };
  const context = { store, client, sender: { send }, log: silentLogger() } as unknown as BatchContext;
  const batches = createBatches(context, { patience: 50 });
  const all = (transactions: readonly TransactionIntent[]): Promise<PromiseSettledResult<Mined>[]> => Promise.allSettled(transactions.map((transaction) => new Promise<Mined>((resolve, reject) => {
    // A task looks into the store first; all tasks of a look have begun by then.
    batches.join(async (send) => {
      await nextTurn();
      resolve(await send(transaction, 50_000n));
    }).catch(reject);
  })));
  return { store, sent, batches, all };
}

test('what is due together goes in one transaction; one thing goes by itself', async () => {
  const { sent, all } = await surround();
  expect(await all([move(1), move(2), move(3)])).toMatchObject([1, 2, 3].map(() => ({ status: 'fulfilled', value: { items: 3 } })));
  await all([move(4)]);
  expect(sent.map(({ data }) => callsIn(data))).toEqual([[call(1), call(2), call(3)], [call(4)]]);
  expect(sent[1]!.intent).toBe(move(4).intent);
});

test('a task that fails, or has nothing to send, holds nobody up; one that takes long, no longer than the patience', async () => {
  const { sent, batches } = await surround();
  let finish: () => void = () => undefined;
  const slow = batches.join(async (send) => {
    await new Promise<void>((resolve) => { finish = resolve; });
    await send(move(9), 1n);
  });
  const failed = batches.join(async () => Promise.reject(new Error('no trace')));
  await expect(failed).rejects.toThrow('no trace');
  const quick = (number: number): Promise<void> => batches.join(async (send) => {
    await nextTurn();
    await send(move(number), 1n);
  });
  await Promise.all([quick(1), quick(2), batches.join(async () => undefined)]);
  finish();
  await slow;
  expect(sent.map(({ data }) => callsIn(data))).toEqual([[call(1), call(2)], [call(9)]]);
});

test('one bad item hurts no other, and is sent by itself the next time, even by another process', async () => {
  const { store, sent, all } = await surround({ failing: [call(2)] });
  const results = await all([move(1), move(2), move(3)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const next = await surround({ store, failing: [call(2)] });
  // The view of the chain may be behind: what the batch did is not done again.
  const again = await next.all([move(1), move(2), move(4), move(5)]);
  expect(again.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect(sent).toHaveLength(1);
  expect(next.sent.map(({ data }) => callsIn(data)).sort()).toEqual([[call(2)], [call(4), call(5)]].sort());
});

test('a batch that is not sent fails for all its items, and they may be batched again', async () => {
  let refused = true;
  const { sent, all } = await surround({ refuse: () => refused });
  expect((await all([move(1), move(2)])).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  refused = false;
  expect((await all([move(1), move(2)])).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(sent.map(({ data }) => callsIn(data))).toEqual([[call(1), call(2)]]);
});

test('what carries blobs goes by itself, and what goes to another contract in a batch of its own', async () => {
  const { sent, all } = await surround();
  const other = addressOf(9);
  await all([move(1), move(2), move(3, { blobs: [new Uint8Array(1)] }), move(4, { to: other }), move(5, { to: other })]);
  expect(sent.map(({ to, data }) => [getAddress(to), callsIn(data)]).sort()).toEqual([
    [getAddress(GAME), [call(1), call(2)]], [getAddress(GAME), [call(3)]], [getAddress(other), [call(4), call(5)]],
  ].sort());
});

test('answers go together and bring their stakes, moves in a batch without value; who cannot pay for all of them sends them one by one', async () => {
  const rich = await surround();
  await rich.all([answer(1), move(3), answer(2), move(4)]);
  expect(rich.sent.map(({ value = 0n, data }) => [value, callsIn(data)]).sort()).toEqual([[0n, [call(3), call(4)]], [20n, [call(1), call(2)]]].sort());

  const poor = await surround({ refuse: ({ value = 0n }) => value > 10n });
  const results = await poor.all([answer(1), answer(2), answer(3), move(4), move(5)]);
  expect(poor.sent.map(({ value = 0n, data }) => [value, callsIn(data)]).sort()).toEqual([[0n, [call(4), call(5)]], [10n, [call(1)]], [10n, [call(2)]], [10n, [call(3)]]].sort());
  expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'fulfilled'));
});

test('groups stay below gas and bytes, in order', () => {
  const items = Array.from({ length: 10 }, (_, number) => ({ transaction: move(number), gas: BigInt(100 + number) }));
  const groups = groupsWithin(items, 350n);
  expect(groups.flat()).toEqual(items);
  expect(groups.map((group) => group.length)).toEqual([3, 3, 3, 1]);
  const bytes = (call(0).length - 2) / 2;
  expect(groupsWithin(items, 10_000n, 4 * bytes).map((group) => group.length)).toEqual([4, 4, 2]);
  // What is too large for any group is left to the chain to refuse.
  expect(groupsWithin(items, 1n).map((group) => group.length)).toEqual(Array.from({ length: 10 }, () => 1));
});

test('a batch of turns has the deadline of its first game; one of settlements has none', async () => {
  const { store } = await surround();
  const record = dispute(1, { phase: 'asserter-to-move', turnStartedAt: 50n, asserterRemaining: 100n });
  await store.write([{ table: 'disputes', key: record.gameId, value: record }]);
  const batch = batchOf([move(1), move(2)], 1_000n);
  expect(await deadlineOf(store, batch.intent)).toBe(150n);
  expect(batch.gas).toBe(22_000n);
  expect(await deadlineOf(store, batchOf([move(1, { intent: `settle:${record.gameId}` }), move(2)], 1n).intent)).toBeUndefined();
  expect(batchOf([move(1), move(3)], 1_000n).intent).not.toBe(batch.intent);
});
