import type { SpecializedExpression, SpecializedKernel } from '../language/specialized.ts';

/** A number that grows with the iteration: `base + perIteration · iteration`. */
export interface ByIteration { readonly base: number; readonly perIteration: number }

/**
 * Columns that can be other than zero: those below the returned number, where the element says so itself, as
 * `select(column ≤ iteration, …, 0)` does. Null when all columns may be. Back ends may leave the others out and write zeros.
 */
export function liveColumns(kernel: SpecializedKernel): ByIteration | null {
  const known = new Map<SpecializedExpression, ByIteration | null>();
  const greatest = BigInt(kernel.maxIterations);
  const small = ({ base, perIteration }: ByIteration): boolean => perIteration >= 0 && Math.abs(base) < 2 ** 30 && BigInt(perIteration) * greatest < 2n ** 30n;

  /** A bound that holds where either does: any will do; where both must: the larger one, if it is larger in every iteration. */
  const either = (left: ByIteration | null, right: ByIteration | null): ByIteration | null => left ?? right;
  const both = (left: ByIteration | null, right: ByIteration | null): ByIteration | null =>
    left === null || right === null ? null : { base: Math.max(left.base, right.base), perIteration: Math.max(left.perIteration, right.perIteration) };
  const below = (bound: ByIteration | null, more: number): ByIteration | null =>
    bound === null || !small(bound) ? null : { ...bound, base: bound.base + more };

  /** Columns below which a condition can be true. */
  const whereTrue = (condition: SpecializedExpression): ByIteration | null => {
    if (condition.kind !== 'binary') return null;
    const { operator, left, right } = condition;
    if (operator === 'and' && condition.type === 'i32') return either(whereTrue(left), whereTrue(right));
    if ((operator === 'lt' || operator === 'le' || operator === 'eq') && isColumn(left)) return below(byIteration(right), operator === 'lt' ? 0 : 1);
    return operator === 'eq' && isColumn(right) ? below(byIteration(left), 1) : null;
  };
  /** Columns below which a condition can be false. */
  const whereFalse = (condition: SpecializedExpression): ByIteration | null => {
    if (condition.kind !== 'binary') return null;
    const { operator, left, right } = condition;
    return (operator === 'lt' || operator === 'le') && isColumn(right) ? below(byIteration(left), operator === 'lt' ? 1 : 0) : null;
  };

  const compute = (expression: SpecializedExpression): ByIteration | null => {
    switch (expression.kind) {
      case 'constant': return expression.value === 0n ? { base: 0, perIteration: 0 } : null;
      case 'select': {
        const whenTrue = either(whereTrue(expression.condition), bound(expression.whenTrue));
        const whenFalse = either(whereFalse(expression.condition), bound(expression.whenFalse));
        return both(whenTrue, whenFalse);
      }
      case 'binary': {
        const { operator, left, right } = expression;
        if (operator === 'mul' || operator === 'and') return either(bound(left), bound(right));
        if (operator === 'shl' || operator === 'shr' || operator === 'shru' || operator === 'div' || operator === 'mod') return bound(left);
        if (operator === 'lt' || operator === 'le' || operator === 'eq') return whereTrue(expression);
        return both(bound(left), bound(right));
      }
      case 'convert': return bound(expression.value);
      case 'reduce': return bound(expression.body);
      case 'requantize': return either(bound(expression.accumulator), bound(expression.multiplier));
      default: return null;
    }
  };
  const bound = (expression: SpecializedExpression): ByIteration | null => {
    const found = known.get(expression);
    if (found !== undefined) return found;
    const value = compute(expression);
    known.set(expression, value);
    return value;
  };
  const found = bound(kernel.element);
  return found !== null && small(found) ? found : null;
}

const isColumn = (expression: SpecializedExpression): boolean => expression.kind === 'coordinate' && expression.of === 'column';

/** An i32 value that depends on the iteration alone, and linearly; null for others, and where it could wrap. */
function byIteration(expression: SpecializedExpression): ByIteration | null {
  const value = linear(expression);
  return value !== null && Math.abs(value.base) < 2 ** 31 && Math.abs(value.perIteration) < 2 ** 31 ? value : null;
}

function linear(expression: SpecializedExpression): ByIteration | null {
  if (expression.kind === 'constant') return { base: Number(expression.value), perIteration: 0 };
  if (expression.kind === 'coordinate') return expression.of === 'iteration' ? { base: 0, perIteration: 1 } : null;
  if (expression.kind !== 'binary' || expression.type !== 'i32') return null;
  const left = byIteration(expression.left);
  const right = byIteration(expression.right);
  if (left === null || right === null) return null;
  switch (expression.operator) {
    case 'add': return { base: left.base + right.base, perIteration: left.perIteration + right.perIteration };
    case 'sub': return { base: left.base - right.base, perIteration: left.perIteration - right.perIteration };
    case 'mul':
      if (right.perIteration === 0) return { base: left.base * right.base, perIteration: left.perIteration * right.base };
      return left.perIteration === 0 ? { base: left.base * right.base, perIteration: left.base * right.perIteration } : null;
    default: return null;
  }
}
