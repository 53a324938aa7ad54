import { ownOptions } from '../executors/executor.ts';
import type { PreparedModel, RunOptions, RunResult } from '../executors/executor.ts';
import { placeOf, slotCount, slotOf } from '../program/program.ts';
import type { Model, Section } from '../program/program.ts';
import { byteLength, paddingIsZero } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { ChunkSize } from './chunk-size.ts';
import { BUFFER_USAGE, WebGpuError } from './device.ts';
import type { CheckedDevice } from './device.ts';
import { NO_DIFFERENCE } from './independent-shaders.ts';
import type { IndependentParts } from './independent-parts.ts';
import type { Pass } from './pass.ts';
import type { BufferName, Plan, PlannedOperator } from './plan.ts';
import { decodeWitness, encodeMoment, NONCE_OFFSET, SIDE_BY_SIDE_OFFSET, WITNESS_BYTES } from './run-state.ts';
import type { Moment, Witness } from './run-state.ts';
import type { BufferRange } from './staging.ts';
import { rangesOf, uploadWords } from './storage.ts';
import type { TensorStorage } from './storage.ts';

/** A planned operator with what its dispatch needs. */
export interface Dispatch extends Pass {
  readonly planned: PlannedOperator;
  readonly workgroups: readonly [number, number];
}

const SEED_SHAPE: TensorShape = { element: 'i8', rows: 1, columns: 32 };
/** Submits of the body that are under way at once: while one runs and is read back, the next one waits on the device. */
const SUBMITS_AHEAD = 2;
/** Iterations side by side in a submit at least: a GPU is not busy with fewer. */
const LEAST_SIDE_BY_SIDE = 8;

/** @throws RangeError when padded words are not those of a tensor of this shape */
export function checkWords(shape: TensorShape, words: Uint8Array, what: string): void {
  if (words.length !== byteLength(shape)) throw new RangeError(`${what} has ${byteLength(shape)} bytes (${shape.rows} × ${shape.columns} ${shape.element}, padded), got ${words.length}`);
  if (!paddingIsZero(shape, words)) throw new RangeError(`${what} has padding that is not zero`);
}

export interface ModelParts {
  readonly device: CheckedDevice;
  readonly model: Model;
  readonly plan: Plan;
  readonly tensors: ReadonlyMap<BufferName, TensorStorage>;
  readonly run: GPUBuffer;
  readonly witness: GPUBuffer;
  readonly dispatches: readonly Dispatch[];
  /** Ends an iteration of the body. */
  readonly advance: Pass | undefined;
  readonly readWitness: Pass;
  /** What runs iterations side by side, made when first asked for; null where that cannot be. */
  readonly independent: () => Promise<IndependentParts | null>;
  /** Destroys all buffers. */
  readonly release: () => Promise<void>;
}

/** A run's options, and what it has read back. */
interface RunContext extends RunOptions {
  /** Holds the override's words. */
  readonly upload: TensorStorage | undefined;
  readonly tensors: Map<number, Uint8Array>;
}

/** Sections, once; or the body, several times. */
interface Work {
  readonly sections: readonly Section[];
  /** Written to `Run` before anything else. A body's later submits go on where the device is. */
  readonly moment?: Moment;
  /** The body's first iteration here, or the one that the section runs in. */
  readonly iteration: number;
  readonly iterations: number;
  /** For iterations side by side. */
  readonly independent?: IndependentParts;
}

/** How far the body is. */
interface BodyProgress { readonly iterations: number; readonly running: boolean }

