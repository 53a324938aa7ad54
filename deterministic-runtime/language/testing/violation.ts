import type { SpecializedExpression, SpecializedKernel, SpecializedRead, SpecializedWord } from '../specialized.ts';
import { wordsPerRow } from '../../program/tensor.ts';

type Expression = SpecializedExpression;

const number = (value: number): Expression => ({ kind: 'constant', type: 'i32', value: BigInt(value) });
const binary = (operator: 'or' | 'lt' | 'add', left: Expression, right: Expression): Expression => ({ kind: 'binary', operator, type: 'i32', left, right });

/**
 * A kernel whose element is not 0 exactly where an element of `kernel` makes a read that is said to need no check, and is out of
 * range all the same. Every part of every expression counts, as if both branches of a select were computed.
 */
export function violationsOf(kernel: SpecializedKernel): SpecializedKernel {
  const known = new Map<object, Expression>();
  const any = (...parts: readonly Expression[]): Expression => parts.reduce((left, right) => binary('or', left, right), number(0));

  function outside(value: Expression, count: Expression): Expression {
    return binary('or', binary('lt', value, number(0)), binary('lt', binary('add', count, number(-1)), value));
  }

  function readViolations(read: SpecializedRead, position: Expression, positions: number): Expression {
    const operand = kernel.operands[read.operand];
    if (operand === undefined) throw new RangeError(`no operand ${read.operand}`);
    const newest = binary('add', { kind: 'coordinate', of: 'iteration' }, number(read.latest + 1));
    return any(
      violations(read.row),
      violations(position),
      read.checkRow ? number(0) : outside(read.row, number(operand.shape.rows)),
      read.checkColumn ? number(0) : outside(position, number(positions)),
      ...(read.iteration === null ? [] : [violations(read.iteration), read.checkIteration ? number(0) : outside(read.iteration, newest)]),
    );
  }

  const wordViolations = (word: SpecializedWord): Expression =>
    readViolations(word, word.index, wordsPerRow((kernel.operands[word.operand] as SpecializedKernel['operands'][number]).shape));

  function violations(node: Expression): Expression {
    const seen = known.get(node);
    if (seen !== undefined) return seen;
    const found = compute(node);
    known.set(node, found);
    return found;
  }

  function compute(node: Expression): Expression {
    switch (node.kind) {
      case 'constant':
      case 'coordinate':
      case 'index': return number(0);
      case 'load': return readViolations(node, node.column, (kernel.operands[node.operand] as SpecializedKernel['operands'][number]).shape.columns);
      case 'dot32': return any(wordViolations(node.left), wordViolations(node.right));
      case 'binary': return any(violations(node.left), violations(node.right));
      case 'select': return any(violations(node.condition), violations(node.whenTrue), violations(node.whenFalse));
      case 'requantize': return any(violations(node.accumulator), violations(node.multiplier), violations(node.shift));
      case 'convert': return violations(node.value);
      case 'reduce': return { ...node, operator: 'or', type: 'i32', body: violations(node.body) };
    }
  }

  return { ...kernel, output: { ...kernel.output, element: 'i32' }, element: violations(kernel.element) };
}

/** Reads that need no check at all, and all reads. */
export function countReads(kernel: SpecializedKernel): { readonly unchecked: number; readonly all: number } {
  const seen = new Set<object>();
  let [unchecked, all] = [0, 0];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if ('checkRow' in value) {
      const read = value as SpecializedRead;
      all += 1;
      if (!read.checkRow && !read.checkColumn && !read.checkIteration) unchecked += 1;
    }
    Object.values(value).forEach(visit);
  };
  visit(kernel.element);
  return { unchecked, all };
}
