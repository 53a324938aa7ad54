import type { PreparedModel, RunOptions, TensorOverride } from '../../deterministic-runtime/executors/executor.ts';
import { createOperatorRunner } from '../../deterministic-runtime/lift/operator-runner.ts';
import type { OperandSource, OperatorRunner } from '../../deterministic-runtime/lift/operator-runner.ts';
import type { EncodedModel } from '../../deterministic-runtime/program/encoding.ts';
import { placeOf, slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model, Section } from '../../deterministic-runtime/program/program.ts';
import { promptIterations } from '../../kernels/language-model/interface.ts';
import type { InferenceTensors } from '../machine/operands.ts';
import { NeededTensors } from './needed-tensors.ts';
import type { SectionTensors, TraceCache } from './trace-cache.ts';

/** What a run is a function of, beside its model: the input's padded words, and 32 bytes. */
export interface InferenceRequest { readonly input: Uint8Array; readonly seed: Uint8Array }

/** The tensors of one finished run. */
export interface TensorSource extends InferenceTensors {
  /** Iterations of the body that ran. */
  readonly iterations: number;
  /** Bytes that it holds as long as it lives. */
  readonly byteLength: number;
  /** Does the work that `slot` would do, giving others the thread now and then. */
  prepare(slot: number): Promise<void>;
}

const MILLISECONDS_PER_TURN = 50;

export interface RecomputedOptions extends InferenceRequest {
  readonly cache: TraceCache;
  readonly override?: TensorOverride;
  /** Sees the tensors of the first run, as `RunOptions.onWritten` does. */
  readonly onWritten?: RunOptions['onWritten'];
  readonly signal?: AbortSignal;
}

const runners = new WeakMap<EncodedModel, Promise<OperatorRunner>>();

/** One runner a model: its memory serves one operator at a time, so all traces can share it. */
function runnerOf(encoded: EncodedModel): Promise<OperatorRunner> {
  const runner = runners.get(encoded) ?? createOperatorRunner(encoded.model.program, encoded.operators);
  runners.set(encoded, runner);
  runner.catch(() => runners.delete(encoded));
  return runner;
}

/**
 * The tensors of one run, of which only those stay in memory that other iterations read: any other is computed again when it is asked for, with what it follows from in
 * its own iteration, and remembered while the cache has room.
 */
export class RecomputedTensors implements TensorSource {
  readonly encoded: EncodedModel;
  readonly input: Uint8Array;
  readonly seed: Uint8Array;
  readonly iterations: number;
  readonly #output: Uint8Array;
  readonly #needed: NeededTensors;
  readonly #override: TensorOverride | undefined;
  readonly #cache: TraceCache;
  readonly #name: string;
  readonly #runner: OperatorRunner;

  private constructor(encoded: EncodedModel, { input, seed, override, cache }: RecomputedOptions, run: { readonly iterations: number; readonly output: Uint8Array; readonly needed: NeededTensors; readonly runner: OperatorRunner }) {
    this.encoded = encoded;
    this.input = input;
    this.seed = seed;
    this.iterations = run.iterations;
    this.#output = run.output;
    this.#needed = run.needed;
    this.#runner = run.runner;
    this.#override = override;
    this.#cache = cache;
    this.#name = cache.newName();
  }

  /** Runs a model once. @throws whatever the executor throws; RangeError when one operator alone is too large to be run again */
  static async run(encoded: EncodedModel, prepared: PreparedModel, options: RecomputedOptions): Promise<RecomputedTensors> {
    const { input, seed, override, onWritten, signal } = options;
    const { program } = encoded.model;
    const runner = await runnerOf(encoded);
    const needed = new NeededTensors(encoded);
    const { iterations, output } = await prepared.run(input, {
      seed, independentIterations: promptIterations(encoded.model, input),
      ...(override === undefined ? {} : { override }), ...(signal === undefined ? {} : { signal }),
      onWritten: (run, tensor) => {
        for (const index of program[run.section].keys()) needed.add(run.section, index, run.iteration, tensor(index));
        return onWritten?.(run, tensor);
      },
    });
    return new RecomputedTensors(encoded, options, { iterations, output, needed, runner });
  }

