import { bytesToHex, concat, encodeErrorResult, encodeFunctionData, encodeFunctionResult, keccak256 as keccakHex, parseAbi, size, toFunctionSelector, toHex } from 'viem';
import type { Hex } from 'viem';
import { provenStep } from '../../contracts/test/machine/equivalence/digests.ts';
import { keccak256 } from '../../deterministic-runtime/commitment/keccak.ts';
import { commitTensor, treeRoot } from '../../deterministic-runtime/commitment/tree.ts';
import { blockSegments, claimsOpening, claimsRoot } from '../../fraud-proof/dispute/claims.ts';
import { BLOB_ARITY, calldataArity, segmentAt, segmentCount } from '../../fraud-proof/dispute/split.ts';
import { step } from '../../fraud-proof/machine/interpreter.ts';
import { finishedOpening, proveStep, unfinishedOpening } from '../../fraud-proof/machine/proof.ts';
import { encodeState, failedState, finishedState, hashEncodedState, hashState, Status } from '../../fraud-proof/machine/state.ts';
import type { MachineState } from '../../fraud-proof/machine/state.ts';
import { expectedState } from '../../fraud-proof/machine/testing/expected-state.ts';
import { GOLDEN_STEPS } from '../../fraud-proof/machine/testing/golden.ts';
import { MemoryMachine } from '../../fraud-proof/machine/testing/memory-machine.ts';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { buildScenario } from '../../fraud-proof/machine/testing/scenario.ts';
import { SMALL_INPUT, SMALL_LAST_SLOT, SMALL_PROGRAM } from '../../fraud-proof/machine/testing/small-program.ts';
import { TAMPERINGS } from '../../fraud-proof/machine/testing/tampering.ts';
import { InvalidProofError, verifyStep } from '../../fraud-proof/machine/verify.ts';
import type { ProofRefusal } from '../../fraud-proof/machine/verify.ts';

/** A call of a contract, and what it must return or revert with. */
export interface Call {
  readonly name: string;
  readonly data: Hex;
  readonly answer: Hex;
}

const MACHINE = parseAbi([
  'function step(bytes32 preState, bytes proof) view returns (bytes32)',
  'function initialState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) view returns (bytes32)',
  'function finalState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed, bytes opening) view returns (bytes32, bytes32)',
]);
const LIBRARIES = parseAbi([
  'function commit(bytes words) view returns (bytes32)',
  'function treeRoot(bytes words) view returns (bytes32)',
  'function segments(uint256 n, uint256 arity) view returns (uint256)',
  'function segment(uint256 start, uint256 end, uint256 j, uint256 m) view returns (uint256, uint256)',
  'function claimsRoot(bytes32[] states, uint256 g) view returns (bytes32)',
  'function rootOf(bytes32 start, bytes32 end, uint256 j, uint256 m, bytes opening, uint256 g) view returns (bytes32)',
  'function hashPair(bytes32 left, bytes32 right) view returns (bytes32)',
  'function depthOf(uint256 leaves) view returns (uint256)',
  'error FractionOfWord(uint256 length)',
  'error WrongOpeningLength(uint256 given, uint256 expected)',
]);
/** Cases of the generator's, all of which forge has too (digests.json). */
const DRAWN_CASES = 450;
const DRAWN_SEED = 2;

const stepCall = (name: string, preState: Uint8Array, proof: Uint8Array, answer: Uint8Array | ProofRefusal): Call => ({
  name, data: encodeFunctionData({ abi: MACHINE, functionName: 'step', args: [bytesToHex(preState), bytesToHex(proof)] }),
  answer: typeof answer === 'string' ? toFunctionSelector(`${answer}()`) : bytesToHex(answer),
});

/** Every proof of a step worked out by hand, with one bit of one word flipped, for each of its words. */
function flippedCalls(): Call[] {
  return GOLDEN_STEPS.flatMap(({ name, parts }) => {
    const { state, environment } = buildScenario(parts, new Random(1));
    const [preState, { proof }] = [hashState(state), proveStep(state, environment)];
    return Array.from({ length: proof.length / 32 }, (_, index) => {
      const spoilt = proof.with(32 * index + 31, proof[32 * index + 31]! ^ 1);
      return stepCall(`${name}, word ${index} flipped`, preState, spoilt, refusalOf(preState, spoilt));
    });
  });
}

