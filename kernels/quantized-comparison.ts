import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { remembered } from './remembered.ts';
import { scaled } from './rounding.ts';

export interface ComparisonForm { readonly element: ElementType; readonly comparison: 'equal' | 'less' | 'less-or-equal' }

/**
 * Compares two quantised tensors, each brought to 8 bits more first (TensorFlow Lite `EQUAL`, `LESS`, `LESS_EQUAL`, with gemmlowp's two roundings): 1 where
 * `scaled((a − aZero) << 8, aFactor)` compares so with `scaled((b − bZero) << 8, bFactor)`, else 0.
 *
 * Shapes: a, b [R][C], y i8 [R][C].
 */
export const quantizedComparison = remembered(({ element, comparison }: ComparisonForm): Kernel =>
  kernel(`quantized-comparison-${comparison}-${element}`, {
    operands: { a: element, b: element },
    parameters: ['aZero', 'aMultiplier', 'aShift', 'bZero', 'bMultiplier', 'bShift'],
    output: i8,
    element: ({ row, column, operands: { a, b }, parameters: p }) => {
      const left = scaled('twice', a.at(row, column).sub(p.aZero).shl(8), { multiplier: p.aMultiplier, shift: p.aShift });
      const right = scaled('twice', b.at(row, column).sub(p.bZero).shl(8), { multiplier: p.bMultiplier, shift: p.bShift });
      return comparison === 'equal' ? left.eq(right) : comparison === 'less' ? left.lt(right) : left.le(right);
    },
  }));

/** `y = condition ≠ 0 ? a : b` (TensorFlow Lite `SELECT`). Shapes: condition i8 [R][C], a, b, y [R][C]. */
export const selection = remembered((element: ElementType): Kernel =>
  kernel(`selection-${element}`, {
    operands: { condition: i8, a: element, b: element },
    output: element,
    element: ({ row, column, operands: { condition, a, b } }) => condition.at(row, column).select(a.at(row, column), b.at(row, column)),
  }));
