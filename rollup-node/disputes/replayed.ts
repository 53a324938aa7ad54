import type { Address } from 'viem';
import { replay } from '../../fraud-proof/dispute/replay.ts';
import type { ChainClient } from '../chain/client.ts';
import type { Head } from '../chain/follower.ts';
import { chainReaderAt } from '../chain/reader.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import { revertReason } from './turn.ts';

/** A transaction that fails in a local EVM, and is therefore not sent. */
export class ReplayFailedError extends Error {
  override readonly name = 'ReplayFailedError';
}

/** Executes a transaction in a local EVM on the state that the node knows. @throws ReplayFailedError when it fails there. */
export async function checkByReplay(transaction: TransactionIntent, from: Address, client: ChainClient, head: Head): Promise<void> {
  const { success, returned } = await replay({ from, to: transaction.to, data: transaction.data, value: transaction.value ?? 0n }, chainReaderAt(client, head));
  if (!success) throw new ReplayFailedError(`${transaction.intent} fails in the local EVM at block ${head.number}: ${revertReason(returned)}`);
}
