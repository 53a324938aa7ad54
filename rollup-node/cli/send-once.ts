import { setTimeout as pause } from 'node:timers/promises';
import { BaseError, createWalletClient, custom, keccak256, UnknownNodeError } from 'viem';
import type { Address, Hex, LocalAccount, TransactionReceipt } from 'viem';
import { getNodeError } from 'viem/utils';
import type { ChainClient } from '../chain/client.ts';
import { ExitCode, reasonOf, UserError } from '../errors.ts';
import { showStatus } from './status.ts';

interface Transaction {
  readonly to: Address;
  readonly data: Hex;
  /** Wei. */
  readonly value?: bigint;
}

/** How often a transaction is sent whose nonce another one of the same account takes first. */
const NONCE_ATTEMPTS = 5;
/** How often an endpoint is asked for a transaction that it seems not to have taken. */
const LOOKS = 3;

/**
 * Signs a transaction, sends it so that it is paid once at most, and waits until it is mined.
 * @param what it is, for messages: `the request`
 * @throws UserError
 */
export async function sendOnce(client: ChainClient, account: LocalAccount, transaction: Transaction, what: string): Promise<TransactionReceipt> {
  showStatus(`sending ${what}`);
  const fail = (reason: string, hint: string, cause?: unknown): never => {
    throw new UserError(reason, { exitCode: ExitCode.chain, hint, cause });
  };
  const hash = await broadcast(client, account, transaction).catch((error: unknown) => fail(`${what} could not be sent: ${rejectionOf(error)}`, `it is sent and paid by ${account.address}`, error));
  const receipt = await client.waitForTransactionReceipt({ hash })
    .catch((error: unknown) => fail(`${what} was sent, and what became of it is not known: ${reasonOf(error)}`, `look for transaction ${hash} before trying again: it may still be mined and paid`, error));
  return receipt.transactionHash === hash ? receipt : fail(`${what} could not be sent: another transaction of the account replaced it (${receipt.transactionHash})`, `it is sent and paid by ${account.address}`);
}

async function broadcast(client: ChainClient, account: LocalAccount, transaction: Transaction): Promise<Hex> {
  const wallet = createWalletClient({ account, chain: client.chain, transport: custom(client) });
  for (let attempt = 1; ; attempt++) {
    try {
      const serializedTransaction = await wallet.signTransaction(await wallet.prepareTransactionRequest(transaction));
      const hash = keccak256(serializedTransaction);
      await client.sendRawTransaction({ serializedTransaction }).catch(async (error: unknown) => {
        // An endpoint may take it and fail to say so; what is sent again then is refused, and another one would be paid as well.
        if (!(await isKnown(client, hash))) throw error;
      });
      return hash;
    } catch (error) {
      if (attempt === NONCE_ATTEMPTS || !isNonceTaken(error)) throw error;
      await pause(client.pollingInterval * attempt);
    }
  }
}

/** Whether an endpoint has a transaction; asked more than once, since behind one URL may stand several nodes. */
async function isKnown(client: ChainClient, hash: Hex): Promise<boolean> {
  for (let look = 1; ; look++) {
    if (await client.getTransaction({ hash }).catch(() => null) !== null) return true;
    if (look === LOOKS) return false;
    await pause(client.pollingInterval);
  }
}

/** Whether a node refused a transaction because another one of the account has its nonce: then it was not sent, and can be sent again. */
function isNonceTaken(error: unknown): boolean {
  return error instanceof BaseError && error.walk((cause) => /nonce too low|replacement transaction underpriced/i.test((cause as Error).message)) !== null;
}

/** Why a node did not take a transaction; in its own words where viem has only "Transaction creation failed". */
function rejectionOf(error: unknown): string {
  if (!(error instanceof BaseError)) return reasonOf(error);
  const known = getNodeError(error, {});
  return reasonOf(known instanceof UnknownNodeError ? error.details || error : known);
}
