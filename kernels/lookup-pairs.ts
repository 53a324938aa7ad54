import { i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';

/**
 * A function of two bytes by table: `y[r][c] = table[a[r][c] + 128][b[r][c] + 128]`, with a dimension of one element of b repeated.
 *
 * Shapes: a i8 [R][C]; b i8 [R][C], [1][C], [R][1] or [1][1]; table i8 [256][256]; y i8 [R][C].
 */
export const lookupPairs = kernel('lookup-pairs', {
  operands: { a: i8, b: i8, table: i8 },
  output: i8,
  element: ({ row, column, operands: { a, b, table } }) => {
    const second = b.at(b.rows.eq(1).select(int32(0), row), b.columns.eq(1).select(int32(0), column));
    return table.at(a.at(row, column).add(128), second.add(128));
  },
});
