import type { SpecializedExpression, SpecializedReduction, SpecializedWord } from '../language/specialized.ts';
import { childrenOf } from './wgsl-reads.ts';

export type Node = SpecializedExpression | SpecializedWord;
export type Coordinate = 'row' | 'column' | 'iteration';

/** What expressions depend on, remembered by node. */
export class KernelAnalysis {
  readonly #coordinates = new Map<Node, ReadonlySet<Coordinate>>();
  readonly #levels = new Map<Node, ReadonlySet<number>>();
  readonly #within = new Map<Node, ReadonlySet<Node>>();

  /** Coordinates of the output on which the value depends. A reduction's bound may depend on the iteration. */
  coordinatesOf(node: Node): ReadonlySet<Coordinate> {
    return remember(this.#coordinates, node, () => {
      const coordinates = new Set(childrenOf(node).flatMap((child) => [...this.coordinatesOf(child)]));
      if (node.kind === 'coordinate') coordinates.add(node.of);
      if (node.kind === 'reduce' && node.bound.perIteration > 0) coordinates.add('iteration');
      return coordinates;
    });
  }

  /** Levels of the enclosing reductions on whose index the value depends. */
  levelsOf(node: Node): ReadonlySet<number> {
    return remember(this.#levels, node, () => {
      const free = new Set(childrenOf(node).flatMap((child) => [...this.levelsOf(child)]));
      if (node.kind === 'index') free.add(node.level);
      if (node.kind === 'reduce') free.delete(node.level);
      return free;
    });
  }

  /** The node and everything under it. */
  nodesIn(node: Node): ReadonlySet<Node> {
    return remember(this.#within, node, () => new Set([node, ...childrenOf(node).flatMap((child) => [...this.nodesIn(child)])]));
  }

  contains(node: Node, inner: Node): boolean {
    return this.nodesIn(node).has(inner);
  }

  reductionsIn(node: Node): SpecializedReduction[] {
    return [...this.nodesIn(node)].filter((found) => found.kind === 'reduce');
  }
}

function remember<T>(known: Map<Node, T>, node: Node, compute: () => T): T {
  const found = known.get(node);
  if (found !== undefined) return found;
  const value = compute();
  known.set(node, value);
  return value;
}
