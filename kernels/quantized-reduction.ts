import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { maximum, minimum, sum } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';

/** `y[r][0] = Σ_k (x[r][k] − xZero)`, modulo 2^32. Shapes: x [R][K], y i32 [R][1]. */
export const rowSums = remembered((element: ElementType): Kernel =>
  kernel(`row-sums-${element}`, {
    operands: { x: element },
    parameters: ['xZero'],
    output: i32,
    element: ({ row, operands: { x }, parameters: { xZero } }) => sum(x.columns, (k) => x.at(row, k).sub(xZero)),
  }));

/** A row's greatest or least element. Shapes: x [R][K], y [R][1]. */
export const rowExtreme = remembered(({ element, which }: { readonly element: ElementType; readonly which: 'minimum' | 'maximum' }): Kernel =>
  kernel(`row-${which}-${element}`, {
    operands: { x: element },
    output: element,
    element: ({ row, operands: { x } }) => (which === 'maximum' ? maximum : minimum)(x.columns, (k) => x.at(row, k)),
  }));

/** Where a row's greatest or least element stands, the first of equals: `~low32(max_k ((±x[r][k] << 32) | ~k))`. Shapes: x [R][K], y i32 [R][1]. */
export const rowArgument = remembered(({ element, which }: { readonly element: ElementType; readonly which: 'minimum' | 'maximum' }): Kernel =>
  kernel(`row-argument-${which}-${element}`, {
    operands: { x: element },
    output: i32,
    element: ({ row, operands: { x } }) =>
      maximum(x.columns, (k) => {
        const value = x.at(row, k).wide();
        return (which === 'maximum' ? value : value.mul(-1)).shl(32).or(k.xor(-1).wide().and(0xffff_ffffn));
      }).narrow().xor(-1),
  }));
