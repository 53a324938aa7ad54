import type { EncodedModel, EncodedOperator } from '../../deterministic-runtime/program/encoding.ts';
import { placeOf, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Section } from '../../deterministic-runtime/program/program.ts';
import { bodyStepsFormula, sectionSteps } from '../../deterministic-runtime/program/steps.ts';
import { wordsPerRow } from '../../deterministic-runtime/program/tensor.ts';
import type { Instruction } from '../../deterministic-runtime/word-code/instruction.ts';

/** Which step of an inference a number stands for. */
export interface StepLocation {
  readonly section: Section;
  /** Index in the section. */
  readonly index: number;
  readonly operator: EncodedOperator;
  readonly iteration: number;
  readonly slot: number;
  /** Number of the word in the operator's output, and where it lies there. */
  readonly word: number;
  readonly row: number;
  readonly column: number;
  /** Steps since the word's start. */
  readonly step: bigint;
  readonly pc: number;
  readonly counters: readonly number[];
  readonly instruction: Instruction;
}

/** The flat index over all steps of one inference whose body ran a known number of times. */
export class StepIndex {
  /** Steps until the machine is finished. From there on its state repeats. */
  readonly total: bigint;
  readonly #model: EncodedModel;
  readonly #operators: Readonly<Record<Section, readonly EncodedOperator[]>>;
  readonly #iterations: number;
  readonly #bodyStart: bigint;
  readonly #epilogueStart: bigint;
  readonly #bodySteps: (iterations: number) => bigint;

  constructor(model: EncodedModel, iterations: number) {
    const of = (section: Section): EncodedOperator[] => model.operators.filter((operator) => operator.section === section);
    this.#model = model;
    this.#operators = { prologue: of('prologue'), body: of('body'), epilogue: of('epilogue') };
    this.#iterations = iterations;
    this.#bodySteps = bodyStepsFormula(this.#operators.body.map(({ steps }) => steps));
    this.#bodyStart = this.#sectionSteps('prologue', 0);
    this.#epilogueStart = this.#bodyStart + this.#bodySteps(iterations);
    this.total = this.#epilogueStart + this.#sectionSteps('epilogue', model.model.program.maxIterations);
  }

  /** The step that follows state number `step`; null when the machine has finished by then. @throws RangeError below 0 */
  locate(step: bigint): StepLocation | null {
    if (step < 0n) throw new RangeError(`there is no step ${step}`);
    if (step >= this.total) return null;
    if (step < this.#bodyStart) return this.#locateIn('prologue', 0, step);
    if (step >= this.#epilogueStart) return this.#locateIn('epilogue', this.#model.model.program.maxIterations, step - this.#epilogueStart);
    const inBody = step - this.#bodyStart;
    let [low, high] = [0, this.#iterations - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#bodySteps(middle) <= inBody) low = middle;
      else high = middle - 1;
    }
    return this.#locateIn('body', low, inBody - this.#bodySteps(low));
  }

  /** The number of the state at the start of a word of a slot's tensor. */
  startOf(slot: number, word: number): bigint {
    const { section, index, iteration } = placeOf(this.#model.model.program, slot);
    const sectionStart = { prologue: 0n, body: this.#bodyStart + this.#bodySteps(iteration), epilogue: this.#epilogueStart }[section];
    const before = this.#operators[section].slice(0, index).reduce((steps, operator) => steps + operator.steps.total(iteration), 0n);
    return sectionStart + before + this.#operators[section][index]!.steps.before(iteration, word);
  }

  #sectionSteps(section: Section, iteration: number): bigint {
    return sectionSteps(this.#operators[section].map(({ steps }) => steps), iteration);
  }

  #locateIn(section: Section, iteration: number, step: bigint): StepLocation {
    let rest = step;
    for (const operator of this.#operators[section]) {
      const total = operator.steps.total(iteration);
      if (rest < total) return this.#locateWord(operator, iteration, rest);
      rest -= total;
    }
    throw new RangeError(`the ${section} has no step ${step}`);
  }

  #locateWord(operator: EncodedOperator, iteration: number, stepInTensor: bigint): StepLocation {
    const { section, index, steps, code } = operator;
    const { word, step } = steps.find(iteration, stepInTensor);
    const position = steps.position(iteration, word, step);
    const perRow = wordsPerRow(operator.operator.output);
    return {
      section, index, operator, iteration, word, step, ...position,
      slot: slotOf(this.#model.model.program, section, index, iteration),
      row: Math.floor(word / perRow),
      column: steps.columnOf(word),
      instruction: code[position.pc]!,
    };
  }
}
