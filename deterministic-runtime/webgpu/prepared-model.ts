import type { PreparedModel, RunOptions, RunResult, TensorOverride } from '../executors/executor.ts';
import { placeOf, slotCount } from '../program/program.ts';
import type { Model, Section } from '../program/program.ts';
import { byteLength, paddingIsZero, WORD_BYTES } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { BUFFER_USAGE, WebGpuError } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { planProgram, slotOfPlanned } from './plan.ts';
import type { BufferName, Plan, PlannedOperator, PlanOptions } from './plan.ts';
import type { BufferRange } from './staging.ts';
import { BINDING, RUN_BYTES } from './wgsl.ts';
import { foldWorkgroups } from './workgroups.ts';

/** A planned operator with what a dispatch needs. */
interface Dispatch {
  readonly planned: PlannedOperator;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number];
}

/** What shaders see of the run: the uniform `Run` without its nonce. */
interface Moment {
  readonly iteration: number;
  /** Iterations whose tensors operators see that stand after their writer; and those that stand before it. */
  readonly writtenNow: number;
  readonly writtenBefore: number;
}

const SEED_SHAPE: TensorShape = { element: 'i8', rows: 1, columns: 32 };

/** Writes the nonce behind everything else in a submit: a witness that the device got that far. */
const WITNESS = `struct Run { iteration: u32, writtenNow: u32, writtenBefore: u32, nonce: u32 }
@group(0) @binding(${BINDING.run}) var<uniform> run: Run;
@group(0) @binding(${BINDING.output}) var<storage, read_write> result: array<u32>;
@compute @workgroup_size(1) fn main() { result[0] = run.nonce; }`;

/**
 * Compiles a model's kernels and uploads its constants.
 * @throws RangeError for a program that cannot run or constants that do not fit it; WebGpuError when the device refuses.
 */
export async function prepareModel(device: CheckedDevice, model: Model, options: PlanOptions): Promise<PreparedModel> {
  checkConstants(model);
  const plan = planProgram(model.program, options);
  const buffers = new Map<BufferName, GPUBuffer>();
  const release = (): void => buffers.forEach((buffer) => buffer.destroy());
  try {
    for (const [name, size] of plan.buffers) {
      buffers.set(name, await device.createBuffer(`'${model.program.name}', ${name}`, size, BUFFER_USAGE.storage | BUFFER_USAGE.copySource | BUFFER_USAGE.copyDestination));
    }
    buffers.set('run', await device.createBuffer('the run', RUN_BYTES, BUFFER_USAGE.uniform | BUFFER_USAGE.copyDestination));
    buffers.set('witness', await device.createBuffer('the witness', 4, BUFFER_USAGE.storage | BUFFER_USAGE.copySource));
    await device.guarded('uploading constants', () => model.constants.forEach((words, index) => {
      const buffer = buffers.get(`constant ${index}`);
      if (buffer !== undefined) device.device.queue.writeBuffer(buffer, 0, words as Uint8Array<ArrayBuffer>);
    }));
    const dispatches = await createDispatches(device, plan, buffers);
    const witness = await createWitness(device, buffers);
    return new WebGpuModel({ device, model, plan, buffers, dispatches, witness });
  } catch (error) {
    release();
    throw error;
  }
}

function checkConstants({ program, constants }: Model): void {
  if (constants.length !== program.constants.length) throw new RangeError(`the program has ${program.constants.length} constants, got ${constants.length}`);
  program.constants.forEach((shape, index) => checkWords(shape, constants[index] as Uint8Array, `constant ${index}`));
}

function checkWords(shape: TensorShape, words: Uint8Array, what: string): void {
  if (words.length !== byteLength(shape)) throw new RangeError(`${what} has ${byteLength(shape)} bytes (${shape.rows} × ${shape.columns} ${shape.element}, padded), got ${words.length}`);
  if (!paddingIsZero(shape, words)) throw new RangeError(`${what} has padding that is not zero`);
}

