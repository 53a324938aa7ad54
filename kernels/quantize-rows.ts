import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { int32, int64, maximum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { normalize, shiftBoth, wideAbsolute } from './integer-mathematics.ts';

/**
 * What is known of a row before its elements are quantised: a tensor i32 [1][8].
 *
 * | column | value |
 * |---|---|
 * | 0 | the row's greatest magnitude M as `mantissa · 2^(bits − 31)`: its mantissa, in [2^30, 2^31), or 0 for a row of zeros |
 * | 1 | its bits |
 * | 2, 3 | the real number that the greatest quantised value stands for, as `mantissa · 2^exponent`, with 30 or 31 bits |
 * | 4 | the row's mean, which is subtracted first |
 */
export const ROW_STATISTICS: TensorShape = { element: 'i32', rows: 1, columns: 8 };

/** The five numbers of `ROW_STATISTICS`, as an element at `column`. */
export function rowStatistics(column: I32, { greatest, scale, mean }: { readonly greatest: { mantissa: I32; bits: I32 }; readonly scale: { mantissa: I32; exponent: I32 }; readonly mean: I32 }): I32 {
  const values = [greatest.mantissa, greatest.bits, scale.mantissa, scale.exponent, mean];
  return values.reduceRight((others, value, index) => column.eq(index).select(value, others), int32(0));
}

/** Greatest value of a quantised activation: of one byte, or of two signed bytes, 256 · 127 + 127. */
export const ACTIVATION_LIMIT = { 8: 127, 16: 32639 } as const;
/** Bits of a quantised number. Numbers of 16 are two rows of bytes: x = 256 · row 0 + row 1, both signed. */
export type ActivationBits = keyof typeof ACTIVATION_LIMIT;

/** `value · limit / M`, rounded, where M is what the statistics say: within ±limit if |value| ≤ M. */
export function quantized(value: I64, mantissa: I32, bits: I32, wide: boolean): I32 {
  const [limit, shift] = wide ? [ACTIVATION_LIMIT[16], 46n] : [ACTIVATION_LIMIT[8], 54n];
  // Below 2^31 for every mantissa; division by the zero of an empty row gives zero.
  const multiplier = int64(BigInt(limit) << shift).div(mantissa.wide());
  const normalized = shiftBoth(value, int32(31).sub(bits));
  return normalized.mul(multiplier).add(1n << (shift - 1n)).shr(shift).narrow();
}

/** Byte `plane` of a number of two bytes: 0 is the high one. */
export const plane = (value: I32, index: I32): I32 => index.eq(0).select(value.add(128).shr(8), value);

/** Fixed-point numbers have 16 bits behind the point. */
export const FRACTION_BITS = 16;

/** Statistics of plain fixed-point numbers, all rows together: their greatest magnitude. Shapes: x i32 [R][C], y as `ROW_STATISTICS`. */
export const plainStatistics = kernel('plain-statistics', {
  operands: { x: i32 },
  output: i32,
  element: ({ column, operands: { x } }) => {
    const greatest = normalize(maximum(x.rows, (row) => maximum(x.columns, (k) => wideAbsolute(x.at(row, k)))));
    return rowStatistics(column, { greatest, scale: { mantissa: greatest.mantissa, exponent: greatest.bits.sub(31 + FRACTION_BITS) }, mean: int32(0) });
  },
});

function plainKernel(name: string, wide: boolean, at: (x: TensorOperand, column: I32) => I32): ReturnType<typeof kernel> {
  return kernel(name, {
    operands: { x: i32, statistics: i32 },
    output: i8,
    element: ({ row, column, operands: { x, statistics } }) => {
      const value = quantized(at(x, column).wide(), statistics.at(0), statistics.at(1), wide);
      return wide ? plane(value, row) : value;
    },
  });
}

/** Quantises a row to 8 or 16 bits. Shapes: x i32 [1][C], statistics as `ROW_STATISTICS`, y i8 [1][C] or, of 16 bits, [2][C]. */
export const quantizeRow = {
  8: plainKernel('quantize-row-8', false, (x, column) => x.at(0, column)),
  16: plainKernel('quantize-row-16', true, (x, column) => x.at(0, column)),
} as const;

/** The same for a matrix that is taken as one row. Shapes: x i32 [R][C], y i8 [1][R·C] or, of 16 bits, [2][R·C]. */
export const quantizeFlat = {
  8: plainKernel('quantize-flat-8', false, (x, column) => x.at(column.div(x.columns), column.mod(x.columns))),
  16: plainKernel('quantize-flat-16', true, (x, column) => x.at(column.div(x.columns), column.mod(x.columns))),
} as const;

function normalizedKernel(name: string, wide: boolean): ReturnType<typeof kernel> {
  return kernel(name, {
    operands: { x: i32, gain: i32, statistics: i32 },
    output: i8,
    element: ({ row, column, operands: { x, gain, statistics } }) => {
      const weighted = x.at(0, column).sub(statistics.at(4)).wide().mul(gain.at(column).wide());
      const value = quantized(weighted, statistics.at(0), statistics.at(1), wide);
      return wide ? plane(value, row) : value;
    },
  });
}

/**
 * Quantises a normalised row: `(x − mean) · gain`, in units of which the greatest is the limit. That is all of a norm's work on elements, since
 * its factor is the same for all of them and goes into the scale.
 *
 * Shapes: x, gain i32 [1][C], statistics as `ROW_STATISTICS`, y i8 [1][C] or, of 16 bits, [2][C].
 */
export const quantizeNormalized = { 8: normalizedKernel('quantize-normalized-8', false), 16: normalizedKernel('quantize-normalized-16', true) } as const;
