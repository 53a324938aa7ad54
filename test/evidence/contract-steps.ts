import { bytesToHex } from 'viem';
import type { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import { commitTensor } from '../../deterministic-runtime/commitment/tree.ts';
import { Opcode, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import { hashState } from '../../fraud-proof/machine/state.ts';
import type { Random } from '../../fraud-proof/machine/testing/random.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';

export interface CheckedStep {
  readonly step: bigint;
  /** The slot that the step computes a word of. */
  readonly slot: number;
  /** Name of the instruction. */
  readonly opcode: string;
  /** Gas of the contract's call, without the transaction around it. */
  readonly gas: bigint;
  /** Bytes of the proof. */
  readonly bytes: number;
}

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(Opcode).flatMap(([name, op]) => [[op, name], [op + WIDE, `${name} 64`]]));

/** A step: half of the time any of all steps alike, otherwise any slot alike, any of its words, and any step of the word or, now and then, its last, which stores it. */
function randomStep(trace: Trace, random: Random): bigint {
  if (random.chance(0.5)) return BigInt(random.below(Number(trace.finishedAfter)));
  const { prologue } = trace.model.model.program;
  const slot = random.below(prologue.length);
  const word = random.below((trace.tensors.slot(slot)?.length ?? 0) / 32);
  const { operator, iteration } = trace.locate(trace.startOf(slot, word)) ?? { operator: undefined, iteration: 0 };
  if (operator === undefined) throw new Error(`slot ${slot} has no word ${word}`);
  const steps = Number(operator.steps.word(iteration, word));
  return trace.startOf(slot, word) + BigInt(random.chance(0.25) ? steps - 1 : random.below(steps));
}

/**
 * Has the compiled contract replay random steps of an inference without iterations: what it computes from the state before and the proof must be
 * the state after, as the trace names it by itself; and the first state and the result must be the contract's too.
 * @throws Error at the first difference
 */
export async function checkRandomSteps(contract: WordMachineEvm, trace: Trace, count: number, random: Random): Promise<CheckedStep[]> {
  const checked: CheckedStep[] = [];
  const expectSame = (what: string, actual: unknown, expected: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: the contract has ${JSON.stringify(actual)}, the trace ${JSON.stringify(expected)}`);
  };
  const valueOf = (outcome: object): unknown => ('value' in outcome ? outcome.value : outcome);
  const { modelId } = trace.model;
  const [first, finished] = await trace.stateAt([0n, trace.finishedAfter]);
  expectSame('the first state', valueOf(await contract.initialState(modelId, trace.inputCommitment, trace.tensors.seed)), first);
  for (let number = 0; number < count; number += 1) {
    const step = randomStep(trace, random);
    const location = trace.locate(step);
    if (location === null) throw new Error(`step ${step} is past the end`);
    const [before, after] = trace.states([step, step + 1n]);
    const { proof } = trace.prove(step);
    const outcome = await contract.step(hashState(before!), proof);
    expectSame(`step ${step}`, valueOf(outcome), bytesToHex(hashState(after!)));
    checked.push({ step, slot: location.slot, opcode: NAMES[location.instruction.op] ?? 'undefined', gas: 'gas' in outcome ? outcome.gas : 0n, bytes: proof.length });
  }
  const opening = Uint8Array.from(Buffer.from((await trace.finalOpening()).slice(2), 'hex'));
  const opened = await contract.finalState(modelId, trace.inputCommitment, trace.tensors.seed, opening);
  expectSame('the result', valueOf(opened), [finished, bytesToHex(commitTensor(trace.output))]);
  return checked;
}
