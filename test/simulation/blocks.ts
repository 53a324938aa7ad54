import type { Hex } from 'viem';
import type { LocalChain, LocalReceipt, LocalTransaction } from '../disputes/local-chain.ts';

/** Seconds between two blocks of L1. */
export const BLOCK_SECONDS = 12n;

/** A transaction, and the gas that it reserves of its block. */
export interface Reserved extends LocalTransaction {
  readonly gasLimit: bigint;
}

/** Puts a chain's transactions into blocks of so much gas. */
export class Blocks {
  readonly #chain: LocalChain;
  readonly #gasLimit: bigint;
  #used = 0n;

  constructor(chain: LocalChain, gasLimit: bigint) {
    this.#chain = chain;
    this.#gasLimit = gasLimit;
  }

  /** Block time. */
  get time(): bigint {
    return this.#chain.time;
  }

  /** Goes to the first later block whose time is at least `time`. */
  advance(time: bigint): void {
    const wait = time - this.#chain.time;
    const blocks = wait <= BLOCK_SECONDS ? 1n : (wait + BLOCK_SECONDS - 1n) / BLOCK_SECONDS;
    this.#chain.time += blocks * BLOCK_SECONDS;
    this.#used = 0n;
  }

  /** Executes a transaction in the present block; null when the block has no room for it. @throws Error when it reverts, or no block has room for it */
  async send(transaction: Reserved): Promise<LocalReceipt | null> {
    if (transaction.gasLimit > this.#gasLimit) throw new Error(`a transaction reserves ${transaction.gasLimit} gas, and a block has ${this.#gasLimit}`);
    if (this.#used + transaction.gasLimit > this.#gasLimit) return null;
    const receipt = await this.#chain.send(transaction);
    if (!receipt.success) throw new Error(`a transaction to ${transaction.to} reverted: ${receipt.returned satisfies Hex}`);
    if (receipt.gas > transaction.gasLimit) throw new Error(`a transaction took ${receipt.gas} gas, more than the ${transaction.gasLimit} that it reserved`);
    this.#used += receipt.gas;
    return receipt;
  }
}
