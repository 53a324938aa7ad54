import { bytesToHex } from 'viem';
import { proveStep } from '../../../../fraud-proof/machine/proof.ts';
import { hashState } from '../../../../fraud-proof/machine/state.ts';
import { Random } from '../../../../fraud-proof/machine/testing/random.ts';
import { buildScenario } from '../../../../fraud-proof/machine/testing/scenario.ts';
import type { ScenarioParts } from '../../../../fraud-proof/machine/testing/scenario.ts';
import type { Regression } from './regressions.ts';
import { shrinkStep } from './shrink.ts';
import type { WordMachineEvm } from '../word-machine-evm.ts';

/** A step that is proven, with what each side makes of it. */
export interface ComparedStep extends Omit<Regression, 'name'> {
  /** The contract's state after the step, or the error that it reverts with. */
  readonly contract: string;
}

/** Interpreter and contract on a step whose trees are drawn from a fixed source. */
export async function compareStep(contract: WordMachineEvm, parts: ScenarioParts): Promise<ComparedStep> {
  const { state, environment } = buildScenario(parts, new Random(1));
  const { proof, postState } = proveStep(state, environment);
  const outcome = await contract.step(hashState(state), proof);
  return {
    preState: bytesToHex(hashState(state)), proof: bytesToHex(proof), postState: bytesToHex(hashState(postState)),
    contract: 'value' in outcome ? outcome.value : outcome.refusal,
  };
}

/** Whether interpreter and contract disagree about a step; parts of which no program can be made do not count. */
export async function differs(contract: WordMachineEvm, parts: ScenarioParts): Promise<boolean> {
  try {
    const { postState, contract: answer } = await compareStep(contract, parts);
    return answer !== postState;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return false;
    throw error;
  }
}

/** The smallest step found that is like `parts` and that the two disagree about, and a line that says what it is; null when they agree about `parts`. */
export async function counterExample(contract: WordMachineEvm, parts: ScenarioParts): Promise<{ readonly step: ComparedStep; readonly parts: ScenarioParts; readonly text: string } | null> {
  if (!(await differs(contract, parts))) return null;
  const smallest = await shrinkStep(parts, (candidate) => differs(contract, candidate));
  const step = await compareStep(contract, smallest);
  return { step, parts: smallest, text: describeParts(smallest) };
}

/** What a step holds, zeros left out. */
export function describeParts({ instruction, state, descriptor, header, tensor }: ScenarioParts): string {
  const { op, d, a, b, x } = instruction;
  const listed = (name: string, values: readonly (bigint | number)[]): string[] => values.flatMap((value, index) => (BigInt(value) === 0n ? [] : [`${name}${index} = ${value}`]));
  const words = state.vectors.flatMap((vector, index) => (vector.every((byte) => byte === 0) ? [] : [`v${index} = ${bytesToHex(vector)}`]));
  return [
    `op 0x${op.toString(16)}, d ${d}, a ${a}, b ${b}, x 0x${x.toString(16)}`,
    `slot ${state.slot}, word ${state.word}, pc ${state.pc}, status ${state.status}`,
    ...listed('r', state.scalars), ...listed('counter', state.counters), ...words,
    `program ${header.prologue} + ${header.maxIterations} × ${header.body} + ${header.epilogue}`,
    `output ${descriptor.rows} × ${descriptor.columns} of ${descriptor.elementBytes} bytes, ${descriptor.codeLength} instructions, ${descriptor.operandCount} operands: ${descriptor.operands.map(({ kind, index }) => `${kind}.${index}`).join(' ')}`,
    tensor === null ? 'nothing written' : `tensors of ${tensor.wordCount} words ${bytesToHex(tensor.word)}`,
  ].join('; ');
}
