import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { int32, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { placed, scaled } from './fixed-point.ts';
import { reciprocalSquareRoot } from './integer-mathematics.ts';
import { remembered } from './remembered.ts';

/*
 * Rows divided by their standard deviation or their root mean square (ONNX `LayerNormalization`, `InstanceNormalization`, `GroupNormalization`, `RMSNormalization`, `LpNormalization`), in three
 * operators: the rows' sums, a factor a row, and the products. With `K` columns and `D = (K · x − Σ x) >> t` (or `x >> t` where nothing is centred), the result is
 * `D · F / √(Σ D² + epsilon)`; the importer puts √K, the scales and 2^t into F and epsilon.
 */

/** Each row's sum of `x − xZero`. Shapes: x [R][K], y i32 [R][1]. */
export const centredSums = remembered((element: ElementType): Kernel =>
  kernel(`centred-sums-${element}`, {
    operands: { x: element },
    parameters: ['xZero'],
    output: i32,
    element: ({ row, operands: { x }, parameters: { xZero } }) => sum(x.columns, (k) => x.at(row, k).sub(xZero)),
  }));

function distance(x: TensorOperand, sums: TensorOperand, row: I32, column: I32, { xZero, t, centred }: { readonly xZero: I32; readonly t: I32; readonly centred: boolean }): I64 {
  const value = x.at(row, column).sub(xZero).wide();
  const whole = centred ? value.mul(x.columns.wide()).sub(sums.at(row, 0).wide()) : value;
  return whole.shr(t.wide());
}

export interface NormalizationForm { readonly x: ElementType; readonly centred: boolean }

/**
 * The factor of each row, as a multiplier and a shift: `F / √(Σ D² + epsilonMantissa · 2^epsilonShift)`, with F = factorMultiplier / 2^factorShift, the multiplier in [2^30, 2^31).
 * Sums of squares must stay below 2^62.
 *
 * Shapes: x [R][K], sums i32 [R][1], y i32 [R][2].
 */
export const normalizationFactors = remembered(({ x: element, centred }: NormalizationForm): Kernel =>
  kernel(`normalization-factors-${centred ? 'centred' : 'plain'}-${element}`, {
    operands: { x: element, sums: i32 },
    parameters: ['xZero', 't', 'epsilonMantissa', 'epsilonShift', 'factorMultiplier', 'factorShift'],
    output: i32,
    element: ({ row, column, operands: { x, sums }, parameters: p }) => {
      const squares = sum(x.columns, (k) => {
        const d = distance(x, sums, row, k, { ...p, centred });
        return d.mul(d);
      });
      const { mantissa, exponent } = reciprocalSquareRoot(squares.add(p.epsilonMantissa.wide().shl(p.epsilonShift.wide())).max(1));
      const multiplier = mantissa.wide().mul(p.factorMultiplier.wide()).shr(32).narrow();
      return column.eq(0).select(multiplier, p.factorShift.sub(32).sub(exponent).clamp(1, 62));
    },
  }));

/** `y[r][c] = clamp((D · factors[r][0] + half) >> factors[r][1] + zeroPoint, low, high)`. Shapes: x [R][K], sums i32 [R][1], factors i32 [R][2], y [R][K]. */
export const normalized = remembered(({ x: element, centred, output }: NormalizationForm & { readonly output: ElementType }): Kernel =>
  kernel(`normalized-${centred ? 'centred' : 'plain'}-${element}-${output}`, {
    operands: { x: element, sums: i32, factors: i32 },
    parameters: ['xZero', 't', 'zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { x, sums, factors }, parameters: p }) =>
      placed(scaled(distance(x, sums, row, column, { ...p, centred }), factors.at(row, int32(0)), factors.at(row, int32(1))), p),
  }));
