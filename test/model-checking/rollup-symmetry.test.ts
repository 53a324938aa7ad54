import { describe, expect, it } from 'vitest';
import { checkRollup } from './rollup-checker.ts';
import { legalActions } from './rollup-players.ts';
import type { RollupBounds } from './rollup-players.ts';
import { searchPlainly } from './rollup-reference.ts';
import { CLAIM_NAMES, ROLLUP_RULES, applyAction } from './rollup-rules.ts';
import type { RollupState } from './rollup-rules.ts';
import { canonicalState, keyOfState } from './rollup-symmetry.ts';

const bounds = (change: Partial<RollupBounds>): RollupBounds => ({ attackersInstances: 1, instances: 1, shamGames: 1, requests: false, claims: CLAIM_NAMES, ...change });

const CASES: readonly [string, RollupBounds][] = [
  ['two shams and an honest challenger on one instance', bounds({ shamGames: 2, claims: ['wrong'] })],
  ['two shams on an honest instance', bounds({ attackersInstances: 0, shamGames: 2, claims: ['right'] })],
  ['every claim', bounds({ shamGames: 0 })],
  ['two instances of attackers that are the same', bounds({ attackersInstances: 2, instances: 2, claims: ['right'] })],
  ['three instances', bounds({ attackersInstances: 2, instances: 3, shamGames: 0, claims: ['right', 'right on right'] })],
  ['requests', bounds({ requests: true, shamGames: 0, claims: ['right', 'wrong', 'right on right'] })],
];

/** What can be done, and what comes of it, up to what nobody can tell apart. */
const whatCanBeDone = (state: RollupState, checked: RollupBounds): string[] => [...new Set(legalActions(ROLLUP_RULES, state, checked)
  .map((action) => `${action.kind} ${keyOfState(canonicalState(applyAction(ROLLUP_RULES, state, action).state))}`))].sort();

describe.each(CASES)('the search of one state of all that nobody can tell apart: %s', (_, checked) => {
  const plain = searchPlainly(ROLLUP_RULES, checked);
  const canonical = new Set(plain.map((state) => keyOfState(canonicalState(state))));

  it('meets exactly the states that a plain search meets, each once', () => {
    const met: string[] = [];
    const { states } = checkRollup(ROLLUP_RULES, checked, (state) => met.push(keyOfState(canonicalState(state))));
    expect(states).toBe(met.length);
    expect(new Set(met).size).toBe(met.length);
    expect([...met].sort()).toEqual([...canonical].sort());
    expect(canonical.size).toBeLessThan(plain.length);
  });

  it('loses nothing: a state and the one that stands for it can do the same, and the same comes of it', () => {
    for (const state of plain) {
      const standsForIt = canonicalState(state);
      if (keyOfState(standsForIt) !== keyOfState(state)) expect(whatCanBeDone(state, checked)).toEqual(whatCanBeDone(standsForIt, checked));
    }
  });
});
