import { numberToHex } from 'viem';
import type { Address, Hex } from 'viem';
import type { AssertionRecord, DisputeRecord, Occurrence, RequestRecord } from '../store/tables.ts';

/** A 32-byte id from a number. */
export const idOf = (number: number): Hex => numberToHex(number, { size: 32 });
/** An address from a number. */
export const addressOf = (number: number): Address => numberToHex(number, { size: 20 });
/** Block `number`, at second `number`. */
export const at = (number: number): Occurrence => ({ blockNumber: BigInt(number), timestamp: BigInt(number), transactionHash: idOf(0xf00 + number) });

/** A pending request, for tests. */
export const request = (index: number, changes: Partial<RequestRecord> = {}): RequestRecord => ({
  requestId: idOf(0x100 + index), index: BigInt(index), modelId: idOf(1), contract: addressOf(1), requester: addressOf(2),
  input: '0x616263', inputCommitment: idOf(0x900 + index), seed: idOf(0), finality: 'final', callbackGas: 0, deadline: 1_000n, fee: 5n,
  status: 'pending', requested: at(index), ...changes,
});

/** An assertion that answers requests `indices`, for tests. */
export const assertion = (number: number, indices: readonly number[], changes: Partial<AssertionRecord> = {}): AssertionRecord => ({
  assertionId: idOf(0x200 + number), parent: idOf(0), parentConfirmed: true, root: idOf(0x201 + number), sponsor: addressOf(3), nonce: 0n, challengeableUntil: 100n,
  requestIds: indices.map((index) => idOf(0x100 + index)), outputCommitments: indices.map((index) => idOf(0x500 + index)),
  asserted: at(number), openGames: 0, defeated: false, bondReleased: false, ...changes,
});

/** A dispute about the first entry of assertion `number`, for tests. */
export const dispute = (number: number, changes: Partial<DisputeRecord> = {}): DisputeRecord => ({
  gameId: idOf(0x300 + number), assertionId: idOf(0x200 + number), index: 0, requestId: idOf(0x100), outputCommitment: idOf(0x500),
  asserter: addressOf(3), challenger: addressOf(4), initialState: idOf(0x700), binding: idOf(0x701), steps: 1_000n, allowance: 100n, asserterStake: 20n, challengerStake: 200n,
  split: { start: 0n, length: 1_000n, first: idOf(0x700), inner: [], last: idOf(0x702) }, phase: 'asserter-to-answer', turnStartedAt: 50n, asserterRemaining: 100n, challengerRemaining: 100n,
  moves: [{ ...at(50), kind: 'challenge', by: 'challenger' }], settled: false, bounty: 0n, ...changes,
});
