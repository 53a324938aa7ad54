import { specializeOperator } from '../language/specialize.ts';
import { compileWordCode } from '../word-code/compile.ts';
import type { Instruction } from '../word-code/instruction.ts';
import { SECTIONS } from './program.ts';
import type { Operator, Program, Section } from './program.ts';
import { OperatorSteps } from './steps.ts';

/** An operator with its word-machine code. */
export interface CompiledOperator {
  readonly section: Section;
  /** Index in its section. */
  readonly index: number;
  readonly operator: Operator;
  readonly code: readonly Instruction[];
  readonly steps: OperatorSteps;
}

/**
 * Word-machine code of all operators: prologue, body, epilogue, which is the order of the operators' tree.
 * @throws Error when a kernel does not fit its operator
 */
export function compileProgram(program: Program): CompiledOperator[] {
  return SECTIONS.flatMap((section) =>
    program[section].map((operator, index) => {
      const code = compileWordCode(specializeOperator(program, section, index));
      return { section, index, operator, code, steps: new OperatorSteps(code, operator.output) };
    }),
  );
}
