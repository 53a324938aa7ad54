import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransactionReceiptNotFoundError, TransactionRejectedRpcError, keccak256, parseTransaction } from 'viem';
import type { Hex, TransactionSerializedEIP1559 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import type { ChainClient } from '../../rollup-node/chain/client.ts';
import { createSender } from '../../rollup-node/chain/sender.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import { addressOf } from '../../rollup-node/testing/records.ts';

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
