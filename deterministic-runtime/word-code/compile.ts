import type { SpecializedKernel } from '../language/specialized.ts';
import { countWordSteps, parseStructure } from './structure.ts';
import { LIMITS } from '../program/program.ts';
import { lanesPerWord } from '../program/tensor.ts';
import { allocate } from './allocate.ts';
import { emitWord } from './emit.ts';
import type { Placement } from './emit.ts';
import type { Instruction } from './instruction.ts';
import { instructionCount } from './virtual-code.ts';

const PLACEMENTS: readonly Placement[] = ['early', 'late'];

/**
 * Word-machine code that computes one word of the kernel's output: a loop over the word's lanes, structured
 * reductions inside it, and a STORE. The same kernel always gives the same code.
 * @throws RangeError when the code needs more registers, instructions or steps a word than the machine has.
 */
export function compileWordCode(kernel: SpecializedKernel): Instruction[] {
  const fail = (reason: string): never => {
    throw new RangeError(`kernel '${kernel.name}': ${reason}: split it into several operators`);
  };
  for (const placement of PLACEMENTS) {
    const virtual = emitWord(kernel, placement);
    const length = instructionCount(virtual.blocks);
    if (length > LIMITS.instructionsPerKernel) fail(`compiles to ${length} instructions, at most ${LIMITS.instructionsPerKernel} are possible`);
    const code = allocate(virtual);
    if (code === null) continue;
    const lanes = Math.min(lanesPerWord(kernel.output.element), kernel.output.columns);
    const steps = countWordSteps(parseStructure(code), kernel.maxIterations, lanes);
    if (steps > BigInt(LIMITS.stepsPerWord)) fail(`takes ${steps} steps a word, at most ${LIMITS.stepsPerWord} are possible`);
    return code;
  }
  return fail('keeps more values at a time than the machine has registers');
}
