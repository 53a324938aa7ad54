import type { CompiledKernel } from './compile.ts';
import type { CompiledProgram } from './prepared-program.ts';
import { shareOf } from './steps.ts';
import type { Division, Step } from './steps.ts';
import { ARGUMENTS_BYTES, CONTROL, STOP } from './threads.ts';

/** What a worker thread needs to take part. All of it can be sent to one. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  /** Shared. */
  readonly memory: WebAssembly.Memory;
  /** The functions that commands name by their index. */
  readonly names: readonly string[];
  /** 1, 2, …: the calling thread is number 0. */
  readonly thread: number;
  /** Address of the area that threads agree through, and where in it this thread finds its arguments. */
  readonly control: number;
  readonly offsets: typeof CONTROL & { readonly argumentsBytes: number; readonly stop: number };
}

/** Starts a thread that does what `WorkerStart` says; `onEnd` is told when it ends by itself. Returns how to end it. */
export type SpawnWorker = (start: WorkerStart, onEnd: (error: Error) => void) => { readonly terminate: () => Promise<void> };

type Callable = (...values: number[]) => void;

/** A piece of an operator's output: units of a division, and all of the other axis. */
export interface Piece {
  readonly division: Division;
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly columns: number;
}

/** A compiled program in a memory, and the threads that run it. The calling thread gives commands and works with the others. */
export class Engine {
  readonly memory: WebAssembly.Memory;
  readonly compiled: CompiledProgram;
  readonly #exports: Readonly<Record<string, Callable>>;
  readonly #indices: ReadonlyMap<string, number>;
  readonly #workers: readonly { readonly terminate: () => Promise<void> }[];
  #failure: Error | null = null;

  private constructor(compiled: CompiledProgram, memory: WebAssembly.Memory, exports: Readonly<Record<string, unknown>>, spawn: SpawnWorker | null) {
    this.compiled = compiled;
    this.memory = memory;
    this.#exports = exports as Readonly<Record<string, Callable>>;
    this.#indices = new Map(compiled.names.map((name, index) => [name, index]));
    const { module, names, threads, layout: { control } } = compiled;
    const offsets = { ...CONTROL, argumentsBytes: ARGUMENTS_BYTES, stop: STOP };
    this.#workers = spawn === null ? [] : Array.from({ length: threads - 1 }, (_, index) =>
      spawn({ module, memory, names, thread: index + 1, control, offsets }, (error) => { this.#failure ??= error; }));
  }

  static async create(compiled: CompiledProgram, memory: WebAssembly.Memory, spawn: SpawnWorker | null): Promise<Engine> {
    const { exports } = await WebAssembly.instantiate(compiled.module, { env: { memory } });
    return new Engine(compiled, memory, exports, spawn);
  }

  /** Makes the memory at least so large. @throws RangeError when there is no room */
  ensurePages(pages: number): void {
    const missing = pages - this.memory.buffer.byteLength / 65536;
    if (missing > 0) this.memory.grow(missing);
  }

  /** Runs a step's call. @throws Error when a worker thread died */
  call(step: Extract<Step, { kind: 'call' }>, iteration: number): void {
    if (step.parallel) this.#together(step.name, (thread) => [iteration, thread]);
    else this.#exports[step.name]!(iteration, 0);
  }

  /** Computes a piece of an operator's output, on all threads where it is large enough. @throws Error when a worker thread died */
  kernel(name: string, iteration: number, { division: { axis, granule }, from, to, rows, columns }: Piece, output: number, operands: readonly number[]): void {
    const share = shareOf(to - from, granule, this.compiled.threads);
    const values = (first: number, end: number): Parameters<CompiledKernel> =>
      (axis === 'rows' ? [iteration, first, end, 0, columns, output, ...operands] : [iteration, 0, rows, first, end, output, ...operands]);
    if (share >= to - from) {
      this.#exports[name]!(...values(from, to));
      return;
    }
    this.#together(name, (thread) => values(Math.min(to, from + thread * share), Math.min(to, from + (thread + 1) * share)));
  }

  #together(name: string, valuesOf: (thread: number) => readonly number[]): void {
    if (this.#failure !== null) throw this.#failure;
    const { threads, layout: { control } } = this.compiled;
    const words = new Int32Array(this.memory.buffer);
    const own = valuesOf(0);
    words[(control + CONTROL.function) / 4] = this.#indices.get(name)!;
    words[(control + CONTROL.argumentCount) / 4] = own.length;
    for (let thread = 1; thread < threads; thread += 1) words.set(valuesOf(thread), (control + CONTROL.arguments + thread * ARGUMENTS_BYTES) / 4);
    try {
      this.#exports['post']!();
      this.#exports[name]!(...own);
      this.#exports['barrier']!();
    } catch (cause) {
      this.#failure ??= new Error('a worker thread of the wasm executor did not answer: prepare the model again', { cause });
      throw this.#failure;
    }
  }

  /** Ends the worker threads. */
  async dispose(): Promise<void> {
    if (this.#workers.length === 0) return;
    this.#failure ??= new Error('the model was disposed of: prepare it again');
    const words = new Int32Array(this.memory.buffer);
    words[(this.compiled.layout.control + CONTROL.function) / 4] = STOP;
    this.#exports['post']!();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
