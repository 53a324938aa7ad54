import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';

/** Bits behind the point of the tables of cosines and sines. */
export const ROTARY_BITS = 30;

function rotaryKernel(name: string, partner: (column: I32, columns: I32) => I32): Kernel {
  return kernel(name, {
    operands: { x: i32, cosines: i32, sines: i32 },
    output: i32,
    element: ({ row, column, iteration, output, operands: { x, cosines, sines } }) => {
      const value = x.at(0, row.mul(output.columns).add(column));
      const other = x.at(0, row.mul(output.columns).add(partner(column, output.columns)));
      const turned = value.wide().mul(cosines.at(iteration, column).wide()).add(other.wide().mul(sines.at(iteration, column).wide()));
      return turned.add(1 << (ROTARY_BITS - 1)).shr(ROTARY_BITS).narrow();
    },
  });
}

/**
 * Rotary position embedding (arXiv 2104.09864) at position `iteration`: `y[h][c] = x[h·C + c] · cos[t][c] + x[h·C + partner(c)] · sin[t][c]`,
 * the sines with the sign that the component's side of the pair asks for. Pairs are neighbours, or half a head apart.
 *
 * Shapes: x i32 [1][H·C or more], cosines and sines i32 [T][C] with `ROTARY_BITS`, y i32 [H][C].
 */
export const rotary: Readonly<Record<'adjacent' | 'halves', Kernel>> = {
  adjacent: rotaryKernel('rotary-adjacent', (column) => column.xor(1)),
  halves: rotaryKernel('rotary-halves', (column, columns) => column.add(columns.shr(1)).mod(columns)),
};

/** Part of a row as rows of heads, cut to 28 bits: `y[h][c] = clamp(x[(first + h)·C + c], −2^27, 2^27)`. Shapes: x i32 [1][(first + H)·C or more], y i32 [H][C]. */
export const splitHeads = kernel('split-heads', {
  operands: { x: i32 },
  parameters: ['first'],
  output: i32,
  element: ({ row, column, output, operands: { x }, parameters: { first } }) =>
    x.at(0, first.add(row).mul(output.columns).add(column)).clamp(-(2 ** 27), 2 ** 27),
});
