import { HASH_BYTES, hashPair, hashPairs } from './keccak.ts';

/** Consecutive leaves, the first at index `start`; `nodes` is a whole number of 32-byte leaves. */
export interface LeafRun { readonly start: number; readonly nodes: Uint8Array }

/** A tree's root and its paths. A path lists the siblings from the leaf upwards. */
export interface Commitment {
  readonly root: Uint8Array;
  /** Siblings of leaf `index`, from the leaf upwards: `depth` nodes. @throws RangeError when the tree has no such leaf. */
  path(index: number): Uint8Array[];
}

const ZERO = new Uint8Array(HASH_BYTES);
const endOf = (run: LeafRun): number => run.start + run.nodes.length / HASH_BYTES;
const half = (index: number): number => Math.floor(index / 2);

/** Least `d ≥ 0` with `2^d ≥ leafCount`; 0 for an empty tree. */
export function treeDepth(leafCount: number): number {
  let depth = 0;
  while (2 ** depth < leafCount) depth += 1;
  return depth;
}

/**
 * A binary tree over `leafCount` leaves with all its inner nodes. Leaves outside the given runs are zero and cost
 * nothing, so the price is the number of given leaves plus the depth for each run. The bytes given are kept, not copied.
 */
export class MerkleTree implements Commitment {
  readonly leafCount: number;
  readonly depth: number;
  readonly root: Uint8Array;
  readonly #levels: readonly (readonly LeafRun[])[];

  /** @throws RangeError when runs are out of order, overlap, or pass `leafCount` */
  constructor(leafCount: number, runs: readonly LeafRun[]) {
    let end = 0;
    for (const run of runs) {
      if (run.nodes.length % HASH_BYTES !== 0) throw new RangeError(`a run of leaves is whole words, not ${run.nodes.length} bytes`);
      if (run.start < end) throw new RangeError(`runs of leaves must be in order and must not overlap: ${run.start} comes before ${end}`);
      end = endOf(run);
    }
    if (end > leafCount) throw new RangeError(`leaf ${end - 1} lies outside a tree of ${leafCount}`);
    this.leafCount = leafCount;
    this.depth = treeDepth(leafCount);
    const levels = [runs.filter((run) => run.nodes.length > 0)];
    for (let height = 0; height < this.depth; height += 1) levels.push(parents(levels[height]!));
    this.#levels = levels;
    this.root = this.node(this.depth, 0);
  }

  /** The node number `index` at `height` (0: the leaves); zero where nothing was written. */
  node(height: number, index: number): Uint8Array {
    for (const run of this.#levels[height] ?? []) {
      if (index >= run.start && index < endOf(run)) {
        const offset = (index - run.start) * HASH_BYTES;
        return run.nodes.slice(offset, offset + HASH_BYTES);
      }
    }
    return ZERO;
  }

  path(index: number): Uint8Array[] {
    checkIndex(index, this.depth);
    return Array.from({ length: this.depth }, (_, height) => this.node(height, siblingOf(index, height)));
  }

  /**
   * The same tree with leaf `length` replaced by `last` (zero when absent) and every later leaf zero. Costs `depth`
   * hashes: this is how a tensor looks while its words are being written, and the list of slots during a run.
   */
  prefix(length: number, last: Uint8Array = ZERO): Commitment {
    if (length === 2 ** this.depth) return this;
    checkIndex(length, this.depth);
    const boundary = [last];
    for (let height = 0; height < this.depth; height += 1) {
      const index = Math.floor(length / 2 ** height);
      boundary.push(index % 2 === 1 ? hashPair(this.node(height, index - 1), boundary[height]!) : hashPair(boundary[height]!, ZERO));
    }
    return {
      root: boundary[this.depth]!,
      path: (index) => {
        checkIndex(index, this.depth);
        return Array.from({ length: this.depth }, (_, height) => {
          const sibling = siblingOf(index, height);
          const edge = Math.floor(length / 2 ** height);
          if (sibling < edge) return this.node(height, sibling);
          return sibling === edge ? boundary[height]! : ZERO;
        });
      },
    };
  }
}

/** The root that a leaf and its path lead to. */
export function rootFromPath(leaf: Uint8Array, index: number, path: readonly Uint8Array[]): Uint8Array {
  return path.reduce((node, sibling, height) => (Math.floor(index / 2 ** height) % 2 === 1 ? hashPair(sibling, node) : hashPair(node, sibling)), leaf);
}

function siblingOf(index: number, height: number): number {
  const ancestor = Math.floor(index / 2 ** height);
  return ancestor % 2 === 1 ? ancestor - 1 : ancestor + 1;
}

function checkIndex(index: number, depth: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** depth) throw new RangeError(`a tree of depth ${depth} has no leaf ${index}`);
}

/** The level above: runs are widened to whole pairs, and runs that then share a pair become one. */
function parents(level: readonly LeafRun[]): LeafRun[] {
  const groups: LeafRun[][] = [];
  for (const run of level) {
    const last = groups.at(-1);
    if (last !== undefined && half(endOf(last.at(-1)!) - 1) >= half(run.start)) last.push(run);
    else groups.push([run]);
  }
  return groups.map((group) => {
    const start = half(group[0]!.start);
    const end = half(endOf(group.at(-1)!) - 1) + 1;
    const only = group[0]!;
    if (group.length === 1 && only.start === 2 * start && endOf(only) === 2 * end) return { start, nodes: hashPairs(only.nodes) };
    const pairs = new Uint8Array((end - start) * 2 * HASH_BYTES);
    for (const run of group) pairs.set(run.nodes, (run.start - 2 * start) * HASH_BYTES);
    return { start, nodes: hashPairs(pairs) };
  });
}
