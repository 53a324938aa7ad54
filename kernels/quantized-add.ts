import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';
import { scaled } from './rounding.ts';
import type { Rounding } from './rounding.ts';

/** Element type of the tensors (i32 holds 16 bits), and how each of the three factors is rounded. */
export interface AdditionForm { readonly element: ElementType; readonly rounding: Rounding; readonly subtract: boolean }

/**
 * Sum or difference of two quantised tensors, each brought to a common scale of many bits first (TensorFlow Lite `ADD`, `SUB`):
 * `y = clamp(scaled(scaled((a − aZero) << leftShift, aFactor) ± scaled((b − bZero) << leftShift, bFactor), factor) + zeroPoint, low, high)`.
 *
 * Shapes: a, b, y [R][C].
 */
export const quantizedAddition = remembered(({ element, rounding, subtract }: AdditionForm): Kernel =>
  kernel(`quantized-${subtract ? 'subtraction' : 'addition'}-${rounding}-${element}`, {
    operands: { a: element, b: element },
    parameters: ['leftShift', 'aZero', 'aMultiplier', 'aShift', 'bZero', 'bMultiplier', 'bShift', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: element,
    element: ({ row, column, operands: { a, b }, parameters: p }) => {
      const left = scaled(rounding, a.at(row, column).sub(p.aZero).shl(p.leftShift), { multiplier: p.aMultiplier, shift: p.aShift });
      const right = scaled(rounding, b.at(row, column).sub(p.bZero).shl(p.leftShift), { multiplier: p.bMultiplier, shift: p.bShift });
      const total = subtract ? left.sub(right) : left.add(right);
      return scaled(rounding, total, { multiplier: p.multiplier, shift: p.shift }).clamp(p.low.sub(p.zeroPoint), p.high.sub(p.zeroPoint)).add(p.zeroPoint);
    },
  }));

/**
 * Sum of two quantised tensors with one rounding (XNNPACK's `ADD` and `SUB`): `y = clamp(((a − aZero) · aMultiplier + (b − bZero) · bMultiplier + 2^(shift−1)) >> shift + zeroPoint, low, high)`;
 * the multipliers have at most 21 bits and a sign, so that 32 bits suffice for bytes.
 *
 * Shapes: a, b, y i8 [R][C].
 */
export const weightedAddition = kernel('weighted-addition', {
  operands: { a: 'i8', b: 'i8' },
  parameters: ['aZero', 'aMultiplier', 'bZero', 'bMultiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: 'i8',
  element: ({ row, column, operands: { a, b }, parameters: { aZero, aMultiplier, bZero, bMultiplier, shift, zeroPoint, low, high } }) => {
    const total = a.at(row, column).sub(aZero).mul(aMultiplier).add(b.at(row, column).sub(bZero).mul(bMultiplier));
    return total.add(int32(1).shl(shift.sub(1))).shr(shift).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});
