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

test('nothing while the game runs', () => {
  expect(kinds('challenger', {})).toEqual([]);
});

test('the winner settles, once', () => {
  expect(kinds('challenger', { phase: 'challenger-won' })).toEqual(['settle']);
  expect(kinds('challenger', { phase: 'challenger-won', settled: true })).toEqual([]);
});

test("a clock that ran out is the winner's to settle, whether or not anybody has recorded it", () => {
  expect(kinds('challenger', {}, 149n)).toEqual([]);
  expect(kinds('challenger', {}, 150n)).toEqual(['settle']);
  expect(kinds('asserter', { phase: 'challenger-to-move' }, 150n)).toEqual(['settle']);
});

test('a losing challenger does nothing; a losing asserter settles, because its assertion counts the game as open', () => {
  expect(kinds('asserter', { phase: 'challenger-won' })).toEqual(['settle']);
  expect(kinds('challenger', { phase: 'asserter-won' })).toEqual([]);
});