/** The verifier's answer. */
function refusalOf(preState: Uint8Array, proof: Uint8Array): ProofRefusal {
  try {
    verifyStep(preState, proof);
  } catch (error) {
    if (error instanceof InvalidProofError) return error.refusal;
    throw error;
  }
  throw new Error('the verifier accepts a spoilt proof');
}

/** Steps worked out by hand, each with one spoilt proof. */
function goldenCalls(): Call[] {
  return GOLDEN_STEPS.flatMap((golden, number) => {
    const scenario = buildScenario(golden.parts, new Random(1));
    const { proof } = proveStep(scenario.state, scenario.environment);
    const preState = hashState(scenario.state);
    const { name, apply } = TAMPERINGS[number % TAMPERINGS.length]!;
    const spoilt = apply(proof, new Random(number));
    return [
      stepCall(golden.name, preState, proof, hashState(expectedState(golden, scenario))),
      ...(bytesToHex(spoilt) === bytesToHex(proof) ? [] : [stepCall(`${golden.name}, ${name}`, preState, spoilt, refusalOf(preState, spoilt))]),
    ];
  });
}

function drawnCalls(): Call[] {
  return Array.from({ length: DRAWN_CASES }, (_, number) => provenStep(DRAWN_SEED, number)).flatMap(({ preState, proof, postState, spoilt }, number) => [
    stepCall(`drawn ${number}`, preState, proof, postState),
    ...(spoilt === null ? [] : [stepCall(`drawn ${number}, spoilt`, preState, spoilt.proof, spoilt.refusal)]),
  ]);
}

/** Positions with unused bits or an unknown status. */
function malformedCalls(): Call[] {
  const { state, environment } = buildScenario(GOLDEN_STEPS[0]!.parts, new Random(1));
  const { proof } = proveStep(state, environment);
  return ([[0, 1], [4, 128], [5, 3], [5, 255]] as const).map(([byte, value]) => {
    const at = 11 * 32 + byte;
    const encoded = encodeState(state).with(64 + byte, value);
    return stepCall(`byte ${byte} of the position is ${value}`, hashEncodedState(encoded), proof.with(at, value), 'MalformedState');
  });
}

