import { concat, decodeFunctionData, encodeFunctionData, hexToBytes, keccak256, parseEventLogs, size } from 'viem';
import type { Hex } from 'viem';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import type { AgentContext } from '../agent/duty.ts';
import { kindOf } from '../agent/tasks.ts';
import { TRANSACTION_GAS_LIMIT } from '../chain/sender.ts';
import type { MinedTransaction, TransactionIntent } from '../chain/sender.ts';
import { byDeadline } from '../chain/urgency.ts';
import { reasonOf } from '../errors.ts';
import { revertReason } from './turn.ts';

/** Gas that the items of a batch take together at most. */
export const BATCH_GAS = TRANSACTION_GAS_LIMIT / 2n;
/** Bytes of calls in a batch: nodes pass on transactions of 128 KiB at most (go-ethereum's `txMaxSize`). */
const BATCH_BYTES = 96 * 1_024;
/** Milliseconds that what is ready waits for what is still being computed: a third of a slot. */
const PATIENCE = 4_000;
const TRANSACTION_GAS = 21_000n;
/** EIP-2028: gas of a byte of calldata. */
const BYTE_GAS = 16;
const ZERO_BYTE_GAS = 4;
/** Of an item beside its replay: its place in the list, the call, and crediting and spending its value. */
const ITEM_GAS = 12_000n;

/** A call of a batch that failed: the others are done. It is sent by itself the next time. */
export class BatchItemFailedError extends Error {
  override readonly name = 'BatchItemFailedError';
}

/** What became of a transaction: mined by itself, or in a batch of so many. */
export interface Mined extends MinedTransaction {
  readonly items: number;
}

/** Sends a transaction, with others that are due where that can be. @param executionGas of its replay */
export type Send = (transaction: TransactionIntent, executionGas: bigint) => Promise<Mined>;

/** Brings what several tasks send at the same time into few transactions. */
export interface Batches {
  /** Runs a task: what others send waits a moment for what it sends, until it has ended. */
  join(work: (send: Send) => Promise<void>): Promise<void>;
}

interface Item {
  readonly transaction: TransactionIntent;
  readonly gas: bigint;
  readonly resolve: (mined: Mined) => void;
  readonly reject: (error: unknown) => void;
}

export type BatchContext = Pick<AgentContext, 'store' | 'sender' | 'client' | 'log'>;

/** Gas of an item, generously: a call gets 63 of 64 parts of what there is (EIP-150). */
const gasOfItem = ({ data }: TransactionIntent, executionGas: bigint): bigint =>
  executionGas + executionGas / 32n + BigInt(hexToBytes(data).reduce((sum, byte) => sum + (byte === 0 ? ZERO_BYTE_GAS : BYTE_GAS), 0)) + ITEM_GAS;

/** What a batch's items are called by: the same call is in one batch at most, and goes by itself after that. */
const nameOf = ({ to, data }: Pick<TransactionIntent, 'to' | 'data'>): Hex => keccak256(concat([to, data]));

const callsOf = (batch: Hex): readonly Hex[] => {
  const { functionName, args } = decodeFunctionData({ abi: dissectionGameAbi, data: batch });
  return functionName === 'batch' ? args[0] : [];
};

/** Items in groups that fit into a transaction each, in their order. */
export function groupsWithin<T extends { readonly gas: bigint; readonly transaction: TransactionIntent }>(items: readonly T[], mostGas = BATCH_GAS, mostBytes = BATCH_BYTES): T[][] {
  const groups: T[][] = [];
  let [gas, bytes] = [0n, 0];
  for (const item of items) {
    const length = size(item.transaction.data);
    const last = groups.at(-1);
    if (last !== undefined && gas + item.gas <= mostGas && bytes + length <= mostBytes) last.push(item);
    else {
      groups.push([item]);
      [gas, bytes] = [0n, 0];
    }
    gas += item.gas;
    bytes += length;
  }
  return groups;
}

/**
 * The transaction that makes the calls of all of them, in their order, and brings their value. A batch of turns is named after the first game, whose clock it goes by.
 * @param gas what the items take together
 */
export function batchOf(transactions: readonly TransactionIntent[], gas: bigint): TransactionIntent {
  const [first] = transactions;
  if (first === undefined) throw new RangeError('a batch of nothing');
  const data = encodeFunctionData({ abi: dissectionGameAbi, functionName: 'batch', args: [transactions.map((item) => item.data)] });
  const about = kindOf(first.intent) === 'settle' ? 'settle' : (first.intent.split(':')[1] ?? '');
  const needed = TRANSACTION_GAS + gas;
  const value = transactions.reduce((sum, item) => sum + (item.value ?? 0n), 0n);
  return { intent: `batch:${about}:${keccak256(data)}`, to: first.to, data, ...(value > 0n && { value }), gas: needed < TRANSACTION_GAS_LIMIT ? needed : TRANSACTION_GAS_LIMIT };
}

