import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { half, joined, multiplyHigh, unsigned } from './wide-integers.ts';

/**
 * How much the tokens of each block weigh that may be drawn: `y[0][b] = Σ_{b·size ≤ k < (b+1)·size, weights[0][k] ≥ t} weights[0][k]`, where `t` is
 * the greatest of `threshold`. An unsigned number of 32 bits, which blocks of at most 256 tokens do not exceed.
 *
 * Shapes: weights i32 [1][V], threshold i32 [1][R], y i32 [1][ceil(V / size)].
 */
export const keptMasses = kernel('kept-masses', {
  operands: { weights: i32, threshold: i32 },
  parameters: ['size'],
  output: i32,
  element: ({ column, operands: { weights, threshold }, parameters: { size } }) => {
    const least = maximum(threshold.columns, (k) => threshold.at(0, k));
    return sum(size, (k) => {
      const weight = weights.at(0, column.mul(size).add(k));
      return least.le(weight).select(weight, 0);
    });
  },
});

/**
 * What all blocks up to each weigh together, 64 bits: `y[0][b]` is the low half of `Σ_{c ≤ b} masses[0][c]`, `y[1][b]` the high one.
 *
 * Shapes: masses i32 (unsigned) [1][B], y i32 [2][B].
 */
export const massPrefix = kernel('mass-prefix', {
  operands: { masses: i32 },
  output: i32,
  element: ({ row, column, operands: { masses } }) =>
    half(sum(masses.columns, (b) => b.le(column).select(unsigned(masses.at(0, b)), 0)), row),
});

/**
 * Draws a block with the probability that its mass has: 64 random bits become a number below the total mass (`floor(bits · total / 2^64)`), and
 * `y[0][0]` is the first block whose prefix is greater. `y[0][1]` is how far into the block's mass the number lies, unsigned.
 *
 * Shapes: bits i32 [1][2], prefix i32 [2][B], y i32 [1][2].
 */
export const drawBlock = kernel('draw-block', {
  operands: { bits: i32, prefix: i32 },
  output: i32,
  element: ({ column, operands: { bits, prefix } }) => {
    const upTo = (block: I32): I64 => joined(prefix.at(0, block), prefix.at(1, block));
    const target = multiplyHigh(joined(bits.at(0, 0), bits.at(0, 1)), upTo(prefix.columns.sub(1)));
    const block = sum(prefix.columns, (b) => upTo(b).le(target));
    return column.select(target.sub(upTo(block.sub(1))).narrow(), block);
  },
});

/**
 * What the tokens of the drawn block that may be drawn weigh together, up to each: `y[0][k] = Σ_{j ≤ k, w_j ≥ t} w_j`, `w_j = weights[0][block·size + j]`;
 * unsigned.
 *
 * Shapes: weights i32 [1][V], threshold i32 [1][R], block i32 [1][2], y i32 [1][size].
 */
export const blockPrefix = kernel('block-prefix', {
  operands: { weights: i32, threshold: i32, block: i32 },
  output: i32,
  element: ({ column, output, operands: { weights, threshold, block } }) => {
    const least = maximum(threshold.columns, (k) => threshold.at(0, k));
    const first = block.at(0, 0).mul(output.columns);
    return sum(output.columns, (k) => {
      const weight = weights.at(0, first.add(k));
      return k.le(column).and(least.le(weight)).select(weight, 0);
    });
  },
});

/**
 * The token: the first of the drawn block whose prefix is greater than how far the draw lies in it; the most probable one where the
 * temperature `settings[0][1]` is not positive.
 *
 * Shapes: block i32 [1][2], prefix i32 (unsigned) [1][size], greatest i32 [1][1], settings i32 [1][4], y i32 [1][1].
 */
export const drawnToken = kernel('drawn-token', {
  operands: { block: i32, prefix: i32, greatest: i32, settings: i32 },
  output: i32,
  element: ({ operands: { block, prefix, greatest, settings } }) => {
    const target = unsigned(block.at(0, 1));
    const inside = sum(prefix.columns, (k) => unsigned(prefix.at(0, k)).le(target));
    return settings.at(0, 1).lt(1).select(greatest.at(0, 0), block.at(0, 0).mul(prefix.columns).add(inside));
  },
});