  get model(): Model {
    return this.encoded.model;
  }

  get byteLength(): number {
    return this.#needed.byteLength + this.#output.length;
  }

  slot(slot: number): Uint8Array | undefined {
    const { program } = this.model;
    if (slot === slotCount(program) - 1) return this.#output;
    const { section, index, iteration } = placeOf(program, slot);
    if (section === 'body' && iteration >= this.iterations) return undefined;
    const needed = this.#needed.get(section, index, iteration);
    if (needed !== undefined) return needed;
    const tensors = this.#sectionTensors(section, iteration);
    for (const operator of this.#missing(section, index, iteration, tensors)) this.#compute(section, operator, iteration, tensors);
    return tensors.get(index);
  }

  async prepare(slot: number): Promise<void> {
    const { section, index, iteration } = placeOf(this.model.program, slot);
    if (section === 'body' && iteration >= this.iterations) return;
    const tensors = this.#sectionTensors(section, iteration);
    let turnEnds = performance.now() + MILLISECONDS_PER_TURN;
    for (const operator of this.#missing(section, index, iteration, tensors)) {
      this.#compute(section, operator, iteration, tensors);
      if (performance.now() < turnEnds) continue;
      await new Promise((resolve) => setTimeout(resolve));
      turnEnds = performance.now() + MILLISECONDS_PER_TURN;
    }
  }

  #key = (section: Section, iteration: number): string => `${this.#name} ${section} ${iteration}`;

  #sectionTensors(section: Section, iteration: number): SectionTensors {
    const key = this.#key(section, iteration);
    const known = this.#cache.sections.get(key);
    if (known !== undefined) return known;
    const tensors: SectionTensors = new Map();
    this.#cache.sections.set(key, tensors, 0);
    return tensors;
  }

  /** The operators that must run for a tensor to be there, in order: what it follows from inside its section, as far as it is not at hand. */
  #missing(section: Section, target: number, iteration: number, tensors: SectionTensors): number[] {
    const operators = this.model.program[section];
    const missing = new Set([target]);
    for (let index = target; index >= 0; index -= 1) {
      if (!missing.has(index)) continue;
      if (tensors.has(index) || this.#needed.get(section, index, iteration) !== undefined) {
        missing.delete(index);
        continue;
      }
      for (const operand of operators[index]!.operands) if (operand.kind === section && operand.operator < index) missing.add(operand.operator);
    }
    return [...missing].sort((left, right) => left - right);
  }

  #compute(section: Section, index: number, iteration: number, tensors: SectionTensors): void {
    const { program } = this.model;
    if (tensors.has(index)) return;
    const slot = slotOf(program, section, index, iteration);
    const number = { prologue: 0, body: program.prologue.length, epilogue: program.prologue.length + program.body.length }[section] + index;
    tensors.set(index, this.#override?.slot === slot ? this.#override.words : this.#runner.run(number, iteration, this.#source(section, index, iteration, tensors)));
    const bytes = [...tensors.values()].reduce((sum, words) => sum + words.length, 0);
    this.#cache.sections.set(this.#key(section, iteration), tensors, bytes);
  }

  /** What an operator reads: of its own iteration, what was computed before it; of others, what is kept. */
  #source(section: Section, index: number, iteration: number, tensors: SectionTensors): OperandSource {
    return (operand, from) => {
      switch (operand.kind) {
        case 'constant': return this.model.constants[operand.constant];
        case 'input': return this.input;
        case 'seed': return this.seed;
        default: {
          const isOwn = operand.kind === section && from === iteration;
          if (isOwn && operand.operator >= index) return undefined;
          if (operand.kind === 'body' && from >= this.iterations) return undefined;
          return (isOwn ? tensors.get(operand.operator) : undefined) ?? this.#needed.get(operand.kind, operand.operator, from);
        }
      }
    };
  }
}
