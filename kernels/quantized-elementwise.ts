import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { remembered } from './remembered.ts';
import { scaled } from './rounding.ts';
import type { Rounding } from './rounding.ts';

/** Product of two quantised tensors (TensorFlow Lite `MUL`): `y = clamp(scaled((a − aZero) · (b − bZero), factor) + zeroPoint, low, high)`. Shapes: a, b, y [R][C]. */
export const quantizedProduct = remembered(({ element, rounding }: { readonly element: ElementType; readonly rounding: Rounding }): Kernel =>
  kernel(`quantized-product-${rounding}-${element}`, {
    operands: { a: element, b: element },
    parameters: ['aZero', 'bZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: element,
    element: ({ row, column, operands: { a, b }, parameters: { aZero, bZero, multiplier, shift, zeroPoint, low, high } }) =>
      scaled(rounding, a.at(row, column).sub(aZero).mul(b.at(row, column).sub(bZero)), { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
  }));

/** Another scale or element type: `y = clamp(scaled(x − xZero, factor) + zeroPoint, low, high)` (TensorFlow Lite `QUANTIZE` of integers). Shapes: x, y [R][C]. */
export const rescaleOf = remembered(({ from, to, rounding }: { readonly from: ElementType; readonly to: ElementType; readonly rounding: Rounding }): Kernel =>
  kernel(`rescale-${rounding}-${from}-${to}`, {
    operands: { x: from },
    parameters: ['xZero', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: to,
    element: ({ row, column, operands: { x }, parameters: { xZero, multiplier, shift, zeroPoint, low, high } }) =>
      scaled(rounding, x.at(row, column).sub(xZero), { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint),
  }));

/** `y = clamp(x, low, high)`. Shapes: x, y [R][C]. */
export const clampOf = remembered((element: ElementType): Kernel =>
  kernel(`clamp-${element}`, {
    operands: { x: element },
    parameters: ['low', 'high'],
    output: element,
    element: ({ row, column, operands: { x }, parameters: { low, high } }) => x.at(row, column).clamp(low, high),
  }));

/** The lesser or the greater of two tensors of one scale (TensorFlow Lite `MINIMUM`, `MAXIMUM`). Shapes: a, b, y [R][C]. */
export const extremeOf = remembered(({ element, which }: { readonly element: ElementType; readonly which: 'minimum' | 'maximum' }): Kernel =>
  kernel(`${which}-of-two-${element}`, {
    operands: { a: element, b: element },
    output: element,
    element: ({ row, column, operands: { a, b } }) => {
      const [left, right] = [a.at(row, column), b.at(row, column)];
      return which === 'minimum' ? left.min(right) : left.max(right);
    },
  }));

/**
 * Another factor for what is negative (TensorFlow Lite `LEAKY_RELU`): `y = clamp(scaled(x − xZero, x < xZero ? negative factor : factor) + zeroPoint, low, high)`. Shapes: x, y [R][C].
 */
export const leakyOf = remembered(({ element, rounding }: { readonly element: ElementType; readonly rounding: Rounding }): Kernel =>
  kernel(`leaky-${rounding}-${element}`, {
    operands: { x: element },
    parameters: ['xZero', 'multiplier', 'shift', 'negativeMultiplier', 'negativeShift', 'zeroPoint', 'low', 'high'],
    output: element,
    element: ({ row, column, operands: { x }, parameters: p }) => {
      const value = x.at(row, column).sub(p.xZero);
      const factor = { multiplier: value.lt(0).select(p.negativeMultiplier, p.multiplier), shift: value.lt(0).select(p.negativeShift, p.shift) };
      return scaled(rounding, value, factor).clamp(p.low.sub(p.zeroPoint), p.high.sub(p.zeroPoint)).add(p.zeroPoint);
    },
  }));

/** As `leakyOf` with a slope of its own for each element: `x' ≥ 0 ? x' · factor : x' · (a − aZero) · negative factor` with `x' = x − xZero` (TensorFlow Lite `PRELU`). Shapes: x, a, y [R][C]. */
export const parametricOf = remembered(({ element, rounding }: { readonly element: ElementType; readonly rounding: Rounding }): Kernel =>
  kernel(`parametric-${rounding}-${element}`, {
    operands: { x: element, a: element },
    parameters: ['xZero', 'aZero', 'multiplier', 'shift', 'negativeMultiplier', 'negativeShift', 'zeroPoint', 'low', 'high'],
    output: element,
    element: ({ row, column, operands: { x, a }, parameters: p }) => {
      const value = x.at(row, column).sub(p.xZero);
      const positive = scaled(rounding, value, { multiplier: p.multiplier, shift: p.shift });
      const negative = scaled(rounding, value.mul(a.at(row, column).sub(p.aZero)), { multiplier: p.negativeMultiplier, shift: p.negativeShift });
      return value.lt(0).select(negative, positive).clamp(p.low.sub(p.zeroPoint), p.high.sub(p.zeroPoint)).add(p.zeroPoint);
    },
  }));
