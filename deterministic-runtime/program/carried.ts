import { Opcode, Source } from '../word-code/instruction.ts';
import type { Instruction } from '../word-code/instruction.ts';
import type { CompiledOperator } from './compile.ts';

const LOADS: ReadonlySet<number> = new Set([Opcode.LOAD8, Opcode.LOAD32, Opcode.LOADWORD]);

/**
 * The body's operators whose tensors something may read in another iteration than the one that wrote them (a KV cache, for one), by index: those of
 * all iterations are needed as long as the body runs. Any other tensor of the body is read in its own iteration alone.
 */
export function carriedOperators(operators: readonly CompiledOperator[]): ReadonlySet<number> {
  const carried = new Set<number>();
  for (const { section, operator, code } of operators) {
    for (const instruction of code) {
      const operand = loadedOperand(instruction);
      const read = operand === null ? undefined : operator.operands[operand];
      if (read?.kind !== 'body') continue;
      // The reader's own iteration is named by this source alone; whatever else names one may name any.
      if (section === 'epilogue' || instruction.b !== Source.ITERATION) carried.add(read.operator);
    }
  }
  return carried;
}

/** The prologue's operators that the body or the epilogue reads, by index. */
export function prologueReadLater(operators: readonly CompiledOperator[]): ReadonlySet<number> {
  const read = new Set<number>();
  for (const { section, operator } of operators) {
    if (section === 'prologue') continue;
    for (const operand of operator.operands) if (operand.kind === 'prologue') read.add(operand.operator);
  }
  return read;
}

/** The number of the operand that an instruction loads from; null when it loads nothing. */
const loadedOperand = ({ op, x }: Instruction): number | null => (LOADS.has(op) ? x & 0xff : null);
