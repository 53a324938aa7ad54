import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createEVM } from '@ethereumjs/evm';
import type { EVM } from '@ethereumjs/evm';
import { createAddressFromString, hexToBytes } from '@ethereumjs/util';
import { bytesToHex, concat, decodeErrorResult, decodeFunctionResult, encodeFunctionData, parseAbi, toHex } from 'viem';
import type { Hex } from 'viem';
import { compileContract } from './compile.ts';

const ABI = parseAbi([
  'function step(bytes32 preState, bytes proof) view returns (bytes32)',
  'function initialState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) view returns (bytes32)',
  'function finalState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed, bytes opening) view returns (bytes32, bytes32)',
  ...['ProofTruncated', 'ProofTooLong', 'WrongPreState', 'MalformedState', 'WrongDescriptor', 'WrongCode', 'WrongSlot', 'WrongTensor', 'WrongWord', 'WrongModel', 'NoResult'].map(
    (name) => `error ${name}()`,
  ),
]);
const ADDRESS = createAddressFromString('0x00000000000000000000000000000000000a55a1');
const GAS_LIMIT = 2n ** 24n;

/** What a call to the contract gave: its result, or the name of the error that it reverted with. */
export type Outcome<T> = { readonly value: T; readonly gas: bigint } | { readonly refusal: string };

/** The compiled contract in a local EVM. */
export class WordMachineEvm {
  readonly #evm: EVM;

  private constructor(evm: EVM) {
    this.#evm = evm;
  }

  /** @param code what runs instead of the contract as foundry.toml has it compiled */
  static async create(code: Hex = compileContract('contracts/src/machine/WordMachine.sol', 'WordMachine')): Promise<WordMachineEvm> {
    const evm = await createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Osaka }) });
    await evm.stateManager.putCode(ADDRESS, hexToBytes(code));
    return new WordMachineEvm(evm);
  }

  /** Calldata of `step`. */
  stepCall(preState: Uint8Array, proof: Uint8Array): Hex {
    return encodeFunctionData({ abi: ABI, functionName: 'step', args: [bytesToHex(preState), bytesToHex(proof)] });
  }

  /** @returns the hash of the state after the step */
  step(preState: Uint8Array, proof: Uint8Array): Promise<Outcome<Hex>> {
    return this.#call(this.stepCall(preState, proof), (returned) => decodeFunctionResult({ abi: ABI, functionName: 'step', data: returned }));
  }

  /** The same call, with `length` for the proof's length whatever it is. */
  stepWithLength(preState: Uint8Array, proof: Uint8Array, length: bigint): Promise<Outcome<Hex>> {
    const selector = encodeFunctionData({ abi: ABI, functionName: 'step', args: [bytesToHex(preState), '0x'] }).slice(0, 10) as Hex;
    const data = concat([selector, bytesToHex(preState), toHex(64n, { size: 32 }), toHex(length, { size: 32 }), bytesToHex(proof)]);
    return this.#call(data, (returned) => decodeFunctionResult({ abi: ABI, functionName: 'step', data: returned }));
  }

  initialState(modelId: Uint8Array, inputCommitment: Uint8Array, seed: Uint8Array): Promise<Outcome<Hex>> {
    const data = encodeFunctionData({ abi: ABI, functionName: 'initialState', args: [bytesToHex(modelId), bytesToHex(inputCommitment), bytesToHex(seed)] });
    return this.#call(data, (returned) => decodeFunctionResult({ abi: ABI, functionName: 'initialState', data: returned }));
  }

  /** @returns the hash of the state that is opened, and the output's commitment, 0 for none */
  finalState(modelId: Uint8Array, inputCommitment: Uint8Array, seed: Uint8Array, opening: Uint8Array): Promise<Outcome<readonly [Hex, Hex]>> {
    const args = [bytesToHex(modelId), bytesToHex(inputCommitment), bytesToHex(seed), bytesToHex(opening)] as const;
    const data = encodeFunctionData({ abi: ABI, functionName: 'finalState', args });
    return this.#call(data, (returned) => decodeFunctionResult({ abi: ABI, functionName: 'finalState', data: returned }));
  }

  async #call<T>(data: Hex, decode: (returned: Hex) => T): Promise<Outcome<T>> {
    const { execResult } = await this.#evm.runCall({ to: ADDRESS, data: hexToBytes(data), gasLimit: GAS_LIMIT });
    const returned = bytesToHex(execResult.returnValue);
    if (execResult.exceptionError === undefined) return { value: decode(returned), gas: execResult.executionGasUsed };
    if (returned === '0x') return { refusal: execResult.exceptionError.error };
    return { refusal: decodeErrorResult({ abi: ABI, data: returned }).errorName };
  }
}
