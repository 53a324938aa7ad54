import { bytesToHex, hexToBytes, toHex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';
import { keccak256 } from '../../../deterministic-runtime/commitment/keccak.ts';
import { commitTensor, TENSOR_TAG } from '../../../deterministic-runtime/commitment/tree.ts';
import { step } from '../../../fraud-proof/machine/interpreter.ts';
import { finishedOpening, proveStep, unfinishedOpening } from '../../../fraud-proof/machine/proof.ts';
import { failedState, finishedState, hashEncodedState, hashState, machineContext, Status } from '../../../fraud-proof/machine/state.ts';
import type { MachineState } from '../../../fraud-proof/machine/state.ts';
import { joinWords } from '../../../fraud-proof/machine/testing/encoding.ts';
import { expectedState } from '../../../fraud-proof/machine/testing/expected-state.ts';
import { GOLDEN_STEPS } from '../../../fraud-proof/machine/testing/golden.ts';
import { MemoryMachine } from '../../../fraud-proof/machine/testing/memory-machine.ts';
import { DEFINED_OPCODES, randomScenario, UNDEFINED_OPCODES } from '../../../fraud-proof/machine/testing/random-scenario.ts';
import { Random } from '../../../fraud-proof/machine/testing/random.ts';
import { buildScenario } from '../../../fraud-proof/machine/testing/scenario.ts';
import { SMALL_INPUT, SMALL_LAST_SLOT, SMALL_OUTPUT, SMALL_PROGRAM, SMALL_STEPS } from '../../../fraud-proof/machine/testing/small-program.ts';
import { TAMPERINGS } from '../../../fraud-proof/machine/testing/tampering.ts';
import { InvalidProofError, verifyStep } from '../../../fraud-proof/machine/verify.ts';
import { WordMachineEvm } from './word-machine-evm.ts';

/** Per opcode; `evidence.ts` runs 10,000 of each. */
const CASES_PER_OPCODE = 8;
const GAS_OF_A_STEP = 20_000n;

let contract: WordMachineEvm;
beforeAll(async () => {
  contract = await WordMachineEvm.create();
});

/** The verifier's answer in the form of the contract's. */
function verified(preState: Uint8Array, proof: Uint8Array): { readonly value: string } | { readonly refusal: string } {
  try {
    return { value: bytesToHex(verifyStep(preState, proof)) };
  } catch (error) {
    if (error instanceof InvalidProofError) return { refusal: error.refusal };
    throw error;
  }
}

test('steps worked out by hand', async () => {
  for (const golden of GOLDEN_STEPS) {
    const scenario = buildScenario(golden.parts, new Random(1));
    const { proof } = proveStep(scenario.state, scenario.environment);
    expect(await contract.step(hashState(scenario.state), proof), golden.name).toMatchObject({ value: bytesToHex(hashState(expectedState(golden, scenario))) });
  }
});

test('random steps of every opcode: interpreter, verifier and contract agree', async () => {
  const opcodes = [...DEFINED_OPCODES, ...UNDEFINED_OPCODES.filter((op) => op % 16 === 0 || op === 0x1c || op === 0x32)];
  for (const op of opcodes) {
    for (let number = 0; number < CASES_PER_OPCODE; number += 1) {
      const { state, environment } = randomScenario(op, new Random(op * 65536 + number));
      const { proof, postState } = proveStep(state, environment);
      const expected = { value: bytesToHex(hashState(postState)) };
      expect(verified(hashState(state), proof), `opcode ${op}, case ${number}`).toEqual(expected);
      const outcome = await contract.step(hashState(state), proof);
      expect(outcome, `opcode ${op}, case ${number}`).toMatchObject(expected);
      expect('gas' in outcome && outcome.gas < GAS_OF_A_STEP).toBe(true);
    }
  }
});

describe('what is not a proof is refused, for the same reason', () => {
  test.each(TAMPERINGS.map((tampering) => [tampering.name, tampering] as const))('%s', async (_, { apply }) => {
    for (const op of DEFINED_OPCODES) {
      const random = new Random(op * 7 + 3);
      const { state, environment } = randomScenario(op, random);
      const { proof } = proveStep(state, environment);
      const spoilt = apply(proof, random);
      if (bytesToHex(spoilt) === bytesToHex(proof)) continue;
      const outcome = verified(hashState(state), spoilt);
      expect(outcome, `opcode ${op}`).toHaveProperty('refusal');
      expect(await contract.step(hashState(state), spoilt), `opcode ${op}`).toEqual(outcome);
    }
  });

  test('a proof of another state', async () => {
    const { state, environment } = randomScenario(1, new Random(1));
    const { proof } = proveStep(state, environment);
    const other = hashState({ ...state, pc: state.pc ^ 1 });
    expect(verified(other, proof)).toEqual({ refusal: 'WrongPreState' });
    expect(await contract.step(other, proof)).toEqual({ refusal: 'WrongPreState' });
  });

  test('a position with unused bits, or an unknown status', async () => {
    const { state, environment } = randomScenario(1, new Random(1));
    const { proof } = proveStep(state, environment);
    const position = 11 * 32;
    for (const [byte, value] of [[0, 1], [4, 128], [5, 3], [5, 255]] as const) {
      const spoilt = proof.with(position + byte, value);
      const encoded = new Uint8Array(11 * 32);
      encoded.set(state.context);
      encoded.set(spoilt.subarray(10 * 32, 20 * 32), 32);
      expect(verified(hashEncodedState(encoded), spoilt)).toEqual({ refusal: 'MalformedState' });
      expect(await contract.step(hashEncodedState(encoded), spoilt)).toEqual({ refusal: 'MalformedState' });
    }
  });

  test('ABI encodings that say more than they hold', async () => {
    const { state, environment } = randomScenario(1, new Random(1));
    const { proof } = proveStep(state, environment);
    expect(await contract.stepWithLength(hashState(state), proof, BigInt(proof.length))).toHaveProperty('value');
    for (const length of [BigInt(proof.length) + 32n, 2n ** 64n, 2n ** 256n - 1n]) {
      expect(await contract.stepWithLength(hashState(state), proof, length)).toEqual({ refusal: 'revert' });
    }
  });
});

describe('a whole program', () => {
  const seed = new Uint8Array(32).fill(0x5e);

  test('from the initial state to the result, every step on the contract', async () => {
    const machine = new MemoryMachine(SMALL_PROGRAM, SMALL_INPUT, seed);
    const modelId = keccak256(machine.header);
    let state = machine.initial;
    expect(await contract.initialState(modelId, machine.inputCommitment, seed)).toMatchObject({ value: bytesToHex(hashState(state)) });
    let steps = 0;
    for (; state.status === Status.RUNNING; steps += 1) {
      const { proof } = proveStep(state, machine);
      const next = step(state, machine.running);
      expect(await contract.step(hashState(state), proof), `step ${steps}`).toMatchObject({ value: bytesToHex(hashState(next)) });
      state = next;
    }
    expect(steps).toBe(SMALL_STEPS);
    expect(await contract.step(hashState(state), proveStep(state, machine).proof)).toMatchObject({ value: bytesToHex(hashState(state)) });

    const commitment = machine.slotCommitment(SMALL_LAST_SLOT);
    expect(commitment).toEqual(commitTensor(SMALL_OUTPUT));
    const opening = finishedOpening(machine.header, state.slotsRoot, commitment, machine.slotPath(SMALL_LAST_SLOT));
    const opened = await contract.finalState(modelId, machine.inputCommitment, seed, opening);
    expect(opened).toMatchObject({ value: [bytesToHex(hashState(state)), bytesToHex(commitment)] });

    expect(await contract.finalState(commitment, machine.inputCommitment, seed, opening)).toEqual({ refusal: 'WrongModel' });
    for (const { name, apply } of TAMPERINGS) {
      const random = new Random(9);
      for (let round = 0; round < 20; round += 1) {
        const spoilt = apply(opening, random);
        if (bytesToHex(spoilt) === bytesToHex(opening)) continue;
        expect(await contract.finalState(modelId, machine.inputCommitment, seed, spoilt), name).toHaveProperty('refusal');
      }
    }
  });

  test('what ended without a result, or did not end, opens with none', async () => {
    const machine = new MemoryMachine(SMALL_PROGRAM, SMALL_INPUT, seed);
    const [modelId, zero] = [keccak256(machine.header), new Uint8Array(32)];
    const opens = async (state: MachineState, opening: Uint8Array): Promise<void> =>
      expect(await contract.finalState(modelId, machine.inputCommitment, seed, opening)).toMatchObject({ value: [bytesToHex(hashState(state)), bytesToHex(zero)] });
    const { context } = machine.initial;
    await opens(finishedState(context, zero), finishedOpening(machine.header, zero, zero, machine.slotPath(SMALL_LAST_SLOT).map(() => zero)));
    for (const state of [machine.initial, failedState(context)]) await opens(state, unfinishedOpening(state));
    const random = new Random(3);
    for (let round = 0; round < 50; round += 1) {
      const { state } = randomScenario(DEFINED_OPCODES[round % DEFINED_OPCODES.length]!, random);
      await opens({ ...state, context }, unfinishedOpening({ ...state, context }));
    }
  });

  test('a finished state cannot be passed off as one without a result', async () => {
    const machine = new MemoryMachine(SMALL_PROGRAM, SMALL_INPUT, seed);
    const finished = finishedState(machine.initial.context, commitTensor(SMALL_OUTPUT));
    const words = unfinishedOpening(finished);
    for (const status of [Status.RUNNING, Status.FAILED]) {
      words[31] = status;
      expect(await contract.finalState(keccak256(machine.header), machine.inputCommitment, seed, words)).toEqual({ refusal: 'MalformedState' });
    }
    words[31] = 3;
    expect(await contract.finalState(keccak256(machine.header), machine.inputCommitment, seed, words)).toEqual({ refusal: 'MalformedState' });
  });

  test('a program without slots has no finished state', async () => {
    const empty = new MemoryMachine({ prologue: 0, body: 0, epilogue: 0, maxIterations: 3, operators: [], constants: [] }, SMALL_INPUT, seed);
    const nothing = finishedOpening(empty.header, commitTensor(SMALL_OUTPUT), commitTensor(SMALL_OUTPUT), []);
    expect(await contract.finalState(keccak256(empty.header), empty.inputCommitment, seed, nothing)).toEqual({ refusal: 'NoResult' });
  });
});

describe('a node in the place of a leaf, and a leaf in the place of a node', () => {
  const WORDS = Uint8Array.from({ length: 256 }, (_, byte) => byte);

  /** A machine about to load word 2 of an input of eight words, with its proof. */
  function load(): { readonly preState: Uint8Array; readonly words: Uint8Array[]; readonly path: number } {
    const machine = new MemoryMachine({
      prologue: 1, body: 0, epilogue: 0, maxIterations: 0, constants: [],
      operators: [{ rows: 1, columns: 1, elementBytes: 1, operands: [{ kind: 2 }], code: [{ op: 0x16, d: 0, a: 0, b: 31, x: 0 }, { op: 0x1b, d: 0, a: 0, b: 0, x: 0 }] }],
    }, WORDS, seedOf(3));
    const state = { ...machine.initial, scalars: machine.initial.scalars.with(0, 2n) };
    const { proof } = proveStep(state, machine);
    const words = Array.from({ length: proof.length / 32 }, (_, index) => proof.slice(32 * index, 32 * index + 32));
    return { preState: hashState(state), words, path: words.length - 3 };
  }
  const seedOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

  test('the parent of the word, with the path from there', async () => {
    const { preState, words, path } = load();
    const parent = keccak256(Uint8Array.from([...words[path - 1] as Uint8Array, ...words[path] as Uint8Array]));
    const shorter = joinWords([...words.slice(0, path - 1), parent, ...words.slice(path + 1)]);
    expect(await contract.step(preState, joinWords(words))).toHaveProperty('value');
    expect(await contract.step(preState, shorter)).toEqual({ refusal: 'ProofTruncated' });
    expect(await contract.step(preState, joinWords([...words.slice(0, path - 1), parent, ...words.slice(path + 1), seedOf(0)]))).toEqual({ refusal: 'WrongWord' });
  });

  test('a word count under which the path would fit', async () => {
    const { preState, words, path } = load();
    const fewer = words.with(path - 2, hexToBytes(toHex(4n, { size: 32 })));
    expect(await contract.step(preState, joinWords(fewer.toSpliced(path, 1)))).toEqual({ refusal: 'WrongTensor' });
  });

  test('the sibling, or the word of another index', async () => {
    const { preState, words, path } = load();
    const [word, sibling] = [words[path - 1] as Uint8Array, words[path] as Uint8Array];
    expect(await contract.step(preState, joinWords(words.with(path - 1, sibling).with(path, word)))).toEqual({ refusal: 'WrongWord' });
  });
});

test('a word count that no number of words comes to', async () => {
  const absurd = (2n ** 256n) - 1n;
  const root = new Uint8Array(32).fill(9);
  const count = hexToBytes(toHex(absurd, { size: 32 }));
  const machine = new MemoryMachine({
    prologue: 1, body: 0, epilogue: 0, maxIterations: 0, constants: [],
    operators: [{ rows: 1, columns: 1, elementBytes: 1, operands: [{ kind: 2 }], code: [{ op: 0x14, d: 0, a: 31, b: 31, x: 0 }] }],
  }, SMALL_INPUT, new Uint8Array(32));
  const inputCommitment = keccak256(joinWords([TENSOR_TAG, root, count]));
  const state = { ...machine.initial, context: machineContext(keccak256(machine.header), inputCommitment, machine.seed) };
  const whole = proveStep(machine.initial, machine).proof;
  const head = new Uint8Array(whole.subarray(0, whole.length - 96 - 32));
  head.set(inputCommitment, 8 * 32);
  const proof = joinWords([...Array.from({ length: head.length / 32 }, (_, index) => head.subarray(32 * index, 32 * index + 32)), root, count]);
  const expected = bytesToHex(hashState({ ...state, pc: 1 }));
  expect(verified(hashState(state), proof)).toEqual({ value: expected });
  expect(await contract.step(hashState(state), proof)).toMatchObject({ value: expected });
});
