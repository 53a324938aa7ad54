import { bytesToHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { encodeModel } from '../../deterministic-runtime/program/encoding.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { Opcode } from '../../deterministic-runtime/word-code/instruction.ts';
import { smallClassifier, smallClassifierInput } from '../../test/models/small-classifier.ts';
import { TOKEN_LOOP_ITERATIONS, tokenLoop } from '../../test/models/token-loop.ts';
import { step } from '../machine/interpreter.ts';
import { readOnly } from '../machine/proof.ts';
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

/** Index of the first pair of states that differ; -1 when none does. */
const firstDifference = (left: readonly MachineState[], right: readonly MachineState[]): number =>
  left.findIndex((state, index) => !Buffer.from(encodeState(state)).equals(encodeState(right[index]!)));

describe('trace', () => {
  test('every state of a loop that stops early, in the middle, or not at all', async () => {
    const iterations = new Set<number>();
    for (const [stops, salt] of [[true, 7], [false, 7]] as const) {
      const trace = await traceOf(tokenLoop(), loopInput(stops, salt), { seed: seed(salt) });
      expect(trace.context).toEqual(machineContext(trace.model.modelId, trace.inputCommitment, seed(salt)));
      const expected = [...stepped(trace)];
      const numbers = expected.map((_, index) => BigInt(index));
      const states = trace.states(numbers);
      expect(firstDifference(states, expected)).toBe(-1);
      expect(trace.finishedAfter).toBe(BigInt(expected.length - 2));
      expect(trace.finishedAfter === trace.steps).toBe(trace.tensors.iterations === TOKEN_LOOP_ITERATIONS);
      expect(trace.locate(trace.finishedAfter)).toBeNull();
      expect(await trace.stateAt([trace.steps, trace.steps + 5n])).toEqual(Array.from({ length: 2 }, () => bytesToHex(hashState(expected.at(-1)!))));
      iterations.add(trace.tensors.iterations);
    }
    expect(iterations.size).toBeGreaterThan(1);
  });

  test('every state of random models', async () => {
    let compared = 0;
    for (let number = 0; number < 20; number += 1) {
      const { model, input, seed: requestSeed, made } = generateCase(number * 13 + 1, 1 + (number % 20));
      if (encodeModel(model).steps > 15_000n) continue;
      const trace = await openTrace({ prepared: await createLiftedExecutor().prepare(model), input, seed: requestSeed });
      const expected = [...stepped(trace)];
      expect(firstDifference(trace.states(expected.map((_, index) => BigInt(index))), expected), made).toBe(-1);
      expect(trace.finishedAfter, made).toBe(BigInt(expected.length - 2));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(8);
  });

  test('states of a classifier, asked for in any order and any company', async () => {
    const trace = await traceOf(smallClassifier(), smallClassifierInput(3));
    const asked = new Map<bigint, MachineState>();
    let number = 0n;
    for (const state of stepped(trace)) {
      if (number % 1013n === 0n || (number > 100_000n && number < 100_200n) || number >= trace.steps - 3n) asked.set(number, state);
      number += 1n;
    }
    expect(number).toBe(trace.steps + 2n);
    const numbers = [...asked.keys()].sort((left, right) => Number((left * 7919n) % 10007n) - Number((right * 7919n) % 10007n));
    expect(firstDifference(trace.states(numbers), numbers.map((each) => asked.get(each)!))).toBe(-1);
    for (const each of numbers.slice(0, 20)) expect(firstDifference(trace.states([each, each]), [asked.get(each)!, asked.get(each)!])).toBe(-1);
    expect(trace.output).toEqual(trace.tensors.slot(11));
  });

  /** One step for each instruction of each operator, in the last word of a slot's tensor. */
  function* oneStepEach(trace: Trace, slots: readonly number[]): Generator<bigint> {
    for (const slot of slots) {
      const last = trace.tensors.slot(slot)!.length / 32 - 1;
      const seen = new Set<number>();
      for (let number = trace.startOf(slot, last); trace.locate(number)?.word === last && trace.locate(number)?.slot === slot; number += 1n) {
        const { pc } = trace.locate(number)!;
        if (!seen.has(pc)) yield number;
        seen.add(pc);
      }
      expect(seen.size).toBe(trace.locate(trace.startOf(slot, 0))!.operator.code.length);
    }
  }

  test('every instruction of every operator has a proof that leads to the next state', async () => {
    const loop = await traceOf(tokenLoop(), loopInput(true, 7), { seed: seed(7) });
    const classifier = await traceOf(smallClassifier(), smallClassifierInput(3));
    const proven = new Set<number>();
    for (const [trace, slots] of [[loop, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 32]], [classifier, [1, 2, 3, 4, 6, 7, 8, 10, 11]]] as const) {
      for (const number of [...oneStepEach(trace, slots), trace.finishedAfter, trace.steps]) {
        const [before, after] = trace.states([number, number + 1n]);
        const { proof, postState } = trace.prove(number);
        expect(encodeState(postState)).toEqual(encodeState(after!));
        expect(verifyStep(hashState(before!), proof)).toEqual(hashState(after!));
        const location = trace.locate(number);
        if (location !== null) proven.add(location.instruction.op);
      }
    }
    for (const op of [Opcode.LOOP, Opcode.STORE, Opcode.LOADWORD, Opcode.DOT, Opcode.LOAD8, Opcode.LOAD32, Opcode.REQUANTIZE]) expect(proven).toContain(op);
  });

  test('each step is where it is said to be', async () => {
    const trace = await traceOf(tokenLoop(), loopInput(true, 7), { seed: seed(7) });
    let number = 0n;
    for (const state of stepped(trace)) {
      const location = trace.locate(number);
      if (state.status !== Status.RUNNING) expect(location).toBeNull();
      else if (number % 29n === 0n || state.pc === 0) {
        const { slot, word, pc, counters } = location!;
        expect({ slot, word, pc, counters }).toEqual({ slot: state.slot, word: state.word, pc: state.pc, counters: state.counters });
        expect(location!.instruction).toEqual(location!.operator.code[pc]);
        expect(trace.startOf(slot, word)).toBe(number - location!.step);
      }
      number += 1n;
    }
    expect(() => trace.locate(-1n)).toThrow('no step -1');
  });
});

describe('a liar', () => {
  /** Steps that are no honest ones between the liar's own states: all near the first difference, and a sample of the others. */
  async function lies(honest: Trace, liar: Trace): Promise<bigint[]> {
    const numbers = Array.from({ length: Number(liar.steps) + 1 }, (_, index) => BigInt(index));
    const [own, other] = [honest.states(numbers), liar.states(numbers)];
    const same = own.map((state, index) => Buffer.from(encodeState(state)).equals(encodeState(other[index]!)));
    const found: bigint[] = [];
    const first = same.indexOf(false);
    for (const number of numbers.slice(0, -1)) {
      if (Math.abs(Number(number) - first) > 60 && number % 101n !== 0n) continue;
      const successor = step(other[Number(number)]!, readOnly(liar.stateFull(number).environment));
      if (!Buffer.from(encodeState(successor)).equals(encodeState(other[Number(number) + 1]!))) found.push(number);
    }
    expect(first).toBe(found.length === 0 ? -1 : Number(found[0]) + 1);
    return found;
  }

  test('replaces a word: its states are honest steps everywhere but at that STORE', async () => {
    const options = { seed: seed(7) };
    const honest = await traceOf(tokenLoop(), loopInput(true, 7), options);
    const slot = 2 + 5 + 1;
    const value = honest.tensors.slot(slot)!.slice(32, 64);
    value[3]! ^= 0x40;
    const liar = await traceOf(tokenLoop(), loopInput(true, 7), { ...options, fault: { kind: 'word', slot, word: 1, value } });
    const found = await lies(honest, liar);
    expect(found).toEqual([liar.startOf(slot, 2) - 1n]);
    expect(liar.locate(found[0]!)!.instruction.op).toBe(Opcode.STORE);
    expect(await liar.stateAt([liar.steps])).not.toEqual(await honest.stateAt([honest.steps]));
  });

  test('changes a register: its states are honest steps everywhere but there', async () => {
    const options = { seed: seed(7) };
    const honest = await traceOf(tokenLoop(), loopInput(true, 7), options);
    const slot = 2 + 5 + 1;
    const start = honest.startOf(slot, 2);
    for (const fault of [
      { kind: 'scalar', slot, word: 2, step: 9, register: 0, value: -(2n ** 40n) - 5n },
      { kind: 'vector', slot, word: 2, step: 7, register: 1, value: new Uint8Array(32).fill(0x81) },
    ] as const) {
      const liar = await traceOf(tokenLoop(), loopInput(true, 7), { ...options, fault });
      expect(await lies(honest, liar)).toEqual([start + BigInt(fault.step) - 1n]);
    }
  });

  test('is refused where there is nothing to lie about', async () => {
    const lie = (fault: Fault): Promise<Trace> => traceOf(tokenLoop(), loopInput(true, 7), { seed: seed(7), fault });
    const value = new Uint8Array(32).fill(1);
    await expect(lie({ kind: 'word', slot: 2 + 5 * 5, word: 0, value })).rejects.toThrow('slot 27 is not written');
    await expect(lie({ kind: 'word', slot: 0, word: 1, value })).rejects.toThrow('slot 0 has no word 1');
    await expect(lie({ kind: 'word', slot: 1, word: 1, value })).rejects.toThrow('padding lanes must be zero');
    await expect(lie({ kind: 'scalar', slot: 0, word: 0, step: 1000, register: 0, value: 1n })).rejects.toThrow('no step 1000');
    await expect(lie({ kind: 'scalar', slot: 0, word: 0, step: 1, register: 16, value: 1n })).rejects.toThrow('no scalar register 16');
  });
});
