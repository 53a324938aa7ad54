import { describe, expect, test } from 'vitest';
import { step } from './interpreter.ts';
import { proveStep, readOnly } from './proof.ts';
import { finishedState, hashState, Status } from './state.ts';
import { expectedState } from './testing/expected-state.ts';
import { GOLDEN_STEPS } from './testing/golden.ts';
import { MemoryMachine } from './testing/memory-machine.ts';
import { Random } from './testing/random.ts';
import { buildScenario } from './testing/scenario.ts';
import { SMALL_INPUT, SMALL_LAST_SLOT, SMALL_OUTPUT, SMALL_PROGRAM, SMALL_STEPS } from './testing/small-program.ts';
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

test('a whole program, step by step: prologue, an early stop, epilogue', () => {
  const machine = new MemoryMachine(SMALL_PROGRAM, SMALL_INPUT, new Uint8Array(32));
  let state = machine.initial;
  let steps = 0;
  for (; state.status === Status.RUNNING; steps += 1) {
    const { proof } = proveStep(state, machine);
    const next = step(state, machine.running);
    expect(verifyStep(hashState(state), proof)).toEqual(hashState(next));
    state = next;
  }
  expect(steps).toBe(SMALL_STEPS);
  expect([...machine.tensors.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, SMALL_LAST_SLOT]);
  expect(machine.tensors.get(0)).toEqual(SMALL_INPUT);
  expect(machine.tensors.get(SMALL_LAST_SLOT)).toEqual(SMALL_OUTPUT);
  expect(state).toEqual(finishedState(state.context, state.slotsRoot));
  expect(step(state, machine.running)).toBe(state);
});
