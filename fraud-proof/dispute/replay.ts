import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { createEVM } from '@ethereumjs/evm';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { bytesToHex, createAccount, createAddressFromString, createZeroAddress, hexToBytes, unpadBytes } from '@ethereumjs/util';
import type { Account, Address, KZG, PrefixedHexString } from '@ethereumjs/util';
import { keccak256 } from 'viem';
import type { KzgVerifier } from './blob-claims.ts';

/** Cap on a transaction's gas (EIP-7825). */
const TRANSACTION_GAS_LIMIT = 2n ** 24n;

/** What a replay reads of the chain, all at one block. */
export interface ChainReader {
  readonly chainId: number;
  /** Timestamp that the next block would have, in seconds. */
  readonly timestamp: bigint;
  readonly blockNumber: bigint;
  getAccount(address: PrefixedHexString): Promise<{ readonly balance: bigint; readonly nonce: bigint; readonly code: PrefixedHexString }>;
  getStorageAt(address: PrefixedHexString, slot: PrefixedHexString): Promise<PrefixedHexString>;
}

/** A transaction as it would be sent. */
export interface Call {
  readonly from: PrefixedHexString;
  readonly to: PrefixedHexString;
  readonly data: PrefixedHexString;
  /** Wei. */
  readonly value: bigint;
  /** Of the blobs that go with it (EIP-4844). */
  readonly blobVersionedHashes?: readonly PrefixedHexString[];
}

export interface ReplayResult {
  readonly success: boolean;
  /** Gas of the execution alone, without the transaction's own cost and its calldata's. */
  readonly executionGas: bigint;
  /** What the call returned, or the data that it reverted with. */
  readonly returned: PrefixedHexString;
}

/** Loads accounts, code and storage on first use, into every level of checkpoints; writes stay in memory. */
class LazyState extends SimpleStateManager {
  readonly #reader: ChainReader;
  readonly #loaded = new Set<string>();

  constructor(common: Common, reader: ChainReader) {
    super({ common });
    this.#reader = reader;
  }

  override async getAccount(address: Address): Promise<Account | undefined> {
    await this.#loadAccount(address);
    return super.getAccount(address);
  }

  override async getCode(address: Address): Promise<Uint8Array> {
    await this.#loadAccount(address);
    return super.getCode(address);
  }

  override async getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    const name = `${address.toString()}_${bytesToHex(key)}`;
    if (!this.#loaded.has(name)) {
      this.#loaded.add(name);
      const value = unpadBytes(hexToBytes(await this.#reader.getStorageAt(address.toString(), bytesToHex(key))));
      for (const level of this.storageStack) if (!level.has(name)) level.set(name, value);
    }
    return super.getStorage(address, key);
  }

  async #loadAccount(address: Address): Promise<void> {
    const name = address.toString();
    if (this.#loaded.has(name)) return;
    this.#loaded.add(name);
    const { balance, nonce, code } = await this.#reader.getAccount(name);
    const bytes = hexToBytes(code);
    for (const level of this.codeStack) if (!level.has(name)) level.set(name, bytes);
    for (const level of this.accountStack) {
      if (!level.has(name)) level.set(name, createAccount({ balance, nonce, codeHash: keccak256(bytes, 'bytes') }));
    }
  }
}

/** What the point evaluation precompile of @ethereumjs/evm takes. */
function precompileKzg(verifier: KzgVerifier): KZG {
  const bytes = (hex: string): Uint8Array => hexToBytes(hex as PrefixedHexString);
  const verifyProof = (commitment: string, z: string, y: string, proof: string): boolean => verifier.verifyKzgProof(bytes(commitment), bytes(z), bytes(y), bytes(proof));
  return { verifyProof } as unknown as KZG;
}

/**
 * Executes a call in a local EVM against the chain's state, changing nothing: a party does this with every move and proof
 * before it sends them. A call that fails here would have cost gas, and perhaps the game.
 * @param kzg for calls that open claims in a blob; without it they fail
 */
export async function replay(call: Call, reader: ChainReader, kzg?: KzgVerifier): Promise<ReplayResult> {
  const customCrypto = kzg === undefined ? {} : { kzg: precompileKzg(kzg) };
  const common = new Common({ chain: { ...Mainnet, chainId: reader.chainId }, hardfork: Hardfork.Osaka, customCrypto });
  const evm = await createEVM({ common, stateManager: new LazyState(common, reader) });
  const result = await evm.runCall({
    caller: createAddressFromString(call.from),
    origin: createAddressFromString(call.from),
    to: createAddressFromString(call.to),
    data: hexToBytes(call.data),
    value: call.value,
    blobVersionedHashes: [...(call.blobVersionedHashes ?? [])],
    gasLimit: TRANSACTION_GAS_LIMIT,
    block: {
      header: {
        number: reader.blockNumber,
        coinbase: createZeroAddress(),
        timestamp: reader.timestamp,
        difficulty: 0n,
        prevRandao: new Uint8Array(32),
        gasLimit: 2n * TRANSACTION_GAS_LIMIT,
        baseFeePerGas: 0n,
        getBlobGasPrice: () => 1n,
      },
    },
  });
  return {
    success: result.execResult.exceptionError === undefined,
    executionGas: result.execResult.executionGasUsed,
    returned: bytesToHex(result.execResult.returnValue),
  };
}
