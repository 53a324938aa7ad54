import type { SpecializedExpression, SpecializedKernel, SpecializedRead, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { WORD_BYTES, elementBytes, wordsPerRow } from '../program/tensor.ts';
import { COLUMN, Graph, ITERATION, ROW, indexVariable } from './graph.ts';
import type { Node } from './graph.ts';
import { liveColumns } from './live-columns.ts';

/**
 * Address of a run of zero bytes, as long as the longest row of any operand: where reads go whose check fails. The bytes
 * before it, and as many after everything else, may be read by vector loads that mask what they read.
 */
export const ZERO_AREA = 64;
/** Bytes before the zero area and after all tensors that masked vector loads may touch. */
export const GUARD_BYTES = 64;

/** The longest step over columns; see `scheduleOf`. */
const COLUMN_ALIGNMENT = 16;

/** Loops around other loops are written out as long as that makes no more copies than this. */
const MAX_UNROLLED = 32;

/** A kernel as the WebAssembly code generator takes it. */
export interface LoweredKernel {
  /** Which made the nodes. */
  readonly graph: Graph;
  /** The output element's value, an i32. */
  readonly element: Node;
  /** The output element's address. */
  readonly address: Node;
}

/** Bytes of the longest row that the kernel reads: what the zero area must hold. */
export function longestRowBytes(kernel: SpecializedKernel): number {
  return Math.max(0, ...kernel.operands.map(({ shape }) => wordsPerRow(shape) * WORD_BYTES));
}

/** How a kernel's rows are numbered: those of one tensor, or those of the tensors of neighbouring iterations one after another. */
export type RowNumbering = 'tensor' | 'iterations';

export interface LoweringOptions {
  /** `tensor` when absent. Of `iterations`, row `i` is row `i mod rows` of the iteration that is `i / rows` after the one that the kernel is called with. */
  readonly numbering?: RowNumbering;
  /** True where no two operands are the same tensor. Padding is zero, except perhaps that of one tensor which was replaced: products of two paddings are zero then. */
  readonly distinct?: boolean;
}

/**
 * Turns reads into address arithmetic with explicit checks, and writes small outer loops out.
 * `strides[i]` is the distance in bytes between two iterations' tensors of operand `i` (unused for single ones).
 */
export function lowerKernel(kernel: SpecializedKernel, strides: readonly number[], { numbering = 'tensor', distinct = false }: LoweringOptions = {}): LoweredKernel {
  const graph = new Graph();
  const i32 = (value: number): Node => graph.constant('i32', value);
  const add = (left: Node, right: Node): Node => graph.binary('add', 'i32', left, right);
  const scale = (value: Node, factor: number): Node => graph.binary('mul', 'i32', value, i32(factor));
  // Steps over columns then start at multiples of their own length, which divides this.
  const columnVariable = graph.variable(COLUMN, kernel.output.columns % COLUMN_ALIGNMENT === 0 && liveColumns(kernel) === null ? COLUMN_ALIGNMENT : 1);
  const { iteration, row: ownRow } = coordinates(graph, kernel.output.rows, numbering);

  /** Values for one set of unrolled indices, in code of which there are `copies`; `written` are iterations that exist wherever a value counts. */
  const lowering = (indices: readonly (Node | undefined)[], copies: number, written: readonly WrittenIteration[] = []): ((expression: SpecializedExpression) => Node) => {
    const lowered = new Map<SpecializedExpression, Node>();
    const lower = (expression: SpecializedExpression): Node => {
      const found = lowered.get(expression);
      if (found !== undefined) return found;
      const node = compute(expression);
      lowered.set(expression, node);
      return node;
    };

    /** A row's address: that of the zero area if the row or the iteration does not exist. */
    const rowAddress = (read: SpecializedRead): Node => {
      const operand = kernel.operands[read.operand];
      if (operand === undefined) throw new RangeError(`kernel ${kernel.name} reads operand ${read.operand} of ${kernel.operands.length}`);
      const row = lower(read.row);
      const checks: Node[] = [];
      let address = graph.tensor(read.operand);
      if (read.iteration !== null) {
        const readIteration = lower(read.iteration);
        address = add(address, scale(readIteration, strides[read.operand] ?? 0));
        if (read.checkIteration && !written.some(({ iteration: found, latest }) => found === read.iteration && latest <= read.latest)) {
          const newest = add(iteration, i32(read.latest + 1));
          checks.push(graph.binary('ltu', 'i32', readIteration, graph.binary('min', 'i32', newest, i32(kernel.maxIterations))));
        }
      }
      address = add(address, scale(row, wordsPerRow(operand.shape) * WORD_BYTES));
      if (read.checkRow) checks.push(graph.binary('ltu', 'i32', row, i32(operand.shape.rows)));
      if (checks.length === 0) return address;
      return graph.select(checks.reduce((left, right) => graph.binary('and', 'i32', left, right)), address, i32(ZERO_AREA));
    };

    const checked = (base: Node, index: Node, bytes: number, limit: number | null): Node => {
      const address = add(base, scale(index, bytes));
      return limit === null ? address : graph.select(graph.binary('ltu', 'i32', index, i32(limit)), address, i32(ZERO_AREA));
    };

    const wordAddress = (word: SpecializedWord): Node => {
      const shape = kernel.operands[word.operand]?.shape;
      return checked(rowAddress(word), lower(word.index), WORD_BYTES, word.checkColumn && shape !== undefined ? wordsPerRow(shape) : null);
    };

    /** How many bytes of two words can have products other than zero. */
    const meaningfulBytes = (left: SpecializedWord, right: SpecializedWord): number => {
      if (!distinct || left.operand === right.operand) return WORD_BYTES;
      const rest = [left, right].map(({ operand, index }) => {
        const at = index.kind === 'index' ? indices[index.level] : lower(index);
        return at?.kind === 'constant' ? kernel.operands[operand]!.shape.columns - Number(at.value) * WORD_BYTES : WORD_BYTES;
      });
      return Math.min(WORD_BYTES, Math.max(8, Math.ceil(Math.max(...rest) / 8) * 8));
    };

    const reduction = (expression: SpecializedReduction): Node => {
      const { base, perIteration } = expression.bound;
      if (perIteration === 0 && base * copies <= MAX_UNROLLED && containsReduction(expression.body)) {
        const rounds = Array.from({ length: base }, (_, index) => {
          const bound = [...indices];
          bound[expression.level] = i32(index);
          return lowering(bound, copies * base, written)(expression.body);
        });
        return rounds.reduce((left, right) => graph.binary(expression.operator, expression.type, left, right));
      }
      const bound = add(scale(iteration, perIteration), i32(base));
      return graph.reduce(expression.operator, indexVariable(expression.level), bound, lower(expression.body));
    };

    const compute = (expression: SpecializedExpression): Node => {
      switch (expression.kind) {
        case 'constant': return graph.constant(expression.type, expression.value);
        case 'coordinate': return { iteration, row: ownRow, column: columnVariable }[expression.of];
        case 'index': return indices[expression.level] ?? graph.variable(indexVariable(expression.level));
        case 'binary': return graph.binary(expression.operator, expression.type, lower(expression.left), lower(expression.right));
        case 'select': {
          const more = writtenWhere(kernel, expression.condition).filter((found) => !written.some((known) => known.iteration === found.iteration && known.latest <= found.latest));
          const whenTrue = more.length === 0 ? lower : lowering(indices, copies, [...written, ...more]);
          return graph.select(lower(expression.condition), whenTrue(expression.whenTrue), lower(expression.whenFalse));
        }
        case 'convert': return graph.convert(expression.to, lower(expression.value));
        case 'requantize': return graph.requantize(lower(expression.accumulator), lower(expression.multiplier), lower(expression.shift));
        case 'dot32': return graph.dot(wordAddress(expression.left), wordAddress(expression.right), meaningfulBytes(expression.left, expression.right));
        case 'reduce': return reduction(expression);
        case 'load': {
          const base = rowAddress(expression);
          const column = lower(expression.column);
          const limit = expression.checkColumn ? (kernel.operands[expression.operand]?.shape.columns ?? 0) : null;
          return graph.load(expression.element, checked(base, column, elementBytes(expression.element), limit), base, column, limit);
        }
      }
    };
    return lower;
  };

  const { output } = kernel;
  const row = scale(graph.variable(ROW), wordsPerRow(output) * WORD_BYTES);
  const column = scale(columnVariable, elementBytes(output.element));
  return { graph, element: lowering([], 1)(kernel.element), address: add(add(graph.tensor(-1), row), column) };
}

/** An iteration that is at most `latest` after the reader's own, and of which memory has a tensor in any case. */
interface WrittenIteration { readonly iteration: SpecializedExpression; readonly latest: 0 | -1 }

/** The output's column as an iteration, where the condition says that it has come: reads need no check where only that case counts. */
function writtenWhere(kernel: SpecializedKernel, condition: SpecializedExpression): readonly WrittenIteration[] {
  if (condition.kind !== 'binary') return [];
  const { operator, left, right } = condition;
  if (operator === 'and') return [...writtenWhere(kernel, left), ...writtenWhere(kernel, right)];
  const isColumn = left.kind === 'coordinate' && left.of === 'column' && kernel.output.columns <= kernel.maxIterations;
  const isNow = right.kind === 'coordinate' && right.of === 'iteration';
  if (!isColumn || !isNow) return [];
  if (operator === 'lt') return [{ iteration: left, latest: -1 }];
  return operator === 'le' ? [{ iteration: left, latest: 0 }] : [];
}

function coordinates(graph: Graph, rows: number, numbering: RowNumbering): { readonly iteration: Node; readonly row: Node } {
  const [iteration, row] = [graph.variable(ITERATION), graph.variable(ROW)];
  if (numbering === 'tensor') return { iteration, row };
  const count = graph.constant('i32', rows);
  const after = rows === 1 ? row : graph.binary('div', 'i32', row, count);
  return { iteration: graph.binary('add', 'i32', iteration, after), row: rows === 1 ? graph.constant('i32', 0) : graph.binary('mod', 'i32', row, count) };
}

const reductionsInside = new WeakMap<SpecializedExpression, boolean>();

function containsReduction(expression: SpecializedExpression): boolean {
  const found = reductionsInside.get(expression);
  if (found !== undefined) return found;
  const inRead = (read: SpecializedRead): boolean => containsReduction(read.row) || (read.iteration !== null && containsReduction(read.iteration));
  const search = (): boolean => {
    switch (expression.kind) {
      case 'constant': case 'coordinate': case 'index': return false;
      case 'reduce': return true;
      case 'binary': return containsReduction(expression.left) || containsReduction(expression.right);
      case 'select': return containsReduction(expression.condition) || containsReduction(expression.whenTrue) || containsReduction(expression.whenFalse);
      case 'convert': return containsReduction(expression.value);
      case 'requantize': return containsReduction(expression.accumulator) || containsReduction(expression.multiplier) || containsReduction(expression.shift);
      case 'load': return inRead(expression) || containsReduction(expression.column);
      case 'dot32': return inRead(expression.left) || inRead(expression.right) || containsReduction(expression.left.index) || containsReduction(expression.right.index);
    }
  };
  const result = search();
  reductionsInside.set(expression, result);
  return result;
}
