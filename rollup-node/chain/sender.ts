import { setTimeout as pause } from 'node:timers/promises';
import { keccak256 } from 'viem';
import type { Address, Hex, LocalAccount, TransactionReceipt } from 'viem';
import { BaseError, isHex, TransactionNotFoundError, TransactionReceiptNotFoundError } from 'viem';
import { ExitCode, UserError, reasonOf } from '../errors.ts';
import { kzg } from '../kzg.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { TransactionRecord } from '../store/tables.ts';
import { blobArguments, networkForm, sidecarOf, versionedHashesOf } from './blobs.ts';
import type { ChainClient } from './client.ts';
import { serialQueue } from './queue.ts';

/** Cap on a transaction's gas (EIP-7825). */
export const TRANSACTION_GAS_LIMIT = 2n ** 24n;
/**
 * What an estimate misses if somebody fetches a credit before the transaction is mined, as anybody may: crediting the account again then takes 17,100 gas more (a slot
 * that was zero, EIP-2200), in up to two contracts.
 */
const FETCHED_CREDITS_GAS = 2n * 17_100n;
/** Times the blob base fee that a first offer is: it rises by an eighth a block at most (EIP-4844). */
const BLOB_FEE_MARGIN = 2n;

/** How often a receipt is looked for that the account's nonce says there must be, and milliseconds between two looks. */
const RECEIPT_LOOKS = 5;
const RECEIPT_PAUSE = 200;

/** A transaction that some decision calls for. */
export interface TransactionIntent {
  /** Names the decision: while one transaction for it is under way, asking again gives that one. */
  readonly intent: string;
  readonly to: Address;
  readonly data: Hex;
  /** Wei. */
  readonly value?: bigint;
  /** Gas that it is given at least, where an estimate cannot tell: a batch passes over what runs out of it. */
  readonly gas?: bigint;
  /** What the transaction carries besides, 131,072 bytes each (EIP-4844). */
  readonly blobs?: readonly Uint8Array[];
}

export interface MinedTransaction {
  readonly hash: Hex;
  readonly blockNumber: bigint;
  readonly gasUsed: bigint;
  /** Wei per gas. */
  readonly gasPrice: bigint;
  /** Wei for what its blobs take. */
  readonly blobFee?: bigint;
}

/** A transaction that was mined and failed: its gas is spent. */
export class TransactionRevertedError extends Error {
  override readonly name = 'TransactionRevertedError';
  constructor(intent: string, hash: Hex) {
    super(`transaction ${hash} (${intent}) was mined and reverted`);
  }
}

/** A transaction that was not sent, because the node says that it would revert. */
export class TransactionRefusedError extends Error {
  override readonly name = 'TransactionRefusedError';
}

/** Another transaction of the account was mined with the nonce of this one: somebody else uses the key. */
export class NonceTakenError extends Error {
  override readonly name = 'NonceTakenError';
  constructor(record: TransactionRecord) {
    super(`nonce ${record.nonce} was used by another transaction than ${record.intent}: does another program send with the same key?`);
  }
}

/** A transaction that was not sent, since this node does not send now, whatever the chain would say: nothing has failed. */
export class HeldBackError extends Error {
  override readonly name = 'HeldBackError';
}

/** Where a test may stop a node, as a kill would: right before and right after each effect on the chain. */
export type Probe = (point: string) => void;

export interface SenderOptions {
  readonly client: ChainClient;
  readonly account: LocalAccount;
  readonly store: Store;
  readonly log: Logger;
  /** Milliseconds without a receipt after which a transaction is sent again with a higher fee. */
  readonly resendAfter?: number;
  /** Times the highest first fee of what is under way that a resent transaction offers at most, where the network does not ask for more. */
  readonly maximumFeeMultiplier?: number;
  /** Wei a unit of gas that is offered at most, whatever the network asks. */
  readonly maximumFee?: bigint;
  /** Second of block time by which a transaction has to be in: of those that wait to be signed the most urgent is next. */
  readonly deadlineOf?: (intent: string) => Promise<bigint | undefined>;
  /** Why nothing new is sent at the moment; null when it is. Asked right before signing. */
  readonly holdBack?: () => string | null;
  /** What a contract's revert data means, in words. */
  readonly explainRevert?: (data: Hex) => string;
  readonly onMined?: (intent: string, mined: MinedTransaction) => void;
  readonly probe?: Probe;
  readonly signal?: AbortSignal;
}

