import type { Address, Hex } from 'viem';
import type { BlobSidecar } from '../chain/blobs.ts';
import type { BlockMark } from './store.ts';

/** Where on the chain something happened. */
export interface Occurrence {
  readonly blockNumber: bigint;
  /** Seconds of block time. */
  readonly timestamp: bigint;
  readonly transactionHash: Hex;
}

/** A registered model. Whether this node has its files is another question. */
export interface ModelRecord {
  readonly modelId: Hex;
  /** Eight words. */
  readonly header: readonly Hex[];
  /** E.g. `detect(string)->(string)`. */
  readonly signature: string;
  /** The contracts through which it can be called. */
  readonly contracts: readonly { readonly contract: Address; readonly registrant: Address; readonly fee: bigint; readonly uri: string }[];
  readonly registered: Occurrence;
}

export interface RequestRecord {
  readonly requestId: Hex;
  /** Place in the inbox's order, from 0. */
  readonly index: bigint;
  readonly modelId: Hex;
  /** The model contract that was called. */
  readonly contract: Address;
  readonly requester: Address;
  /** Elements, row by row, without padding; a text's bytes. */
  readonly input: Hex;
  readonly inputCommitment: Hex;
  readonly seed: Hex;
  readonly finality: 'asserted' | 'final';
  readonly callbackGas: number;
  /** Seconds of block time: delivery is legal before, a refund from then on. */
  readonly deadline: bigint;
  /** Wei. */
  readonly fee: bigint;
  readonly status: 'pending' | 'delivered' | 'refunded';
  readonly requested: Occurrence;
  readonly delivery?: Occurrence & { readonly assertionId: Hex; /** ABI encoded. */ readonly result: Hex; readonly callbackSucceeded: boolean };
  /** Set once the fee has left the escrow. */
  readonly feeTo?: Address;
}

export interface AssertionRecord {
  readonly assertionId: Hex;
  /** The claim that it builds on, zero for none, and whether that is final. */
  readonly parent: Hex;
  readonly parentConfirmed: boolean;
  readonly root: Hex;
  readonly sponsor: Address;
  /** The sponsor's own count of assertions. */
  readonly nonce: bigint;
  /** Seconds of block time; from then on nobody can challenge. */
  readonly challengeableUntil: bigint;
  readonly requestIds: readonly Hex[];
  readonly outputCommitments: readonly Hex[];
  readonly asserted: Occurrence;
  readonly openGames: number;
  readonly defeated: boolean;
  readonly bondReleased: boolean;
}

/** One action in a dispute. */
export interface DisputeMove extends Occurrence {
  readonly kind: 'challenge' | 'answer' | 'move' | 'end';
  readonly by: 'asserter' | 'challenger';
  readonly segment?: number;
}

/** A split as the chain's log has it. */
export interface SplitRecord {
  readonly start: bigint;
  readonly length: bigint;
  readonly first: Hex;
  /** The states at the inner bounds; empty if a blob carries them. */
  readonly inner: readonly Hex[];
  readonly last: Hex;
  /** The blob's versioned hash, and the block that it came with. */
  readonly blob?: { readonly versionedHash: Hex; readonly blockNumber: bigint };
}

export interface DisputeRecord {
  readonly gameId: Hex;
  readonly assertionId: Hex;
  /** Entry of the assertion that is disputed. */
  readonly index: number;
  readonly requestId: Hex;
  readonly outputCommitment: Hex;
  /** The assertion's sponsor. */
  readonly asserter: Address;
  readonly challenger: Address;
  /** What the game was opened with, beside the parties and the stakes: its calls repeat it. */
  readonly initialState: Hex;
  readonly binding: Hex;
  /** Steps of the inference. */
  readonly steps: bigint;
  /** Seconds on each clock. */
  readonly allowance: bigint;
  /** Wei. */
  readonly asserterStake: bigint;
  readonly challengerStake: bigint;
  /** The latest split, which the party to move answers. */
  readonly split: SplitRecord;
  readonly phase: 'asserter-to-answer' | 'asserter-to-move' | 'challenger-to-move' | 'asserter-won' | 'challenger-won';
  /** Seconds of block time. */
  readonly turnStartedAt: bigint;
  /** Seconds that each side had left when the running turn began. */
  readonly asserterRemaining: bigint;
  readonly challengerRemaining: bigint;
  readonly moves: readonly DisputeMove[];
  readonly ending?: 'proof' | 'concession' | 'timeout';
  /** The assertion has taken note of the end. */
  readonly settled: boolean;
  readonly bounty: bigint;
  /** What became of the stakes, once the game has ended. */
  readonly paidOut?: { readonly to: Address; readonly paid: bigint; readonly burnt: bigint };
}

