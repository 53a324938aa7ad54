import { disassemble } from '../../fraud-proof/machine/describe.ts';
import type { EncodedOperator } from '../../deterministic-runtime/program/encoding.ts';
import type { Operand, Program } from '../../deterministic-runtime/program/program.ts';
import { LOOP_COUNTERS, Opcode, SCALAR_REGISTERS, Source } from '../../deterministic-runtime/word-code/instruction.ts';
import type { StepLocation } from '../../fraud-proof/trace/step-index.ts';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { nextTokenOperator, promptIterations } from '../../kernels/language-model/interface.ts';

/** The disputed step, for people and for machines. */
export interface ExplainedStep {
  readonly step: string;
  readonly section: string;
  readonly operator: string;
  readonly iteration: number;
  /** Where in the inference it lies, in words; for a language model with the tokens that the iteration is about. */
  readonly where: string;
  readonly row: number;
  readonly column: number;
  readonly word: number;
  readonly pc: number;
  /** In assembly. */
  readonly text: string;
  /** What a load reads, with the numbers that its registers hold. */
  readonly reads?: string;
}

/** Where in the model a step lies, and what it does. @throws RangeError past the end of the inference */
export function explainStep(trace: Trace, step: bigint): ExplainedStep {
  const location = trace.locate(step);
  if (location === null) throw new RangeError(`the inference ends before step ${step}`);
  const { section, operator, iteration, row, column, word, pc, instruction } = location;
  const reads = describeLoad(trace, step, location);
  return {
    step: step.toString(), section, operator: operator.operator.name, iteration, where: describePlace(trace, location), row, column, word, pc,
    text: disassemble(instruction, (operand) => operandName(trace, operator, operand)),
    ...(reads === undefined ? {} : { reads }),
  };
}

/** What the kernel calls an operand. */
function operandName(trace: Trace, { operator }: EncodedOperator, operand: number): string {
  const { program } = trace.model.model;
  return program.kernels[operator.kernel]?.operands[operand]?.name ?? `operand ${operand}`;
}

function describePlace({ model: { model }, tensors }: Trace, { section, operator, iteration }: StepLocation): string {
  const { program } = model;
  const name = `operator ${operator.operator.name}`;
  if (program.maxIterations === 0) return name;
  if (section === 'prologue') return `${name}, before the first iteration`;
  if (section === 'epilogue') return `${name}, after the last iteration`;
  const place = `${name}, iteration ${iteration}`;
  if (nextTokenOperator(program) === undefined) return place;
  const prompt = Math.max(1, promptIterations(model, tensors.input));
  if (iteration >= prompt) return `${place}: token ${iteration - prompt + 1} of the answer goes in, token ${iteration - prompt + 2} is chosen`;
  return `${place}: token ${iteration + 1} of the prompt's ${prompt} goes in${iteration === prompt - 1 ? ', token 1 of the answer is chosen' : ''}`;
}

const UNITS: Readonly<Record<number, string>> = { [Opcode.LOAD8]: 'byte', [Opcode.LOAD32]: 'int32', [Opcode.LOADWORD]: 'word' };

function describeLoad(trace: Trace, step: bigint, location: StepLocation): string | undefined {
  const { instruction: { op, a, b, x }, operator: { operator } } = location;
  const unit = UNITS[op];
  const operand = operator.operands[x & 0xff];
  if (unit === undefined || operand === undefined) return undefined;
  const [state] = trace.states([step]);
  const value = (source: number): bigint => {
    if (source < SCALAR_REGISTERS) return state!.scalars[source]!;
    if (source < Source.COUNTER + LOOP_COUNTERS) return BigInt(state!.counters[source - Source.COUNTER]!);
    const { iteration, row, column, operator: { steps }, word } = location;
    const coordinates: Readonly<Record<number, number>> = {
      [Source.ITERATION]: iteration, [Source.ROW]: row, [Source.COLUMN]: column, [Source.LANES]: steps.lanes(word), [Source.IMMEDIATE]: x | 0,
    };
    return BigInt(coordinates[source] ?? 0);
  };
  const iterated = operand.kind === 'body' ? ` in iteration ${value(b)}` : '';
  return `${unit} ${value(a)} of ${sourceName(trace.model.model.program, operand)}${iterated}`;
}

function sourceName(program: Program, operand: Operand): string {
  switch (operand.kind) {
    case 'constant': return `constant ${operand.constant}`;
    case 'input': return 'the input';
    case 'seed': return 'the seed';
    default: return `${program[operand.kind][operand.operator]?.name ?? 'no operator'}'s output`;
  }
}
