import type { Address } from 'viem';
import { replay } from '../../fraud-proof/dispute/replay.ts';
import { versionedHashesOf } from '../chain/blobs.ts';
import type { ChainClient } from '../chain/client.ts';
import type { Head } from '../chain/follower.ts';
import { chainReaderAt } from '../chain/reader.ts';
import type { TransactionIntent } from '../chain/sender.ts';
import { kzg } from '../kzg.ts';
import { revertReason } from './turn.ts';

/** A transaction that fails in a local EVM, and is therefore not sent. */
export class ReplayFailedError extends Error {
  override readonly name = 'ReplayFailedError';
}

/** Executes a transaction in a local EVM on the state that the node knows; gives the gas of its execution, without its own cost and its calldata's. @throws ReplayFailedError when it fails there. */
export async function checkByReplay(transaction: TransactionIntent, from: Address, client: ChainClient, head: Head): Promise<bigint> {
  const { to, data, value = 0n, blobs = [] } = transaction;
  const { success, returned, executionGas } = await replay({ from, to, data, value, blobVersionedHashes: versionedHashesOf(blobs) }, chainReaderAt(client, head), kzg);
  if (!success) throw new ReplayFailedError(`${transaction.intent} fails in the local EVM at block ${head.number}: ${revertReason(returned)}`);
  return executionGas;
}