async function createDispatches(device: CheckedDevice, plan: Plan, buffers: ReadonlyMap<BufferName, GPUBuffer>): Promise<Dispatch[]> {
  const planned = [...plan.operators.prologue, ...plan.operators.body, ...plan.operators.epilogue];
  return Promise.all(planned.map(async (operator) => {
    const { shader } = operator;
    const what = `operator '${operator.operator.name}'`;
    const workgroups = foldWorkgroups(shader.workgroups, device.limits.maxComputeWorkgroupsPerDimension, what);
    const pipeline = await device.createPipeline(what, shader.code, 1 + shader.operands.length);
    return { planned: operator, workgroups, pipeline, bindGroup: await createBindGroup(device, pipeline, buffers, [operator.output, ...operator.operands]) };
  }));
}

async function createWitness(device: CheckedDevice, buffers: ReadonlyMap<BufferName, GPUBuffer>): Promise<Pick<Dispatch, 'pipeline' | 'bindGroup'>> {
  const pipeline = await device.createPipeline('the witness', WITNESS, 1);
  return { pipeline, bindGroup: await createBindGroup(device, pipeline, buffers, ['witness']) };
}

function createBindGroup(device: CheckedDevice, pipeline: GPUComputePipeline, buffers: ReadonlyMap<BufferName, GPUBuffer>, storage: readonly BufferName[]): Promise<GPUBindGroup> {
  return device.guarded('binding buffers', () => device.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: ['run', ...storage].map((name, binding) => ({ binding, resource: { buffer: buffers.get(name) as GPUBuffer } })),
  }));
}

interface ModelParts {
  readonly device: CheckedDevice;
  readonly model: Model;
  readonly plan: Plan;
  readonly buffers: ReadonlyMap<BufferName, GPUBuffer>;
  readonly dispatches: readonly Dispatch[];
  readonly witness: Pick<Dispatch, 'pipeline' | 'bindGroup'>;
}

interface SubmitOptions {
  readonly keep: 'result' | 'all';
  readonly override: TensorOverride | undefined;
  /** The override's words on the device. */
  readonly upload: GPUBuffer | undefined;
  /** Where tensors that are read back go, by slot. */
  readonly tensors: Map<number, Uint8Array>;
}

class WebGpuModel implements PreparedModel {
  readonly model: Model;
  readonly #parts: ModelParts;
  /** Runs share the buffers, so they take turns. */
  #turn: Promise<unknown> = Promise.resolve();
  #nonce = 0;
  #disposed = false;

  constructor(parts: ModelParts) {
    this.#parts = parts;
    this.model = parts.model;
  }

  async run(input: Uint8Array, options: RunOptions = {}): Promise<RunResult> {
    const { program } = this.model;
    const { seed = new Uint8Array(32), override } = options;
    checkWords(program.input, input, 'the input');
    checkWords(SEED_SHAPE, seed, 'the seed');
    if (override !== undefined) checkWords(placeOf(program, override.slot).operator.output, override.words, `the override of slot ${override.slot}`);
    const previous = this.#turn;
    const turn = previous.then(() => this.#run(input, seed, options));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#turn;
    this.#parts.buffers.forEach((buffer) => buffer.destroy());
  }

  async #run(input: Uint8Array, seed: Uint8Array, { keep = 'result', override, signal }: RunOptions): Promise<RunResult> {
    if (this.#disposed) throw new WebGpuError('the model was disposed of');
    signal?.throwIfAborted();
    const { device, buffers } = this.#parts;
    const { program } = this.model;
    await device.guarded('uploading the input', () => {
      for (const [name, words] of [['input', input], ['seed', seed]] as const) {
        const buffer = buffers.get(name);
        if (buffer !== undefined) device.device.queue.writeBuffer(buffer, 0, words as Uint8Array<ArrayBuffer>);
      }
    });
    const upload = override === undefined ? undefined : await this.#upload(override);
    const tensors = new Map<number, Uint8Array>();
    const submit = (sections: readonly Section[], moment: Moment): Promise<void> => {
      signal?.throwIfAborted();
      return this.#submit(sections, moment, { keep, upload, override, tensors });
    };
    try {
      let iterations = 0;
      if (program.body.length === 0) {
        await submit(['prologue', 'epilogue'], { iteration: 0, writtenNow: 0, writtenBefore: 0 });
      } else {
        if (program.prologue.length > 0) await submit(['prologue'], { iteration: 0, writtenNow: 0, writtenBefore: 0 });
        for (let stopped = false; !stopped && iterations < program.maxIterations; iterations += 1) {
          await submit(['body'], { iteration: iterations, writtenNow: iterations + 1, writtenBefore: iterations });
          stopped = this.#stopWord(tensors, iterations);
        }
        if (program.epilogue.length > 0) await submit(['epilogue'], { iteration: program.maxIterations, writtenNow: iterations, writtenBefore: iterations });
      }
      signal?.throwIfAborted();
      const last = slotCount(program) - 1;
      const output = tensors.get(last);
      if (output === undefined) throw new RangeError('the program writes no result: its last slot belongs to an iteration that did not run');
      const kept = keep === 'all' ? tensors : new Map([[last, output]]);
      return { iterations, output, tensor: (slot) => kept.get(slot) };
    } finally {
      upload?.destroy();
    }
  }

  /** Whether the last word that the body's last operator wrote is not zero. */
  #stopWord(tensors: ReadonlyMap<number, Uint8Array>, iteration: number): boolean {
    const { program } = this.model;
    const last = this.#parts.plan.operators.body.at(-1) as PlannedOperator;
    return (tensors.get(slotOfPlanned(program, last, iteration)) as Uint8Array).subarray(-WORD_BYTES).some((byte) => byte !== 0);
  }

