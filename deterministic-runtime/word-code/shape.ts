import type { ReductionOperator, ScalarType } from '../language/expression.ts';
import type { SpecializedExpression, SpecializedWord } from '../language/specialized.ts';

type Node = SpecializedExpression | SpecializedWord;

/** An expression's parts, in order. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'constant':
    case 'coordinate':
    case 'index': return [];
    case 'load': return node.iteration === null ? [node.column] : [node.column, node.iteration];
    case 'word': return node.iteration === null ? [node.index] : [node.index, node.iteration];
    case 'dot32':
    case 'binary': return [node.left, node.right];
    case 'select': return [node.condition, node.whenTrue, node.whenFalse];
    case 'requantize': return [node.accumulator, node.multiplier, node.shift];
    case 'convert': return [node.value];
    case 'reduce': return [node.body];
  }
}

/** How many other expressions use each one as a part; 1 for the root. */
export function countUses(root: Node): ReadonlyMap<Node, number> {
  const uses = new Map<Node, number>();
  const visit = (node: Node): void => {
    const before = uses.get(node) ?? 0;
    uses.set(node, before + 1);
    if (before === 0) childrenOf(node).forEach(visit);
  };
  visit(root);
  return uses;
}

/** The parts of a tree of one associative operator. `opens` says which of its nodes may be taken apart. */
export function leavesOf(node: SpecializedExpression, operator: ReductionOperator, type: ScalarType, opens: (node: SpecializedExpression) => boolean): SpecializedExpression[] {
  if (node.kind !== 'binary' || node.operator !== operator || node.type !== type || !opens(node)) return [node];
  return [...leavesOf(node.left, operator, type, opens), ...leavesOf(node.right, operator, type, opens)];
}

/** An estimate of how many registers a value takes while it is computed (Sethi and Ullman's numbers). */
export function registersNeeded(node: Node, known: Map<Node, number>): number {
  const seen = known.get(node);
  if (seen !== undefined) return seen;
  const parts = childrenOf(node).map((child) => registersNeeded(child, known)).sort((left, right) => right - left);
  let needed = node.kind === 'constant' || node.kind === 'coordinate' || node.kind === 'index' ? 0 : 1;
  parts.forEach((part, held) => {
    if (part > 0) needed = Math.max(needed, part + held + (node.kind === 'reduce' ? 1 : 0));
  });
  known.set(node, needed);
  return needed;
}
