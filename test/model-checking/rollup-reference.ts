import { ModelViolation } from './game-checker.ts';
import { legalActions } from './rollup-players.ts';
import type { RollupBounds } from './rollup-players.ts';
import { stateFault, stepFault } from './rollup-properties.ts';
import { applyAction, initialState } from './rollup-rules.ts';
import type { RollupRules, RollupState } from './rollup-rules.ts';
import { keyOfState } from './rollup-symmetry.ts';

/**
 * The plain search that `checkRollup` is held to: states as they are, no symmetry, nothing remembered. For small bounds.
 * @throws ModelViolation where a property does not hold
 */
export function searchPlainly(rules: RollupRules, bounds: RollupBounds): readonly RollupState[] {
  const states: RollupState[] = [initialState(bounds.requests)];
  const seen = new Set(states.map(keyOfState));
  for (let index = 0; index < states.length; index += 1) {
    const state = states[index] as RollupState;
    const fault = stateFault(rules, state, bounds);
    if (fault !== null) throw new ModelViolation(fault, []);
    for (const action of legalActions(rules, state, bounds)) {
      const { state: next, payments } = applyAction(rules, state, action);
      const broken = stepFault(rules, state, next, action, payments);
      if (broken !== null) throw new ModelViolation(broken, [JSON.stringify(action)]);
      const key = keyOfState(next);
      if (seen.has(key)) continue;
      seen.add(key);
      states.push(next);
    }
  }
  return states;
}
