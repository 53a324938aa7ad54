import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { anyBits, int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { absolute, bitLength, normalize, reciprocalSquareRoot, roundingShift } from './integer-mathematics.ts';
import { rowStatistics } from './quantize-rows.ts';

/** Bits of the greatest element that is squared: 2^16 such squares add up in 63 bits. */
const SQUARED_BITS = 23;

/** What both norms have in common: `r = 1 / √(mean((x − m)²) + ε)`, and the greatest |(x − m) · gain|, which becomes `limit` when it is quantised. */
function statistics(column: I32, x: TensorOperand, gain: TensorOperand, mean: I32, epsilonHigh: I32, epsilonLow: I32, gainExponent: I32): I32 {
  const centred = (k: I32): I64 => x.at(0, k).wide().sub(mean.wide());
  const weighted = normalize(maximum(x.columns, (k) => absolute(centred(k).mul(gain.at(k).wide()))));
  // Large rows are squared with fewer bits, so that the sum cannot overflow.
  const bits = bitLength(anyBits(x.columns, (k) => absolute(centred(k))));
  const drop = bits.sub(SQUARED_BITS).max(0);
  const squares = sum(x.columns, (k) => {
    const value = roundingShift(centred(k), int32(0).sub(drop)).narrow().wide();
    return value.mul(value);
  });
  const epsilon = epsilonHigh.wide().shl(31).add(epsilonLow.wide());
  const root = reciprocalSquareRoot(squares.div(x.columns.wide()).shl(drop.add(drop).wide()).add(epsilon).max(1));
  const scale = {
    mantissa: weighted.mantissa.wide().mul(root.mantissa.wide()).shr(31).narrow(),
    exponent: weighted.bits.add(root.exponent).add(gainExponent),
  };
  return rowStatistics(column, { greatest: weighted, scale, mean });
}

const PARAMETERS = ['epsilonHigh', 'epsilonLow', 'gainExponent'] as const;

/**
 * Statistics of RMSNorm (arXiv 1910.07467) before quantisation. Elements have any fixed point, the same as √ε; the gain's unit is 2^gainExponent, and
 * |gain| < 2^20. ε is `epsilonHigh · 2^31 + epsilonLow` in squared units.
 *
 * Shapes: x, gain i32 [1][C], y as `ROW_STATISTICS`.
 */
export const rootMeanSquareStatistics = kernel('root-mean-square-statistics', {
  operands: { x: i32, gain: i32 },
  parameters: PARAMETERS,
  output: i32,
  element: ({ column, operands: { x, gain }, parameters: { epsilonHigh, epsilonLow, gainExponent } }) =>
    statistics(column, x, gain, int32(0), epsilonHigh, epsilonLow, gainExponent),
});

/** Statistics of LayerNorm (arXiv 1607.06450), likewise; its bias belongs in the bias of what reads the normalised row. */
export const layerNormStatistics = kernel('layer-norm-statistics', {
  operands: { x: i32, gain: i32 },
  parameters: PARAMETERS,
  output: i32,
  element: ({ column, operands: { x, gain }, parameters: { epsilonHigh, epsilonLow, gainExponent } }) => {
    const total = sum(x.columns, (k) => x.at(0, k).wide());
    return statistics(column, x, gain, total.div(x.columns.wide()).narrow(), epsilonHigh, epsilonLow, gainExponent);
  },
});
