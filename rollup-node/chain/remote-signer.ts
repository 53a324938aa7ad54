import { getAddress, http, isAddressEqual, isHex, numberToHex, parseTransaction, recoverTransactionAddress } from 'viem';
import type { Address, Hex, LocalAccount, TransactionSerializable, TransactionSerialized } from 'viem';
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
      if (transaction.type === 'eip4844') throw new Error('a remote signer signs no transactions with blobs: set --claims calldata');
      const answer = await request({ method: 'eth_signTransaction', params: [callObject(address, transaction)] });
      // go-ethereum answers with the decoded transaction beside it.
      const raw: unknown = typeof answer === 'object' && answer !== null ? (answer as { raw?: unknown }).raw : answer;
      if (!isHex(raw)) throw new Error('the remote signer answered with no signed transaction');
      await requireSame(raw as TransactionSerialized, transaction, address);
      return raw;
    },
  }) as LocalAccount;
}

/** An account that can be looked at: whoever asks it to sign gets an error. */
export function watchingAccount(address: Address): LocalAccount {
  const refuse = async (): Promise<never> => { throw new Error(`there is no key of account ${address}`); };
  return toAccount({ address, signMessage: refuse, signTypedData: refuse, signTransaction: refuse }) as LocalAccount;
}

const quantity = (value: bigint | number | undefined): Hex | undefined => (value === undefined ? undefined : numberToHex(value));

/** The call object of `eth_signTransaction`, for what the sender makes: transactions of EIP-1559. */
function callObject(from: Address, { to, data, value, gas, nonce, chainId, maxFeePerGas, maxPriorityFeePerGas }: TransactionSerializable): object {
  return {
    from, to, data, type: '0x2', value: quantity(value), gas: quantity(gas), nonce: quantity(nonce), chainId: quantity(chainId),
    maxFeePerGas: quantity(maxFeePerGas), maxPriorityFeePerGas: quantity(maxPriorityFeePerGas),
  };
}

/** @throws Error when a signed transaction is not the one that was to be signed */
async function requireSame(raw: TransactionSerialized, wanted: TransactionSerializable, signer: Address): Promise<void> {
  const signed = parseTransaction(raw);
  const facts = (transaction: TransactionSerializable): string => [
    transaction.to?.toLowerCase(), (transaction.data ?? '0x').toLowerCase(), transaction.value ?? 0n, transaction.gas, transaction.nonce ?? 0, transaction.chainId,
    transaction.maxFeePerGas, transaction.maxPriorityFeePerGas ?? 0n,
  ].join();
  if (facts(signed) !== facts(wanted)) throw new Error('the remote signer signed another transaction than it was asked to');
  if (!isAddressEqual(await recoverTransactionAddress({ serializedTransaction: raw }), signer)) throw new Error(`the remote signer signed with another key than that of ${signer}`);
}
