import type { SpecializedExpression, SpecializedKernel, SpecializedRead } from '../language/specialized.ts';

const ROW = 1;
const COLUMN = 2;
const indexBit = (level: number): number => 4 << level;

/** Variables that a value depends on: `ROW`, `COLUMN` and the running indices of the reductions around it. */
const dependencies = new WeakMap<SpecializedExpression, number>();

function dependsOn(expression: SpecializedExpression): number {
  const found = dependencies.get(expression);
  if (found !== undefined) return found;
  let bits = childrenOf(expression).reduce((all, child) => all | dependsOn(child), 0);
  if (expression.kind === 'coordinate') bits = { row: ROW, column: COLUMN, iteration: 0 }[expression.of];
  if (expression.kind === 'index') bits = indexBit(expression.level);
  if (expression.kind === 'reduce') bits &= ~indexBit(expression.level);
  dependencies.set(expression, bits);
  return bits;
}

const inRead = (read: SpecializedRead): SpecializedExpression[] => (read.iteration === null ? [read.row] : [read.row, read.iteration]);

function childrenOf(expression: SpecializedExpression): readonly SpecializedExpression[] {
  switch (expression.kind) {
    case 'constant': case 'coordinate': case 'index': return [];
    case 'binary': return [expression.left, expression.right];
    case 'select': return [expression.condition, expression.whenTrue, expression.whenFalse];
    case 'convert': return [expression.value];
    case 'requantize': return [expression.accumulator, expression.multiplier, expression.shift];
    case 'reduce': return [expression.body];
    case 'load': return [...inRead(expression), expression.column];
    case 'dot32': return [...inRead(expression.left), expression.left.index, ...inRead(expression.right), expression.right.index];
  }
}

/** Time of one evaluation in quarters of a nanosecond, roughly. */
function weight(expression: SpecializedExpression): number {
  switch (expression.kind) {
    case 'constant': case 'coordinate': case 'index': return 0;
    case 'dot32': return 8;
    case 'requantize': return 16;
    case 'binary': return (expression.operator === 'div' || expression.operator === 'mod') && expression.right.kind !== 'constant' ? 16 : 1;
    default: return 1;
  }
}

/** A loop of the generated code: which variable it runs over, and how often its body runs in all. */
interface Loop { readonly bit: number; readonly rounds: number }

/**
 * Roughly how long a kernel's whole output takes in the last iteration, in quarters of a nanosecond: every value is counted as often as the
 * innermost loop runs in which it must be computed anew.
 */
export function workOf(kernel: SpecializedKernel): number {
  const { rows, columns } = kernel.output;
  const loops: readonly Loop[] = [{ bit: 0, rounds: 1 }, { bit: ROW, rounds: rows }, { bit: COLUMN, rounds: rows * columns }];
  let total = rows * columns;
  const visit = (expression: SpecializedExpression, around: readonly Loop[], seen: Set<SpecializedExpression>): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    const bits = dependsOn(expression);
    const depth = around.findLastIndex(({ bit }) => bit === 0 || (bits & bit) !== 0);
    const rounds = around[depth]!.rounds;
    total += rounds * weight(expression);
    if (expression.kind === 'reduce') {
      const { base, perIteration } = expression.bound;
      const times = base + perIteration * kernel.maxIterations;
      const inner = [...around.slice(0, depth + 1), { bit: indexBit(expression.level), rounds: rounds * times }];
      visit(expression.body, inner, new Set());
    } else {
      for (const child of childrenOf(expression)) visit(child, around, seen);
    }
  };
  visit(kernel.element, loops, new Set());
  return total;
}
