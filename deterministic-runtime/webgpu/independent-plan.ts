import type { Operand } from '../program/program.ts';
import { overIterations } from './independent-kernel.ts';
import { bufferName } from './plan.ts';
import type { BufferName, Plan, PlannedOperator, PlanOptions } from './plan.ts';
import { shardCount } from './storage.ts';
import { compileWgsl } from './wgsl.ts';
import type { WgslShader } from './wgsl.ts';
import type { OperandStorage } from './wgsl-reads.ts';

/** Iterations side by side at most, and bytes of the tensors that they need besides those that are kept anyway. */
const MOST_ITERATIONS = 64;
const MOST_BYTES = 2 ** 27;
/** Rows of a matrix product that a workgroup computes at most: dispatches are cut at multiples. */
const ROWS_TOGETHER = 32;

/** An operator of the body as one dispatch over several iterations. */
export interface IndependentOperator {
  readonly planned: PlannedOperator;
  readonly shader: WgslShader;
  readonly output: BufferName;
  readonly operands: readonly BufferName[];
}

/** How iterations run side by side: each operator for all of them, then the next operator. */
export interface IndependentPlan {
  /** Iterations at a time. */
  readonly iterations: number;
  readonly operators: readonly IndependentOperator[];
  /** Those that read what operators behind them wrote in iterations before, computed once more into a buffer of their own when all have run. */
  readonly again: readonly IndependentOperator[];
  /** Buffers besides the plan's own, with their bytes. */
  readonly buffers: ReadonlyMap<BufferName, number>;
}

/** Where an operator's tensors of iterations side by side lie: where all of its iterations do, or in a buffer of their own. */
export const independentBuffer = ({ output, keepsIterations }: PlannedOperator): BufferName => (keepsIterations ? output : `side by side, ${output}`);
const againBuffer = ({ output }: PlannedOperator): BufferName => `again, ${output}`;

/**
 * Plans iterations side by side. Null where the body runs once at most, its tensors are too large, or an operator reads its own earlier results, which must
 * be computed one after another.
 */
export function planIndependent(plan: Plan, options: PlanOptions): IndependentPlan | null {
  const { program, operators: { body } } = plan;
  const { shardBytes = 2 ** 30 } = options;
  const reads = (index: number, which: (operator: number) => boolean): boolean => program.body[index]!.operands.some((operand) => operand.kind === 'body' && which(operand.operator));
  if (body.some(({ index }) => reads(index, (operator) => operator === index))) return null;
  const feedback = body.filter(({ index }) => reads(index, (operator) => operator > index));
  const own = [...body.filter(({ keepsIterations }) => !keepsIterations), ...feedback].map(({ bytes }) => bytes);
  const most = Math.min(Math.floor(MOST_BYTES / Math.max(1, own.reduce((sum, bytes) => sum + bytes, 0))), Math.floor(shardBytes / Math.max(1, ...own)));
  const iterations = Math.min(MOST_ITERATIONS, program.maxIterations, most);
  if (iterations < 2) return null;

  const shards = (name: BufferName): number => shardCount(plan.buffers.get(name) ?? 1, shardBytes);
  const storageOf = (operand: Operand): OperandStorage => {
    const writer = operand.kind === 'body' ? body[operand.operator] : undefined;
    if (writer === undefined) return { inOutput: false, iterationStride: 0, shards: shards(bufferName(operand)) };
    const iterationStride = writer.bytes / 4;
    return writer.keepsIterations ? { inOutput: false, iterationStride, shards: shards(writer.output) } : { inOutput: false, iterationStride, shards: 1, fromCurrent: true };
  };
  const nameOf = (operand: Operand): BufferName => (operand.kind === 'body' ? independentBuffer(body[operand.operator] as PlannedOperator) : bufferName(operand));
  const compiled = new Map<string, WgslShader>();
  const operatorOf = (planned: PlannedOperator, output: BufferName, outputStride: number): IndependentOperator => {
    const storage = planned.operator.operands.map(storageOf);
    const outputShards = outputStride === 0 ? 1 : shards(output);
    const key = `${planned.key} ${JSON.stringify([storage, outputStride, outputShards])}`;
    const kernel = overIterations(planned.kernel, iterations);
    const shader = compiled.get(key) ?? compileWgsl(kernel, {
      schedule: options.schedule(kernel), packedDot: options.packedDot, ...(options.shareFrom === undefined ? {} : { shareFrom: options.shareFrom }),
      storage, outputStride, outputShards, shardUnits: shardBytes / 4, iterationUnits: planned.bytes / 4,
    });
    compiled.set(key, shader);
    return { planned, shader, output, operands: shader.operands.map((position) => nameOf(planned.operator.operands[position] as Operand)) };
  };
  const operators = body.map((planned) => operatorOf(planned, independentBuffer(planned), planned.keepsIterations ? planned.bytes / 4 : 0));
  const again = feedback.map((planned) => operatorOf(planned, againBuffer(planned), 0));
  const buffers = new Map([...operators, ...again].flatMap(({ output, planned }): [BufferName, number][] => (plan.buffers.has(output) ? [] : [[output, planned.bytes * iterations]])));
  return { iterations, operators, again, buffers };
}

/** Workgroups that cover the first `count` of so many iterations. */
export function workgroupsOf({ planned, shader }: IndependentOperator, count: number, iterations: number): number {
  const { rows } = planned.operator.output;
  const needed = Math.ceil((rows * count) / ROWS_TOGETHER) * ROWS_TOGETHER;
  return Math.min(shader.workgroups, Math.ceil((shader.workgroups * needed) / (rows * iterations)));
}
