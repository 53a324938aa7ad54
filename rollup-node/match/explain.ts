import { disassemble } from '../../fraud-proof/machine/describe.ts';
import type { EncodedOperator } from '../../deterministic-runtime/program/encoding.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';

/** The disputed step, for people and for machines. */
export interface ExplainedStep {
  readonly step: string;
  readonly section: string;
  readonly operator: string;
  readonly iteration: number;
  readonly row: number;
  readonly column: number;
  readonly word: number;
  readonly pc: number;
  /** In assembly. */
  readonly text: string;
}

/** Where in the model a step lies, and what it does. @throws RangeError past the end of the inference */
export function explainStep(trace: Trace, step: bigint): ExplainedStep {
  const location = trace.locate(step);
  if (location === null) throw new RangeError(`the inference ends before step ${step}`);
  const { section, operator, iteration, row, column, word, pc, instruction } = location;
  return { step: step.toString(), section, operator: operator.operator.name, iteration, row, column, word, pc, text: disassemble(instruction, (operand) => operandName(trace, operator, operand)) };
}

/** What the kernel calls an operand, and what it reads. */
function operandName(trace: Trace, { operator }: EncodedOperator, operand: number): string {
  const { program } = trace.model.model;
  return program.kernels[operator.kernel]?.operands[operand]?.name ?? `operand ${operand}`;
}
