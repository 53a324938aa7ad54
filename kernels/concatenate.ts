import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { int32 } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { remembered } from './remembered.ts';

/** How many tensors of which type are put side by side; at most eight, which is what an operator may read. */
export interface ConcatenationForm { readonly element: ElementType; readonly count: number }

const operandNames = (count: number): string[] => Array.from({ length: count }, (_, index) => `x${index}`);

/**
 * Columns side by side: `y[r][c] = x_i[r][c − columns before x_i]`; a read outside a tensor is zero, so the parts are or-ed.
 *
 * Shapes: x_i [R][C_i], y [R][Σ C_i].
 */
export const concatenateColumns = remembered(({ element, count }: ConcatenationForm): Kernel =>
  kernel(`concatenate-columns-${count}-${element}`, {
    operands: Object.fromEntries(operandNames(count).map((name) => [name, element])) as Record<string, ElementType>,
    output: element,
    element: ({ row, column, operands }) => {
      let before = int32(0);
      let value: I32 | null = null;
      for (const name of operandNames(count)) {
        const x = operands[name] as TensorOperand;
        const part = x.at(row, column.sub(before));
        value = value === null ? part : value.or(part);
        before = before.add(x.columns);
      }
      return value as I32;
    },
  }));

/**
 * Blocks of rows one after another, for each of `R / height` outer blocks of the output (with one block: the tensors below each other):
 * `y[o · height + h][c] = x_i[o · rows_i + h − rows before x_i][c]`, where part i has `rows_i` rows a block, and `height = Σ rows_i`.
 *
 * Shapes: x_i [O · rows_i][C], y [O · height][C].
 */
export const concatenateRows = remembered(({ element, count }: ConcatenationForm): Kernel =>
  kernel(`concatenate-rows-${count}-${element}`, {
    operands: Object.fromEntries(operandNames(count).map((name) => [name, element])) as Record<string, ElementType>,
    parameters: operandNames(count).map((name) => `rows_${name}`),
    output: element,
    element: ({ row, column, operands, parameters }) => {
      const names = operandNames(count);
      const rowsOf = (name: string): I32 => parameters[`rows_${name}`] as I32;
      const height = names.reduce((sum, name) => sum.add(rowsOf(name)), int32(0));
      const [block, inside] = [row.div(height), row.mod(height)];
      let before = int32(0);
      let value: I32 | null = null;
      for (const name of names) {
        const rows = rowsOf(name);
        const here = inside.sub(before);
        const mine = int32(0).le(here).and(here.lt(rows));
        const part = (operands[name] as TensorOperand).at(mine.select(block.mul(rows).add(here), -1), column);
        value = value === null ? part : value.or(part);
        before = before.add(rows);
      }
      return value as I32;
    },
  }));
