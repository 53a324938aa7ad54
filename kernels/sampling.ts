import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { argmax } from './argmax.ts';
import type { ProgramBuilder, Tensor } from './program-builder.ts';
import { blockPrefix, drawBlock, drawnToken, keptMasses, massPrefix } from './sampling-choice.ts';
import { COUNT_BITS, samplingThreshold } from './sampling-threshold.ts';
import { WEIGHT_BITS, samplingTotal, samplingWeights } from './sampling-weights.ts';
import { randomBits } from './threefry.ts';

/** Bits of the threshold that one operator finds. More are fewer operators, but each more costs as much as all before it. */
const BITS_PER_OPERATOR = 2;

/** Tokens at most. */
export const LARGEST_VOCABULARY = 2 ** COUNT_BITS - 1;

export interface Sampling {
  /** Prefix of the operators' names; `sample` when absent. */
  readonly name?: string;
  /** i32 [1][V], in 65,536ths. Any values. */
  readonly logits: Tensor;
  /**
   * i32 [1][4]: unused here; the temperature in 65,536ths, greedy where it is not positive; top-k, all tokens where it is not positive;
   * top-p in 65,536ths, all tokens where it is not between 0 and 65,536.
   */
  readonly settings: Tensor;
  /** i8 [1][32]. */
  readonly seed: Tensor;
}

/**
 * Appends the choice of a token, i32 [1][1], to a program's body: the greatest logit (the first of equals) at temperature 0, else one drawn with
 * probability proportional to its weight, round((2^24 − 1) · exp((logit − greatest) / temperature)), among those that top-k and top-p leave.
 *
 * - Top-k leaves the k heaviest tokens and all that weigh as much as the lightest of them.
 * - Top-p leaves the fewest heaviest tokens that weigh at least p of all tokens, and all that weigh as much as the lightest of them.
 * - With both, what both leave. Both look at all tokens: top-p is not a share of what top-k leaves.
 * - The draw is decided by 64 bits of Threefry of the seed and the iteration (`threefry.ts`). A token of weight w has a probability within 2^−64
 *   of w / Σw, before which tokens of less than about 2^−25 of the greatest one's probability have been left out.
 *
 * @throws RangeError when there are more than 2^19 − 1 tokens, or a tensor has another shape
 */
export function appendSampling(builder: ProgramBuilder, { name = 'sample', logits, settings, seed }: Sampling): Tensor {
  const tokens = logits.shape.columns;
  requireShape('logits', logits, { element: 'i32', rows: 1, columns: tokens });
  requireShape('settings', settings, { element: 'i32', rows: 1, columns: 4 });
  requireShape('the seed', seed, { element: 'i8', rows: 1, columns: 32 });
  if (tokens > LARGEST_VOCABULARY) throw new RangeError(`sampling chooses among at most ${LARGEST_VOCABULARY} tokens, not ${tokens}`);
  const append = (step: string, kernel: Kernel, rows: number, columns: number, operands: readonly Tensor[], parameters = {}): Tensor =>
    builder.append(`${name}.${step}`, { kernel, output: { element: 'i32', rows, columns }, operands, parameters });

  const greatest = append('greatest', argmax, 1, 1, [logits]);
  const weights = append('weights', samplingWeights, 1, tokens, [logits, greatest, settings]);
  const total = append('total', samplingTotal, 1, 2, [weights]);
  let threshold = builder.integers(1, 1, Int32Array.of(0));
  for (let shift = WEIGHT_BITS - BITS_PER_OPERATOR; shift >= 0; shift -= BITS_PER_OPERATOR) {
    threshold = append(`threshold.${shift}`, samplingThreshold, 1, 2 ** BITS_PER_OPERATOR - 1, [weights, total, settings, threshold], { shift });
  }
  const size = blockSize(tokens);
  const masses = append('masses', keptMasses, 1, Math.ceil(tokens / size), [weights, threshold], { size });
  const prefix = append('prefix', massPrefix, 2, masses.shape.columns, [masses]);
  const bits = append('bits', randomBits, 1, 2, [seed]);
  const block = append('block', drawBlock, 1, 2, [bits, prefix]);
  const inBlock = append('block.prefix', blockPrefix, 1, size, [weights, threshold, block]);
  return append('token', drawnToken, 1, 1, [block, inBlock, greatest, settings]);
}

/** Blocks of about as many tokens as there are blocks; at most 256, so that a block's mass has 32 bits. */
const blockSize = (tokens: number): number => Math.min(256, Math.max(8, 2 ** Math.ceil(Math.log2(tokens) / 2)));

function requireShape(what: string, { shape }: Tensor, wanted: TensorShape): void {
  if (shape.element === wanted.element && shape.rows === wanted.rows && shape.columns === wanted.columns) return;
  throw new RangeError(`sampling takes ${what} as ${wanted.element} [${wanted.rows}][${wanted.columns}], not ${shape.element} [${shape.rows}][${shape.columns}]`);
}