/** One entry of one assertion, found by request. */
export interface AnswerRecord {
  readonly assertionId: Hex;
  readonly index: number;
  readonly outputCommitment: Hex;
  readonly sponsor: Address;
}

/** What this node computed for a request: a fact about the model, whatever the chain does. */
export interface ResultRecord {
  /** The padded words. */
  readonly output: Uint8Array;
  readonly outputCommitment: Hex;
  readonly iterations: number;
  readonly executor: string;
  readonly milliseconds: number;
}

/** Commitments of all slots of a disputed inference (`SlotCommitments`), with what shows that they are undamaged. */
export interface SlotCommitmentsRecord {
  readonly iterations: number;
  readonly inOrder: Uint8Array;
  readonly epilogue: Uint8Array;
  readonly checksum: Uint8Array;
}

/** A transaction of this node's own account. */
export interface TransactionRecord {
  readonly intent: string;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint;
  readonly gas: bigint;
  /** What it carries beside its signed bytes. */
  readonly sidecar?: BlobSidecar;
  /** Signed versions of it, with rising fees. */
  readonly attempts: readonly { readonly hash: Hex; readonly raw: Hex; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint; readonly maxFeePerBlobGas?: bigint }[];
  readonly status: 'sent' | 'mined' | 'failed';
  readonly blockNumber?: bigint;
}

/** The blob with the other side's latest claims in a dispute of this node's. */
export interface FetchedBlobRecord {
  readonly versionedHash: Hex;
  readonly blob: Uint8Array;
}

/** What undoes one block. */
export interface UndoRecord {
  readonly block: BlockMark;
  readonly previous: readonly { readonly table: ChainTable; readonly key: string; readonly value: unknown }[];
}

/** Every table with its records, and what their keys are. */
export interface Tables {
  /** By model id. */
  readonly models: ModelRecord;
  /** By request id. */
  readonly requests: RequestRecord;
  /** The inbox's order: index → request id. */
  readonly requestOrder: Hex;
  /** Requests that are pending: index → request id. */
  readonly pendingRequests: Hex;
  /** Delivered requests whose fee is in escrow, by request id. */
  readonly unclaimedFees: true;
  /** `requestId!assertionId`. */
  readonly answers: AnswerRecord;
  /** By assertion id. */
  readonly assertions: AssertionRecord;
  /** In the order of their making: `blockNumber!assertionId` → assertion id. */
  readonly assertionOrder: Hex;
  /** Assertions whose bond is locked, by id. */
  readonly openAssertions: true;
  /** Claims that are final and that the chain has noted as such. */
  readonly confirmedClaims: true;
  /** Ids of the assertions that build on a claim. */
  readonly children: readonly Hex[];
  /** By game id. */
  readonly disputes: DisputeRecord;
  /** `blockNumber!gameId` → game id. */
  readonly disputeOrder: Hex;
  /** `assertionId!gameId` → game id. */
  readonly assertionDisputes: Hex;
  /** Disputes that still need somebody's transaction, by game id. */
  readonly openDisputes: true;
  /** Assertions that a sponsor has made, and withdrawals from a contract: `asserted!sponsor`, `withdrawn!contract!account`. */
  readonly counters: number;
  /** By model, input and seed. */
  readonly results: ResultRecord;
  /** By model, input and seed, as long as a dispute about it runs. */
  readonly slotCommitments: SlotCommitmentsRecord;
  /** By game id, until the dispute is over. */
  readonly fetchedBlobs: FetchedBlobRecord;
  /** The game ids of those. */
  readonly gamesWithBlobs: true;
  /** By intent. */
  readonly transactions: TransactionRecord;
  /** By block number. */
  readonly undo: UndoRecord;
  readonly meta: number | string;
}

export type TableName = keyof Tables;

/** Tables that follow from the chain alone, and are undone with it. */
export const CHAIN_TABLES = [
  'models', 'requests', 'requestOrder', 'pendingRequests', 'unclaimedFees', 'answers', 'assertions', 'assertionOrder',
  'openAssertions', 'confirmedClaims', 'children', 'disputes', 'disputeOrder', 'assertionDisputes', 'openDisputes', 'counters',
] as const satisfies readonly TableName[];
export type ChainTable = (typeof CHAIN_TABLES)[number];

export const TABLES = [...CHAIN_TABLES, 'results', 'slotCommitments', 'fetchedBlobs', 'gamesWithBlobs', 'transactions', 'undo', 'meta'] as const satisfies readonly TableName[];
