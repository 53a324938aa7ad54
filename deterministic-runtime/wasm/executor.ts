import type { Executor, PreparedModel, RunOptions, RunResult } from '../executors/executor.ts';
import { placeOf, slotCount, slotOf } from '../program/program.ts';
import type { Model, Section } from '../program/program.ts';
import { WORD_BYTES, byteLength, paddingIsZero } from '../program/tensor.ts';
import { compileProgramModule, instantiateModel } from './prepared-program.ts';
import type { CompiledProgram, PreparedMemory, PreparedOperator } from './prepared-program.ts';

/** How long a run keeps the thread before it lets others have a turn. */
const MILLISECONDS_PER_TURN = 50;
/** What one call should take: engines replace their first, slow code only between calls. */
const MILLISECONDS_PER_CALL = 5;
const FIRST_ROWS_PER_CALL = 16;

/**
 * The executor of machines without a GPU: kernels compiled to WebAssembly SIMD, on one thread. Runs of one prepared model take
 * turns; a run lets go of the thread now and then.
 *
 * @example
 * ```ts
 * const executor = createWasmExecutor();
 * const prepared = await executor.prepare(model);
 * const { output } = await prepared.run(packTensor(model.program.input, elements));
 * ```
 */
export function createWasmExecutor(): Executor {
  return {
    name: 'wasm',
    adapter: 'WebAssembly SIMD, one thread',
    async prepare(model) {
      const compiled = await compileProgramModule(model.program);
      return new WasmModel(model, compiled, await instantiateModel(model, compiled));
    },
    dispose: async () => {},
  };
}

/** What one run has checked, copied: the caller may go on using its own arrays. */
interface Request {
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  readonly options: RunOptions;
}

class WasmModel implements PreparedModel {
  readonly model: Model;
  readonly #compiled: CompiledProgram;
  #prepared: PreparedMemory | undefined;
  /** Runs share the memory, so they take turns. */
  #last: Promise<unknown> = Promise.resolve();
  /** Tensors (by address) whose padding an override may have set. */
  #overridden = new Set<number>();
  /** Iterations of the body whose tensors may be in memory. */
  #written = 0;
  /** Rows that fill a call, by operator. */
  #rowsPerCall = new Map<PreparedOperator, number>();

  constructor(model: Model, compiled: CompiledProgram, prepared: PreparedMemory) {
    this.model = model;
    this.#compiled = compiled;
    this.#prepared = prepared;
  }

  async run(input: Uint8Array, options: RunOptions = {}): Promise<RunResult> {
    const { program } = this.model;
    const expected = byteLength(program.input);
    if (input.length !== expected) throw new RangeError(`the input has ${input.length} bytes; the model takes ${expected} (padded words)`);
    if (!paddingIsZero(program.input, input)) throw new RangeError('the input has bytes other than zero in its padding: pack its elements with packTensor');
    const seed = options.seed ?? new Uint8Array(WORD_BYTES);
    if (seed.length !== WORD_BYTES) throw new RangeError(`the seed has ${seed.length} bytes, not ${WORD_BYTES}`);
    if (options.override !== undefined) {
      const { slot, words } = options.override;
      const bytes = byteLength(placeOf(program, slot).operator.output);
      if (words.length !== bytes) throw new RangeError(`the override of slot ${slot} has ${words.length} bytes, not ${bytes} (padded words)`);
    }
    const request = { input: input.slice(), seed: seed.slice(), options };
    const result = this.#last.then(() => this.#run(request));
    this.#last = result.catch(() => {});
    return result;
  }

  async #run({ input, seed, options }: Request): Promise<RunResult> {
    const { program } = this.model;
    const prepared = this.#prepared;
    if (prepared === undefined) throw new Error('the model was disposed of: prepare it again');
    const { layout } = this.#compiled;
    prepared.memory.set(input, layout.input);
    prepared.memory.set(seed, layout.seed);
    const kept = new Map<number, Uint8Array>();
    const last = slotCount(program) - 1;
    const turn = { ends: performance.now() + MILLISECONDS_PER_TURN };
    const runSection = async (section: Section, iteration: number): Promise<void> => {
      for (const operator of prepared.operators[section]) {
        const address = await this.#runOperator(prepared.memory, operator, iteration, options, turn);
        const slot = slotOf(program, section, operator.index, iteration);
        if (options.keep === 'all' || slot === last) kept.set(slot, prepared.memory.slice(address, address + operator.output.bytes));
      }
    };

    await runSection('prologue', 0);
    let iterations = 0;
    while (iterations < program.maxIterations) {
      this.#written = Math.max(this.#written, iterations + 1);
      await runSection('body', iterations);
      iterations += 1;
      if (this.#stops(prepared, iterations - 1)) break;
    }
    this.#clearUnwritten(prepared, iterations);
    await runSection('epilogue', program.maxIterations);
    const output = kept.get(last);
    if (output === undefined) throw new RangeError(`model '${program.name}' writes no result: its last slot belongs to an iteration that did not run`);
    return { iterations, output, tensor: (slot) => kept.get(slot) };
  }

  /** Runs one operator and returns where its tensor is. */
  async #runOperator(memory: Uint8Array, prepared: PreparedOperator, iteration: number, { override, signal }: RunOptions, turn: { ends: number }): Promise<number> {
    const { section, index, operator, output } = prepared;
    const { rows } = operator.output;
    const address = output.address + iterationOffset(prepared, iteration);
    if (this.#overridden.delete(address)) memory.fill(0, address, address + output.bytes);
    let rowsPerCall = this.#rowsPerCall.get(prepared) ?? FIRST_ROWS_PER_CALL;
    for (let from = 0; from < rows;) {
      const to = Math.min(from + rowsPerCall, rows);
      if (performance.now() > turn.ends) {
        await new Promise((resolve) => { setTimeout(resolve); });
        turn.ends = performance.now() + MILLISECONDS_PER_TURN;
      }
      signal?.throwIfAborted();
      const started = performance.now();
      prepared.compute(iteration, from, to, address);
      if (to - from === rowsPerCall && performance.now() - started < MILLISECONDS_PER_CALL) rowsPerCall *= 2;
      from = to;
    }
    this.#rowsPerCall.set(prepared, rowsPerCall);
    if (override !== undefined && override.slot === slotOf(this.model.program, section, index, iteration)) {
      memory.set(override.words, address);
      this.#overridden.add(address);
    }
    return address;
  }

  /** True when the body's last operator stored a last word that is not zero. */
  #stops({ memory, operators }: PreparedMemory, iteration: number): boolean {
    const last = operators.body.at(-1);
    if (last === undefined) return false;
    const end = last.output.address + iterationOffset(last, iteration) + last.output.bytes;
    for (let byte = end - WORD_BYTES; byte < end; byte += 1) if (memory[byte] !== 0) return true;
    return false;
  }

  /** What earlier runs left of iterations that did not run now reads as zero. */
  #clearUnwritten({ memory, operators }: PreparedMemory, iterations: number): void {
    for (const { output } of operators.body) {
      if (output.stride > 0 && this.#written > iterations) {
        memory.fill(0, output.address + iterations * output.stride, output.address + this.#written * output.stride);
      }
    }
    this.#written = iterations;
  }

  async dispose(): Promise<void> {
    await this.#last;
    this.#prepared = undefined;
  }
}

const iterationOffset = ({ section, output }: PreparedOperator, iteration: number): number => (section === 'body' ? iteration * output.stride : 0);
