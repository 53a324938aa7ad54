import { describe, expect, it } from 'vitest';
import { ModelViolation } from './game-checker.ts';
import { checkRollup } from './rollup-checker.ts';
import type { RollupBounds } from './rollup-players.ts';
import { searchPlainly } from './rollup-reference.ts';
import { CLAIM_NAMES, ROLLUP_RULES } from './rollup-rules.ts';
import type { RollupRules } from './rollup-rules.ts';
import { keyOfInstance } from './rollup-symmetry.ts';

const bounds = (change: Partial<RollupBounds>): RollupBounds => ({ attackersInstances: 1, instances: 1, shamGames: 1, requests: false, claims: CLAIM_NAMES, ...change });

describe('no reachable state in which the truth cannot become final, a lie is, or value is lost', () => {
  it.each<[string, RollupBounds, number]>([
    ['one instance, one sham, every claim', bounds({}), 500],
    ['one instance, two shams', bounds({ shamGames: 2, claims: ['wrong'] }), 500],
    ['an honest instance beside an attacker', bounds({ instances: 2, shamGames: 0, claims: ['right', 'wrong', 'right on right'] }), 300],
    ['requests', bounds({ requests: true, shamGames: 0, claims: ['right', 'wrong', 'wrong on right'] }), 500],
  ])('%s', (_, checked, atLeast) => {
    const { states } = checkRollup(ROLLUP_RULES, checked);
    expect(states).toBeGreaterThan(atLeast);
  });
});

describe('with any number of other instances', () => {
  const met = (checked: RollupBounds): Set<string> => new Set(checkRollup(ROLLUP_RULES, checked).instances.map(({ instance, phase }) => `${phase}: ${keyOfInstance(instance)}`));

  it('an instance does what it does with one and two others, and nothing is lost', () => {
    const withAny = met(bounds({ others: true }));
    const withTwo = met(bounds({ instances: 3, claims: ['right', 'right on right'] }));
    expect(withTwo.size).toBeGreaterThan(100);
    expect([...withTwo].filter((one) => !withAny.has(one))).toEqual([]);
    expect(met(bounds({ instances: 2 }))).toEqual(withAny);
    // A child alone is never final.
    expect(met(bounds({})).size).toBeLessThan(withAny.size);
  });
});

describe('broken rules are found', () => {
  const pair = bounds({ instances: 2, claims: ['right', 'wrong'] });
  const broken: readonly [string, Partial<RollupRules>, RollupBounds, string][] = [
    ['a lost game defeats all instances of the claim', { isDefeated: ({ claim }, all) => all.some((one) => one.claim === claim && one.defeats > 0) }, pair, 'honest instance is defeated|cannot become final|not final for good'],
    ['a claim can be asserted once', { assertedOnce: true }, bounds({}), 'cannot be asserted'],
    ['a challenge is legal in the second in which the window is over', { challengeable: (left) => left >= 0 }, bounds({}), 'final assertion has an open game|for good'],
    ['a challenge is legal for ever', { challengeable: () => true }, bounds({}), 'final assertion has an open game|for good'],
    ['an open game does not keep an assertion from being final', { finalNeedsNoGame: false }, bounds({}), 'wrong claim is final|for good'],
    ['a claim can be confirmed before it is final', { confirmNeedsFinal: false }, bounds({}), 'wrong claim is confirmed'],
    ['a child waits for every instance of what it builds on', {
      parentIsFinal: (parent, { instances }) => instances.some(({ claim }) => claim === parent) && instances.every(({ claim, defeats, left }) => claim !== parent || (defeats === 0 && left <= 0)),
    }, bounds({ claims: ['right', 'right on right'] }), 'cannot become final|for good'],
    ['a child needs no parent', { parentIsFinal: () => true }, bounds({ claims: ['right', 'right on wrong'] }), 'wrong claim is final'],
    ['every winner has a bounty', { bounties: (defeats) => defeats }, bounds({ shamGames: 2, claims: ['wrong'] }), 'more than half'],
    ['a second settlement counts', { settlesOnce: false }, bounds({ claims: ['right'] }), 'counts more than once'],
    ['a defeated bond leaves while games are open', { bondWaitsForGames: false }, bounds({ shamGames: 2, claims: ['right'] }), 'became'],
    ['silence wins', { timeout: (phase) => (phase === 'to answer' ? 'sponsor won' : 'challenger won') }, bounds({ instances: 2, claims: ['right', 'wrong'] }), 'lost a bond or a stake'],
    ['a refund one second after the deadline', { mayRefund: (left) => left < 0 }, bounds({ requests: true, claims: ['right'] }), 'request is stuck'],
    ['a delivery in the second of the deadline', { mayDeliver: (left) => left >= 0 }, bounds({ requests: true, claims: ['right'] }), 'delivery and a refund'],
    ['a fee is paid as often as it is claimed', { feeOnce: false }, bounds({ requests: true, claims: ['right'] }), 'inbox'],
  ];

  // The plain search that the other one is held to has to find them, too.
  describe.each([['symmetric', checkRollup], ['plain', searchPlainly]] as const)('by the %s search', (_, search) => {
    it.each(broken)('%s', (__, change, checked, message) => {
      let found: unknown;
      try {
        search({ ...ROLLUP_RULES, ...change }, checked);
      } catch (error) {
        found = error;
      }
      expect(found).toBeInstanceOf(ModelViolation);
      expect((found as Error).message).toMatch(new RegExp(message));
    });
  });

  it('and the way to the state that shows it is given', () => {
    const lies = (): unknown => checkRollup({ ...ROLLUP_RULES, confirmNeedsFinal: false }, bounds({ claims: ['wrong'] }));
    expect(lies).toThrow(/wrong claim is confirmed[^]*"assert"[^]*"confirm"/);
  });
});
