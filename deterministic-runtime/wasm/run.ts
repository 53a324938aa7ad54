import { ownOptions } from '../executors/executor.ts';
import type { RunOptions, RunResult } from '../executors/executor.ts';
import { placeOf, slotCount, slotOf } from '../program/program.ts';
import type { Program, Section, SlotPlace } from '../program/program.ts';
import { WORD_BYTES, byteLength } from '../program/tensor.ts';
import { runChunk } from './chunk.ts';
import type { Engine } from './engine.ts';
import { KeptTensors } from './kept-tensors.ts';
import { operandAddress } from './memory-layout.ts';
import type { OutputBuffer } from './memory-layout.ts';
import { divisionOf } from './steps.ts';
import type { Division } from './steps.ts';

/** How long a run keeps the thread before it lets others have a turn. */
const MILLISECONDS_PER_TURN = 50;
/** What one call of a large operator should take: engines replace their first, slow code only between calls. */
const MILLISECONDS_PER_CALL = 5;
/** Into how many pieces a large operator is divided at first. */
const FIRST_PIECES = 16;

/** What a memory holds from runs before. */
export interface MemoryState {
  /** Iterations of the body whose tensors may be in memory. */
  written: number;
  /** A tensor whose padding an override may have set. */
  overridden: { readonly address: number; readonly bytes: number } | null;
  /** Units of its division that fill a call, by operator. */
  readonly unitsPerCall: Map<string, number>;
}

/** What one run has checked, copied: the caller may go on using its own arrays. */
export interface Request {
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  readonly options: RunOptions;
}

/** One operator's computation, as `Run.pieces` divides it. */
export interface Computation {
  /** The function; also what is remembered of its speed. */
  readonly name: string;
  readonly iteration: number;
  readonly rows: number;
  readonly columns: number;
  readonly output: number;
  readonly operands: readonly number[];
}

/** One run of a model. */
export class Run {
  readonly engine: Engine;
  readonly program: Program;
  readonly options: RunOptions;
  readonly state: MemoryState;
  readonly #last: number;
  /** The last slot's tensor, once it is written. */
  #output: Uint8Array | undefined;
  /** Absent where only the result is wanted. */
  readonly kept: KeptTensors | null;
  readonly #override: SlotPlace | null;
  #turnEnds = performance.now() + MILLISECONDS_PER_TURN;
  /** Renewed when the memory grows. */
  memory: Uint8Array;

  constructor(engine: Engine, program: Program, state: MemoryState, { input, seed, options }: Request) {
    this.engine = engine;
    this.program = program;
    this.state = state;
    this.options = options;
    this.memory = new Uint8Array(engine.memory.buffer);
    this.#last = slotCount(program) - 1;
    this.kept = options.keep === 'all' ? new KeptTensors(program, engine.compiled.layout) : null;
    this.#override = options.override === undefined ? null : placeOf(program, options.override.slot);
    this.memory.set(input, engine.compiled.layout.input);
    this.memory.set(seed, engine.compiled.layout.seed);
    this.#clearOverridden();
  }

