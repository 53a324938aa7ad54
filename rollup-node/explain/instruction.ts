import { hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { lanesPerWord } from '../../deterministic-runtime/program/tensor.ts';
import { decodeCode } from '../../deterministic-runtime/word-code/instruction.ts';
import { disassemble } from '../../fraud-proof/machine/describe.ts';
import { wordCoordinates } from '../../fraud-proof/machine/descriptor.ts';
import { operatorPlace } from '../../fraud-proof/machine/header.ts';
import { provenStep } from '../../fraud-proof/machine/verify.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { explainStep } from '../match/explain.ts';
import { stepValues } from './step-values.ts';
import type { StepValues } from './step-values.ts';

/** An instruction, where it runs, and what it does there. */
export interface Instruction extends StepValues {
  readonly step: string;
  /** The operator's name; its number in the program where only the chain is known. */
  readonly operator: string;
  readonly section: 'prologue' | 'body' | 'epilogue';
  readonly iteration: number;
  /** Where in the inference it lies, in words. */
  readonly where: string;
  readonly row: number;
  /** The elements that this word of the output has: from this column on, so many. */
  readonly column: number;
  readonly elements: number;
  readonly pc: number;
  /** In assembly. */
  readonly text: string;
  /** What a load reads, in words. */
  readonly source: string | null;
}

/** The step with number `step` of an inference that was computed here. @throws RangeError past its end */
export async function instructionOf(trace: Trace, step: bigint): Promise<Instruction> {
  const location = trace.locate(step);
  if (location !== null) await trace.tensors.prepare(location.slot);
  const { section, operator, iteration, where, row, column, pc, text, reads } = explainStep(trace, step);
  const [before, after] = trace.states([step, step + 1n]);
  const place = location!;
  const elements = place.operator.steps.lanes(place.word);
  return {
    step: step.toString(), operator, section: section as Instruction['section'], iteration, where, row, column, elements, pc, text, source: reads ?? null,
    ...stepValues(place.instruction, before!, after!, { iteration, row, column, lanes: elements, lanesPerWord: lanesPerWord(place.operator.operator.output.element) }),
  };
}

/**
 * The same out of the proof that the chain was given, without the model's files: operators have numbers instead of names.
 * @returns null where the machine had no instruction to execute there
 * @throws InvalidProofError when it is no proof of the step after that state
 */
export function instructionOfProof(step: bigint, start: Hex, proof: Hex): Instruction | null {
  const { before, after, header, operator } = provenStep(hexToBytes(start), hexToBytes(proof));
  const place = operatorPlace(header, before.slot);
  if (operator === null || place === null) return null;
  const { descriptor, codeWord } = operator;
  const instruction = decodeCode(codeWord, 4)[before.pc % 4]!;
  const { row, column, lanes } = wordCoordinates(descriptor, before.word);
  const { section, index, iteration } = place;
  return {
    step: step.toString(), operator: `number ${index} of the ${section}`, section, iteration: section === 'body' ? iteration : 0,
    where: `operator ${index} of the ${section}${section === 'body' ? `, iteration ${iteration}` : ''}`,
    row, column, elements: lanes, pc: before.pc, text: disassemble(instruction), source: null,
    ...stepValues(instruction, before, after, { iteration, row, column, lanes, lanesPerWord: descriptor.lanes }),
  };
}
