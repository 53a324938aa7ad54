import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';

/**
 * Rows and columns by number (ONNX `Gather` with constant indices, edge and reflecting `Pad`, nearest `Resize`):
 * `y[r][c] = x[rows[0][r]][columns[0][c]]`, and `fill` where either number is negative; zero where x has no such element.
 *
 * Shapes: x [Rx][Cx], rows i32 [1][R], columns i32 [1][C], y [R][C].
 */
export const gather = remembered((element: ElementType): Kernel =>
  kernel(`gather-${element}`, {
    operands: { x: element, rows: i32, columns: i32 },
    parameters: ['fill'],
    output: element,
    element: ({ row, column, operands: { x, rows, columns }, parameters: { fill } }) => {
      const [sourceRow, sourceColumn] = [rows.at(row), columns.at(column)];
      return sourceRow.or(sourceColumn).lt(0).select(fill, x.at(sourceRow, sourceColumn));
    },
  }));

/** As `gather`, with every column in its place. Shapes: x [Rx][C], rows i32 [1][R], y [R][C]. */
export const gatherWholeRows = remembered((element: ElementType): Kernel =>
  kernel(`gather-whole-rows-${element}`, {
    operands: { x: element, rows: i32 },
    parameters: ['fill'],
    output: element,
    element: ({ row, column, operands: { x, rows }, parameters: { fill } }) => {
      const source = rows.at(row);
      return source.lt(0).select(fill, x.at(source, column));
    },
  }));

/**
 * Rows of a table by numbers that are computed (ONNX `Gather` on axis 0; embeddings): `y[r][c] = table[i][c]` with `i = index[r][0]`, counted from the end where it is
 * negative; zeros where the table has no such row.
 *
 * Shapes: index i32 [R][1], table [N][C], y [R][C].
 */
export const embed = remembered((element: ElementType): Kernel =>
  kernel(`embed-${element}`, {
    operands: { index: i32, table: element },
    output: element,
    element: ({ row, column, operands: { index, table } }) => {
      const given = index.at(row, 0);
      return table.at(given.lt(0).select(given.add(table.rows), given), column);
    },
  }));

/**
 * One element of each row by a computed number (ONNX `GatherElements` on the last axis): `y[r][c] = x[r][i]` with `i = index[r][c]`, counted from the end where it is negative.
 *
 * Shapes: x [R][Cx], index i32 [R][C], y [R][C].
 */
export const gatherElements = remembered((element: ElementType): Kernel =>
  kernel(`gather-elements-${element}`, {
    operands: { x: element, index: i32 },
    output: element,
    element: ({ row, column, operands: { x, index } }) => {
      const given = index.at(row, column);
      return x.at(row, given.add(given.lt(0).select(x.columns, int32(0))));
    },
  }));
