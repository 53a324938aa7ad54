import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';

/** A function of one byte with results of 32 bits: `y = table[0][x & 255]`. Shapes: x i8 [R][C], table i32 [1][256], y i32 [R][C]. */
export const wideLookup = kernel('wide-lookup', {
  operands: { x: i8, table: i32 },
  output: i32,
  element: ({ row, column, operands: { x, table } }) => table.at(x.at(row, column).and(255)),
});

/** A function of sixteen bits, an entry for each: `y = table[0][x + 2^15]`, with x cut to 16 bits. Shapes: x i32 [R][C], table [1][65536], y [R][C]. */
export const fullTable = remembered((element: ElementType): Kernel =>
  kernel(`full-table-${element}`, {
    operands: { x: i32, table: element },
    output: element,
    element: ({ row, column, operands: { x, table } }) => table.at(x.at(row, column).clamp(-(2 ** 15), 2 ** 15 - 1).add(2 ** 15)),
  }));

/**
 * A smooth function of sixteen bits, on lines between entries `2^bits` apart: with `n = x + 2^15`, `i = n >> bits` and `f = n mod 2^bits`,
 * `y = table[0][i] + ((table[0][i+1] − table[0][i]) · f + 2^(bits−1)) >> bits`, cut to eight bits for i8.
 *
 * Shapes: x i32 [R][C], table i32 [1][2^(16−bits) + 1], y [R][C].
 */
export const linesTable = remembered((element: ElementType): Kernel =>
  kernel(`lines-table-${element}`, {
    operands: { x: i32, table: i32 },
    parameters: ['bits'],
    output: element,
    element: ({ row, column, operands: { x, table }, parameters: { bits } }) => {
      const n = x.at(row, column).clamp(-(2 ** 15), 2 ** 15 - 1).add(2 ** 15);
      const index = n.shru(bits);
      const start = table.at(index);
      const rise = table.at(index.add(1)).sub(start).mul(n.sub(index.shl(bits)));
      const half = int32(1).shl(bits.sub(1));
      const value = start.add(rise.add(half).shr(bits));
      return element === 'i8' ? value.clamp(-128, 127) : value;
    },
  }));
