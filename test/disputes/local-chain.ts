import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createEVM } from '@ethereumjs/evm';
import type { EVM } from '@ethereumjs/evm';
import { createAccount, createAddressFromString, createZeroAddress, hexToBytes } from '@ethereumjs/util';
import type { KZG, PrefixedHexString } from '@ethereumjs/util';
import { bytesToHex, encodeDeployData, getContractAddress, numberToHex } from 'viem';
import type { Abi, Address, Hex } from 'viem';
import { versionedHash } from '../../fraud-proof/dispute/blob-claims.ts';
import { kzg } from '../../rollup-node/kzg.ts';
import { JournaledState } from './journaled-state.ts';
import { rememberJumpDestinations } from './jump-destinations.ts';

/** Cap on a transaction's gas (EIP-7825). */
const GAS_LIMIT = 2n ** 24n;
const TRANSACTION_GAS = 21_000n;
/** EIP-7623: gas of a calldata token beside execution, and at the floor. */
const TOKEN_GAS = 4n;
const FLOOR_TOKEN_GAS = 10n;

/** What the point evaluation precompile needs of it. */
const precompileKzg = {
  verifyProof: (commitment: string, z: string, y: string, proof: string) => {
    const [c, at, value, p] = [commitment, z, y, proof].map((hex) => hexToBytes(hex as PrefixedHexString)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    return kzg.verifyKzgProof(c, at, value, p);
  },
} as unknown as KZG;

/** A transaction to the chain. */
export interface LocalTransaction {
  readonly from: Address;
  readonly to: Address;
  readonly data: Hex;
  /** Wei. */
  readonly value?: bigint;
  readonly blobs?: readonly Uint8Array[];
}

export interface LocalReceipt {
  readonly success: boolean;
  readonly returned: Hex;
  readonly logs: readonly { readonly address: Address; readonly topics: [Hex, ...Hex[]]; readonly data: Hex }[];
  /** Receipt gas: execution after refunds and calldata, or the floor of EIP-7623. */
  readonly gas: bigint;
}

const deployerOf = (number: number): Address => numberToHex(0xde_0000 + number, { size: 20 });

/**
 * A chain in this process, without blocks or signatures: transactions are executed one after another by @ethereumjs/evm at a time that the
 * test sets. For thousands of games; what depends on a real node is tested on anvil.
 */
export class LocalChain {
  /** Seconds of block time. */
  time = 1_800_000_000n;
  readonly #evm: EVM;
  #deployed = 0;

  private constructor(evm: EVM) {
    this.#evm = evm;
  }

  static async create(): Promise<LocalChain> {
    const common = new Common({ chain: Mainnet, hardfork: Hardfork.Osaka, customCrypto: { kzg: precompileKzg } });
    return new LocalChain(await createEVM({ common, stateManager: new JournaledState({ common }) }));
  }

  /** Gives an account wei. */
  async fund(account: Address, wei: bigint): Promise<void> {
    await this.#evm.stateManager.putAccount(createAddressFromString(account), createAccount({ balance: wei }));
  }

  /** Makes an account a contract with that code. */
  async putCode(account: Address, code: Hex): Promise<void> {
    await this.#evm.stateManager.putCode(createAddressFromString(account), hexToBytes(code));
  }

  async balanceOf(account: Address): Promise<bigint> {
    return (await this.#evm.stateManager.getAccount(createAddressFromString(account)))?.balance ?? 0n;
  }

  /** Where the contract of that number, from 0, is or will be. */
  addressOf(number: number): Address {
    return getContractAddress({ from: deployerOf(number), nonce: 0n });
  }

  /** Creates the next contract. @throws Error when its constructor reverts */
  async deploy(abi: Abi, bytecode: Hex, args: readonly unknown[]): Promise<Address> {
    const deployer = createAddressFromString(deployerOf(this.#deployed));
    this.#deployed += 1;
    const result = await this.#evm.runCall({
      caller: deployer, data: hexToBytes(encodeDeployData({ abi, bytecode, args })), gasLimit: 2n ** 30n, block: this.#block(), skipBalance: true,
    });
    rememberJumpDestinations(result);
    const { createdAddress, execResult } = result;
    await this.#evm.journal.cleanup();
    this.#evm.stateManager.originalStorageCache.clear();
    if (createdAddress === undefined || execResult.exceptionError !== undefined) throw new Error(`a constructor failed: ${execResult.exceptionError?.error ?? 'no address'}`);
    return createdAddress.toString();
  }

  /** Executes a transaction; what reverts changes nothing. */
  async send({ from, to, data, value = 0n, blobs = [] }: LocalTransaction): Promise<LocalReceipt> {
    const caller = createAddressFromString(from);
    const bytes = hexToBytes(data);
    const { execResult } = await this.#evm.runCall({
      caller, origin: caller, to: createAddressFromString(to), data: bytes, value, gasLimit: GAS_LIMIT, block: this.#block(),
      blobVersionedHashes: blobs.map((blob) => versionedHash(kzg.blobToKzgCommitment(blob))),
    });
    await this.#evm.journal.cleanup();
    // What SSTORE costs depends on the value that a slot had before the transaction.
    this.#evm.stateManager.originalStorageCache.clear();
    const tokens = BigInt(bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 4), 0));
    const used = TRANSACTION_GAS + TOKEN_GAS * tokens + execResult.executionGasUsed;
    const refund = execResult.gasRefund ?? 0n;
    const net = used - (refund < used / 5n ? refund : used / 5n);
    const floor = TRANSACTION_GAS + FLOOR_TOKEN_GAS * tokens;
    return {
      success: execResult.exceptionError === undefined,
      returned: bytesToHex(execResult.returnValue),
      logs: (execResult.logs ?? []).map(([address, topics, logged]) => ({ address: bytesToHex(address), topics: topics.map((topic) => bytesToHex(topic)) as [Hex, ...Hex[]], data: bytesToHex(logged) })),
      gas: net > floor ? net : floor,
    };
  }

  #block() {
    return {
      header: {
        number: 1n, coinbase: createZeroAddress(), timestamp: this.time, difficulty: 0n, prevRandao: new Uint8Array(32), gasLimit: 2n * GAS_LIMIT,
        baseFeePerGas: 0n, getBlobGasPrice: () => 1n,
      },
    };
  }
}
