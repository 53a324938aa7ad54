import { concat, fromRlp, getAddress, http, isAddressEqual, isHex, numberToHex, parseTransaction, recoverTransactionAddress, serializeTransaction, slice, toRlp } from 'viem';
import type { Address, Hex, LocalAccount, Signature, TransactionSerializable, TransactionSerialized } from 'viem';
import { toAccount } from 'viem/accounts';
import { ExitCode, UserError, reasonOf } from '../errors.ts';

type Request = (call: { readonly method: string; readonly params?: readonly unknown[] }) => Promise<unknown>;

/**
 * An account whose key a remote signer has. The signer speaks JSON-RPC: `eth_accounts` and `eth_signTransaction` (execution-apis), as Web3Signer, go-ethereum and anvil do.
 * What it signs is compared with what was asked before anybody sees it.
 * @param account may be left away where the signer has one account only
 * @throws UserError when the signer does not answer, or does not have the account
 */
export async function remoteAccount(url: string, account?: Address): Promise<LocalAccount> {
  const { request: call } = http(url, { retryCount: 2, timeout: 10_000 })({});
  const request = call as Request;
  const fail = (message: string, hint: string, cause?: unknown): never => {
    throw new UserError(message, { exitCode: ExitCode.usage, hint, cause });
  };
  const known = await request({ method: 'eth_accounts' }).catch((error: unknown) => fail(`the remote signer does not answer: ${reasonOf(error)}`, 'check --signer-url', error));
  const accounts = Array.isArray(known) ? (known as Address[]).map((entry) => getAddress(entry)) : [];
  const [only] = accounts;
  if (account === undefined && accounts.length !== 1) fail(`the remote signer has ${accounts.length} accounts`, 'say which one with --account');
  const address = account ?? (only as Address);
  if (!accounts.includes(getAddress(address))) fail(`the remote signer does not have account ${address}`, 'check --account and --signer-url');
  const refuse = (): never => { throw new Error('a node signs transactions only'); };
  return toAccount({
    address,
    signMessage: async () => refuse(),
    signTypedData: async () => refuse(),
    signTransaction: async (transaction) => {
      try {
        const answer = await request({ method: 'eth_signTransaction', params: [callObject(address, transaction)] });
        // go-ethereum answers with the decoded transaction beside it.
        const raw: unknown = typeof answer === 'object' && answer !== null ? (answer as { raw?: unknown }).raw : answer;
        if (!isHex(raw)) throw new Error('the remote signer answered with no signed transaction');
        return await requireSame(withoutSidecar(raw), transaction, address);
      } catch (error) {
        if (transaction.type !== 'eip4844') throw error;
        throw new Error(`${reasonOf(error)} (a transaction with blobs: if the remote signer signs none, set --claims calldata)`, { cause: error });
      }
    },
  }) as LocalAccount;
}

/** An account that can be looked at: whoever asks it to sign gets an error. */
export function watchingAccount(address: Address): LocalAccount {
  const refuse = async (): Promise<never> => { throw new Error(`there is no key of account ${address}`); };
  return toAccount({ address, signMessage: refuse, signTypedData: refuse, signTransaction: refuse }) as LocalAccount;
}

const quantity = (value: bigint | number | undefined): Hex | undefined => (value === undefined ? undefined : numberToHex(value));

/** The call object of `eth_signTransaction` (execution-apis), for what the sender makes: transactions of EIP-1559, and of EIP-4844 with the names of their blobs alone, as that is what is signed. */
function callObject(from: Address, transaction: TransactionSerializable): object {
  const { to, data, value, gas, nonce, chainId, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  const common = {
    from, to, data, value: quantity(value), gas: quantity(gas), nonce: quantity(nonce), chainId: quantity(chainId),
    maxFeePerGas: quantity(maxFeePerGas), maxPriorityFeePerGas: quantity(maxPriorityFeePerGas),
  };
  if (transaction.type !== 'eip4844') return { ...common, type: '0x2' };
  return { ...common, type: '0x3', maxFeePerBlobGas: quantity(transaction.maxFeePerBlobGas), blobVersionedHashes: transaction.blobVersionedHashes };
}

const BLOB_TRANSACTION = '0x03';

/** The signed bytes alone, where a signer answers in the form in which networks pass blobs on (go-ethereum: with an empty list of them). */
function withoutSidecar(raw: Hex): Hex {
  if (slice(raw, 0, 1) !== BLOB_TRANSACTION) return raw;
  const [body] = fromRlp(slice(raw, 1), 'hex');
  return Array.isArray(body) ? concat([BLOB_TRANSACTION, toRlp(body)]) : raw;
}

/**
 * The signed bytes, once they are known to be what was asked for and nothing else: the transaction that was to be signed, serialised here with their signature.
 * @throws Error when a signed transaction is not the one that was to be signed
 */
async function requireSame(raw: Hex, wanted: TransactionSerializable, signer: Address): Promise<TransactionSerialized> {
  const other = (cause?: unknown): Error => new Error('the remote signer signed another transaction than it was asked to', { cause });
  const signed = attempt(() => parseTransaction(raw as TransactionSerialized) as Partial<Signature>, other);
  const { r, s, yParity } = signed;
  if (r === undefined || s === undefined || yParity === undefined) throw new Error('the remote signer answered with no signed transaction');
  const expected = attempt(() => serializeTransaction(wanted, { r, s, yParity }), other);
  if (expected !== raw.toLowerCase()) throw other();
  if (!isAddressEqual(await recoverTransactionAddress({ serializedTransaction: expected as TransactionSerialized }), signer)) throw new Error(`the remote signer signed with another key than that of ${signer}`);
  return expected as TransactionSerialized;
}

function attempt<T>(read: () => T, failure: (cause: unknown) => Error): T {
  try {
    return read();
  } catch (error) {
    throw failure(error);
  }
}
