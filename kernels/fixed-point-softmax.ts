import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, sum } from '../deterministic-runtime/language/scalar.ts';
import { divideByPower, leadingZeros, oneOverOnePlus, roundingHigh } from './gemmlowp.ts';
import { remembered } from './remembered.ts';

/*
 * Softmax of bytes in gemmlowp's fixed point (tensorflow/lite/kernels/internal/reference/softmax.h), in four operators: a row's maximum (`rowMaximum`), the sum of its exponentials,
 * the sum's reciprocal, the products. `table[d]` is `2^31 · exp(−scale · d)` for d = 0 … 255, 0 where it does not count.
 */

/** `y = Σ_k round(table[greatest[r] − x[r][k]] / 2^12)`, modulo 2^32. Shapes: x i8 [R][C], greatest i32 [R][1], table i32 [1][256], y i32 [R][1]. */
export const fixedPointSums = kernel('fixed-point-sums', {
  operands: { x: i8, greatest: i32, table: i32 },
  output: i32,
  element: ({ row, operands: { x, greatest, table } }) => sum(x.columns, (k) => divideByPower(table.at(greatest.at(row, 0).sub(x.at(row, k))), int32(12))),
});

/**
 * The reciprocal of a sum with 19 bits behind the point (`GetReciprocal`, tensorflow/lite/kernels/internal/common.h): column 0 is the reciprocal of the sum's bits as a number in
 * [1, 2), column 1 how many bits the sum has above 1. Shapes: sums i32 [R][1], y i32 [R][2].
 */
export const fixedPointReciprocals = kernel('fixed-point-reciprocals', {
  operands: { sums: i32 },
  output: i32,
  element: ({ row, column, operands: { sums } }) => {
    const zeros = leadingZeros(sums.at(row, 0));
    const fraction = sums.at(row, 0).shl(zeros).add(-(2 ** 31));
    return column.eq(0).select(oneOverOnePlus(fraction), int32(12).sub(zeros));
  },
});

/**
 * `y = clamp(round(reciprocal[r] · table[greatest[r] − x[r][c]] / 2^(31 + over[r] + 31 − bits)) + low, low, −low − 1)`, where `low = −2^(bits−1)`, for outputs of 8 or 16 bits.
 *
 * Shapes: x i8 [R][C], greatest i32 [R][1], reciprocals i32 [R][2], table i32 [1][256], y [R][C].
 */
export const fixedPointShares = remembered(({ output, bits }: { readonly output: ElementType; readonly bits: 8 | 16 }): Kernel =>
  kernel(`fixed-point-shares-${bits}-${output}`, {
    operands: { x: i8, greatest: i32, reciprocals: i32, table: i32 },
    output,
    element: ({ row, column, operands: { x, greatest, reciprocals, table } }) => {
      const exponential = table.at(greatest.at(row, 0).sub(x.at(row, column)));
      const share = divideByPower(roundingHigh(reciprocals.at(row, 0), exponential), reciprocals.at(row, 1).add(31 - bits));
      const low = -(2 ** (bits - 1));
      return share.clamp(0, 2 ** bits - 1).add(low);
    },
  }));
