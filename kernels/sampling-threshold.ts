import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { joined } from './wide-integers.ts';

/** Bits of a count of tokens: above them, one sum counts weights. */
export const COUNT_BITS = 19;

/**
 * Some bits more of the least weight that a token must have to be drawn: the greatest `t` for which the tokens of weight ≥ t are at least
 * top-k many, or weigh at least top-p of the total. Each column tries one value for these bits: `y[0][c]` is the threshold so far (the
 * greatest of `before`) plus `(c + 1) << shift` if that is not too much, else the threshold so far.
 *
 * `settings[0][2]` is top-k; all tokens stay where it is not positive. `settings[0][3]` is top-p in 65,536ths; all stay where it is not
 * between 0 and 65,536. Tokens that weigh the same stay or go together.
 *
 * Shapes: weights i32 [1][V], V < 2^19; total i32 [1][2]; settings i32 [1][4]; before i32 [1][B]; y i32 [1][2^bits − 1].
 */
export const samplingThreshold = kernel('sampling-threshold', {
  operands: { weights: i32, total: i32, settings: i32, before: i32 },
  parameters: ['shift'],
  output: i32,
  element: ({ column, operands: { weights, total, settings, before }, parameters: { shift } }) => {
    const soFar = maximum(before.columns, (k) => before.at(0, k));
    const candidate = soFar.add(column.add(1).shl(shift));
    const kept = sum(weights.columns, (k) => {
      const weight = weights.at(0, k);
      return candidate.le(weight).select(weight.wide().shl(COUNT_BITS).add(1), 0);
    });
    const count = kept.and(2 ** COUNT_BITS - 1).narrow();
    const [topK, topP] = [settings.at(0, 2), settings.at(0, 3)];
    const many = int32(0).lt(topK).select(topK.le(count), 0);
    const share = topP.wide().mul(joined(total.at(0, 0), total.at(0, 1))).le(kept.shru(COUNT_BITS).shl(16));
    const heavy = int32(0).lt(topP).and(topP.lt(65_536)).select(share, 0);
    return many.or(heavy).select(candidate, soFar);
  },
});
