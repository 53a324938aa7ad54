import { expect, test } from 'vitest';
import { kindOf } from '../agent/tasks.ts';
import { disputePhase } from '../chain/clock.ts';
import { addressOf, dispute } from '../testing/records.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { transactionsAfter } from './settle.ts';

const contracts = { registry: addressOf(1), inbox: addressOf(2), assertions: addressOf(3), game: addressOf(4), machine: addressOf(5) };
const kinds = (role: 'asserter' | 'challenger', changes: Partial<DisputeRecord>, time = 60n): string[] => {
  const record = dispute(0, changes);
  return transactionsAfter(record, role, disputePhase(record, time), contracts).map(({ intent }) => kindOf(intent));
};
const paidOut = { to: addressOf(4), paid: 1n, burnt: 0n };

test('nothing while the game runs', () => {
  expect(kinds('challenger', {})).toEqual([]);
});

test('the winner of a proof settles and takes the stakes; each once', () => {
  expect(kinds('challenger', { phase: 'challenger-won' })).toEqual(['settle', 'payout']);
  expect(kinds('challenger', { phase: 'challenger-won', settled: true })).toEqual(['payout']);
  expect(kinds('challenger', { phase: 'challenger-won', settled: true, paidOut })).toEqual([]);
});

test("a clock that ran out is the winner's to record", () => {
  expect(kinds('challenger', {}, 150n)).toEqual(['timeout', 'settle', 'payout']);
  expect(kinds('asserter', { phase: 'challenger-to-move' }, 150n)).toEqual(['timeout', 'settle', 'payout']);
});

test('a loser never pays out; an asserter settles, because its bond waits for it', () => {
  expect(kinds('asserter', { phase: 'challenger-won' })).toEqual(['settle']);
  expect(kinds('challenger', { phase: 'asserter-won' })).toEqual([]);
});