/** A whole run, its first state, and openings of its result. */
function runCalls(): Call[] {
  const seed = new Uint8Array(32).fill(0x5e);
  const machine = new MemoryMachine(SMALL_PROGRAM, SMALL_INPUT, seed);
  const modelId = bytesToHex(keccak256(machine.header));
  const request = [modelId, bytesToHex(machine.inputCommitment), bytesToHex(seed)] as const;
  const calls: Call[] = [{
    name: 'the initial state', data: encodeFunctionData({ abi: MACHINE, functionName: 'initialState', args: request }), answer: bytesToHex(hashState(machine.initial)),
  }];
  let state = machine.initial;
  for (let number = 0; state.status === Status.RUNNING; number += 1) {
    const { proof } = proveStep(state, machine);
    const next = step(state, machine.running);
    calls.push(stepCall(`step ${number} of the small program`, hashState(state), proof, hashState(next)));
    state = next;
  }
  const commitment = machine.slotCommitment(SMALL_LAST_SLOT);
  const opening = finishedOpening(machine.header, state.slotsRoot, commitment, machine.slotPath(SMALL_LAST_SLOT));
  const result = (name: string, opened: Uint8Array, answer: Hex, of: readonly [Hex, Hex, Hex] = request): Call =>
    ({ name, data: encodeFunctionData({ abi: MACHINE, functionName: 'finalState', args: [...of, bytesToHex(opened)] }), answer });
  const refused = (error: string): Hex => toFunctionSelector(`${error}()`);
  const opens = (name: string, of: MachineState, opened: Uint8Array, output: Uint8Array, by: readonly [Hex, Hex, Hex] = request): Call =>
    result(name, opened, encodeFunctionResult({ abi: MACHINE, functionName: 'finalState', result: [bytesToHex(hashState(of)), bytesToHex(output)] }), by);
  const limits = (header: Uint8Array, name: string): Call => result(name, finishedOpening(header, commitment, commitment, []), refused('NoResult'), [bytesToHex(keccak256(header)), request[1], request[2]]);
  const empty = new MemoryMachine({ prologue: 0, body: 0, epilogue: 0, maxIterations: 3, operators: [], constants: [] }, SMALL_INPUT, seed);
  const single = new MemoryMachine({ ...SMALL_PROGRAM, prologue: 0, body: 0, epilogue: 1, operators: SMALL_PROGRAM.operators.slice(0, 1) }, SMALL_INPUT, seed);
  const zero = new Uint8Array(32);
  const { context } = machine.initial;
  const [nothing, failed] = [finishedState(context, zero), failedState(context)];
  const busy = { ...buildScenario(GOLDEN_STEPS[0]!.parts, new Random(1)).state, context };
  /** Words of an opening without a result, with another status than the state's. */
  const statusOf = (of: MachineState, status: number): Uint8Array => unfinishedOpening(of).with(31, status);
  return [
    ...calls,
    stepCall('a step of the finished machine', hashState(state), proveStep(state, machine).proof, hashState(state)),
    opens('the result', state, opening, commitment),
    opens('nothing in the last slot', nothing, finishedOpening(machine.header, zero, zero, machine.slotPath(SMALL_LAST_SLOT).map(() => zero)), zero),
    opens('a program of one slot', finishedState(single.initial.context, commitment), finishedOpening(single.header, commitment, commitment, []), commitment, [bytesToHex(keccak256(single.header)), request[1], request[2]]),
    opens('the initial state', machine.initial, unfinishedOpening(machine.initial), zero),
    opens('a failed state', failed, unfinishedOpening(failed), zero),
    opens('a running state', busy, unfinishedOpening(busy), zero),
    result('a finished state passed off as running', statusOf(state, Status.RUNNING), refused('MalformedState')),
    result('a finished state passed off as failed', statusOf(state, Status.FAILED), refused('MalformedState')),
    result('a failed state passed off as running', statusOf(failed, Status.RUNNING), refused('MalformedState')),
    result('an unknown status', statusOf(failed, 3), refused('MalformedState')),
    result('a state of an unknown status', unfinishedOpening({ ...failed, status: 3 as Status }), refused('MalformedState')),
    result('an opening without a result that is too long', new Uint8Array([...unfinishedOpening(failed), ...zero]), refused('ProofTooLong')),
    result('an opening without a result that is too short', unfinishedOpening(failed).subarray(0, -32), refused('ProofTruncated')),
    result('the result of another model', opening, refused('WrongModel'), [request[1], request[1], request[2]]),
    result('a result that was not written', finishedOpening(machine.header, zero, zero, machine.slotPath(SMALL_LAST_SLOT)), refused('WrongSlot')),
    limits(empty.header, 'a program without slots'),
    limits(machine.header.with(2 * 32 - 3, 0x10), 'a program past the limits'),
    result('an opening that is too long', new Uint8Array([...opening, ...zero]), refused('ProofTooLong')),
    result('an opening that is too short', opening.subarray(0, -32), refused('ProofTruncated')),
    result('an opening with another path', opening.with(opening.length - 1, opening.at(-1)! ^ 1), refused('WrongSlot')),
  ];
}

/** Everything that the machine's contract is asked, in the order in which mistakes are likely to show. */
export const machineCalls = (): Call[] => [...runCalls(), ...goldenCalls(), ...malformedCalls(), ...drawnCalls(), ...flippedCalls()];

const word = (number: number): Hex => keccakHex(toHex(number));

