import type { Executor, PreparedModel, RunOptions, RunResult } from '../executors/executor.ts';
import type { Model } from '../program/program.ts';
import { byteLength, paddingIsZero } from '../program/tensor.ts';
import { Engine } from './engine.ts';
import type { SpawnWorker } from './engine.ts';
import { allocateMemory, compileProgramModule } from './prepared-program.ts';
import { Run, checkedRequest } from './run.ts';
import type { MemoryState } from './run.ts';
import { DIVIDED_WORK } from './steps.ts';
import { MAX_THREADS } from './threads.ts';

export type { SpawnWorker, WorkerStart } from './engine.ts';

/** How long a thread may take for its part of a call, in seconds; then it counts as dead. */
const SECONDS_TO_DEATH = 30;

export interface WasmExecutorOptions {
  /** Threads that compute, the calling one included: 1 by default. More need `spawn`, and shared memory. */
  readonly workers?: number;
  /** Starts a worker thread; how, depends on where this runs. */
  readonly spawn?: SpawnWorker;
  /** Work (see `workOf`) from which on threads share an operator. */
  readonly leastWork?: number;
  /** Seconds after which a thread that does not answer counts as dead. */
  readonly secondsToDeath?: number;
}

/**
 * The executor of machines without a GPU: kernels compiled to WebAssembly SIMD, on one thread or several, which give the same bits. Runs of one
 * prepared model take turns; a run lets go of the thread now and then.
 *
 * @example
 * ```ts
 * const executor = createWasmExecutor();
 * const prepared = await executor.prepare(model);
 * const { output } = await prepared.run(packTensor(model.program.input, elements));
 * ```
 * @throws RangeError for a number of workers that is not 1 to `MAX_THREADS`; TypeError for more than one without `spawn`
 */
export function createWasmExecutor({ workers = 1, spawn, leastWork = DIVIDED_WORK, secondsToDeath = SECONDS_TO_DEATH }: WasmExecutorOptions = {}): Executor {
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_THREADS) throw new RangeError(`the wasm executor runs on 1 to ${MAX_THREADS} threads, not ${workers}`);
  if (workers > 1 && spawn === undefined) throw new TypeError('more than one worker needs `spawn`, which starts a thread');
  return {
    name: 'wasm',
    adapter: `WebAssembly SIMD, ${workers === 1 ? 'one thread' : `${workers} threads`}`,
    async prepare(model) {
      const alone = await compileProgramModule(model.program, { threads: 1, leastWork, secondsToDeath });
      const compiled = workers > 1 && alone.isLarge ? await compileProgramModule(model.program, { threads: workers, leastWork, secondsToDeath }) : alone;
      return new WasmModel(model, await Engine.create(compiled, allocateMemory(model, compiled), compiled.threads > 1 ? spawn! : null));
    },
    dispose: async () => {},
  };
}

class WasmModel implements PreparedModel {
  readonly model: Model;
  #engine: Engine | undefined;
  /** Runs share the memory, so they take turns. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #state: MemoryState = { written: 0, overridden: null, unitsPerCall: new Map() };

  constructor(model: Model, engine: Engine) {
    this.model = model;
    this.#engine = engine;
  }

  async run(input: Uint8Array, options: RunOptions = {}): Promise<RunResult> {
    const { program } = this.model;
    const expected = byteLength(program.input);
    if (input.length !== expected) throw new RangeError(`the input has ${input.length} bytes; the model takes ${expected} (padded words)`);
    if (!paddingIsZero(program.input, input)) throw new RangeError('the input has bytes other than zero in its padding: pack its elements with packTensor');
    const request = checkedRequest(program, input, options);
    const result = this.#last.then(() => {
      if (this.#engine === undefined) throw new Error('the model was disposed of: prepare it again');
      return new Run(this.#engine, program, this.#state, request).run();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async dispose(): Promise<void> {
    await this.#last;
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.dispose();
  }
}
