import { countWordSteps, forEachLoop, loopRounds, parseStructure } from '../lift/structure.ts';
import type { CodeBlock } from '../lift/structure.ts';
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

  /** Lanes of word `index` of the tensor that exist. */
  lanes(index: number): number {
    const lanes = lanesPerWord(this.#output.element);
    return Math.min(lanes, this.#output.columns - (index % wordsPerRow(this.#output)) * lanes);
  }

  /** Steps of word `index` in `iteration`. */
  word(iteration: number, index: number): bigint {
    return countWordSteps(this.#blocks, iteration, this.lanes(index));
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
 * Steps of the body's first `iterations` iterations, by Newton's forward differences of a polynomial:
 * `Σ_{t<n} f(t) = Σ_k Δ^k f(0) · C(n, k+1)`.
 */
export function bodySteps(body: readonly OperatorSteps[], iterations: number): bigint {
  let differences = Array.from({ length: DEGREE + 1 }, (_, iteration) => sectionSteps(body, iteration));
  let [sum, binomial] = [0n, BigInt(iterations)];
  for (let order = 1n; differences.length > 0; order += 1n) {
    sum += differences[0]! * binomial;
    binomial = (binomial * (BigInt(iterations) - order)) / (order + 1n);
    differences = differences.slice(1).map((value, index) => value - differences[index]!);
  }
  return sum;
}
