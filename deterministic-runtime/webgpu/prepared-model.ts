import type { PreparedModel } from '../executors/executor.ts';
import type { Model } from '../program/program.ts';
import { BUFFER_USAGE } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { createIndependentParts } from './independent-parts.ts';
import type { IndependentParts } from './independent-parts.ts';
import { checkWords, WebGpuModel } from './model-run.ts';
import type { Dispatch } from './model-run.ts';
import { createPass } from './pass.ts';
import type { Pass } from './pass.ts';
import { planProgram } from './plan.ts';
import type { BufferName, Plan, PlannedOperator, PlanOptions } from './plan.ts';
import { advanceShader, RUN_BYTES, WITNESS_BYTES, WITNESS_SHADER } from './run-state.ts';
import { largestShard, shardCount, uploadWords } from './storage.ts';
import type { TensorStorage } from './storage.ts';
import { UNITS_PER_WORD } from './wgsl-buffers.ts';
import { foldWorkgroups } from './workgroups.ts';

const STORAGE_USAGE = BUFFER_USAGE.storage | BUFFER_USAGE.copySource | BUFFER_USAGE.copyDestination;

/** Bytes of constants that are on their way at a time. */
const UPLOAD_BYTES = 2 ** 28;

/** A model's tensors on the device, and the two buffers that tell how far it is. */
interface DeviceMemory {
  readonly tensors: ReadonlyMap<BufferName, TensorStorage>;
  readonly run: GPUBuffer;
  readonly witness: GPUBuffer;
}

/**
 * Compiles a model's kernels and uploads its constants.
 * @throws RangeError for a program that cannot run or constants that do not fit it; WebGpuError when the device refuses.
 */
export async function prepareModel(device: CheckedDevice, model: Model, options: PlanOptions): Promise<PreparedModel> {
  const { program, constants } = model;
  if (constants.length !== program.constants.length) throw new RangeError(`the program has ${program.constants.length} constants, got ${constants.length}`);
  const shardBytes = options.shardBytes ?? largestShard(device.limits);
  const plan = planProgram(model.program, { ...options, shardBytes, maxBindings: device.limits.maxStorageBuffersPerShaderStage });
  const buffers: GPUBuffer[] = [];
  const create = async (what: string, size: number, usage: number): Promise<GPUBuffer> => {
    const buffer = await device.createBuffer(what, size, usage);
    buffers.push(buffer);
    return buffer;
  };
  const release = (): void => buffers.forEach((buffer) => buffer.destroy());
  try {
    const tensors = new Map<BufferName, TensorStorage>();
    for (const [name, size] of plan.buffers) {
      const shards: GPUBuffer[] = [];
      for (let shard = 0; shard < shardCount(size, shardBytes); shard += 1) {
        shards.push(await create(`'${model.program.name}', ${name}`, Math.min(shardBytes, size - shard * shardBytes), STORAGE_USAGE));
      }
      tensors.set(name, { shards, shardBytes });
    }
    const memory: DeviceMemory = {
      tensors,
      run: await create('the run', RUN_BYTES, BUFFER_USAGE.uniform | BUFFER_USAGE.storage | BUFFER_USAGE.copyDestination),
      witness: await create('the witness', WITNESS_BYTES, BUFFER_USAGE.storage | BUFFER_USAGE.copySource),
    };
    await uploadConstants(device, model, tensors);
    const [dispatches, advance, witness] = await Promise.all([
      Promise.all([...plan.operators.prologue, ...plan.operators.body, ...plan.operators.epilogue].map((planned) => createDispatch(device, planned, memory))),
      createAdvance(device, plan, memory),
      createPass(device, 'the witness', WITNESS_SHADER, ['uniform', 'storage'], [memory.run, memory.witness]),
    ]);
    let parts: Promise<IndependentParts | null> | undefined;
    const independent = (): Promise<IndependentParts | null> => {
      parts ??= createIndependentParts(device, plan, { ...options, shardBytes }, memory);
      return parts;
    };
    const releaseAll = async (): Promise<void> => {
      (await parts?.catch(() => null))?.release();
      release();
    };
    return new WebGpuModel({ device, model, plan, ...memory, dispatches, advance, readWitness: witness, independent, release: releaseAll });
  } catch (error) {
    release();
    throw error;
  }
}

/** Checks and uploads constants, one at a time, and waits now and then: what has been written and not submitted is in memory a second time. */
async function uploadConstants(device: CheckedDevice, { program, constants }: Model, tensors: ReadonlyMap<BufferName, TensorStorage>): Promise<void> {
  let waiting = 0;
  for (const [index, shape] of program.constants.entries()) {
    const words = constants[index] as Uint8Array;
    checkWords(shape, words, `constant ${index}`);
    const storage = tensors.get(`constant ${index}`);
    if (storage === undefined) continue;
    await device.guarded('uploading constants', () => uploadWords(device.device.queue, storage, words));
    waiting += words.length;
    if (waiting < UPLOAD_BYTES) continue;
    await device.submit('uploading constants', () => {}, []);
    await device.device.queue.onSubmittedWorkDone();
    waiting = 0;
  }
}

async function createDispatch(device: CheckedDevice, planned: PlannedOperator, { tensors, run }: DeviceMemory): Promise<Dispatch> {
  const { shader } = planned;
  const what = `operator '${planned.operator.name}'`;
  const workgroups = foldWorkgroups(shader.workgroups, device.limits.maxComputeWorkgroupsPerDimension, what);
  const shardsOf = (name: BufferName): readonly GPUBuffer[] => tensors.get(name)?.shards ?? [];
  const output = shardsOf(planned.output);
  const operands = planned.operands.flatMap(shardsOf);
  const types = ['uniform' as const, ...output.map(() => 'storage' as const), ...operands.map(() => 'read-only-storage' as const)];
  return { planned, workgroups, ...await createPass(device, what, shader.code, types, [run, ...output, ...operands]) };
}

/** What ends an iteration; none for a program without a body. */
async function createAdvance(device: CheckedDevice, { program, operators }: Plan, { tensors, run }: DeviceMemory): Promise<Pass | undefined> {
  const last = operators.body.at(-1);
  if (last === undefined) return undefined;
  const { shards, shardBytes } = tensors.get(last.output) as TensorStorage;
  const code = advanceShader({
    tensorBytes: last.bytes,
    iterationStride: last.keepsIterations ? (last.bytes / 32) * UNITS_PER_WORD : 0,
    shards: shards.length, shardUnits: shardBytes / 4, maxIterations: program.maxIterations,
  });
  return createPass(device, 'the end of an iteration', code, ['storage', ...shards.map(() => 'read-only-storage' as const)], [run, ...shards]);
}
