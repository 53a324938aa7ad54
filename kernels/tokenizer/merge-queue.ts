/** Two neighbouring symbols that may become one. */
export interface Merge {
  readonly score: number;
  readonly left: number;
  readonly right: number;
  /** Characters of both, so that a merge whose sides have changed since is told from a current one. */
  readonly length: number;
}

/** True when `a` comes before `b`: the higher score, then the further left. */
const precedes = (a: Merge, b: Merge): boolean => a.score > b.score || (a.score === b.score && a.left < b.left);

/** A binary heap of merges. */
export class MergeQueue {
  readonly #heap: Merge[] = [];

  push(merge: Merge): void {
    const heap = this.#heap;
    let index = heap.push(merge) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!precedes(merge, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = merge;
  }

  /** The merge that comes first; undefined when there is none. */
  pop(): Merge | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child += 1;
      if (!precedes(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
