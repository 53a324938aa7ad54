import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand, Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, int32, maximum, requantize, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { normalize, powerOfTwo, shiftBoth, wideAbsolute } from './integer-mathematics.ts';
import { plane, quantized } from './quantize-rows.ts';
import type { ActivationBits } from './quantize-rows.ts';

/** Greatest magnitude of each head, at most 2^31 − 1: `y[0][h] = max_c |x[h][c]|`. Shapes: x i32 [H][C], y i32 [1][H]. */
export const headMaxima = kernel('head-maxima', {
  operands: { x: i32 },
  output: i32,
  element: ({ column, operands: { x } }) => maximum(x.columns, (c) => wideAbsolute(x.at(column, c))).min(0x7fff_ffff).narrow(),
});

function quantizeHeadsKernel(bits: ActivationBits): Kernel {
  return kernel(`quantize-heads-${bits}`, {
    operands: { x: i32, maxima: i32 },
    parameters: ['first', 'heads'],
    output: i8,
    element: ({ row, column, operands: { x, maxima }, parameters: { first, heads } }) => {
      const isLow = heads.le(row);
      const head = first.add(isLow.select(row.sub(heads), row));
      const { mantissa, bits: length } = normalize(maxima.at(head).wide());
      const value = quantized(x.at(head, column).wide(), mantissa, length, bits === 16);
      return bits === 16 ? plane(value, isLow) : value;
    },
  });
}

/**
 * Quantises `heads` heads from number `first` on, each in units of which its greatest magnitude is the limit. Of 16 bits, the high bytes' rows stand
 * before the low bytes' rows.
 *
 * Shapes: x i32 [H][C], maxima i32 [1][H], y i8 [heads][C] or, of 16 bits, [2·heads][C].
 */
export const quantizeHeads: Readonly<Record<ActivationBits, Kernel>> = { 8: quantizeHeadsKernel(8), 16: quantizeHeadsKernel(16) };

function scoresKernel(bits: ActivationBits): Kernel {
  return kernel(`attention-scores-${bits}`, {
    operands: { queries: i8, keys: i8, maxima: i32 },
    parameters: ['heads', 'group', 'keyHeads', 'multiplier', 'multiplierShift', 'shift'],
    output: i32,
    element: ({ row, column, iteration, operands: { queries, keys, maxima }, parameters: { heads, group, keyHeads, multiplier, multiplierShift, shift } }) => {
      const keyHead = row.div(group);
      const dot = (query: ByteOperand, queryRow: I32, keyRow: I32): I32 =>
        sum(query.words, (k) => dot32(query.word(queryRow, k), keys.word(keyRow, k, { iteration: column })));
      const product = bits === 8
        ? dot(queries, row, keyHead)
        : dot(queries, row, keyHead).mul(256).add(dot(queries, row, keyHead.add(keyHeads)).add(dot(queries, row.add(heads), keyHead)));
      const both = requantize(maxima.at(0, row), { multiplier: maxima.at(0, heads.add(keyHead), { iteration: column }), shift: int32(16) });
      const scale = requantize(both, { multiplier, shift: multiplierShift });
      return column.le(iteration).select(requantize(product, { multiplier: scale, shift }), 0);
    },
  });
}

/**
 * Scaled scores of attention (arXiv 1706.03762) of this position's queries with the keys of all positions so far, `y[h][t] = q[h] · k_t[h div group] · factor`,
 * zero beyond. The factor (with the scales of both sides, 1/√headSize and log2 e) is `(maxima[h] · maxima_t[heads + h div group] >> 16) · multiplier >>
 * multiplierShift >> shift`. Of 16 bits, the products of two low bytes are left out, and the rest counts in units of 256.
 *
 * Shapes: queries i8 [H][C] or [2·H][C]; keys, an operator of the body, i8 [G][C] or [2·G][C]; maxima, likewise, i32 [1][H + G or more]; y i32 [H][T].
 */
export const attentionScores: Readonly<Record<ActivationBits, Kernel>> = { 8: scoresKernel(8), 16: scoresKernel(16) };

/** Greatest score of each head over the positions so far: `y[0][h] = max_{t ≤ iteration} x[h][t]`. Shapes: x i32 [H][T], y i32 [1][H]. */
export const greatestScores = kernel('greatest-scores', {
  operands: { x: i32 },
  output: i32,
  element: ({ column, iteration, operands: { x } }) => maximum(iteration.add(1), (t) => x.at(column, t)),
});

/** Softmax's numerators `y[h][t] = 2^(x[h][t] − greatest[h])`, zero beyond the iteration. Shapes: x i32 [H][T], greatest i32 [1][H], y i32 [H][T]. */
export const exponentials = kernel('exponentials', {
  operands: { x: i32, greatest: i32 },
  output: i32,
  element: ({ row, column, iteration, operands: { x, greatest } }) =>
    column.le(iteration).select(powerOfTwo(x.at(row, column).sub(greatest.at(row))), 0),
});

/** Bits by which a mean is finer than fixed-point values while it is divided. */
const GUARD_BITS = 3;

/**
 * Means of all positions' values, weighted: `y[h][c] = Σ_{t ≤ iteration} e[h][t] · v_t[h div group][c] / Σ_t e[h][t]`. Values are at most 2^27 in
 * magnitude; the division is a multiplication by a reciprocal of 31 bits.
 *
 * Shapes: e i32 [H][T]; v, an operator of the body, i32 [G][C]; y i32 [H][C].
 */
export const attentionValues = kernel('attention-values', {
  operands: { weights: i32, values: i32 },
  parameters: ['group'],
  output: i32,
  element: ({ row, column, iteration, operands: { weights, values }, parameters: { group } }) => {
    const head = row.div(group);
    const total = sum(iteration.add(1), (t) => weights.at(row, t).wide());
    const weighted = sum(iteration.add(1), (t) => weights.at(row, t).wide().mul(values.at(head, column, { iteration: t }).wide()));
    const { mantissa, bits } = normalize(total);
    // In [2^30, 2^31]: 2^61 over the total's mantissa.
    const reciprocal = mantissa.wide().max(1);
    const inverse = int32(1).wide().shl(61).div(reciprocal).min(0x7fff_ffff).narrow();
    const quotient = shiftBoth(weighted, int32(GUARD_BITS).sub(bits)).narrow();
    return requantize(quotient, { multiplier: inverse, shift: int32(30 + GUARD_BITS) });
  },
});
