import type { ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedExpression, SpecializedKernel, SpecializedRead, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { identity } from './wgsl-operators.ts';

const integer = (value: number): SpecializedExpression => ({ kind: 'constant', type: 'i32', value: BigInt(value) });
const binary = (operator: Extract<SpecializedExpression, { readonly kind: 'binary' }>['operator'], left: SpecializedExpression, right: SpecializedExpression): SpecializedExpression =>
  ({ kind: 'binary', operator, type: 'i32', left, right });
const ITERATION: SpecializedExpression = { kind: 'coordinate', of: 'iteration' };
const ROW: SpecializedExpression = { kind: 'coordinate', of: 'row' };

/**
 * A body operator's kernel for several iterations at once: its rows are those of `count` iterations' tensors, one below the other, and its own iteration is the first of them. So a row
 * times a matrix, of each of many tokens, becomes one product of matrices. Every row sees what its own iteration may see, given that reads of iterations that were not
 * written yet are zero; rows of iterations that the program does not have are computed as those of its last one.
 *
 * Loops whose number of rounds depends on the iteration run as often as the longest of them, and what is beyond a row's own bound counts as nothing.
 */
export function overIterations(kernel: SpecializedKernel, count: number): SpecializedKernel {
  const { rows } = kernel.output;
  const row = rows === 1 ? integer(0) : binary('mod', ROW, integer(rows));
  const offset = rows === 1 ? ROW : binary('div', ROW, integer(rows));
  const own = binary('min', binary('add', ITERATION, offset), integer(kernel.maxIterations - 1));
  const written = new Map<SpecializedExpression, Map<0 | -1, SpecializedExpression>>();
  const known = new Map<SpecializedExpression | SpecializedWord, SpecializedExpression | SpecializedWord>();

  /** The iteration that is read, or -1 where this row may not see it. */
  const seen = (iteration: SpecializedExpression, { checkIteration, latest }: SpecializedRead): SpecializedExpression => {
    if (!checkIteration) return iteration;
    const byLatest = written.get(iteration) ?? new Map<0 | -1, SpecializedExpression>();
    written.set(iteration, byLatest);
    const limited = byLatest.get(latest) ?? {
      kind: 'select', type: 'i32', condition: binary(latest === 0 ? 'le' : 'lt', iteration, own), whenTrue: iteration, whenFalse: integer(-1),
    } as const;
    byLatest.set(latest, limited);
    return limited;
  };
  const read = <T extends SpecializedRead>(node: T): Pick<SpecializedRead, 'row' | 'iteration'> =>
    ({ row: over(node.row), iteration: node.iteration === null ? null : seen(over(node.iteration), node) });

  const reduction = (node: SpecializedReduction): SpecializedReduction => {
    const { bound: { base, perIteration }, operator, type, level } = node;
    const body = over(node.body);
    if (perIteration === 0) return { ...node, body };
    const limit = binary('add', integer(base), binary('mul', integer(perIteration), own));
    return {
      ...node,
      bound: { base: base + Math.max(0, perIteration) * (count - 1), perIteration },
      body: { kind: 'select', type, condition: binary('lt', { kind: 'index', level }, limit), whenTrue: body, whenFalse: nothing(operator, type) },
    };
  };

  const changed = (node: SpecializedExpression | SpecializedWord): SpecializedExpression | SpecializedWord => {
    switch (node.kind) {
      case 'constant': case 'index': return node;
      case 'coordinate': return { row, iteration: own, column: node }[node.of];
      case 'load': return { ...node, ...read(node), column: over(node.column) };
      case 'word': return { ...node, ...read(node), index: over(node.index) };
      case 'dot32': return { ...node, left: over(node.left), right: over(node.right) };
      case 'binary': return { ...node, left: over(node.left), right: over(node.right) };
      case 'select': return { ...node, condition: over(node.condition), whenTrue: over(node.whenTrue), whenFalse: over(node.whenFalse) };
      case 'requantize': return { ...node, accumulator: over(node.accumulator), multiplier: over(node.multiplier), shift: over(node.shift) };
      case 'convert': return { ...node, value: over(node.value) };
      case 'reduce': return reduction(node);
    }
  };
  /** The same node gives the same one: what is shared stays so. */
  function over<T extends SpecializedExpression | SpecializedWord>(node: T): T extends SpecializedWord ? SpecializedWord : SpecializedExpression {
    const found = known.get(node) ?? changed(node);
    known.set(node, found);
    return found as T extends SpecializedWord ? SpecializedWord : SpecializedExpression;
  }

  return { ...kernel, output: { ...kernel.output, rows: rows * count }, element: over(kernel.element) };
}

/** What changes nothing in a reduction. */
const nothing = (operator: ReductionOperator, type: ScalarType): SpecializedExpression => ({ kind: 'constant', type, value: identity(operator, type) });
