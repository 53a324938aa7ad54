import { bytesToHex, encodeFunctionData, getAddress, parseEventLogs, slice } from 'viem';
import type { Account, Address, Chain, Hex, TransactionReceipt, Transport, WalletClient } from 'viem';
import { modelRegistryAbi } from '../../contracts/abi/generated.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { ExitCode, UserError } from '../errors.ts';
import type { ChainClient } from './client.ts';
import { registrationError } from './registration-error.ts';

type Header = readonly [Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex];

/** What the registry takes of a model. */
export type RegistrableModel = Pick<EncodedModel, 'header' | 'model'>;

export interface RegistrationOptions {
  /** Wei for an inference, without the callback; 0 by default. */
  readonly fee?: bigint;
  /** Where the model's files are served. */
  readonly uri?: string;
}

/** Calldata that publishes a model. */
export const encodeRegistration = (encoded: RegistrableModel, options: RegistrationOptions = {}): Hex =>
  encodeFunctionData({ abi: modelRegistryAbi, functionName: 'register', args: registrationArguments(encoded, options) });

/**
 * Asks the registry what a registration would do, which costs nothing.
 * @returns the address that the model's contract has, or gets
 * @throws UserError when the registry refuses the model, or does not answer
 */
export async function simulateRegistration(client: ChainClient, registrant: Address, registry: Address, encoded: RegistrableModel, options: RegistrationOptions = {}): Promise<Address> {
  const call = { address: registry, abi: modelRegistryAbi, functionName: 'register', args: registrationArguments(encoded, options), account: registrant } as const;
  const { result: [, contract] } = await client.simulateContract(call).catch((error: unknown) => { throw registrationError(error, encoded.model.program.signature); });
  return getAddress(contract);
}

/** The contract that a mined registration published. @throws UserError when it published none */
export function registeredContract({ logs, transactionHash }: Pick<TransactionReceipt, 'logs' | 'transactionHash'>): Address {
  const [event] = parseEventLogs({ abi: modelRegistryAbi, eventName: 'ModelRegistered', logs });
  if (event === undefined) throw new UserError(`the registry recorded nothing in transaction ${transactionHash}`, { exitCode: ExitCode.chain });
  return getAddress(event.args.model);
}

/**
 * Publishes a model, and gives its contract; the same model, account and fee twice give the same one.
 * @throws an error of viem's when the registry refuses the model
 */
export async function registerModel(
  wallet: WalletClient<Transport, Chain, Account>,
  client: ChainClient,
  registry: Address,
  encoded: RegistrableModel,
  options: RegistrationOptions = {},
): Promise<Address> {
  const hash = await wallet.writeContract({ address: registry, abi: modelRegistryAbi, functionName: 'register', args: registrationArguments(encoded, options) });
  return registeredContract(await client.waitForTransactionReceipt({ hash }));
}

function registrationArguments({ header, model }: RegistrableModel, { fee = 0n, uri = '' }: RegistrationOptions): readonly [Header, string, bigint, string] {
  const bytes = bytesToHex(header);
  const words = Array.from({ length: 8 }, (_, index) => slice(bytes, index * 32, (index + 1) * 32)) as unknown as Header;
  return [words, model.program.signature, fee, uri];
}
