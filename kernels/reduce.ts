import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int64, maximum, minimum, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32, I64 } from '../deterministic-runtime/language/scalar.ts';
import { placed, scaled } from './fixed-point.ts';
import { remembered } from './remembered.ts';

export interface ReductionForm { readonly what: 'sum' | 'max' | 'min'; readonly x: ElementType; readonly output: ElementType }

function reduction(name: string, over: 'columns' | 'rows'): (form: ReductionForm) => Kernel {
  return remembered(({ what, x: element, output }: ReductionForm) =>
    kernel(`${name}-${what}-${element}-${output}`, {
      operands: { x: element },
      parameters: [...(over === 'rows' ? ['length', 'inner'] : []), 'xZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
      output,
      element: ({ row, column, operands: { x }, parameters }) => {
        const p = parameters as Readonly<Record<'length' | 'inner' | 'xZero' | 'multiplier' | 'shift' | 'zeroPoint' | 'low' | 'high', I32>>;
        const at = (k: I32): I32 => (over === 'columns' ? x.at(row, k) : x.at(row.div(p.inner).mul(p.length).add(k).mul(p.inner).add(row.mod(p.inner)), column));
        const bound = over === 'columns' ? x.columns : p.length;
        const total: I64 = what === 'sum'
          ? sum(bound, (k) => at(k).sub(p.xZero).wide())
          : (what === 'max' ? maximum : minimum)(bound, at).sub(p.xZero).wide();
        return placed(scaled(total, p.multiplier, p.shift), p);
      },
    }));
}

/**
 * Each row's sum, greatest or least, on the output's scale: `y[r][0] = clamp((R_k (x[r][k] − xZero) · multiplier + half) >> shift + zeroPoint, low, high)`, 64-bit sums;
 * a mean has 1/K in the multiplier, which stays below 2^24.
 *
 * Shapes: x [R][K], y [R][1].
 */
export const reduceColumns = reduction('reduce-columns', 'columns');

/**
 * The same over an axis among the rows: `y[o · inner + i][c]` reduces `x[(o · length + k) · inner + i][c]` over k < length.
 *
 * Shapes: x [O·length·inner][C], y [O·inner][C].
 */
export const reduceRows = reduction('reduce-rows', 'rows');

/** Index of each row's greatest (or least) value, the first of equals or the last. */
export interface ArgumentForm { readonly x: ElementType; readonly least: boolean; readonly last: boolean }

/**
 * `y[r][0]` is the k with the greatest `x[r][k]` (ONNX `ArgMax`, `ArgMin`, `select_last_index`): the maximum of `(±x[r][k] << 32) | rank`, where the rank is k, or ~k for the first of equals.
 *
 * Shapes: x [R][K], y i32 [R][1].
 */
export const argumentOf = remembered(({ x: element, least, last }: ArgumentForm): Kernel =>
  kernel(`argument-of-the-${least ? 'least' : 'greatest'}-${last ? 'last' : 'first'}-${element}`, {
    operands: { x: element },
    output: i32,
    element: ({ row, operands: { x } }) => {
      const best = maximum(x.columns, (k) => {
        const value = x.at(row, k).wide();
        return (least ? int64(-1).sub(value) : value).shl(32).or((last ? k : k.xor(-1)).wide().and(0xffff_ffffn));
      }).narrow();
      return last ? best : best.xor(-1);
    },
  }));