/** @param patience milliseconds that what is ready waits for what is still being computed */
export function createBatches(context: BatchContext, { patience = PATIENCE, gas: mostGas = BATCH_GAS } = {}): Batches {
  const { store, sender, client, log } = context;
  let atWork = 0;
  let waiting: Item[] = [];
  let timer: NodeJS.Timeout | undefined;
  /** Batches by their items' names. What an earlier process signed is under way, whatever the store's view of the game says. */
  let batched: Promise<Map<Hex, TransactionIntent>> | undefined;

  const remember = (known: Map<Hex, TransactionIntent>, batch: TransactionIntent): void => {
    for (const data of callsOf(batch.data)) known.set(nameOf({ to: batch.to, data }), batch);
  };
  const earlier = (): Promise<Map<Hex, TransactionIntent>> => {
    batched ??= (async () => {
      const known = new Map<Hex, TransactionIntent>();
      for (const { value: { intent, to, data, value = 0n } } of await store.list('transactions', { prefix: 'batch:' })) remember(known, { intent, to, data, value });
      return known;
    })().catch((error: unknown) => {
      batched = undefined;
      throw error;
    });
    return batched;
  };

  /** Sends a batch and tells which of its calls failed, and why. */
  const sendBatch = async (batch: TransactionIntent): Promise<{ readonly mined: MinedTransaction; readonly reasons: ReadonlyMap<number, Hex> }> => {
    const known = await earlier();
    try {
      const mined = await sender.send(batch);
      const { logs } = await client.getTransactionReceipt({ hash: mined.hash });
      const failures = parseEventLogs({ abi: dissectionGameAbi, eventName: 'BatchItemFailed', logs });
      return { mined, reasons: new Map(failures.map(({ args }) => [Number(args.index), args.reason])) };
    } finally {
      // Only what was signed counts: what was held back or refused is no batch yet.
      if ((await store.get('transactions', batch.intent)) !== undefined) remember(known, batch);
    }
  };

  /** Sends it by itself; but where a batch has it that is under way or was mined, only if its call failed there. */
  const sendAlone = async (transaction: TransactionIntent): Promise<Mined> => {
    const batch = transaction.blobs === undefined ? (await earlier()).get(nameOf(transaction)) : undefined;
    if (batch !== undefined && (await store.get('transactions', batch.intent))?.status !== 'failed') {
      const { mined, reasons } = await sendBatch(batch);
      const calls = callsOf(batch.data);
      if (!reasons.has(calls.indexOf(transaction.data))) return { ...mined, items: calls.length };
    }
    return { ...(await sender.send(transaction)), items: 1 };
  };

  const sendItem = ({ transaction, resolve, reject }: Item): Promise<void> => sendAlone(transaction).then(resolve, reject);

  const sendTogether = async (items: readonly Item[]): Promise<void> => {
    const [only] = items;
    if (items.length === 1 && only !== undefined) return sendItem(only);
    const batch = batchOf(items.map(({ transaction }) => transaction), items.reduce((sum, { gas }) => sum + gas, 0n));
    try {
      const { mined, reasons } = await sendBatch(batch);
      log.info({ items: items.length, failed: reasons.size, gasUsed: mined.gasUsed, transaction: mined.hash }, 'sent together');
      items.forEach((item, index) => {
        const reason = reasons.get(index);
        if (reason === undefined) item.resolve({ ...mined, items: items.length });
        else item.reject(failure(item.transaction, reason));
      });
    } catch (error) {
      const signed = (await store.get('transactions', batch.intent)) !== undefined;
      if (signed) return items.forEach(({ reject }) => reject(error));
      // As for want of funds for all of their stakes: some may do by themselves.
      log.warn({ items: items.length, reason: reasonOf(error) }, 'not sent together: one by one');
      await Promise.all(items.map(sendItem));
    }
  };

  const flush = async (items: readonly Item[]): Promise<void> => {
    const known = await earlier();
    const ordered = await byDeadline(store, items, ({ transaction }) => transaction.intent);
    const fresh = new Set<Item>();
    for (const item of ordered) {
      const { transaction } = item;
      if (transaction.blobs === undefined && !known.has(nameOf(transaction)) && (await store.get('transactions', transaction.intent)) === undefined) fresh.add(item);
    }
    const targets = new Map<string, Item[]>();
    for (const item of ordered.filter((one) => fresh.has(one))) {
      const { to, value = 0n } = item.transaction;
      // A batch with value makes no calls that take none.
      const target = `${to} ${value > 0n}`;
      targets.set(target, [...(targets.get(target) ?? []), item]);
    }
    const groups = [...targets.values()].flatMap((due) => groupsWithin(due, mostGas));
    await Promise.all([...ordered.filter((item) => !fresh.has(item)).map(sendItem), ...groups.map(sendTogether)]);
  };

  const release = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const items = waiting;
    waiting = [];
    if (items.length > 0) void flush(items).catch((error: unknown) => items.forEach(({ reject }) => reject(error)));
  };
  const check = (): void => {
    if (waiting.length === 0) return;
    if (atWork === 0) release();
    else timer ??= setTimeout(release, patience);
  };

  return {
    join: async (work) => {
      atWork += 1;
      let counted = true;
      const leave = (): void => {
        if (counted) atWork -= 1;
        counted = false;
        check();
      };
      const send: Send = (transaction, executionGas) => new Promise((resolve, reject) => {
        waiting.push({ transaction, gas: gasOfItem(transaction, executionGas), resolve, reject });
        leave();
      });
      try {
        await work(send);
      } finally {
        leave();
      }
    },
  };
}

const failure = ({ intent }: TransactionIntent, reason: Hex): BatchItemFailedError => new BatchItemFailedError(`${intent} failed in a batch: ${revertReason(reason)}`);

/** For a node that sends one by one, as in a dry run, which names what it would send. */
export const singly = ({ sender }: Pick<AgentContext, 'sender'>): Batches => ({
  join: (work) => work(async (transaction) => ({ ...(await sender.send(transaction)), items: 1 })),
});
