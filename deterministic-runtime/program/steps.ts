import { countWordSteps, forEachLoop, loopRounds, parseStructure, positionAt } from '../word-code/structure.ts';
import type { CodeBlock, CodePosition } from '../word-code/structure.ts';
import type { Instruction } from '../word-code/instruction.ts';
import { lanesPerWord, wordsPerRow } from './tensor.ts';
import type { TensorShape } from './tensor.ts';

/** Reductions and the loop over lanes nest four deep at most, so an iteration's steps are a polynomial of this degree in its number. */
const DEGREE = 4;

/** How many instructions an operator takes. Control never depends on data, so these are formulas. */
export class OperatorSteps {
  readonly #blocks: readonly CodeBlock[];
  readonly #output: TensorShape;

  /** @throws Error when the code is not structured */
  constructor(code: readonly Instruction[], output: TensorShape) {
    this.#blocks = parseStructure(code);
    this.#output = output;
  }

  /** Column of the first lane of word `index` of the tensor. */
  columnOf(index: number): number {
    return (index % wordsPerRow(this.#output)) * lanesPerWord(this.#output.element);
  }

  /** Lanes of word `index` that exist. */
  lanes(index: number): number {
    return Math.min(lanesPerWord(this.#output.element), this.#output.columns - this.columnOf(index));
  }

  /** Steps of word `index` in `iteration`. */
  word(iteration: number, index: number): bigint {
    return countWordSteps(this.#blocks, iteration, this.lanes(index));
  }

  /** The word in which step `step` of the tensor lies, and the step's number in that word. */
  find(iteration: number, step: bigint): { readonly word: number; readonly step: bigint } {
    const perRow = wordsPerRow(this.#output);
    const row = step / this.before(iteration, perRow);
    const inRow = step % this.before(iteration, perRow);
    const full = perRow > 1 ? inRow / this.word(iteration, 0) : 0n;
    const column = Math.min(Number(full), perRow - 1);
    const word = Number(row) * perRow + column;
    return { word, step: step - this.before(iteration, word) };
  }

  /** Where step `step` of word `index` stands. */
  position(iteration: number, index: number, step: bigint): CodePosition {
    return positionAt(this.#blocks, iteration, this.lanes(index), step);
  }

  /** Steps of the words before word `index`. */
  before(iteration: number, index: number): bigint {
    const perRow = wordsPerRow(this.#output);
    const rows = Math.floor(index / perRow);
    const full = perRow > 1 ? this.word(iteration, 0) : 0n;
    const row = full * BigInt(perRow - 1) + this.word(iteration, perRow - 1);
    return row * BigInt(rows) + full * BigInt(index % perRow);
  }

  /** Steps of the whole tensor. */
  total(iteration: number): bigint {
    return this.before(iteration, this.#output.rows * wordsPerRow(this.#output));
  }

  /** Fewest and most rounds of any loop, over iterations `first … last`. Bounds grow with the iteration, and lanes are at least 1. */
  roundsBetween(first: number, last: number): { readonly fewest: number; readonly most: number } {
    let [fewest, most] = [1, 1];
    forEachLoop(this.#blocks, ({ bound }) => {
      fewest = Math.min(fewest, loopRounds(bound, first, 1));
      most = Math.max(most, loopRounds(bound, last, lanesPerWord(this.#output.element)));
    });
    return { fewest, most };
  }
}

/** Steps of a section's operators in one iteration. */
export const sectionSteps = (operators: readonly OperatorSteps[], iteration: number): bigint =>
  operators.reduce((steps, operator) => steps + operator.total(iteration), 0n);

/**
 * How many steps the body's first `n` iterations take, as a function of `n`, by Newton's forward differences of a polynomial:
 * `Σ_{t<n} f(t) = Σ_k Δ^k f(0) · C(n, k+1)`.
 */
export function bodyStepsFormula(body: readonly OperatorSteps[]): (iterations: number) => bigint {
  const coefficients: bigint[] = [];
  let differences = Array.from({ length: DEGREE + 1 }, (_, iteration) => sectionSteps(body, iteration));
  while (differences.length > 0) {
    coefficients.push(differences[0]!);
    differences = differences.slice(1).map((value, index) => value - differences[index]!);
  }
  return (iterations) => {
    let [sum, binomial] = [0n, BigInt(iterations)];
    coefficients.forEach((coefficient, order) => {
      sum += coefficient * binomial;
      binomial = (binomial * (BigInt(iterations) - BigInt(order) - 1n)) / (BigInt(order) + 2n);
    });
    return sum;
  };
}
