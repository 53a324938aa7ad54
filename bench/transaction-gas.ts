import { decodeFunctionData, hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { dissectionGameAbi, resultAssertionsAbi } from '../contracts/abi/generated.ts';
import type { ChainClient } from '../rollup-node/chain/client.ts';

/** What a transaction costs before it does anything. */
const TRANSACTION = 21_000;
/** EIP-7623: gas of a calldata token beside execution, and at the floor. A zero byte is one token, another byte four. */
const TOKEN = 4;
const TOKEN_AT_FLOOR = 10;

/** A transaction's receipt gas, and what it is made of. */
export interface TransactionGas {
  /** Name of the contract's function. */
  readonly kind: string;
  readonly gas: number;
  readonly bytes: number;
  /** What the calldata costs when execution is dear enough to be charged beside it. */
  readonly calldata: number;
  /** The least that the transaction can cost: 21,000 and its calldata at the floor. */
  readonly floor: number;
  /** Gas of all that the contracts execute, storage included, after refunds. At the floor the receipt does not tell it: then it is the most it can be. */
  readonly execution: number;
}

/** The transactions to the game and the assertions in the blocks from `first` on, in order. */
export async function transactionsSince(client: ChainClient, first: bigint): Promise<TransactionGas[]> {
  const last = await client.getBlockNumber({ cacheTime: 0 });
  const found: TransactionGas[] = [];
  for (let blockNumber = first; blockNumber <= last; blockNumber += 1n) {
    const { transactions } = await client.getBlock({ blockNumber, includeTransactions: true });
    for (const { hash, input } of transactions) {
      const kind = functionName(input);
      if (kind === null) continue;
      const { gasUsed } = await client.getTransactionReceipt({ hash });
      const data = hexToBytes(input);
      const tokens = data.reduce((sum, byte) => sum + (byte === 0 ? 1 : 4), 0);
      const [gas, calldata] = [Number(gasUsed), TOKEN * tokens];
      found.push({ kind, gas, bytes: data.length, calldata, floor: TRANSACTION + TOKEN_AT_FLOOR * tokens, execution: gas - TRANSACTION - calldata });
    }
  }
  return found;
}

function functionName(data: Hex): string | null {
  for (const abi of [dissectionGameAbi, resultAssertionsAbi]) {
    try {
      return decodeFunctionData({ abi, data }).functionName;
    } catch {
      continue;
    }
  }
  return null;
}