/** A model on a device; see docs/webgpu.md for how a run goes. */
export class WebGpuModel implements PreparedModel {
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
    const { seed = new Uint8Array(32), override, observe } = options;
    checkWords(program.input, input, 'the input');
    checkWords(SEED_SHAPE, seed, 'the seed');
    if (override !== undefined) checkWords(placeOf(program, override.slot).operator.output, override.words, `the override of slot ${override.slot}`);
    if (observe !== undefined && program.body[observe.operator] === undefined) throw new RangeError(`the body has no operator ${observe.operator} to observe`);
    const request = [input.slice(), seed.slice(), ownOptions(options)] as const;
    const turn = this.#turn.then(() => this.#run(...request));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#turn;
    await this.#parts.release();
  }

  async #run(input: Uint8Array, seed: Uint8Array, options: RunOptions): Promise<RunResult> {
    if (this.#disposed) throw new WebGpuError('the model was disposed of');
    options.signal?.throwIfAborted();
    const { device, tensors: storage } = this.#parts;
    const { program } = this.model;
    await device.guarded('uploading the input', () => {
      for (const [name, words] of [['input', input], ['seed', seed]] as const) {
        const target = storage.get(name);
        if (target !== undefined) uploadWords(device.device.queue, target, words);
      }
    });
    const upload = options.override === undefined ? undefined : await this.#upload(options.override.words);
    const tensors = new Map<number, Uint8Array>();
    const context: RunContext = { ...options, upload, tensors };
    const before: Moment = { iteration: 0, writtenNow: 0, writtenBefore: 0 };
    try {
      let iterations = 0;
      if (program.body.length === 0) {
        await this.#submit({ sections: ['prologue', 'epilogue'], moment: before, iteration: 0, iterations: 1 }, context);
        await this.#written('prologue', 0, context);
        await this.#written('epilogue', program.maxIterations, context);
      } else {
        if (program.prologue.length > 0) await this.#submit({ sections: ['prologue'], moment: before, iteration: 0, iterations: 1 }, context);
        await this.#written('prologue', 0, context);
        const begun = await this.#runIndependent(context);
        iterations = begun.running ? await this.#runBody(begun.iterations, context) : begun.iterations;
        const end: Moment = { iteration: program.maxIterations, writtenNow: iterations, writtenBefore: iterations };
        if (program.epilogue.length > 0) await this.#submit({ sections: ['epilogue'], moment: end, iteration: program.maxIterations, iterations: 1 }, context);
        await this.#written('epilogue', program.maxIterations, context);
      }
      options.signal?.throwIfAborted();
      const last = slotCount(program) - 1;
      const output = tensors.get(last);
      if (output === undefined) throw new RangeError('the program writes no result: its last slot belongs to an iteration that did not run');
      const kept = options.keep === 'all' ? tensors : new Map([[last, output]]);
      return { iterations, output, tensor: (slot) => kept.get(slot) };
    } finally {
      upload?.shards.forEach((buffer) => buffer.destroy());
    }
  }

  /**
   * Runs the iterations that are said to be independent side by side, as many as prove to be: each operator for all of them, then the next. Operators that read what one behind them
   * wrote take what the device happens to hold; they are computed once more, and iterations from the first difference on do not count.
   */
  async #runIndependent(context: RunContext): Promise<BodyProgress> {
    const { maxIterations } = this.model.program;
    const most = context.override === undefined ? Math.min(Math.floor(context.independentIterations ?? 0), maxIterations) : 0;
    let iterations = 0;
    const independent = most >= 2 ? await this.#parts.independent() : null;
    const all = independent?.iterations ?? 0;
    const size = new ChunkSize({ streams: false, least: Math.min(LEAST_SIDE_BY_SIDE, all), most: all });
    while (independent !== null && most - iterations >= 2) {
      const count = Math.min(most - iterations, size.next);
      const moment: Moment = { iteration: iterations, writtenNow: iterations + count, writtenBefore: iterations + count };
      const { written, running } = await this.#submit({ sections: ['body'], moment, iteration: iterations, iterations: count, independent }, context);
      size.finished(count);
      await this.#show(iterations, written, context);
      const asSaid = written === iterations + count;
      iterations = written;
      if (!running) return { iterations, running };
      if (!asSaid) break;
    }
    return { iterations, running: iterations < maxIterations };
  }

  /**
   * Runs the body from an iteration until it stops, and returns after how many iterations. Iterations are submitted before it is known whether an earlier one
   * stops the body: what comes after that one has no effect on the device, and its tensors are not looked at here.
   */
  async #runBody(first: number, context: RunContext): Promise<number> {
    const { observe } = context;
    const readsAll = context.keep === 'all' || context.onWritten !== undefined;
    const { maxIterations } = this.model.program;
    // Tensors that the next iteration overwrites are read back in between.
    const observed = observe && this.#parts.plan.operators.body[observe.operator];
    const oneByOne = readsAll || observed?.keepsIterations === false;
    const ahead = readsAll ? 1 : SUBMITS_AHEAD;
    const size = new ChunkSize({ streams: observe !== undefined });
    const underWay: { readonly work: Work; readonly witness: Promise<Witness> }[] = [];
    let begun = first;
    try {
      for (;;) {
        while (underWay.length < ahead && begun < maxIterations) {
          context.signal?.throwIfAborted();
          const iterations = oneByOne ? 1 : Math.min(size.next, maxIterations - begun);
          const work: Work = { sections: ['body'], ...(begun === first ? { moment: { iteration: first, writtenNow: first + 1, writtenBefore: first } } : {}), iteration: begun, iterations };
          const witness = this.#submit(work, context);
          witness.catch(() => {});
          underWay.push({ work, witness });
          begun += iterations;
        }
        const { work, witness } = underWay.shift() as (typeof underWay)[number];
        const { written, running } = await witness;
        size.finished(work.iterations);
        await this.#show(work.iteration, written, context);
        if (!running) return written;
      }
    } finally {
      await Promise.allSettled(underWay.map(({ witness }) => witness));
    }
  }

  /** Tells the observer of iterations [from, to). */
  #report(from: number, to: number, { observe, tensors }: RunContext): void {
    if (observe === undefined) return;
    for (let iteration = from; iteration < to; iteration += 1) {
      const words = tensors.get(slotOf(this.model.program, 'body', observe.operator, iteration));
      if (words !== undefined) observe.onTensor(iteration, words);
    }
  }

  /** Shows iterations [from, to) to whoever wants to see them. */
  async #show(from: number, to: number, context: RunContext): Promise<void> {
    this.#report(from, to, context);
    for (let iteration = from; iteration < to; iteration += 1) await this.#written('body', iteration, context);
  }

  /** Shows the tensors of a section's run, and lets go of those that nobody else asked for. */
  async #written(section: Section, iteration: number, { keep, onWritten, tensors }: RunContext): Promise<void> {
    if (onWritten === undefined) return;
    const { program } = this.model;
    const slots = program[section].map((_, index) => slotOf(program, section, index, iteration));
    await onWritten({ section, iteration }, (index) => tensors.get(slots[index] as number) as Uint8Array);
    if (keep !== 'all') for (const slot of slots) if (slot !== slotCount(program) - 1) tensors.delete(slot);
  }

  async #upload(words: Uint8Array): Promise<TensorStorage> {
    const { device } = this.#parts;
    const buffer = await device.createBuffer('the override', words.length, BUFFER_USAGE.copySource | BUFFER_USAGE.copyDestination);
    const storage = { shards: [buffer], shardBytes: words.length };
    await device.guarded('uploading the override', () => uploadWords(device.device.queue, storage, words));
    return storage;
  }

  /** Where a planned operator's tensor of an iteration lies. */
  #rangesOf(planned: PlannedOperator, iteration: number, { independent, iteration: first }: Work): BufferRange[] {
    const { output, keepsIterations, bytes } = planned;
    const number = keepsIterations ? iteration : independent === undefined ? 0 : iteration - first;
    return rangesOf(independent?.storageOf(planned) ?? this.#parts.tensors.get(output) as TensorStorage, number * bytes, bytes);
  }

  /** The slots of this work that are read back: what is kept, the result, and what is observed. */
  #readBack(work: Work, steps: readonly Dispatch[], { keep, observe, onWritten }: RunContext): { readonly slot: number; readonly iteration: number; readonly ranges: BufferRange[] }[] {
    const { program } = this.model;
    const last = slotCount(program) - 1;
    return Array.from({ length: work.iterations }, (_, index) => work.iteration + index).flatMap((now) => steps.flatMap(({ planned }) => {
      const slot = slotOf(program, planned.section, planned.index, now);
      const seen = planned.section === 'body' && planned.index === observe?.operator;
      return keep === 'all' || onWritten !== undefined || seen || slot === last ? [{ slot, iteration: now, ranges: this.#rangesOf(planned, now, work) }] : [];
    }));
  }

  /** Submits work, reads back what is wanted of it, and checks that the device did it. The submit has happened when the call returns. */
  async #submit(work: Work, context: RunContext): Promise<Witness> {
    context.signal?.throwIfAborted();
    const { device, dispatches, witness } = this.#parts;
    const { queue } = device.device;
    const steps = dispatches.filter(({ planned }) => work.sections.includes(planned.section));
    const read = this.#readBack(work, steps, context);
    this.#nonce = (this.#nonce + 1) % 2 ** 32;
    const nonce = this.#nonce;
    const bytes = await device.submit(`running ${work.sections.join(' and ')}`, (encoder) => {
      if (work.moment !== undefined) queue.writeBuffer(this.#parts.run, 0, encodeMoment(work.moment));
      queue.writeBuffer(this.#parts.run, NONCE_OFFSET, new Uint32Array([nonce]));
      if (work.independent !== undefined) this.#encodeIndependent(encoder, work.independent, work.iterations);
      else this.#encode(encoder, work, steps, context);
    }, [{ buffer: witness, offset: 0, size: WITNESS_BYTES }, ...read.flatMap(({ ranges }) => ranges)]);

    const seen = decodeWitness(bytes.shift() as Uint8Array);
    if (seen.nonce !== nonce) throw new WebGpuError('the device did not run the work that was submitted (its witness is missing)');
    for (const { slot, iteration, ranges } of read) {
      const words = joined(bytes.splice(0, ranges.length));
      if (!work.sections.includes('body') || iteration < seen.written) context.tensors.set(slot, words);
    }
    return seen;
  }

  #encodeIndependent(encoder: GPUCommandEncoder, { dispatches, finish, difference }: IndependentParts, count: number): void {
    const { queue } = this.#parts.device.device;
    queue.writeBuffer(this.#parts.run, SIDE_BY_SIDE_OFFSET, new Uint32Array([count]));
    queue.writeBuffer(difference, 0, new Uint32Array([NO_DIFFERENCE]));
    const pass = encoder.beginComputePass();
    for (const step of dispatches) dispatchPass(pass, step, step.workgroups(count));
    dispatchPass(pass, finish);
    dispatchPass(pass, this.#parts.readWitness);
    pass.end();
  }

  #encode(encoder: GPUCommandEncoder, work: Work, steps: readonly Dispatch[], { override, upload }: RunContext): void {
    const { sections, iteration, iterations } = work;
    const { advance, readWitness } = this.#parts;
    let pass = encoder.beginComputePass();
    for (let now = iteration; now < iteration + iterations; now += 1) {
      for (const step of steps) {
        dispatchPass(pass, step, step.workgroups);
        const { planned } = step;
        if (upload === undefined || override?.slot !== slotOf(this.model.program, planned.section, planned.index, now)) continue;
        pass.end();
        let from = 0;
        for (const { buffer, offset, size } of this.#rangesOf(planned, now, work)) {
          encoder.copyBufferToBuffer(upload.shards[0] as GPUBuffer, from, buffer, offset, size);
          from += size;
        }
        pass = encoder.beginComputePass();
      }
      if (sections.includes('body') && advance !== undefined) dispatchPass(pass, advance);
    }
    dispatchPass(pass, readWitness);
    pass.end();
  }
}

function dispatchPass(encoder: GPUComputePassEncoder, { pipeline, bindGroup }: Pass, workgroups: readonly [number, number] = [1, 1]): void {
  encoder.setPipeline(pipeline);
  encoder.setBindGroup(0, bindGroup);
  encoder.dispatchWorkgroups(...workgroups);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
