import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64 } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { leadingZeros } from './gemmlowp.ts';
import { remembered } from './remembered.ts';
import { scaled } from './rounding.ts';
import type { Rounding } from './rounding.ts';

/*
 * Softmax of 16-bit numbers (`SoftmaxInt16`, tensorflow/lite/kernels/internal/reference/softmax.h), in operators: a row's maximum (`rowExtreme`), exponentials, their sum (`rowSums`),
 * its reciprocal, the products. Tables have 513 entries, between which go straight lines; 15 bits behind the point.
 */

/** The value at x, −2^15 ≤ x < 2^15, of a function on lines between entries 128 apart (`LUTLookup`, tensorflow/lite/kernels/internal/common.h). */
function onLines(table: TensorOperand, x: I32): I32 {
  const index = x.shr(7).add(256);
  const start = table.at(index);
  return start.add(table.at(index.add(1)).sub(start).mul(x.and(127)).add(64).shr(7));
}

/** `exp(x − greatest)`, from −10 on: differences times the factor count 65,535 steps. Shapes: x i32 [R][C], greatest i32 [R][1], table i32 [1][513], y i32 [R][C]. */
export const wideExponentials = remembered((rounding: Rounding): Kernel =>
  kernel(`wide-exponentials-${rounding}`, {
    operands: { x: i32, greatest: i32, table: i32 },
    parameters: ['multiplier', 'shift'],
    output: i32,
    element: ({ row, column, operands: { x, greatest, table }, parameters: factor }) =>
      onLines(table, scaled(rounding, x.at(row, column).sub(greatest.at(row, 0)), factor).max(-65535).add(32767).clamp(-32768, 32767)),
  }));

/** Column 0: `1 / (1 + f)` by the table, f being the bits of the sum behind its highest one; column 1: the sum's leading zeros. Shapes: sums i32 [R][1], table i32 [1][513], y i32 [R][2]. */
export const wideReciprocals = kernel('wide-reciprocals', {
  operands: { sums: i32, table: i32 },
  output: i32,
  element: ({ row, column, operands: { sums, table } }) => {
    const total = sums.at(row, 0);
    const zeros = leadingZeros(total);
    const shifted = total.wide().shl(zeros.sub(1).wide()).add(int64(2 ** 13)).shr(14).narrow();
    const reciprocal = onLines(table, shifted.sub(2 ** 15 + 2 ** 16).clamp(-32768, 32767));
    return column.eq(0).select(reciprocal, zeros);
  },
});

/** `y = clamp(round(e[r][c] · reciprocal[r] / 2^(31 − zeros[r])), 0, 32767)`, halves upwards. Shapes: e i32 [R][C], reciprocals i32 [R][2], y i32 [R][C]. */
export const wideShares = kernel('wide-shares', {
  operands: { e: i32, reciprocals: i32 },
  output: i32,
  element: ({ row, column, operands: { e, reciprocals } }) => {
    const shift = int32(31).sub(reciprocals.at(row, 1));
    return e.at(row, column).mul(reciprocals.at(row, 0)).add(int32(1).shl(shift.sub(1))).shr(shift).clamp(0, 32767);
  },
});
