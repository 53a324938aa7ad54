import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { requantize } from '../deterministic-runtime/language/scalar.ts';
import { placed32 } from './fixed-point.ts';
import { remembered } from './remembered.ts';

/**
 * Another scale, and another element type: `y = clamp(requantize(x − xZero, multiplier, shift) + zeroPoint, low, high)`.
 *
 * Shapes: x, y [R][C].
 */
export const rescaled = remembered(({ from, to }: { readonly from: ElementType; readonly to: ElementType }): Kernel =>
  kernel(`rescaled-${from}-${to}`, {
    operands: { x: from },
    parameters: ['xZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: to,
    element: ({ row, column, operands: { x }, parameters }) =>
      placed32(requantize(x.at(row, column).sub(parameters.xZero), { multiplier: parameters.multiplier, shift: parameters.shift }), parameters),
  }));

/** `y = clamp(x, low, high)`, of either element type. Shapes: x, y [R][C]. */
export const clamped = remembered((element: ElementType): Kernel =>
  kernel(`clamped-${element}`, {
    operands: { x: element },
    parameters: ['low', 'high'],
    output: element,
    element: ({ row, column, operands: { x }, parameters: { low, high } }) => x.at(row, column).clamp(low, high),
  }));