/** Commitments, splits and depths, by the client's code and by literals. */
export function libraryCalls(): Call[] {
  type Name = Extract<(typeof LIBRARIES)[number], { readonly type: 'function' }>['name'];
  const call = (functionName: Name, given: readonly unknown[], answer: Hex): Call =>
    ({ name: `${functionName}(${given.join(', ').slice(0, 60)})`, data: encodeFunctionData({ abi: LIBRARIES, functionName, args: given as never }), answer });
  const numbers = (...values: readonly bigint[]): Hex => concat(values.map((value) => toHex(value, { size: 32 })));
  const tensors = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 31].flatMap((words) => [word(words), `0x${'00'.repeat(32)}` as Hex].map((fill) =>
    Uint8Array.from({ length: 32 * words }, (_, byte) => (byte < 32 * Math.floor(words / 2) ? 0 : Number.parseInt(fill.slice(2 + 2 * (byte % 32), 4 + 2 * (byte % 32)), 16) ^ (fill === word(words) ? byte >> 5 : 0)))));
  const singleBytes = [1, 2, 3, 4, 5].flatMap((words) => [0, 31].flatMap((byte) => Array.from({ length: words }, (_, leaf) => new Uint8Array(32 * words).with(32 * leaf + byte, 0x80))));
  const ranges = [[0n, 1n], [5n, 7n], [0n, 15n], [3n, 19n], [0n, 17n], [0n, 31n], [1n, 33n], [0n, 33n], [100n, 12_345n], [2n ** 40n, 2n ** 50n - 1n], [2n ** 55n, 2n ** 56n - 1n]] as const;
  const arities = [calldataArity(16), calldataArity(2), BLOB_ARITY];
  const lists = [1, 2, 3, 4, 8, 9, 15, 16, 17, 31, 32].map((segments) => Array.from({ length: segments + 1 }, (_, index) => word(100 * segments + index)));
  return [
    ...[...tensors, ...singleBytes].flatMap((words) => [
      call('treeRoot', [bytesToHex(words)], bytesToHex(treeRoot(words))),
      call('commit', [bytesToHex(words)], bytesToHex(commitTensor(words))),
    ]),
    ...[1, 31, 33, 64 + 16].map((length) => call('treeRoot', [`0x${'ab'.repeat(length)}`], encodeErrorResult({ abi: LIBRARIES, errorName: 'FractionOfWord', args: [BigInt(length)] }))),
    ...[1n, 2n, 3n, 4n, 5n, 16n, 31n, 32n, 33n, 34n, 2n ** 48n].flatMap((steps) => [2, 16].map((usual) => call('segments', [steps, BigInt(usual)], numbers(BigInt(segmentCount(steps, calldataArity(usual))))))),
    ...ranges.flatMap(([start, end]) => arities.flatMap((arity) => {
      const split = { start, length: end - start };
      const count = segmentCount(split.length, arity);
      return [0, 1, 2, count >> 1, count - 2, count - 1].filter((index) => index >= 0 && index < count).map((index) => {
        const { start: from, length } = segmentAt(split, index, arity);
        return call('segment', [start, end, BigInt(index), BigInt(count)], numbers(from, from + length));
      });
    })),
    ...lists.flatMap((states) => [2, 16, 64].map(calldataArity).flatMap((arity) => {
      const [count, block] = [BigInt(states.length - 1), BigInt(blockSegments(arity))];
      const rootOf = (index: number, opening: Hex, expected: Hex): Call => call('rootOf', [states[index], states[index + 1], BigInt(index), count, opening, block], expected);
      return [
        call('claimsRoot', [states, block], claimsRoot(states, arity)),
        ...states.slice(1).flatMap((_, index) => {
          const opening = claimsOpening(states, index, arity);
          const longer = concat([opening, word(1)]);
          const refused = encodeErrorResult({ abi: LIBRARIES, errorName: 'WrongOpeningLength', args: [BigInt(size(longer)), BigInt(size(opening))] });
          return [rootOf(index, opening, claimsRoot(states, arity)), rootOf(index, longer, refused)];
        }),
      ];
    })),
    call('hashPair', [word(1), word(2)], keccakHex(concat([word(1), word(2)]))),
    ...([[0n, 0n], [1n, 0n], [2n, 1n], [3n, 2n], [4n, 2n], [5n, 3n], [2n ** 28n, 28n], [2n ** 28n + 1n, 29n], [2n ** 255n, 255n], [2n ** 255n + 1n, 256n], [2n ** 256n - 1n, 256n]] as const).map(([leaves, depth]) =>
      call('depthOf', [leaves], numbers(depth))),
  ];
}
