import { describe, expect, it } from 'vitest';
import { ModelViolation, checkGames } from './game-checker.ts';
import { gameRules, segmentBounds } from './game-rules.ts';
import type { GameRules, Role } from './game-rules.ts';
import { allPatterns, disputable, patternClasses } from './split-patterns.ts';

const upTo = (steps: number): number[] => Array.from({ length: steps }, (_, index) => index + 1);
const ROLES: readonly Role[] = ['asserter', 'challenger'];
const rules = gameRules(4);

describe('all games of up to 64 steps with an arity of 4', () => {
  it.each(ROLES)('a truthful %s has a winning answer in every reachable state', (honest) => {
    const { states, games } = checkGames({ rules, honest, steps: upTo(64), allowance: 2 });
    // A game of 64 steps has at least its 2^63 openings in a blob, and twice 2^3 in calldata.
    expect(states).toBeGreaterThan(5_000);
    expect(games).toBeGreaterThan(honest === 'asserter' ? 2n ** 63n : 100_000n);
  });

  it.each(ROLES)('and so has a truthful %s where blobs have 16 segments', (honest) => {
    checkGames({ rules: gameRules(4, 16), honest, steps: upTo(64), allowance: 2 });
  });
});

describe('broken rules are found', () => {
  const broken: readonly [string, Partial<GameRules>, string][] = [
    ['a clock has run out one second later', { timedOut: (elapsed, remaining) => elapsed > remaining }, 'no answer|neither'],
    ['a move is legal in the second in which the clock has run out', { mayMove: (elapsed, remaining) => elapsed <= remaining }, 'both legal'],
    ['a move may end as the other claimed', { endMustDiffer: false }, 'has no answer'],
    ['a mover chooses where its split starts', { startIsAgreed: false }, 'has no answer'],
    ['a proof may be of a segment of many steps', { proofIsOfOneStep: false }, 'has lost'],
    ['a proof of what was claimed wins', { moverWins: (start, end) => start === end }, 'has lost'],
    ['turns are not charged', { charge: (remaining) => remaining }, 'older than two allowances'],
    ['a turn gives its seconds back twice', { charge: (remaining, elapsed) => remaining + elapsed }, 'older than two allowances'],
    ['every turn costs a second more', { charge: (remaining, elapsed) => remaining - elapsed - 1 }, 'no answer|has lost'],
    ['who is silent wins', { loserOfTimeout: (role) => (role === 'asserter' ? 'challenger' : 'asserter') }, 'has lost'],
    ['short splits have empty segments', { segments: () => 4 }, 'answer is illegal'],
  ];

  it.each(broken)('%s', (_, change, message) => {
    // An arity of 2 gives games of many turns.
    const check = (honest: Role): void => void checkGames({ rules: { ...gameRules(2), ...change }, honest, steps: [...upTo(9), 64], allowance: 2 });
    const found = ROLES.flatMap((honest) => {
      try {
        check(honest);
        return [];
      } catch (error) {
        if (!(error instanceof ModelViolation)) throw error;
        return [error.message];
      }
    });
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toMatch(new RegExp(message));
  });
});

describe('patterns of claims', () => {
  it('as classes are as many as one by one, and leave the same choices', () => {
    for (const [length, segments] of [[5, 5], [9, 4], [64, 12], [23, 10]] as const) {
      const lengths = upTo(segments).map((j) => {
        const [from, to] = segmentBounds(length, j - 1, segments);
        return to - from;
      });
      const choice = (claims: readonly number[]): string => [...new Set(disputable(claims).map((j) => lengths[j]))].sort().join();
      for (const [first, last] of [[0, 1], [0, 0], [1, 1], [1, 0]] as const) {
        const counted = new Map<string, bigint>();
        for (const { claims } of allPatterns(segments, first, last)) counted.set(choice(claims), (counted.get(choice(claims)) ?? 0n) + 1n);
        expect(new Map(patternClasses(lengths, first, last).map(({ claims, count }) => [choice(claims), count]))).toEqual(counted);
      }
    }
  });
});
