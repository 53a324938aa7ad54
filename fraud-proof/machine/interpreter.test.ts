import { describe, expect, test } from 'vitest';
import { step } from './interpreter.ts';
import { proveStep, readOnly } from './proof.ts';
import { hashState } from './state.ts';
import { expectedState } from './testing/expected-state.ts';
import { GOLDEN_STEPS } from './testing/golden.ts';
import { Random } from './testing/random.ts';
import { buildScenario } from './testing/scenario.ts';
import { verifyStep } from './verify.ts';

describe('steps worked out by hand', () => {
  test.each(GOLDEN_STEPS.map((golden) => [golden.name, golden] as const))('%s', (_, golden) => {
    const scenario = buildScenario(golden.parts, new Random(1));
    const expected = expectedState(golden, scenario);
    expect(step(scenario.state, readOnly(scenario.environment))).toEqual(expected);
    expect(verifyStep(hashState(scenario.state), proveStep(scenario.state, scenario.environment).proof)).toEqual(hashState(expected));
  });

  test('names are distinct', () => {
    expect(new Set(GOLDEN_STEPS.map(({ name }) => name)).size).toBe(GOLDEN_STEPS.length);
  });
});
