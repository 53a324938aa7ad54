import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransactionReceiptNotFoundError, keccak256, parseTransaction } from 'viem';
import type { Hex, TransactionSerializedEIP1559 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { expect, test } from 'vitest';
import type { ChainClient } from '../../rollup-node/chain/client.ts';
import { TransactionRevertedError, createSender } from '../../rollup-node/chain/sender.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import { addressOf } from '../../rollup-node/testing/records.ts';

/** A chain that mines what has the next nonce at once; those whose data `fails` names revert. `reorganize` takes everything back and forgets it. */
function forgetfulChain(fails: (data: Hex) => boolean) {
  const waiting = new Map<number, { readonly hash: Hex; readonly data: Hex }>();
  const mined = new Map<Hex, 'success' | 'reverted'>();
  let next = 0;
  const client = {
    chain: { id: 1 },
    pollingInterval: 5,
    estimateGas: async () => 21_000n,
    estimateFeesPerGas: async () => ({ maxFeePerGas: 10n, maxPriorityFeePerGas: 1n }),
    getTransactionCount: async () => next,
    sendRawTransaction: async ({ serializedTransaction }: { serializedTransaction: TransactionSerializedEIP1559 }) => {
      const { nonce = 0, data = '0x' } = parseTransaction(serializedTransaction);
      waiting.set(nonce, { hash: keccak256(serializedTransaction), data });
      for (let found = waiting.get(next); found !== undefined; found = waiting.get(next)) {
        mined.set(found.hash, fails(found.data) ? 'reverted' : 'success');
        next += 1;
      }
    },
    getTransactionReceipt: async ({ hash }: { hash: Hex }) => {
      const status = mined.get(hash);
      if (status === undefined) throw new TransactionReceiptNotFoundError({ hash });
      return { transactionHash: hash, status, blockNumber: 1n, gasUsed: 21_000n, effectiveGasPrice: 10n };
    },
  } as unknown as ChainClient;
  const reorganize = (): void => {
    waiting.clear();
    mined.clear();
    next = 0;
  };
  return { client, reorganize };
}

test('a reorganisation that takes back a failed attempt and its repetition, and loses both, holds up no later move', async () => {
  const account = privateKeyToAccount(`0x${'22'.repeat(32)}`);
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-sender-')));
  const { client, reorganize } = forgetfulChain((data) => data === '0xbad0');
  const sender = createSender({ client, account, store, log: silentLogger(), resendAfter: 20 });
  await expect(sender.send({ intent: 'answer', to: addressOf(1), data: '0xbad0' })).rejects.toThrow(TransactionRevertedError);
  await sender.send({ intent: 'answer', to: addressOf(1), data: '0x600d' });
  reorganize();
  await sender.send({ intent: 'move', to: addressOf(1), data: '0x600d01' });
  expect(await client.getTransactionCount({ address: account.address })).toBe(3);
  await store.close();
}, 5_000);
