import { specializeOperator } from '../language/specialize.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import { slotOf } from '../program/program.ts';
import type { Operand, Operator, Program, Section } from '../program/program.ts';
import { byteLength, wordCount } from '../program/tensor.ts';
import { compileWgsl } from './wgsl.ts';
import type { Schedule, WgslShader } from './wgsl.ts';
import { readsOf, UNITS_PER_WORD } from './wgsl-reads.ts';

/** Names a buffer of a prepared model: `constant 3`, `input`, `body 2`, … */
export type BufferName = string;

export interface PlannedOperator {
  readonly section: Section;
  readonly index: number;
  readonly operator: Operator;
  readonly shader: WgslShader;
  readonly output: BufferName;
  /** Behind the shader's bindings 2, 3, … */
  readonly operands: readonly BufferName[];
  /** Bytes of one output tensor. */
  readonly bytes: number;
  /** True when the output's buffer holds every iteration's tensor, one after another. */
  readonly keepsIterations: boolean;
}

/** A program as dispatches over buffers. */
export interface Plan {
  readonly program: Program;
  readonly operators: Readonly<Record<Section, readonly PlannedOperator[]>>;
  /** Every buffer that some operator reads or writes, with its size in bytes. */
  readonly buffers: ReadonlyMap<BufferName, number>;
}

export interface PlanOptions {
  /** The schedule for a kernel. */
  readonly schedule: (kernel: SpecializedKernel) => Schedule;
  readonly packedDot: boolean;
  /** See `WgslOptions`. */
  readonly shareFrom?: number;
}

const SECTIONS: readonly Section[] = ['prologue', 'body', 'epilogue'];

export const bufferName = (operand: Operand): BufferName =>
  operand.kind === 'constant' ? `constant ${operand.constant}` : 'operator' in operand ? `${operand.kind} ${operand.operator}` : operand.kind;

/**
 * Plans a program: specialises and compiles its kernels, and decides what lies where.
 * @throws RangeError for a program that cannot run (see `specializeOperator`), or has no result.
 */
export function planProgram(program: Program, options: PlanOptions): Plan {
  if (program.prologue.length + program.body.length + program.epilogue.length === 0) throw new RangeError('the program has no operators');
  if (program.body.length > 0 && program.maxIterations < 1) throw new RangeError('a program with a body runs at least one iteration');

  const kernels = SECTIONS.flatMap((section) =>
    program[section].map((operator, index) => ({ section, index, operator, kernel: specializeOperator(program, section, index) })));
  const kept = operatorsReadLater(kernels);
  const strideOf = (operand: Operand): number => {
    const body = operand.kind === 'body' && kept.has(operand.operator) ? program.body[operand.operator] : undefined;
    return body === undefined ? 0 : wordCount(body.output) * UNITS_PER_WORD;
  };

  const buffers = new Map<BufferName, number>();
  const planned = kernels.map(({ section, index, operator, kernel }): PlannedOperator => {
    const self: Operand = { kind: section, operator: index };
    const output = bufferName(self);
    const bytes = byteLength(operator.output);
    const keepsIterations = strideOf(self) > 0;
    const shader = compileWgsl(kernel, {
      schedule: options.schedule(kernel),
      packedDot: options.packedDot,
      ...(options.shareFrom === undefined ? {} : { shareFrom: options.shareFrom }),
      storage: operator.operands.map((operand) => ({ inOutput: bufferName(operand) === output, iterationStride: strideOf(operand) })),
      outputStride: strideOf(self),
    });
    buffers.set(output, keepsIterations ? bytes * program.maxIterations : bytes);
    const operands = shader.operands.map((position) => {
      const name = bufferName(operator.operands[position] as Operand);
      const { shape } = kernel.operands[position] as SpecializedKernel['operands'][number];
      if (!buffers.has(name)) buffers.set(name, byteLength(shape));
      return name;
    });
    return { section, index, operator, shader, output, operands, bytes, keepsIterations };
  });
  const inSection = (section: Section): PlannedOperator[] => planned.filter((operator) => operator.section === section);
  return { program, operators: { prologue: inSection('prologue'), body: inSection('body'), epilogue: inSection('epilogue') }, buffers };
}

/** Body operators whose tensors are read in another iteration than their own, or by the epilogue. */
function operatorsReadLater(kernels: readonly { readonly section: Section; readonly operator: Operator; readonly kernel: SpecializedKernel }[]): ReadonlySet<number> {
  const kept = new Set<number>();
  for (const { section, operator, kernel } of kernels) {
    for (const read of readsOf(kernel)) {
      const operand = operator.operands[read.operand];
      if (operand?.kind !== 'body') continue;
      const ownIteration = section === 'body' && read.iteration?.kind === 'coordinate' && read.iteration.of === 'iteration';
      if (!ownIteration) kept.add(operand.operator);
    }
  }
  return kept;
}

/** The slot that a planned operator writes in an iteration. */
export const slotOfPlanned = (program: Program, { section, index }: PlannedOperator, iteration: number): number => slotOf(program, section, index, iteration);
