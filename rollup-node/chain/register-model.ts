import { bytesToHex, getAddress, parseEventLogs, slice } from 'viem';
import type { Account, Address, Chain, Hex, Transport, WalletClient } from 'viem';
import { modelRegistryAbi } from '../../contracts/abi/generated.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import type { ChainClient } from './client.ts';

type Header = readonly [Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex];

export interface RegistrationOptions {
  /** Wei for an inference, without the callback; 0 by default. */
  readonly fee?: bigint;
  /** Where the model's files are served. */
  readonly uri?: string;
}

/**
 * Publishes a model, and gives its contract; the same model, account and fee twice give the same one.
 * @throws an error of viem's when the registry refuses the model
 */
export async function registerModel(
  wallet: WalletClient<Transport, Chain, Account>,
  client: ChainClient,
  registry: Address,
  { header, model }: EncodedModel,
  { fee = 0n, uri = '' }: RegistrationOptions = {},
): Promise<Address> {
  const bytes = bytesToHex(header);
  const words = Array.from({ length: 8 }, (_, index) => slice(bytes, index * 32, (index + 1) * 32)) as unknown as Header;
  const hash = await wallet.writeContract({ address: registry, abi: modelRegistryAbi, functionName: 'register', args: [words, model.program.signature, fee, uri] });
  const { logs } = await client.waitForTransactionReceipt({ hash });
  const [event] = parseEventLogs({ abi: modelRegistryAbi, eventName: 'ModelRegistered', logs });
  if (event === undefined) throw new Error(`the registry recorded nothing in transaction ${hash}`);
  return getAddress(event.args.model);
}
