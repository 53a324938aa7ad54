import type { TensorShape } from '../program/tensor.ts';
import { loadMethod, operandsOf, shiftsByLane, worksByLane } from './forms.ts';
import { COLUMN, ROW, isDotSum } from './graph.ts';
import type { Node } from './graph.ts';

/** How a kernel's loops over its output are arranged. */
export interface Schedule {
  /** Output columns a step: 1, or a multiple of four, of which each vector holds four. */
  readonly columns: number;
  /** Output rows a step. */
  readonly rows: number;
  /** Which loop is the outer one: what depends on its variable alone is computed once a round of it. */
  readonly outer: 'rows' | 'columns';
}

/** Instructions an element step that another order of the loops must save before it is taken: it costs locality. */
const WORTHWHILE = 4;

/** Chooses a schedule by the kernel's structure and its output's shape; `rows`: how many there are, where that is not the shape's number. */
export function scheduleOf(output: TensorShape, element: Node, rows = output.rows): Schedule {
  if (output.columns < 4) return { columns: 1, rows: 1, outer: 'rows' };
  const nodes = reachable(element);
  // Rows side by side run the same rounds of a reduction.
  const together = !nodes.some((node) => node.kind === 'reduce' && (node.bound.free & ROW) !== 0);
  // Dot products over rows of weights: two rows share what is loaded for four columns, and the weights are read once.
  if (nodes.some((node) => (isDotSum(node) || node.kind === 'planes') && (node.free & COLUMN) !== 0)) return { columns: 4, rows: together ? Math.min(rows, 2) : 1, outer: 'columns' };
  // As many vectors side by side as waste little at the row's end, where the last step overlaps the one before.
  const wasted = (step: number): number => Math.ceil(output.columns / step) * step - output.columns;
  const columns = [16, 8].find((step) => output.columns >= step && wasted(step) * 4 <= output.columns) ?? 4;
  const { ofRow, ofColumn } = hoistedCosts(nodes, columns / 4);
  const steps = Math.ceil(output.columns / columns);
  const rowsOuter = rows * ofRow + rows * steps * ofColumn;
  const columnsOuter = steps * ofColumn + rows * steps * ofRow;
  return { columns, rows: 1, outer: rowsOuter - columnsOuter > WORTHWHILE * rows * steps ? 'columns' : 'rows' };
}

function reachable(root: Node): readonly Node[] {
  const found = new Set<Node>();
  const visit = (node: Node): void => {
    if (found.has(node)) return;
    found.add(node);
    operandsOf(node).forEach(visit);
  };
  visit(root);
  return [...found];
}

/** Roughly how many instructions compute what depends on the row, or the column, alone. */
function hoistedCosts(nodes: readonly Node[], vectors: number): { readonly ofRow: number; readonly ofColumn: number } {
  const rounds = new Map<number, number>();
  for (const node of nodes) {
    if (node.kind !== 'reduce') continue;
    const count = node.bound.kind === 'constant' ? Number(node.bound.value) : 64;
    rounds.set(node.variable, Math.max(count, rounds.get(node.variable) ?? 1));
  }
  let [ofRow, ofColumn] = [0, 0];
  for (const node of nodes) {
    let cost = instructions(node);
    for (const [variable, count] of rounds) if ((node.free & variable) !== 0) cost *= count;
    const place = node.free & (ROW | COLUMN);
    if (place === ROW) ofRow += cost;
    if (place === COLUMN) ofColumn += cost * vectors;
  }
  return { ofRow, ofColumn };
}

function instructions(node: Node): number {
  const byLane = (node.free & COLUMN) !== 0;
  switch (node.kind) {
    case 'constant': case 'variable': case 'tensor': return 0;
    case 'binary': return worksByLane(node, COLUMN) && byLane ? 24 : 1;
    case 'select': return 2;
    case 'requantize': return shiftsByLane(node, COLUMN) ? 40 : 12;
    case 'load': return byLane && !['contiguous', 'masked'].includes(loadMethod(node, COLUMN).kind) ? 12 : 2;
    case 'dot': return 12;
    default: return 1;
  }
}
