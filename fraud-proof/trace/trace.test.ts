import { bytesToHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { smallClassifier, smallClassifierInput } from '../../test/models/small-classifier.ts';
import { TOKEN_LOOP_ITERATIONS, tokenLoop } from '../../test/models/token-loop.ts';
import { step } from '../machine/interpreter.ts';
import { encodeState, hashState, initialState, machineContext, Status } from '../machine/state.ts';
import type { MachineState } from '../machine/state.ts';
import { verifyStep } from '../machine/verify.ts';
import type { Fault } from './fault.ts';
import { SteppedMachine } from './testing/stepped-machine.ts';
import { openTrace } from './trace.ts';
import type { Trace } from './trace.ts';

async function traceOf(model: Model, elements: Uint8Array, options: { seed?: Uint8Array; fault?: Fault } = {}): Promise<Trace> {
  const prepared = await createLiftedExecutor().prepare(model);
  return openTrace({ prepared, input: packTensor(model.program.input, elements), ...options });
}

const loopInput = (stops: boolean, salt: number): Uint8Array => new Uint8Array(40).map((_, index) => (index === 0 ? Number(stops) : index * salt));
const seed = (salt: number): Uint8Array => new Uint8Array(32).map((_, index) => index * salt + 3);

/** Every state from the first on, the machine being stepped instruction by instruction; the finished one twice. */
function* stepped({ tensors, model, context }: Trace): Generator<MachineState> {
  const machine = new SteppedMachine(model, tensors.input, tensors.seed);
  let state = initialState(context);
  while (state.status === Status.RUNNING) {
    yield state;
    state = step(state, machine);
  }
  yield state;
  yield step(state, machine);
}

describe('trace', () => {
  test('every state of a loop that stops early, in the middle, or not at all', async () => {
    const iterations = new Set<number>();
    for (const [stops, salt] of [[true, 7], [true, 3], [false, 7], [true, 11]] as const) {
      const trace = await traceOf(tokenLoop(), loopInput(stops, salt), { seed: seed(salt) });
      expect(trace.context).toEqual(machineContext(trace.model.modelId, trace.inputCommitment, seed(salt)));
      const expected = [...stepped(trace)];
      const numbers = expected.map((_, index) => BigInt(index));
      const states = trace.states(numbers);
      expected.forEach((state, index) => expect(encodeState(states[index]!), `step ${index}`).toEqual(encodeState(state)));
      expect(trace.finishedAfter).toBe(BigInt(expected.length - 2));
      expect(trace.finishedAfter === trace.steps).toBe(trace.tensors.iterations === TOKEN_LOOP_ITERATIONS);
      expect(trace.locate(trace.finishedAfter)).toBeNull();
      expect(await trace.stateAt([trace.steps, trace.steps + 5n])).toEqual(Array.from({ length: 2 }, () => bytesToHex(hashState(expected.at(-1)!))));
      iterations.add(trace.tensors.iterations);
    }
    expect(iterations.size).toBeGreaterThan(1);
  });
});
