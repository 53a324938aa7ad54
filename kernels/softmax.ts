import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { placed, roundedQuotient, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/*
 * A softmax of each row in three operators, and a log-softmax in four: the row's greatest value, exponentials of the distances to it from a table (so none is above 1),
 * their sum, and the quotient (or the logarithm).
 */

/** Each row's greatest value, as it is. Shapes: x [R][K], y i32 [R][1]. */
export const rowMaximum = remembered((element: ElementType): Kernel =>
  kernel(`row-maximum-${element}`, {
    operands: { x: element },
    output: i32,
    element: ({ row, operands: { x } }) => maximum(x.columns, (k) => x.at(row, k)),
  }));

/**
 * `y[r][c] = exp(−d · scale)` for the distance `d = greatest[r] − x[r][c]`, cut to 0 … 2^16 − 1, from a table of entries 2^bits apart with lines between them:
 * with `i = d >> bits`, `f = d mod 2^bits`: `table[i] + ((table[i+1] − table[i]) · f) >> bits`. For bytes bits is 0.
 *
 * Shapes: x [R][K], greatest i32 [R][1], table i32 [1][entries + 1], y i32 [R][K].
 */
export const exponentials = remembered((element: ElementType): Kernel =>
  kernel(`exponentials-${element}`, {
    operands: { x: element, greatest: i32, table: i32 },
    parameters: ['bits'],
    output: i32,
    element: ({ row, column, operands: { x, greatest, table }, parameters: { bits } }) => {
      const distance = greatest.at(row, 0).sub(x.at(row, column)).clamp(0, 2 ** 16 - 1);
      const index = distance.shru(bits);
      const start = table.at(index);
      const rise = table.at(index.add(1)).sub(start).wide().mul(distance.sub(index.shl(bits)).wide());
      return start.add(rise.shr(bits.wide()).narrow());
    },
  }));

/** Sums of rows, modulo 2^32. Shapes: x i32 [R][K], y i32 [R][1]. */
export const rowSums = kernel('row-sums', {
  operands: { x: i32 },
  output: i32,
  element: ({ row, operands: { x } }) => sum(x.columns, (k) => x.at(row, k)),
});

/** `y[r][c] = clamp(round(x[r][c] · multiplier / (total[r][0] · 2^shift)) + zeroPoint, low, high)`. Shapes: x i32 [R][K], total i32 [R][1], y [R][K]. */
export const shares = remembered((output: ElementType): Kernel =>
  kernel(`shares-${output}`, {
    operands: { x: i32, total: i32 },
    parameters: ['multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { x, total }, parameters }) =>
      placed(roundedQuotient(x.at(row, column).wide().mul(parameters.multiplier.wide()), total.at(row, 0).wide().shl(parameters.shift.wide())), parameters),
  }));

/** Fraction bits of `naturalLogarithm`. */
export const LOGARITHM_BITS = 20;
/** Its table: `ln(1 + i/2^12)` for i = 0 … 2^12, with as many fraction bits. */
export const logarithmTable = (): Int32Array => Int32Array.from({ length: 2 ** 12 + 1 }, (_, index) => Math.round(Math.log1p(index / 2 ** 12) * 2 ** LOGARITHM_BITS));

/**
 * `y = ln(x / 2^one)` with LOGARITHM_BITS fraction bits, for x ≥ 1: with `x = 2^e · (1 + m)`, `(e − one) · ln 2 + ln(1 + m)`, the latter from a table with lines between its entries.
 *
 * Shapes: x i32 [R][1], table i32 [1][2^12 + 1], y i32 [R][1].
 */
export const naturalLogarithm = kernel('natural-logarithm', {
  operands: { x: i32, table: i32 },
  parameters: ['one'],
  output: i32,
  element: ({ row, column, operands: { x, table }, parameters: { one } }) => {
    const value = x.at(row, column).max(1);
    const exponent = sum(30, (k) => int32(2).shl(k).sub(1).lt(value));
    const mantissa = value.shl(int32(30).sub(exponent)).sub(2 ** 30);
    const index = mantissa.shr(18);
    const start = table.at(index);
    const rise = table.at(index.add(1)).sub(start).mul(mantissa.sub(index.shl(18)).shr(6)).shr(12);
    return exponent.sub(one).mul(Math.round(Math.LN2 * 2 ** LOGARITHM_BITS)).add(start).add(rise);
  },
});

/**
 * `y[r][c] = clamp(((x[r][c] − greatest[r]) · multiplier − logarithm[r] · logarithmMultiplier + half) >> shift + zeroPoint, low, high)`: a log-softmax.
 *
 * Shapes: x [R][K], greatest, logarithm i32 [R][1], y [R][K].
 */
export const logarithmicShares = remembered(({ x: element, output }: { readonly x: ElementType; readonly output: ElementType }): Kernel =>
  kernel(`logarithmic-shares-${element}-${output}`, {
    operands: { x: element, greatest: i32, logarithm: i32 },
    parameters: ['multiplier', 'logarithmMultiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output,
    element: ({ row, column, operands: { x, greatest, logarithm }, parameters: p }) => {
      const total = x.at(row, column).sub(greatest.at(row, 0)).wide().mul(p.multiplier.wide()).sub(logarithm.at(row, 0).wide().mul(p.logarithmMultiplier.wide()));
      return placed(scaled(total, int32(1), p.shift), p);
    },
  }));
