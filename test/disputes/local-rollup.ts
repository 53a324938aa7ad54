import { bytesToHex, encodeFunctionData, parseEventLogs, slice } from 'viem';
import type { Address, Hex } from 'viem';
import {
  dissectionGameAbi, dissectionGameBytecode, inboxAbi, inboxBytecode, modelContractAbi, modelContractBytecode, modelRegistryAbi, modelRegistryBytecode,
  resultAssertionsAbi, resultAssertionsBytecode, wordMachineAbi, wordMachineBytecode,
} from '../../contracts/abi/generated.ts';
import { DEVNET_PARAMETERS } from '../../contracts/deploy.ts';
import type { DeploymentParameters } from '../../contracts/deploy.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { encodeModelCall } from '../../rollup-node/model-call.ts';
import { LocalChain } from './local-chain.ts';
import type { LocalReceipt, LocalTransaction } from './local-chain.ts';

/** Wei that every account of a test begins with. */
const WEALTH = 10n ** 24n;

type Header = readonly [Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex];

/** The contracts on a chain in this process. */
export interface LocalRollup {
  readonly chain: LocalChain;
  readonly machine: Address;
  readonly game: Address;
  readonly registry: Address;
  readonly inbox: Address;
  readonly assertions: Address;
  /** A funded account of its own for each number. */
  account(number: number): Promise<Address>;
  /** @throws Error when the transaction reverts */
  send(transaction: LocalTransaction): Promise<LocalReceipt>;
  /** Publishes a model; gives its contract. */
  register(model: EncodedModel): Promise<Address>;
  /** Asks a model for an inference; gives the request's id. @param elements what the request carries */
  request(from: Address, model: EncodedModel, contract: Address, elements: Uint8Array): Promise<Hex>;
}

/**
 * Deploys the whole suite on a chain of its own.
 * @param parameters those of a devnet when absent
 * @param machineCode creation code of a machine in the word machine's place
 */
export async function openLocalRollup(parameters: DeploymentParameters = DEVNET_PARAMETERS, machineCode: Hex = wordMachineBytecode): Promise<LocalRollup> {
  const chain = await LocalChain.create();
  const { callbackGasPrice, claimsDepth, defaultDeadline, gasPrice, ...assertionParameters } = parameters;
  const machine = await chain.deploy(wordMachineAbi, machineCode, []);
  const game = await chain.deploy(dissectionGameAbi, dissectionGameBytecode, [machine, gasPrice, claimsDepth]);
  const inbox = chain.addressOf(4);
  const assertions = chain.addressOf(5);
  const implementation = await chain.deploy(modelContractAbi, modelContractBytecode, [inbox, callbackGasPrice]);
  const registry = await chain.deploy(modelRegistryAbi, modelRegistryBytecode, [implementation]);
  await chain.deploy(inboxAbi, inboxBytecode, [registry, assertions, defaultDeadline]);
  await chain.deploy(resultAssertionsAbi, resultAssertionsBytecode, [inbox, registry, game, machine, assertionParameters]);

  const account = async (number: number): Promise<Address> => {
    const address: Address = `0x${(0xacc_0000 + number).toString(16).padStart(40, '0')}`;
    if ((await chain.balanceOf(address)) === 0n) await chain.fund(address, WEALTH);
    return address;
  };
  const send = async (transaction: LocalTransaction): Promise<LocalReceipt> => {
    const receipt = await chain.send(transaction);
    if (!receipt.success) throw new Error(`a transaction to ${transaction.to} reverted: ${receipt.returned}`);
    return receipt;
  };
  return {
    chain, machine, game, registry, inbox, assertions, account, send,
    register: async ({ header, model }) => {
      const bytes = bytesToHex(header);
      const words = Array.from({ length: 8 }, (_, index) => slice(bytes, index * 32, (index + 1) * 32)) as unknown as Header;
      const data = encodeFunctionData({ abi: modelRegistryAbi, functionName: 'register', args: [words, model.program.signature, 0n, ''] });
      const { logs } = await send({ from: await account(0), to: registry, data });
      const [event] = parseEventLogs({ abi: modelRegistryAbi, eventName: 'ModelRegistered', logs: logs as never });
      if (event === undefined) throw new Error('the registry recorded no model');
      return event.args.model;
    },
    request: async (from, { model }, contract, elements) => {
      const { logs } = await send({ from, to: contract, data: encodeModelCall(model.program.signature, elements), value: await defaultFee(chain, from, contract) });
      const [event] = parseEventLogs({ abi: inboxAbi, eventName: 'Requested', logs: logs as never });
      if (event === undefined) throw new Error('the inbox recorded no request');
      return event.args.requestId;
    },
  };
}

async function defaultFee(chain: LocalChain, from: Address, contract: Address): Promise<bigint> {
  const { returned } = await chain.send({ from, to: contract, data: encodeFunctionData({ abi: modelContractAbi, functionName: 'defaultFee' }) });
  return BigInt(returned);
}
