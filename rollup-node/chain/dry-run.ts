import { formatEther, formatGwei, isAddressEqual } from 'viem';
import type { Address, Hex } from 'viem';
import { replay } from '../../fraud-proof/dispute/replay.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { kzg } from '../kzg.ts';
import { blobArguments, versionedHashesOf } from './blobs.ts';
import type { ChainClient } from './client.ts';
import { chainReaderAt } from './reader.ts';
import { HeldBackError } from './sender.ts';
import type { TransactionIntent, TransactionSender } from './sender.ts';

/** What replays in a dry run may spend: its account need not have any. */
const LENT = 10n ** 24n;

/** A client for which an account has money enough at every block that is named; its balance now is told as it is. */
export function lendingClient(client: ChainClient, account: Address): ChainClient {
  const getBalance: ChainClient['getBalance'] = async (parameters) => {
    const balance = await client.getBalance(parameters);
    return parameters.blockNumber !== undefined && isAddressEqual(parameters.address, account) ? balance + LENT : balance;
  };
  return { ...client, getBalance };
}

export interface DryRunOptions {
  /** As `lendingClient` makes it. */
  readonly client: ChainClient;
  readonly account: Address;
  readonly log: Logger;
  readonly explainRevert?: (data: Hex) => string;
}

/** A sender that sends nothing: it says what it would have sent, what that would do, and what it would cost. Each transaction once. */
export function createDryRunSender({ client, account, log, explainRevert }: DryRunOptions): TransactionSender {
  const told = new Map<string, Hex>();
  const tell = async ({ intent, to, data, value = 0n, blobs = [] }: TransactionIntent): Promise<void> => {
    const { number, hash, timestamp } = await client.getBlock();
    const blobVersionedHashes = versionedHashesOf(blobs);
    const { success, returned, executionGas } = await replay({ from: account, to, data, value, blobVersionedHashes }, chainReaderAt(client, { number, hash, timestamp }), kzg);
    const gas = await client.estimateGas({ account, to, data, value, ...blobArguments(blobVersionedHashes), stateOverride: [{ address: account, balance: LENT }] }).catch(() => undefined);
    const { maxFeePerGas } = await client.estimateFeesPerGas();
    log.warn({
      intent, to, bytes: (data.length - 2) / 2, ...(blobs.length === 0 ? {} : { blobs: blobs.length }),
      stake: `${formatEther(value)} ETH`,
      gas: gas ?? executionGas,
      fee: `at most ${formatEther((gas ?? executionGas) * maxFeePerGas)} ETH at ${formatGwei(maxFeePerGas)} gwei`,
      replay: success ? 'succeeds' : `fails: ${explainRevert?.(returned) ?? returned}`,
      block: number,
    }, 'dry run: would send');
  };
  return {
    address: account,
    send: async (wanted) => {
      if (told.get(wanted.intent) !== wanted.data) {
        await tell(wanted).catch((error: unknown) => log.warn({ intent: wanted.intent, reason: reasonOf(error) }, 'dry run: would send, and could not be tried'));
        told.set(wanted.intent, wanted.data);
      }
      throw new HeldBackError(`${wanted.intent} is not sent: this is a dry run`);
    },
    resume: async () => undefined,
    pending: () => 0,
    oldest: () => 0,
  };
}
