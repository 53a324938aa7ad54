import type { Address, Hex } from 'viem';
import type { BlockMark } from './store.ts';

/** A registered model, as the chain has it. */
export interface ModelRecord {
  readonly modelId: Hex;
  /** The model's own contract. */
  readonly contract: Address;
  readonly blockNumber: bigint;
}

/** A transaction of this node's own account. */
export interface TransactionRecord {
  readonly intent: string;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint;
  readonly gas: bigint;
  /** Signed versions of it, with rising fees. */
  readonly attempts: readonly { readonly hash: Hex; readonly raw: Hex; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }[];
  readonly status: 'sent' | 'mined' | 'failed';
  readonly blockNumber?: bigint;
}

/** What undoes one block. */
export interface UndoRecord {
  readonly block: BlockMark;
  readonly previous: readonly { readonly table: ChainTable; readonly key: string; readonly value: unknown }[];
}

/** Every table with its records. */
export interface Tables {
  /** By model id. */
  readonly models: ModelRecord;
  readonly transactions: TransactionRecord;
  readonly undo: UndoRecord;
  readonly meta: number | string;
}

export type TableName = keyof Tables;

/** Tables that follow from the chain alone, and are undone with it. */
export const CHAIN_TABLES = ['models'] as const satisfies readonly TableName[];
export type ChainTable = (typeof CHAIN_TABLES)[number];

export const TABLES = [...CHAIN_TABLES, 'transactions', 'undo', 'meta'] as const satisfies readonly TableName[];
