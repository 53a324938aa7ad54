import { describe, expect, test } from 'vitest';
import { addressOf, assertion, at, dispute, idOf, request } from '../testing/records.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { disputeTable, listDisputes } from './list.ts';
import type { Games } from './games.ts';
import { gameStatus } from './status.ts';

const ETHER = 10n ** 18n;
const states = (count: number) => Array.from({ length: count }, (_, index) => idOf(0x800 + index));
const stakes = { asserterStake: ETHER / 10n, challengerStake: ETHER };
/** A split of `length` steps in as many segments. */
const split = (length: bigint, segments: number): DisputeRecord['split'] => ({ start: 0n, length, first: idOf(0x700), inner: states(segments - 1), last: idOf(0x702) });

describe('what would happen next', () => {
  test('the asserter has to answer, and its clock', () => {
    expect(gameStatus(dispute(1, { ...stakes, split: split(1_000n, 16) }), 60n, ETHER / 2n)).toEqual({
      phase: 'asserter-to-answer', turn: 'asserter', secondsLeft: 90, deadline: 150, level: 1, levels: 3, open: true,
      next: 'the asserter has to answer with a stake of 0.1 ETH by 00:02:30 UTC, else the challenger wins: its 1 ETH back and a bounty of 0.5 ETH',
    });
  });

  test('levels: 16 segments each, and single steps from 32 on', () => {
    expect(gameStatus(dispute(1), 60n).levels).toBe(10);
    const of = (length: bigint, segments: number): number => gameStatus(dispute(1, { split: split(length, segments) }), 60n).levels;
    expect([of(20n, 20), of(33n, 16), of(512n, 16), of(513n, 16), of(8_192n, 16), of(8_193n, 16)]).toEqual([1, 2, 2, 3, 3, 4]);
    const blob = { versionedHash: idOf(9), blockNumber: 1n };
    const inBlob = (length: bigint): number => gameStatus(dispute(1, { split: { ...split(length, 1), blob } }), 60n).levels;
    expect([inBlob(4_096n), inBlob(4_096n * 32n), inBlob(4_096n * 32n + 1n)]).toEqual([1, 2, 3]);
  });

  test('moves and proofs of either side, on another day', () => {
    const next = (changes: Partial<DisputeRecord>): string => gameStatus(dispute(1, { ...stakes, split: split(1_000n, 16), ...changes }), 60n).next;
    expect(next({ phase: 'challenger-to-move', challengerRemaining: 86_400n })).toBe('the challenger has to split one of 16 segments by 1970-01-02 00:00:50 UTC, else the asserter wins: its 0.1 ETH back, at most 1 ETH for its moves');
    expect(next({ phase: 'asserter-to-move', split: split(20n, 20) })).toMatch(/^the asserter has to prove one of 20 steps by 00:02:30 UTC, else the challenger wins/);
  });

  test('a clock that ran out is over at that very second', () => {
    const one = dispute(1, { phase: 'asserter-to-move', split: split(20n, 20) });
    expect(gameStatus(one, 149n)).toMatchObject({ turn: 'asserter', secondsLeft: 1 });
    expect(gameStatus(one, 150n)).toMatchObject({ phase: 'challenger-won', turn: null, secondsLeft: null, deadline: null, open: true, next: "anybody can settle: the asserter's clock ran out at 00:02:30 UTC, and the challenger has won" });
  });

  test('an end that is recorded, and one that is settled', () => {
    const ended = dispute(1, { phase: 'asserter-won', ending: 'proof', moves: [...dispute(1).moves, { ...at(60), kind: 'end', by: 'asserter' }] });
    expect(gameStatus(ended, 500n)).toMatchObject({ level: 1, open: true, next: 'anybody can settle: the asserter has won by proof' });
    expect(gameStatus({ ...ended, settled: true }, 500n)).toMatchObject({ open: false, next: 'nothing: the asserter has won by proof' });
    expect(gameStatus({ ...ended, phase: 'challenger-won', ending: 'timeout', settled: true, bounty: ETHER }, 500n).next).toBe('nothing: the challenger has won as the other side was out of time, with a bounty of 1 ETH');
  });
});

describe('the list', () => {
  const records = [dispute(1), dispute(2, { settled: true, phase: 'asserter-won', ending: 'proof' }), dispute(3, { asserter: addressOf(0xabc), requestId: idOf(0x999) })];
  const games: Games = {
    head: { number: 7n, timestamp: 60n }, disputes: async () => records, close: async () => undefined,
    request: async (id) => (id === request(0).requestId ? request(0) : undefined), model: async () => ({ signature: 'detect(string)->(string)' }),
  };
  const ids = async (options: Parameters<typeof listDisputes>[1]): Promise<string[]> => (await listDisputes(games, options)).map(({ gameId }) => gameId);

  test('open ones, a party\'s, an assertion\'s', async () => {
    expect(await ids({})).toEqual(records.map(({ gameId }) => gameId));
    expect(await ids({ open: true })).toEqual([records[0]!.gameId, records[2]!.gameId]);
    expect(await ids({ account: addressOf(0xabc).toUpperCase().replace('0X', '0x') })).toEqual([records[2]!.gameId]);
    expect(await ids({ account: records[0]!.challenger, open: true })).toEqual([records[0]!.gameId, records[2]!.gameId]);
    expect(await ids({ assertion: assertion(2, [0]).assertionId })).toEqual([records[1]!.gameId]);
    expect(await ids({ assertion: '0x1' })).toEqual([]);
  });

  test('as a table; a model that is not known', async () => {
    const [head, first, second, third] = disputeTable(await listDisputes(games)).split('\n') as [string, string, string, string];
    expect(first.slice(head.indexOf('turn'))).toMatch(/^asserter +90 s +0 ETH, 0 ETH +the asserter has to answer/);
    expect(second.slice(head.indexOf('turn'))).toMatch(/^– +– +.*nothing: the asserter has won by proof$/);
    expect([first, third].map((row) => row.slice(head.indexOf('model'), head.indexOf('request')).trim())).toEqual(['detect', '?']);
  });
});