  async run(): Promise<RunResult> {
    const { program, state, options } = this;
    await this.#section('prologue', 0);
    let iterations = 0;
    let independent = this.#override === null ? Math.min(Math.floor(options.independentIterations ?? 0), program.maxIterations) : 0;
    while (iterations < program.maxIterations) {
      if (independent - iterations >= 2 && this.engine.compiled.layout.chunk !== null) {
        const { ran, stopped, asSaid } = await runChunk(this, iterations, independent - iterations);
        iterations += ran;
        if (stopped) break;
        if (!asSaid) independent = 0;
        continue;
      }
      state.written = Math.max(state.written, iterations + 1);
      await this.#section('body', iterations);
      iterations += 1;
      const end = this.#stopAddress(iterations - 1);
      if (this.isNotZero(end)) break;
      if (this.#override?.section === 'body' && this.#override.iteration === iterations - 1 && this.#buffer('body', this.#override.index).stride === 0) this.#clearOverridden();
    }
    this.#clearUnwritten(iterations);
    await this.#section('epilogue', program.maxIterations);
    const output = this.#output;
    if (output === undefined) throw new RangeError(`model '${program.name}' writes no result: its last slot belongs to an iteration that did not run`);
    const tensors = this.kept?.finish(iterations, this.memory);
    return { iterations, output, tensor: (slot) => (slot === this.#last ? output : tensors?.(slot)) };
  }

  /** Lets others have a turn if it is time, and stops if the run was aborted. */
  async turn(): Promise<void> {
    await new Promise((resolve) => { setTimeout(resolve); });
    this.options.signal?.throwIfAborted();
    this.#turnEnds = performance.now() + MILLISECONDS_PER_TURN;
  }

  /** True when `turn` should be awaited. @throws what the signal was aborted with */
  isTurnOver(): boolean {
    this.options.signal?.throwIfAborted();
    return performance.now() > this.#turnEnds;
  }

  /** Computes an output in calls of a few milliseconds. */
  async pieces({ name, iteration, rows, columns, output, operands }: Computation, division: Division): Promise<void> {
    const { unitsPerCall } = this.state;
    const { units, granule } = division;
    const key = `${name} ${division.axis}`;
    let size = unitsPerCall.get(key) ?? Math.max(granule, Math.ceil(units / FIRST_PIECES / granule) * granule);
    for (let from = 0; from < units;) {
      if (this.isTurnOver()) await this.turn();
      const to = Math.min(from + size, units);
      const started = performance.now();
      this.engine.kernel(name, iteration, { division, from, to, rows, columns }, output, operands);
      if (to - from === size && performance.now() - started < MILLISECONDS_PER_CALL) size *= 2;
      from = to;
    }
    unitsPerCall.set(key, size);
  }

  /** Looks at the tensors of a section's run, which start at these addresses: keeps the result, and shows what the caller wants to see. */
  async seen(section: Section, iteration: number, addressOf: (index: number) => number): Promise<void> {
    const { observe, onWritten } = this.options;
    const tensor = (index: number): Uint8Array => this.memory.subarray(addressOf(index), addressOf(index) + this.#buffer(section, index).bytes);
    await onWritten?.({ section, iteration }, tensor);
    if (section === 'body' && observe !== undefined) observe.onTensor(iteration, tensor(observe.operator).slice());
    const index = this.program[section].length - 1;
    if (index >= 0 && slotOf(this.program, section, index, iteration) === this.#last) this.#output = tensor(index).slice();
  }

  /** True for a last word, ending at `end`, that is not zero. */
  isNotZero(end: number): boolean {
    for (let byte = end - WORD_BYTES; byte < end; byte += 1) if (this.memory[byte] !== 0) return true;
    return false;
  }

  #buffer(section: Section, index: number): OutputBuffer {
    return this.engine.compiled.layout.outputs[section][index]!;
  }

  #address(section: Section, index: number, iteration: number): number {
    const { address, stride } = this.#buffer(section, index);
    return section === 'body' ? address + iteration * stride : address;
  }

  #stopAddress(iteration: number): number {
    const last = this.program.body.length - 1;
    return this.#address('body', last, iteration) + this.#buffer('body', last).bytes;
  }

  async #section(section: Section, iteration: number): Promise<void> {
    const override = this.#override;
    if (override !== null && override.section === section && override.iteration === iteration) {
      for (let index = 0; index < this.program[section].length; index += 1) {
        await this.#operator(section, index, iteration);
        if (index === override.index) this.#replace(this.#address(section, index, iteration));
      }
    } else {
      for (const step of this.engine.compiled.steps[section]) {
        if (this.isTurnOver()) await this.turn();
        if (step.kind === 'call') this.engine.call(step, iteration);
        else await this.#operator(section, step.operator, iteration);
      }
    }
    this.kept?.add(section, iteration, this.memory);
    await this.seen(section, iteration, (index) => this.#address(section, index, iteration));
  }

  #operator(section: Section, index: number, iteration: number): Promise<void> {
    const { output: shape, operands } = this.program[section][index]!;
    const { functions, layout } = this.engine.compiled;
    return this.pieces({
      name: functions[section][index]!, iteration, rows: shape.rows, columns: shape.columns,
      output: this.#address(section, index, iteration), operands: operands.map((operand) => operandAddress(layout, operand)),
    }, divisionOf(shape));
  }

  #replace(address: number): void {
    const words = this.options.override!.words;
    this.memory.set(words, address);
    this.state.overridden = { address, bytes: words.length };
  }

  #clearOverridden(): void {
    const { overridden } = this.state;
    if (overridden !== null) this.memory.fill(0, overridden.address, overridden.address + overridden.bytes);
    this.state.overridden = null;
  }

  /** What earlier runs left of iterations that did not run now reads as zero. */
  #clearUnwritten(iterations: number): void {
    const { state } = this;
    for (const { address, stride } of this.engine.compiled.layout.outputs.body) {
      if (stride > 0 && state.written > iterations) this.memory.fill(0, address + iterations * stride, address + state.written * stride);
    }
    state.written = iterations;
  }
}

/** Checks a request and copies what the run reads. @throws RangeError that says what does not fit */
export function checkedRequest(program: Program, input: Uint8Array, options: RunOptions): Request {
  const seed = options.seed ?? new Uint8Array(WORD_BYTES);
  if (seed.length !== WORD_BYTES) throw new RangeError(`the seed has ${seed.length} bytes, not ${WORD_BYTES}`);
  if (options.override !== undefined) {
    const { slot, words } = options.override;
    const bytes = byteLength(placeOf(program, slot).operator.output);
    if (words.length !== bytes) throw new RangeError(`the override of slot ${slot} has ${words.length} bytes, not ${bytes} (padded words)`);
  }
  const { observe } = options;
  if (observe !== undefined && program.body[observe.operator] === undefined) {
    throw new RangeError(`the body has no operator ${observe.operator} to observe`);
  }
  return { input: input.slice(), seed: seed.slice(), options: ownOptions(options) };
}