/**
 * Sends transactions of one account. Each is written to the store, signed, before it is broadcast, so that after a kill the
 * same one is broadcast again instead of a second. Nonces are handed out one after another; receipts are awaited side by side.
 */
export interface TransactionSender {
  readonly address: Address;
  /** @throws TransactionRefusedError when the node says that it would revert; TransactionRevertedError when it was mined and did. */
  send(transaction: TransactionIntent): Promise<MinedTransaction>;
  /** Takes up what an earlier process left under way. */
  resume(): Promise<void>;
  /** Transactions without a receipt so far. */
  pending(): number;
  /** Milliseconds that the oldest of them has waited in this process; 0 when there is none. */
  oldest(): number;
}

/** Wei a unit; the last for transactions with blobs. */
interface Fees { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint; readonly maxFeePerBlobGas?: bigint }

/** Nodes accept a replacement from ten per cent more on; of a transaction with blobs, from twice as much on (go-ethereum's blob pool). */
const raised = (fee: bigint, hasBlobs: boolean): bigint => (hasBlobs ? 2n * fee : (fee * 9n) / 8n + 1n);

export function createSender(options: SenderOptions): TransactionSender {
  const { client, account, store, log } = options;
  const resendAfter = options.resendAfter ?? 30_000;
  const probe: Probe = options.probe ?? (() => undefined);
  const underWay = new Map<string, Promise<MinedTransaction>>();
  /** The first fees of what is under way, and since when it is, by intent. */
  const offers = new Map<string, bigint>();
  const since = new Map<string, number>();
  const inTurn = serialQueue();
  let nextNonce = 0;

  const save = (record: TransactionRecord): Promise<void> => store.write([{ table: 'transactions', key: record.intent, value: record }]);

  /** Saves the first attempt with a new nonce. That with the last one stays: a reorganisation may ask for its nonce again. */
  const replace = async (record: TransactionRecord): Promise<void> => {
    const before = await store.get('transactions', record.intent);
    const kept = before === undefined || before.nonce === record.nonce ? [] : [{ ...before, intent: `superseded:${before.nonce}:${before.intent}`, status: 'failed' as const }];
    await store.write([...kept, record].map((value) => ({ table: 'transactions', key: value.intent, value })));
  };

  const sign = async (record: Omit<TransactionRecord, 'attempts' | 'status'>, fees: Fees): Promise<TransactionRecord['attempts'][number]> => {
    const { to, data, value, gas, nonce, sidecar } = record;
    const { maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas } = fees;
    const common = { chainId: client.chain.id, to, data, value, gas, nonce, maxFeePerGas, maxPriorityFeePerGas };
    const raw = await (sidecar === undefined || maxFeePerBlobGas === undefined
      ? account.signTransaction({ ...common, type: 'eip1559' })
      : account.signTransaction({ ...common, type: 'eip4844', maxFeePerBlobGas, blobVersionedHashes: versionedHashesOf(sidecar.blobs, sidecar.commitments), sidecars: false }));
    return { raw, hash: keccak256(raw), ...fees };
  };

  /** The network's fees now, and those for blobs if there are any. */
  const currentFees = async (hasBlobs: boolean): Promise<Fees> => {
    const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
    return { maxFeePerGas, maxPriorityFeePerGas, ...(hasBlobs ? { maxFeePerBlobGas: BLOB_FEE_MARGIN * (await client.getBlobBaseFee()) } : {}) };
  };

  const broadcast = async (record: TransactionRecord): Promise<void> => {
    const attempt = newest(record);
    probe(`broadcast ${record.intent}`);
    try {
      await client.sendRawTransaction({ serializedTransaction: networkForm(attempt.raw, record.sidecar) });
    } catch (error) {
      // Its summary is viem's own; what the endpoint said stands further down.
      if (error instanceof Error && /insufficient funds/i.test(error.message)) {
        throw new UserError(`account ${account.address} cannot pay for a transaction (${record.intent})`, { exitCode: ExitCode.chain, hint: 'send it some ether', cause: error });
      }
      // Known already, replaced or an endpoint that did not answer: the receipt decides.
      log.debug({ intent: record.intent, hash: attempt.hash, reason: reasonOf(error) }, 'broadcast answered with an error');
    }
    probe(`sent ${record.intent}`);
  };

  /**
   * Sends own transactions of these nonces again that nobody waits for: a reorganisation took them back, what called for them is gone, and what comes
   * behind must not wait for their nonces for ever. They can do no harm: each names what it is about.
   */
  const sendAgain = async (from: number, to: number): Promise<void> => {
    if (from >= to) return;
    const records = (await store.list('transactions')).map(({ value }) => value);
    for (let nonce = from; nonce < to; nonce += 1) {
      const candidates = records.filter((record) => record.nonce === nonce);
      const record = candidates.find(({ status }) => status !== 'failed') ?? candidates[0];
      if (record === undefined || underWay.has(record.intent)) continue;
      log.debug({ intent: record.intent, nonce }, 'sent again, for those behind it');
      // Given up when an endpoint failed: its fee has to rise as well.
      if (record.status === 'sent') takeUp(record);
      else await client.sendRawTransaction({ serializedTransaction: networkForm(newest(record).raw, record.sidecar) }).catch((error: unknown) => log.debug({ nonce, reason: reasonOf(error) }, 'broadcast answered with an error'));
    }
  };

  const submit = async (wanted: TransactionIntent): Promise<TransactionRecord> => {
    const call = { to: wanted.to, data: wanted.data, value: wanted.value ?? 0n };
    const sidecar = wanted.blobs === undefined || wanted.blobs.length === 0 ? undefined : sidecarOf(wanted.blobs, kzg);
    const hashes = sidecar === undefined ? [] : versionedHashesOf(sidecar.blobs, sidecar.commitments);
    // The address alone: for an account that signs, viem would have the endpoint fill in nonce and fees first.
    const estimate = await client.estimateGas({ account: account.address, ...call, ...blobArguments(hashes) }).catch((error: unknown) => {
      const data = revertDataOf(error);
      if (data === undefined) throw error;
      throw new TransactionRefusedError(`${wanted.intent} would revert: ${options.explainRevert?.(data) ?? data}`, { cause: error });
    });
    const gas = min(max(estimate + estimate / 4n + FETCHED_CREDITS_GAS, wanted.gas ?? 0n), TRANSACTION_GAS_LIMIT);
    const deadline = await options.deadlineOf?.(wanted.intent);
    return inTurn(async () => {
      const fees = withinCap(await currentFees(sidecar !== undefined), wanted.intent);
      const known = await client.getTransactionCount({ address: account.address, blockTag: 'pending' });
      const nonce = Math.max(nextNonce, known);
      const unsigned = { intent: wanted.intent, nonce, gas, ...call, ...(sidecar === undefined ? {} : { sidecar }) };
      const reason = options.holdBack?.() ?? null;
      if (reason !== null) throw new HeldBackError(`${wanted.intent} is held back: ${reason}`);
      const record: TransactionRecord = { ...unsigned, attempts: [await sign(unsigned, fees)], status: 'sent' };
      probe(`persist ${wanted.intent}`);
      await replace(record);
      nextNonce = nonce + 1;
      await sendAgain(known, nonce);
      try {
        await broadcast(record);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // Nobody has it, and nothing is signed behind it yet: what comes next must not wait for its nonce.
        await save({ ...record, status: 'failed' });
        nextNonce = nonce;
        throw error;
      }
      return record;
    }, { deadline });
  };

  const withinCap = (fees: Fees, intent: string): Fees => {
    const { maximumFee } = options;
    if (maximumFee === undefined || max(fees.maxFeePerGas, fees.maxFeePerBlobGas ?? 0n) <= maximumFee) return fees;
    log.warn({ intent, asked: fees.maxFeePerGas, askedForBlobs: fees.maxFeePerBlobGas, maximumFee }, 'the network asks more for gas than this node may offer: the transaction may wait');
    return capped(fees, maximumFee, maximumFee);
  };

  const settle = async (record: TransactionRecord, receipt: TransactionReceipt): Promise<MinedTransaction> => {
    const mined = minedAs(receipt);
    probe(`mined ${record.intent}`);
    await save({ ...record, status: receipt.status === 'success' ? 'mined' : 'failed', blockNumber: receipt.blockNumber });
    options.onMined?.(record.intent, mined);
    log.debug({ intent: record.intent, ...mined, status: receipt.status }, 'transaction mined');
    if (receipt.status === 'reverted') throw new TransactionRevertedError(record.intent, mined.hash);
    return mined;
  };

  const receiptOf = async (record: TransactionRecord): Promise<TransactionReceipt | undefined> => {
    for (const { hash } of record.attempts) {
      const receipt = await client.getTransactionReceipt({ hash }).catch((error: unknown) => {
        if (error instanceof TransactionReceiptNotFoundError || error instanceof TransactionNotFoundError) return undefined;
        throw error;
      });
      if (receipt !== undefined) return receipt;
    }
    return undefined;
  };

  /** A receipt of any attempt; null when the nonce is spent and none of the attempts has one. */
  const findReceipt = async (record: TransactionRecord): Promise<TransactionReceipt | null | undefined> => {
    for (let looks = 1; ; looks += 1) {
      // Asked first: a receipt that appears in between is then still found.
      const spent = (await client.getTransactionCount({ address: account.address, blockTag: 'latest' })) > record.nonce;
      const receipt = await receiptOf(record);
      if (receipt !== undefined || !spent) return receipt;
      // An endpoint may count a transaction before it has its receipt.
      if (looks === RECEIPT_LOOKS) return null;
      await pause(RECEIPT_PAUSE, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  };

  const raise = async (record: TransactionRecord): Promise<TransactionRecord> => {
    const last = newest(record);
    const hasBlobs = record.sidecar !== undefined;
    const multiplier = BigInt(options.maximumFeeMultiplier ?? 4);
    const within = (most: bigint): bigint => (options.maximumFee === undefined ? most : min(most, options.maximumFee));
    const current = await currentFees(hasBlobs);
    const asked = current.maxFeePerBlobGas ?? 0n;
    const lastForBlobs = last.maxFeePerBlobGas ?? 0n;
    const [least, leastForBlobs] = [raised(last.maxFeePerGas, hasBlobs), 2n * lastForBlobs];
    // What the network has come to ask is offered whatever came first, as it would be to a new transaction: a game's clock does not wait.
    const outbid = current.maxFeePerGas > last.maxFeePerGas || asked > lastForBlobs;
    const atLeast = (wanted: bigint, most: bigint): bigint => within(outbid ? max(wanted, most) : most);
    // Whatever waits behind it goes by its own, later offer: a move must not be held up by a transaction from cheaper days.
    const limit = atLeast(max(current.maxFeePerGas, least), [...offers.values()].reduce(max, record.attempts[0]?.maxFeePerGas ?? 0n) * multiplier);
    const blobLimit = atLeast(max(asked, leastForBlobs), (record.attempts[0]?.maxFeePerBlobGas ?? 0n) * multiplier);
    if (least > limit || leastForBlobs > blobLimit) {
      log.warn({ intent: record.intent, nonce: record.nonce, offered: last.maxFeePerGas, limit, ...(hasBlobs ? { offeredForBlobs: lastForBlobs, blobLimit } : {}) }, 'no receipt yet, and no higher fee may be offered');
      return record;
    }
    const attempt = await sign(record, capped({
      maxFeePerGas: max(current.maxFeePerGas, least),
      maxPriorityFeePerGas: max(current.maxPriorityFeePerGas, raised(last.maxPriorityFeePerGas, hasBlobs)),
      ...(hasBlobs ? { maxFeePerBlobGas: max(asked, leastForBlobs) } : {}),
    }, limit, blobLimit));
    const replaced: TransactionRecord = { ...record, attempts: [...record.attempts, attempt] };
    await save(replaced);
    log.warn({ intent: record.intent, nonce: record.nonce, hash: attempt.hash }, 'no receipt yet: sent again with a higher fee');
    return replaced;
  };

  const follow = async (first: TransactionRecord): Promise<MinedTransaction> => {
    offers.set(first.intent, first.attempts[0]?.maxFeePerGas ?? 0n);
    try {
      return await untilMined(first);
    } finally {
      offers.delete(first.intent);
    }
  };

  const untilMined = async (first: TransactionRecord): Promise<MinedTransaction> => {
    let sentAt = performance.now();
    for (let record = first; ; await pause(client.pollingInterval, undefined, options.signal === undefined ? {} : { signal: options.signal })) {
      const receipt = await findReceipt(record);
      if (receipt === null) {
        await save({ ...record, status: 'failed' });
        throw new NonceTakenError(record);
      }
      if (receipt !== undefined) return settle(record, receipt);
      if (performance.now() - sentAt < resendAfter) continue;
      record = await raise(record);
      await sendAgain(await client.getTransactionCount({ address: account.address, blockTag: 'latest' }), record.nonce);
      await broadcast(record);
      sentAt = performance.now();
    }
  };

  const start = async (wanted: TransactionIntent): Promise<MinedTransaction> => {
    const known = await store.get('transactions', wanted.intent);
    if (known === undefined || known.status === 'failed') return follow(await submit(wanted));
    const receipt = await findReceipt(known);
    if (receipt === null) return follow(await submit(wanted));
    if (receipt === undefined) {
      // Sent by an earlier process, or taken back by a reorganisation of the chain: the same transaction again.
      await broadcast(known);
      return follow({ ...known, status: 'sent' });
    }
    if (known.status !== 'mined') return settle(known, receipt);
    // A reorganisation may have put it before what it answers, where it failed: then it takes a new one.
    return receipt.status === 'success' ? minedAs(receipt) : follow(await submit(wanted));
  };

  const tracked = (intent: string, work: () => Promise<MinedTransaction>): Promise<MinedTransaction> => {
    const running = underWay.get(intent);
    if (running !== undefined) return running;
    const promise = work().finally(() => {
      underWay.delete(intent);
      since.delete(intent);
    });
    underWay.set(intent, promise);
    since.set(intent, performance.now());
    return promise;
  };

  /** Follows a transaction that nobody waits for. */
  const takeUp = (record: TransactionRecord): void => void tracked(record.intent, () => start({ ...record })).catch((error: unknown) => {
    if (options.signal?.aborted !== true) log.warn({ intent: record.intent, reason: reasonOf(error) }, 'a transaction that nobody waits for failed');
  });

  return {
    address: account.address,
    send: (wanted) => tracked(wanted.intent, () => start(wanted)),
    pending: () => underWay.size,
    oldest: () => [...since.values()].reduce((longest, start) => Math.max(longest, performance.now() - start), 0),
    resume: async () => {
      for (const { value: record } of await store.list('transactions')) {
        if (record.status !== 'sent') continue;
        nextNonce = Math.max(nextNonce, record.nonce + 1);
        takeUp(record);
      }
    },
  };
}

function revertDataOf(error: unknown): Hex | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const found = error.walk((link) => isHex((link as { data?: unknown }).data)) as { readonly data?: Hex } | null;
  return found?.data;
}

const minedAs = (receipt: TransactionReceipt): MinedTransaction => ({
  hash: receipt.transactionHash, blockNumber: receipt.blockNumber, gasUsed: receipt.gasUsed, gasPrice: receipt.effectiveGasPrice,
  blobFee: BigInt(receipt.blobGasUsed ?? 0n) * BigInt(receipt.blobGasPrice ?? 0n),
});

const capped = ({ maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas }: Fees, limit: bigint, blobLimit: bigint): Fees => ({
  maxFeePerGas: min(maxFeePerGas, limit), maxPriorityFeePerGas: min(maxPriorityFeePerGas, min(maxFeePerGas, limit)),
  ...(maxFeePerBlobGas === undefined ? {} : { maxFeePerBlobGas: min(maxFeePerBlobGas, blobLimit) }),
});

const newest = (record: TransactionRecord): TransactionRecord['attempts'][number] => {
  const attempt = record.attempts.at(-1);
  if (attempt === undefined) throw new Error(`transaction ${record.intent} was never signed`);
  return attempt;
};
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
