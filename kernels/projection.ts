import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand, Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int64, dot32, requantize, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import type { ActivationBits } from './quantize-rows.ts';

/** Σ_k x[xRow][k] · w[wRow][k]. */
const dot = (x: ByteOperand, xRow: number, w: ByteOperand, wRow: I32): I64 => sum(x.words, (k) => dot32(x.word(xRow, k), w.word(wRow, k))).wide();

/** x · w for 8-bit weights, exactly. */
const product = (bits: ActivationBits, x: ByteOperand, w: ByteOperand, column: I32): I64 =>
  bits === 8 ? dot(x, 0, w, column) : dot(x, 0, w, column).shl(8).add(dot(x, 1, w, column));

/** x · w for 16-bit weights: exactly for 8-bit x; else in units of 256, without the products of two low bytes. */
const wideProduct = (bits: ActivationBits, x: ByteOperand, high: ByteOperand, low: ByteOperand, column: I32): I64 =>
  bits === 8
    ? dot(x, 0, high, column).shl(8).add(dot(x, 0, low, column))
    : dot(x, 0, high, column).shl(8).add(dot(x, 0, low, column).add(dot(x, 1, high, column)));

/** `sum · scale · (the row's scale)` as a fixed-point number: `sum / 2^drop` has 32 bits, and `exponent` is all that does not depend on the row. */
function scaled(total: I64, scale: I32, statistics: { at(column: number): I32 }, drop: I32, exponent: I32): I32 {
  const amount = drop.wide();
  const accumulator = total.add(int64(1).shl(amount).shr(1)).shr(amount).narrow();
  const multiplier = scale.wide().mul(statistics.at(2).wide()).shr(31).narrow();
  return requantize(accumulator, { multiplier, shift: exponent.sub(statistics.at(3)).clamp(1, 62) });
}

type Addition = 'none' | 'bias' | 'residual' | 'biasAndResidual';

function projectionKernel(bits: ActivationBits, addition: Addition): Kernel {
  const base = { x: i8, w: i8, scale: i32, statistics: i32 } as const;
  const parameters = ['drop', 'exponent'] as const;
  const name = `projection-${bits}${{ none: '', bias: '-bias', residual: '-residual', biasAndResidual: '-bias-residual' }[addition]}`;
  if (addition === 'none') {
    return kernel(name, {
      operands: base, parameters, output: i32,
      element: ({ column, operands: { x, w, scale, statistics }, parameters: { drop, exponent } }) =>
        scaled(product(bits, x, w, column), scale.at(column), statistics, drop, exponent),
    });
  }
  if (addition === 'biasAndResidual') {
    return kernel(name, {
      operands: { ...base, bias: i32, residual: i32 }, parameters, output: i32,
      element: ({ column, operands: { x, w, scale, statistics, bias, residual }, parameters: { drop, exponent } }) =>
        scaled(product(bits, x, w, column), scale.at(column), statistics, drop, exponent).add(bias.at(column)).add(residual.at(column)),
    });
  }
  return kernel(name, {
    operands: { ...base, addend: i32 }, parameters, output: i32,
    element: ({ column, operands: { x, w, scale, statistics, addend }, parameters: { drop, exponent } }) =>
      scaled(product(bits, x, w, column), scale.at(column), statistics, drop, exponent).add(addend.at(column)),
  });
}

const allAdditions = (bits: ActivationBits): Readonly<Record<Addition, Kernel>> => ({
  none: projectionKernel(bits, 'none'),
  bias: projectionKernel(bits, 'bias'),
  residual: projectionKernel(bits, 'residual'),
  biasAndResidual: projectionKernel(bits, 'biasAndResidual'),
});

/**
 * A matrix of 8-bit weights, a scale an output channel, times a quantised row; the result is fixed-point, with a bias, the residual stream or both
 * added to it:
 * `y[0][c] = requantize((Σ_k x[k] · w[c][k]) >> drop, (scale[c] · statistics[2]) >> 31, exponent − statistics[3]) + …`.
 *
 * Shapes: x i8 [1][K] or, of 16 bits, [2][K]; w i8 [C][K]; scale i32 [1][C]; statistics as `ROW_STATISTICS`; bias, residual, y i32 [1][C].
 */
export const projection: Readonly<Record<ActivationBits, Readonly<Record<Addition, Kernel>>>> = { 8: allAdditions(8), 16: allAdditions(16) };

function wideKernel(bits: ActivationBits, addition: 'none' | 'bias'): Kernel {
  const base = { x: i8, high: i8, low: i8, scale: i32, statistics: i32 } as const;
  const parameters = ['drop', 'exponent'] as const;
  if (addition === 'none') {
    return kernel(`projection-${bits}-wide`, {
      operands: base, parameters, output: i32,
      element: ({ column, operands: { x, high, low, scale, statistics }, parameters: { drop, exponent } }) =>
        scaled(wideProduct(bits, x, high, low, column), scale.at(column), statistics, drop, exponent),
    });
  }
  return kernel(`projection-${bits}-wide-bias`, {
    operands: { ...base, bias: i32 }, parameters, output: i32,
    element: ({ column, operands: { x, high, low, scale, statistics, bias }, parameters: { drop, exponent } }) =>
      scaled(wideProduct(bits, x, high, low, column), scale.at(column), statistics, drop, exponent).add(bias.at(column)),
  });
}

/** The same for weights of 16 bits, w = 256 · high + low. */
export const wideProjection: Readonly<Record<ActivationBits, Readonly<Record<'none' | 'bias', Kernel>>>> = {
  8: { none: wideKernel(8, 'none'), bias: wideKernel(8, 'bias') },
  16: { none: wideKernel(16, 'none'), bias: wideKernel(16, 'bias') },
};
