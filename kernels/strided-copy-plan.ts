import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { axesOf, axisParameter, stridedCopy } from './strided-copy.ts';

/** An axis of a copy's output, and how far apart its neighbours are in the source, in elements. Outside `low … high − 1` the output is the fill. */
export interface CopyAxis { readonly size: number; readonly step: number; readonly low?: number; readonly high?: number }

/** How a copy is done: not at all, by one operator, or by one with another output shape and a reshape. */
export type CopyPlan =
  | { readonly kind: 'same' }
  | { readonly kind: 'copy'; readonly kernel: Kernel; readonly parameters: Readonly<Record<string, number>> }
  | { readonly kind: 'through'; readonly shape: TensorShape };

interface Bounds { readonly size: number; readonly step: number; readonly low: number; readonly high: number }

/**
 * The kernel and parameters that read x under these axes of the output, slowest first. Axes that lie in one line are one; if rows and columns of x can be
 * told apart, no division is left in what runs for each element.
 *
 * @throws RangeError when the axes do not have as many elements as the output.
 */
export function planCopy(x: TensorShape, output: TensorShape, axes: readonly CopyAxis[], offset: number, fill: number): CopyPlan {
  const elements = axes.reduce((total, { size }) => total * size, 1);
  if (elements !== output.rows * output.columns) throw new RangeError(`a copy of ${elements} elements into ${output.rows} × ${output.columns}`);
  const given = axes.map(({ size, step, low = 0, high = size }): Bounds => ({ size, step, low: Math.max(low, 0), high: Math.min(high, size) }));
  const split = splitAtColumns(given, output.columns);
  if (split === null) {
    const columns = given.at(-1)?.size ?? 1;
    return { kind: 'through', shape: { ...output, rows: elements / columns, columns } };
  }
  const [rows, columns] = [merged(split.rows), merged(split.columns)];
  const all = [...rows, ...columns];
  const bounded = all.some(isBounded);
  const [row, column] = [rows[0] as Bounds, columns[0] as Bounds];
  const contiguous = rows.length === 1 && columns.length === 1 && !bounded && offset === 0 && (row.size === 1 || row.step === output.columns) && (column.size === 1 || column.step === 1);
  if (contiguous && x.rows === output.rows && x.columns === output.columns) return { kind: 'same' };

  const names = axesOf({ rowAxes: rows.length, columnAxes: columns.length });
  const parameters: Record<string, number> = {};
  names.forEach((name, index) => {
    const axis = all[index] as Bounds;
    if (name !== 'r0' && name !== 'c0') parameters[axisParameter('size', name)] = axis.size;
    if (bounded) Object.assign(parameters, { [axisParameter('low', name)]: axis.low, [axisParameter('high', name)]: axis.high, fill });
  });
  const aligned = align(all, offset, x.columns);
  const form = { element: output.element, rowAxes: rows.length, columnAxes: columns.length, bounded };
  if (aligned === null) {
    names.forEach((name, index) => { parameters[axisParameter('step', name)] = all[index]?.step ?? 0; });
    return { kind: 'copy', kernel: stridedCopy({ ...form, source: 'flat' }), parameters: { ...parameters, offset } };
  }
  names.forEach((name, index) => {
    parameters[axisParameter('rowStep', name)] = aligned.steps[index]?.row ?? 0;
    parameters[axisParameter('columnStep', name)] = aligned.steps[index]?.column ?? 0;
  });
  return { kind: 'copy', kernel: stridedCopy({ ...form, source: 'aligned' }), parameters: { ...parameters, rowOffset: aligned.row, columnOffset: aligned.column } };
}

const isBounded = ({ size, low, high }: Bounds): boolean => low > 0 || high < size;

/** The axes of the columns and those before them; an axis that lies across is cut in two. Null when it cannot be. */
function splitAtColumns(axes: readonly Bounds[], columns: number): { readonly rows: Bounds[]; readonly columns: Bounds[] } | null {
  let [index, below] = [axes.length, 1];
  while (index > 0 && below * (axes[index - 1] as Bounds).size <= columns) {
    index -= 1;
    below *= (axes[index] as Bounds).size;
  }
  const [before, after] = [axes.slice(0, index), axes.slice(index)];
  if (below === columns) return { rows: before, columns: after };
  const across = before.pop();
  const inner = columns / below;
  if (across === undefined || isBounded(across) || across.size % inner !== 0) return null;
  const { step } = across;
  const part = (size: number, by: number): Bounds => ({ size, step: by, low: 0, high: size });
  return { rows: [...before, part(across.size / inner, step * inner)], columns: [part(inner, step), ...after] };
}

/** Fewer axes for the same elements; at least one. */
function merged(axes: readonly Bounds[]): Bounds[] {
  const result: Bounds[] = [];
  for (const axis of axes) {
    const last = result.at(-1);
    if (axis.size === 1 && !isBounded(axis)) continue;
    if (last !== undefined && !isBounded(last) && !isBounded(axis) && last.step === axis.step * axis.size) {
      const size = last.size * axis.size;
      result[result.length - 1] = { size, step: axis.step, low: 0, high: size };
    } else {
      result.push(axis);
    }
  }
  return result.length === 0 ? [{ size: 1, step: 0, low: 0, high: 1 }] : result;
}

interface Aligned { readonly row: number; readonly column: number; readonly steps: readonly { readonly row: number; readonly column: number }[] }

/** Steps in rows and columns of the source, if no coordinate inside its bounds carries from one into the other. */
function align(axes: readonly Bounds[], offset: number, columns: number): Aligned | null {
  const steps = axes.map(({ step }) => ({ row: Math.trunc(step / columns), column: step % columns }));
  const first = offset + axes.reduce((sum, { low, step }) => sum + low * step, 0);
  const [row, column] = [Math.floor(first / columns), first - Math.floor(first / columns) * columns];
  let [lowest, highest] = [column, column];
  axes.forEach(({ low, high }, index) => {
    const reach = Math.max(high - low - 1, 0) * (steps[index]?.column ?? 0);
    if (reach < 0) lowest += reach;
    else highest += reach;
  });
  if (lowest < 0 || highest >= columns) return null;
  const back = (of: 'row' | 'column'): number => axes.reduce((sum, { low }, index) => sum + low * (steps[index]?.[of] ?? 0), 0);
  return { row: row - back('row'), column: column - back('column'), steps };
}
