import { bindOperator, specializeOperator } from '../language/specialize.ts';
import type { SpecializedKernel } from '../language/specialized.ts';
import { operandShape, slotOf } from '../program/program.ts';
import type { Operand, Operator, Program, Section } from '../program/program.ts';
import { byteLength, WORD_BYTES, wordCount } from '../program/tensor.ts';
import { WebGpuError } from './device.ts';
import { compileWgsl } from './wgsl.ts';
import type { Schedule } from './schedule.ts';
import type { WgslShader } from './wgsl.ts';
import { shardCount } from './storage.ts';
import { UNITS_PER_WORD } from './wgsl-buffers.ts';
import { readsOf } from './wgsl-reads.ts';

/** Names a buffer of a prepared model: `constant 3`, `input`, `body 2`, … */
export type BufferName = string;

export interface PlannedOperator {
  readonly section: Section;
  readonly index: number;
  readonly operator: Operator;
  readonly kernel: SpecializedKernel;
  /** Operators with the same key have the same kernel. */
  readonly key: string;
  readonly shader: WgslShader;
  readonly output: BufferName;
  /** Behind the shader's bindings after the output's. */
  readonly operands: readonly BufferName[];
  /** Bytes of one output tensor. */
  readonly bytes: number;
  /** True when the output's buffer holds every iteration's tensor, one after another. */
  readonly keepsIterations: boolean;
}

/** Shaders count a buffer's 32-bit units with 32 bits, and the last number means none. */
const ADDRESSABLE_BYTES = 2 ** 34 - WORD_BYTES;

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
  /** Bytes of the largest binding, a power of two: what is larger is split. Default 2^30. */
  readonly shardBytes?: number;
  /** Bindings that a shader may have at most; default 8, which every adapter allows. */
  readonly maxBindings?: number;
}

const SECTIONS: readonly Section[] = ['prologue', 'body', 'epilogue'];

export const bufferName = (operand: Operand): BufferName =>
  operand.kind === 'constant' ? `constant ${operand.constant}` : 'operator' in operand ? `${operand.kind} ${operand.operator}` : operand.kind;

/**
 * Plans a program: specialises and compiles its kernels, and decides what lies where.
 * @throws RangeError for a program that cannot run (see `specializeOperator`), or has no result; WebGpuError when a tensor or a history is too large.
 */
export function planProgram(program: Program, options: PlanOptions): Plan {
  if (program.prologue.length + program.body.length + program.epilogue.length === 0) throw new RangeError('the program has no operators');
  if (program.body.length > 0 && program.maxIterations < 1) throw new RangeError('a program with a body runs at least one iteration');

  // A model's layers are alike: each kernel is specialised, and each shader written, once.
  const specialized = remembered<SpecializedKernel>();
  const compiled = remembered<WgslShader>();
  const kernels = SECTIONS.flatMap((section) => program[section].map((operator, index) => {
    const key = JSON.stringify([operator.kernel, bindOperator(program, section, index)]);
    return { section, index, operator, key, kernel: specialized(key, () => specializeOperator(program, section, index)) };
  }));
  const kept = operatorsReadLater(kernels);
  const strideOf = (operand: Operand): number => {
    const body = operand.kind === 'body' && kept.has(operand.operator) ? program.body[operand.operator] : undefined;
    return body === undefined ? 0 : wordCount(body.output) * UNITS_PER_WORD;
  };

  const { shardBytes = 2 ** 30, maxBindings = 8 } = options;
  const sizeOf = (operand: Operand): number => {
    const bytes = byteLength(operandShape(program, operand));
    const size = strideOf(operand) > 0 ? bytes * program.maxIterations : bytes;
    const most = Math.min(ADDRESSABLE_BYTES, shardBytes * maxBindings);
    if (size > most) throw new WebGpuError(`'${program.name}', ${bufferName(operand)} needs ${size} bytes${size > bytes ? ` for ${program.maxIterations} iterations` : ''}; a shader can reach ${most}: use the wasm executor`);
    return size;
  };
  const buffers = new Map<BufferName, number>();
  const planned = kernels.map(({ section, index, operator, key, kernel }): PlannedOperator => {
    const self: Operand = { kind: section, operator: index };
    const output = bufferName(self);
    const shardsOf = (operand: Operand): number => shardCount(sizeOf(operand), shardBytes);
    const bytes = byteLength(operator.output);
    const keepsIterations = strideOf(self) > 0;
    const storage = operator.operands.map((operand) => ({ inOutput: bufferName(operand) === output, iterationStride: strideOf(operand), shards: shardsOf(operand) }));
    const [outputStride, outputShards] = [strideOf(self), shardsOf(self)];
    const shader = compiled(`${key} ${JSON.stringify([storage, outputStride, outputShards])}`, () => compileWgsl(kernel, {
      schedule: options.schedule(kernel),
      packedDot: options.packedDot,
      ...(options.shareFrom === undefined ? {} : { shareFrom: options.shareFrom }),
      storage,
      outputStride,
      outputShards,
      shardUnits: shardBytes / 4,
    }));
    buffers.set(output, sizeOf(self));
    const operands = shader.operands.map((position) => {
      const operand = operator.operands[position] as Operand;
      const name = bufferName(operand);
      buffers.set(name, sizeOf(operand));
      return name;
    });
    return { section, index, operator, kernel, key, shader, output, operands, bytes, keepsIterations };
  });
  const inSection = (section: Section): PlannedOperator[] => planned.filter((operator) => operator.section === section);
  return { program, operators: { prologue: inSection('prologue'), body: inSection('body'), epilogue: inSection('epilogue') }, buffers };
}

function remembered<T>(): (key: string, make: () => T) => T {
  const known = new Map<string, T>();
  return (key, make) => {
    const value = known.get(key) ?? make();
    known.set(key, value);
    return value;
  };
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
