import { ownOptions } from '../executors/executor.ts';
import type { Executor, PreparedModel, RunOptions, RunResult } from '../executors/executor.ts';
import { carriedOperators } from '../program/carried.ts';
import { compileProgram } from '../program/compile.ts';
import type { CompiledOperator } from '../program/compile.ts';
import { placeOf, slotCount, slotOf } from '../program/program.ts';
import type { Model, Section } from '../program/program.ts';
import { byteLength, paddingIsZero, WORD_BYTES } from '../program/tensor.ts';
import { ModuleBuilder } from '../wasm/assembler.ts';
import { layOutMemory, operandMemory } from './memory-layout.ts';
import type { MemoryLayout } from './memory-layout.ts';
import { rowsPerCall } from './rows.ts';
import type { RunRows } from './rows.ts';
import { emitWordFunction } from './word-function.ts';

/** How long a run keeps the thread before it lets others have a turn. */
const MILLISECONDS_PER_TURN = 50;

/** An executor that lifts a model's word-machine code to WebAssembly: it runs whatever the chain can replay. */
export function createLiftedExecutor(): Executor {
  return {
    name: 'lifted',
    adapter: 'word-machine code as WebAssembly',
    prepare: prepareLifted,
    dispose: async () => {},
  };
}

async function prepareLifted(model: Model): Promise<PreparedModel> {
  const { program } = model;
  const operators = compileProgram(program);
  const layout = layOutMemory(program, carriedOperators(operators));
  const module = await WebAssembly.compile(liftProgram(model, operators, layout));
  const memory = new WebAssembly.Memory({ initial: layout.pages });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const bytes = new Uint8Array(memory.buffer);
  model.constants.forEach((words, index) => bytes.set(words, layout.constant(index)));
  const lifted = new LiftedModel(model, layout, operators, exports as Readonly<Record<string, RunRows>>, bytes);
  return lifted;
}

const functionName = ({ section, index }: CompiledOperator): string => `${section} ${index}`;

/** A module with one function an operator, which imports its memory as `env.memory`. */
function liftProgram({ program }: Model, operators: readonly CompiledOperator[], layout: MemoryLayout): Uint8Array {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { minimum: layout.pages });
  for (const compiled of operators) {
    const { operator, section, index, code } = compiled;
    const operands = operator.operands.map((operand) => operandMemory(program, layout, section, index, operand));
    emitWordFunction(module, { name: functionName(compiled), code, output: operator.output, operands });
  }
  return module.encode();
}

class LiftedModel implements PreparedModel {
  readonly model: Model;
  readonly #layout: MemoryLayout;
  readonly #operators: Readonly<Record<Section, readonly CompiledOperator[]>>;
  readonly #functions: Readonly<Record<string, RunRows>>;
  readonly #memory: Uint8Array;
  /** Runs share the memory, so they take turns. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(model: Model, layout: MemoryLayout, operators: readonly CompiledOperator[], functions: Readonly<Record<string, RunRows>>, memory: Uint8Array) {
    this.model = model;
    this.#layout = layout;
    const of = (section: Section): CompiledOperator[] => operators.filter((operator) => operator.section === section);
    this.#operators = { prologue: of('prologue'), body: of('body'), epilogue: of('epilogue') };
    this.#functions = functions;
    this.#memory = memory;
  }

  async run(input: Uint8Array, options: RunOptions = {}): Promise<RunResult> {
    const { input: shape } = this.model.program;
    if (input.length !== byteLength(shape)) throw new RangeError(`the input has ${input.length} bytes; the model takes ${byteLength(shape)} (padded words)`);
    if (!paddingIsZero(shape, input)) throw new RangeError("the input's padding must be zero");
    const seed = options.seed ?? new Uint8Array(WORD_BYTES);
    if (seed.length !== WORD_BYTES) throw new RangeError(`a seed has ${WORD_BYTES} bytes, not ${seed.length}`);
    const { observe } = options;
    if (observe !== undefined && this.model.program.body[observe.operator] === undefined) throw new RangeError(`the body has no operator ${observe.operator} to observe`);
    const request = [input.slice(), seed.slice(), ownOptions(options)] as const;
    const result = this.#last.then(() => this.#run(...request));
    this.#last = result.catch(() => {});
    return result;
  }

  async #run(input: Uint8Array, seed: Uint8Array, options: RunOptions): Promise<RunResult> {
    const { program } = this.model;
    const { layout, memory } = { layout: this.#layout, memory: this.#memory };
    const { observe, onWritten } = options;
    const kept = new Map<number, Uint8Array>();
    memory.fill(0, layout.tensors, layout.end);
    memory.set(input, layout.input);
    memory.set(seed, layout.seed);
    const turn = { ends: performance.now() + MILLISECONDS_PER_TURN };
    const runSection = async (section: Section, iteration: number): Promise<void> => {
      for (const operator of this.#operators[section]) await this.#runOperator(operator, iteration, options, turn);
      const tensor = (index: number): Uint8Array => {
        const start = layout.tensor(section, index, iteration);
        return memory.subarray(start, start + byteLength(program[section][index]!.output));
      };
      if (options.keep === 'all') program[section].forEach((_, index) => kept.set(slotOf(program, section, index, iteration), tensor(index).slice()));
      await onWritten?.({ section, iteration }, tensor);
    };
    await runSection('prologue', 0);
    let iterations = 0;
    while (iterations < program.maxIterations) {
      await runSection('body', iterations);
      if (observe !== undefined) {
        const start = layout.tensor('body', observe.operator, iterations);
        observe.onTensor(iterations, memory.slice(start, start + byteLength(program.body[observe.operator]!.output)));
      }
      iterations += 1;
      const stop = layout.tensor('body', program.body.length - 1, iterations - 1);
      if (memory.subarray(stop, stop + WORD_BYTES).some((byte) => byte !== 0)) break;
    }
    await runSection('epilogue', program.maxIterations);
    const last = slotCount(program) - 1;
    const { section, index, iteration, operator } = placeOf(program, last);
    const start = layout.tensor(section, index, iteration);
    const isWritten = section !== 'body' || iteration < iterations;
    const output = isWritten ? memory.slice(start, start + byteLength(operator.output)) : new Uint8Array(byteLength(operator.output));
    return { iterations, output, tensor: (slot) => (slot === last ? output : kept.get(slot)) };
  }

  async #runOperator(compiled: CompiledOperator, iteration: number, { override, signal }: RunOptions, turn: { ends: number }): Promise<void> {
    const { section, index, operator, steps } = compiled;
    const { rows } = operator.output;
    const target = this.#layout.tensor(section, index, iteration);
    const rowBytes = byteLength(operator.output) / rows;
    const perCall = rowsPerCall(operator.output, steps, iteration);
    const runRows = this.#functions[functionName(compiled)]!;
    for (let row = 0; row < rows; row += perCall) {
      if (performance.now() > turn.ends) {
        await new Promise((resolve) => setTimeout(resolve));
        turn.ends = performance.now() + MILLISECONDS_PER_TURN;
      }
      signal?.throwIfAborted();
      runRows(iteration, target + row * rowBytes, row, Math.min(row + perCall, rows));
    }
    if (override?.slot === slotOf(this.model.program, section, index, iteration)) {
      if (override.words.length !== byteLength(operator.output)) throw new RangeError(`the override of slot ${override.slot} has ${override.words.length} bytes, not ${byteLength(operator.output)}`);
      this.#memory.set(override.words, target);
    }
  }

  async dispose(): Promise<void> {}
}
