import { BUFFER_USAGE, WebGpuError } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { COMPARED_TOGETHER, compareShader, DIFFERENCE_BYTES, finishShader } from './independent-shaders.ts';
import { independentBuffer, planIndependent, workgroupsOf } from './independent-plan.ts';
import type { IndependentOperator } from './independent-plan.ts';
import type { BufferName, Plan, PlannedOperator, PlanOptions } from './plan.ts';
import { createPass } from './pass.ts';
import type { Pass } from './pass.ts';
import type { TensorStorage } from './storage.ts';
import { foldWorkgroups } from './workgroups.ts';

const STORAGE_USAGE = BUFFER_USAGE.storage | BUFFER_USAGE.copySource | BUFFER_USAGE.copyDestination;

/** A dispatch over so many of the iterations that run side by side. */
export interface IndependentDispatch extends Pass {
  workgroups(count: number): readonly [number, number];
}

/** What runs iterations side by side on a device. */
export interface IndependentParts {
  /** Iterations at a time. */
  readonly iterations: number;
  /** In this order. */
  readonly dispatches: readonly IndependentDispatch[];
  /** Ends them. */
  readonly finish: Pass;
  /** The note of the first iteration that differs, to be set to `NO_DIFFERENCE` before. */
  readonly difference: GPUBuffer;
  /** Where an operator's tensors lie, those of the first of these iterations, or of iteration 0 where it keeps all, being first. */
  storageOf(planned: PlannedOperator): TensorStorage;
  readonly release: () => void;
}

/** What is on the device already. */
export interface PreparedMemory { readonly tensors: ReadonlyMap<BufferName, TensorStorage>; readonly run: GPUBuffer }

/**
 * Compiles what runs iterations side by side. Null where that cannot be, or the device has no memory left for it.
 * @throws WebGpuError when the device refuses a shader
 */
export async function createIndependentParts(device: CheckedDevice, plan: Plan, options: PlanOptions & { readonly shardBytes: number }, { tensors, run }: PreparedMemory): Promise<IndependentParts | null> {
  const independent = planIndependent(plan, options);
  if (independent === null) return null;
  const { iterations } = independent;
  const { shardBytes } = options;
  const shardUnits = shardBytes / 4;
  const allocated = await allocate(device, plan.program.name, independent.buffers);
  if (allocated === null) return null;
  const { difference, own, release } = allocated;
  const storage = (name: BufferName): TensorStorage => {
    const buffer = own.get(name);
    return buffer === undefined ? tensors.get(name) as TensorStorage : { shards: [buffer], shardBytes };
  };
  const folded = (workgroups: number, what: string): readonly [number, number] => foldWorkgroups(workgroups, device.limits.maxComputeWorkgroupsPerDimension, what);

  const dispatchOf = async (operator: IndependentOperator): Promise<IndependentDispatch> => {
    const { shader } = operator;
    const what = `operator '${operator.planned.operator.name}', iterations side by side`;
    folded(shader.workgroups, what);
    const output = storage(operator.output).shards;
    const operands = operator.operands.flatMap((name) => storage(name).shards);
    const types = ['uniform' as const, ...output.map(() => 'storage' as const), ...operands.map(() => 'read-only-storage' as const)];
    const pass = await createPass(device, what, shader.code, types, [run, ...output, ...operands]);
    return { ...pass, workgroups: (count) => folded(workgroupsOf(operator, count, iterations), what) };
  };
  const comparisonOf = async ({ planned, output }: IndependentOperator): Promise<IndependentDispatch> => {
    const { shards } = storage(independentBuffer(planned));
    const what = `comparing '${planned.operator.name}'`;
    const units = planned.bytes / 4;
    const code = compareShader({ units, keepsIterations: planned.keepsIterations, shards: shards.length, shardUnits });
    const types = ['uniform' as const, 'storage' as const, ...shards.map(() => 'read-only-storage' as const), 'read-only-storage' as const];
    const pass = await createPass(device, what, code, types, [run, difference, ...shards, ...storage(output).shards]);
    return { ...pass, workgroups: (count) => folded(Math.ceil((units * count) / COMPARED_TOGETHER), what) };
  };
  const createFinish = async (): Promise<Pass> => {
    const last = plan.operators.body.at(-1) as PlannedOperator;
    const { shards } = storage(independentBuffer(last));
    const code = finishShader({
      tensorBytes: last.bytes, iterationStride: last.keepsIterations ? last.bytes / 4 : 0, shards: shards.length, shardUnits, maxIterations: plan.program.maxIterations,
    });
    return createPass(device, 'the end of iterations side by side', code, ['storage', 'storage', ...shards.map(() => 'read-only-storage' as const)], [run, difference, ...shards]);
  };

  try {
    const [operators, again, comparisons, finish] = await Promise.all([
      Promise.all(independent.operators.map(dispatchOf)), Promise.all(independent.again.map(dispatchOf)), Promise.all(independent.again.map(comparisonOf)), createFinish(),
    ]);
    return { iterations, dispatches: [...operators, ...again, ...comparisons], finish, difference, storageOf: (planned) => storage(independentBuffer(planned)), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Buffers for the note and the tensors; null where the device has not that much memory. */
async function allocate(device: CheckedDevice, model: string, sizes: ReadonlyMap<BufferName, number>): Promise<{ readonly difference: GPUBuffer; readonly own: ReadonlyMap<BufferName, GPUBuffer>; readonly release: () => void } | null> {
  const buffers: GPUBuffer[] = [];
  const release = (): void => buffers.forEach((buffer) => buffer.destroy());
  const create = async (what: string, size: number): Promise<GPUBuffer> => {
    const buffer = await device.createBuffer(what, size, STORAGE_USAGE);
    buffers.push(buffer);
    return buffer;
  };
  try {
    const difference = await create('the first difference', DIFFERENCE_BYTES);
    const own = new Map<BufferName, GPUBuffer>();
    for (const [name, size] of sizes) own.set(name, await create(`'${model}', ${name}`, size));
    return { difference, own, release };
  } catch (error) {
    release();
    if (error instanceof WebGpuError) return null;
    throw error;
  }
}