  async #upload({ words }: TensorOverride): Promise<GPUBuffer> {
    const { device } = this.#parts;
    const buffer = await device.createBuffer('the override', words.length, BUFFER_USAGE.copySource | BUFFER_USAGE.copyDestination);
    await device.guarded('uploading the override', () => device.device.queue.writeBuffer(buffer, 0, words as Uint8Array<ArrayBuffer>));
    return buffer;
  }

  /** Runs sections once, and reads back what is kept, the result and the stop word. */
  async #submit(
    sections: readonly Section[],
    moment: Moment,
    { keep, upload, override, tensors }: SubmitOptions,
  ): Promise<void> {
    const { device, buffers, dispatches, witness } = this.#parts;
    const { program } = this.model;
    const steps = dispatches.filter(({ planned }) => sections.includes(planned.section));
    const slots = steps.map(({ planned }) => slotOfPlanned(program, planned, moment.iteration));
    const last = slotCount(program) - 1;
    const rangeOf = ({ planned }: Dispatch): BufferRange => ({
      buffer: buffers.get(planned.output) as GPUBuffer,
      offset: planned.keepsIterations ? moment.iteration * planned.bytes : 0,
      size: planned.bytes,
    });
    const read = steps.flatMap((step, index) => {
      const stops = step.planned.section === 'body' && step.planned.index === program.body.length - 1;
      return keep === 'all' || stops || slots[index] === last ? [{ slot: slots[index] as number, range: rangeOf(step) }] : [];
    });

    this.#nonce = (this.#nonce + 1) % 2 ** 32;
    const nonce = this.#nonce;
    const witnessRange = { buffer: buffers.get('witness') as GPUBuffer, offset: 0, size: 4 };
    const bytes = await device.submit(`running ${sections.join(' and ')}`, (encoder) => {
      const { iteration, writtenNow, writtenBefore } = moment;
      device.device.queue.writeBuffer(buffers.get('run') as GPUBuffer, 0, new Uint32Array([iteration, writtenNow, writtenBefore, nonce]));
      let pass = encoder.beginComputePass();
      steps.forEach((step, index) => {
        pass.setPipeline(step.pipeline);
        pass.setBindGroup(0, step.bindGroup);
        pass.dispatchWorkgroups(...step.workgroups);
        if (upload === undefined || override?.slot !== slots[index]) return;
        pass.end();
        const { buffer, offset, size } = rangeOf(step);
        encoder.copyBufferToBuffer(upload, 0, buffer, offset, size);
        pass = encoder.beginComputePass();
      });
      pass.setPipeline(witness.pipeline);
      pass.setBindGroup(0, witness.bindGroup);
      pass.dispatchWorkgroups(1);
      pass.end();
    }, [...read.map(({ range }) => range), witnessRange]);

    const seen = new DataView((bytes.at(-1) as Uint8Array).buffer).getUint32(0, true);
    if (seen !== nonce) throw new WebGpuError('the device did not run the work that was submitted (its witness is missing)');
    read.forEach(({ slot }, index) => tensors.set(slot, bytes[index] as Uint8Array));
  }
}
