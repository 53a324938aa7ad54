import { ownOptions } from '../../deterministic-runtime/executors/executor.ts';
import type { Executor, PreparedModel, RunOptions, RunResult } from '../../deterministic-runtime/executors/executor.ts';
import { compileProgram } from '../../deterministic-runtime/program/compile.ts';
import { placeOf, slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model, Program, Section, SlotPlace } from '../../deterministic-runtime/program/program.ts';
import { byteLength, lanesPerWord, paddingIsZero, WORD_BYTES, wordCount, wordsPerRow } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { operandReaders } from './operands.ts';
import type { InferenceTensors } from './operands.ts';
import { prepareCode, runWord, WordRegisters } from './word-runner.ts';
import type { OperandReader, PreparedCode } from './word-runner.ts';

/** Steps after which others get a turn, and a signal is looked at. */
const STEPS_PER_TURN = 2_000_000;

/** The reference executor: word-machine code on the word machine's own interpreter. */
export function createWordMachineExecutor(): Executor {
  return {
    name: 'word-machine',
    adapter: 'word machine, interpreted',
    prepare: async (model) => new InterpretedModel(model),
    dispose: async () => {},
  };
}

class InterpretedModel implements PreparedModel {
  readonly model: Model;
  readonly #code: Readonly<Record<Section, readonly PreparedCode[]>>;

  constructor(model: Model) {
    checkConstants(model);
    this.model = model;
    const operators = compileProgram(model.program);
    const of = (section: Section): PreparedCode[] => operators.filter((operator) => operator.section === section).map(({ code }) => prepareCode(code));
    this.#code = { prologue: of('prologue'), body: of('body'), epilogue: of('epilogue') };
  }

  async run(given: Uint8Array, givenOptions: RunOptions = {}): Promise<RunResult> {
    const { program } = this.model;
    const input = given.slice();
    const seed = givenOptions.seed?.slice() ?? new Uint8Array(WORD_BYTES);
    const options = ownOptions(givenOptions);
    checkWords(program.input, input, 'the input');
    checkWords({ element: 'i8', rows: 1, columns: WORD_BYTES }, seed, 'the seed');
    const { observe } = options;
    if (observe !== undefined && program.body[observe.operator] === undefined) throw new RangeError(`the body has no operator ${observe.operator} to observe`);
    const written = new Map<number, Uint8Array>();
    const tensors: InferenceTensors = { model: this.model, input, seed, slot: (slot) => written.get(slot) };
    options.signal?.throwIfAborted();
    const pace = new Pace(options.signal);
    const run = async (section: Section, index: number, iteration: number): Promise<Uint8Array> => {
      const slot = slotOf(program, section, index, iteration);
      const place = placeOf(program, slot);
      const computed = await runOperator(this.#code[section][index] as PreparedCode, operandReaders(tensors, place), place, pace);
      const words = options.override?.slot === slot ? overridden(place, options.override.words) : computed;
      written.set(slot, words);
      return words;
    };
    const ran = async (section: Section, iteration: number): Promise<void> =>
      options.onWritten?.({ section, iteration }, (index) => written.get(slotOf(program, section, index, iteration))!);
    for (const index of program.prologue.keys()) await run('prologue', index, 0);
    await ran('prologue', 0);
    const iterations = await runBody(program, run, async (iteration) => {
      if (observe !== undefined) observe.onTensor(iteration, written.get(slotOf(program, 'body', observe.operator, iteration))!.slice());
      await ran('body', iteration);
    });
    for (const index of program.epilogue.keys()) await run('epilogue', index, program.maxIterations);
    await ran('epilogue', program.maxIterations);
    return resultOf(program, written, iterations, options.keep === 'all');
  }

  async dispose(): Promise<void> {}
}

/** Runs the body until its last operator writes a word that is not zero; gives the number of iterations. */
async function runBody(
  { body, maxIterations }: Program, run: (section: Section, index: number, iteration: number) => Promise<Uint8Array>, ran: (iteration: number) => Promise<void>,
): Promise<number> {
  for (let iteration = 0; iteration < maxIterations; iteration += 1) {
    let last: Uint8Array = new Uint8Array(WORD_BYTES);
    for (const index of body.keys()) last = await run('body', index, iteration);
    await ran(iteration);
    if (last.subarray(-WORD_BYTES).some((byte) => byte !== 0)) return iteration + 1;
  }
  return maxIterations;
}

async function runOperator(code: PreparedCode, operands: readonly OperandReader[], place: SlotPlace, pace: Pace): Promise<Uint8Array> {
  const { output } = place.operator;
  const words = new Uint8Array(byteLength(output));
  const registers = new WordRegisters();
  const lanesEach = lanesPerWord(output.element);
  const perRow = wordsPerRow(output);
  for (let word = 0; word < wordCount(output); word += 1) {
    const column = (word % perRow) * lanesEach;
    registers.start({ iteration: place.iteration, row: Math.floor(word / perRow), column, lanes: Math.min(lanesEach, output.columns - column), lanesPerWord: lanesEach });
    for (;;) {
      const { steps, outcome, word: stored } = runWord(code, registers, operands, STEPS_PER_TURN);
      await pace.spend(steps);
      if (outcome === 'failed') throw new Error(`the machine failed in operator '${place.operator.name}': the model's code is not admissible`);
      if (stored === null) continue;
      words.set(stored, word * WORD_BYTES);
      break;
    }
  }
  return words;
}

/** Lets others have a turn now and then, and stops when asked to. */
class Pace {
  readonly #signal: AbortSignal | undefined;
  #steps = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async spend(steps: number): Promise<void> {
    this.#steps += steps;
    if (this.#steps < STEPS_PER_TURN) return;
    this.#steps = 0;
    await new Promise((resolve) => setTimeout(resolve));
    this.#signal?.throwIfAborted();
  }
}

function overridden({ operator }: SlotPlace, words: Uint8Array): Uint8Array {
  if (words.length !== byteLength(operator.output)) throw new RangeError(`the override of '${operator.name}' has ${words.length} bytes, not ${byteLength(operator.output)}`);
  return words;
}

function resultOf(program: Program, written: ReadonlyMap<number, Uint8Array>, iterations: number, keepAll: boolean): RunResult {
  const last = slotCount(program) - 1;
  const output = written.get(last);
  if (output === undefined) throw new RangeError('the program writes no result: its last slot stays empty');
  return { iterations, output, tensor: (slot) => (keepAll || slot === last ? written.get(slot) : undefined) };
}

function checkConstants({ program, constants }: Model): void {
  if (constants.length !== program.constants.length) throw new RangeError(`the program has ${program.constants.length} constants, got ${constants.length}`);
  program.constants.forEach((shape, index) => checkWords(shape, constants[index] as Uint8Array, `constant ${index}`));
}

function checkWords(shape: TensorShape, words: Uint8Array, what: string): void {
  if (words.length !== byteLength(shape)) throw new RangeError(`${what} has ${byteLength(shape)} bytes (padded words), got ${words.length}`);
  if (!paddingIsZero(shape, words)) throw new RangeError(`${what} has padding that is not zero`);
}
