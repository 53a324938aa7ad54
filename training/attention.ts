import type { Architecture } from '../kernels/language-model/architecture.ts';
import type { Matrix, Multiply } from './float-matrix.ts';
import { causalSoftmax, causalSoftmaxBack, transpose } from './layers.ts';

/** Positions that are done at once: keys behind the last of them are left out. */
const BLOCK = 32;

/** Where attention works. */
export interface AttentionContext {
  readonly heap: Float32Array;
  readonly multiply: Multiply;
  readonly positions: number;
  readonly architecture: Architecture;
  /** Room for positions · (positions + headSize) floats. */
  readonly scratch: number;
}

/** Queries [position][head][headSize], keys and values [position][keyValueHead][headSize], probabilities [head][position][position]: offsets. */
export interface AttentionState {
  readonly query: number;
  readonly key: number;
  readonly value: number;
  readonly probabilities: number;
}

const matrix = (offset: number, rowStride: number): Matrix => ({ offset, rowStride });
const transposed = (offset: number, stride: number): Matrix => ({ offset, rowStride: 1, columnStride: stride });

/** Calls with each block of positions: its first one, how many they are, and how many keys they see. */
function blocks(positions: number, visit: (from: number, rows: number, keys: number) => void): void {
  for (let from = 0; from < positions; from += BLOCK) {
    const rows = Math.min(BLOCK, positions - from);
    visit(from, rows, from + rows);
  }
}

/** Causal grouped-query attention (arXiv 2305.13245): each head's softmax(query · key / √headSize) mixes the values of the key-value head that it shares. */
export function attend({ heap, multiply, positions, architecture, scratch }: AttentionContext, { query, key, value, probabilities }: AttentionState, mixed: number): void {
  const { heads, keyValueHeads, headSize } = architecture;
  const [width, shared] = [heads * headSize, keyValueHeads * headSize];
  for (let head = 0; head < heads; head += 1) {
    const group = Math.floor(head * keyValueHeads / heads) * headSize;
    const own = head * headSize;
    const table = probabilities + head * positions * positions;
    transpose(heap, positions, headSize, key + group, shared, scratch);
    blocks(positions, (from, rows, keys) => {
      const scores = table + from * positions;
      multiply({ rows, columns: keys, inner: headSize }, matrix(query + from * width + own, width), matrix(scratch, positions), matrix(scores, positions));
      causalSoftmax({ heap, rows, width: keys }, scores, positions, from, 1 / Math.sqrt(headSize));
      multiply({ rows, columns: headSize, inner: keys }, matrix(scores, positions), matrix(value + group, shared), matrix(mixed + from * width + own, width));
    });
  }
}

/** The gradients of queries, keys and values, from those of what they mixed, which lie where the queries' are to be put. */
export function attendBack({ heap, multiply, positions, architecture, scratch }: AttentionContext, { query, key, value, probabilities }: AttentionState, dMixedThenQuery: number, dKey: number, dValue: number): void {
  const { heads, keyValueHeads, headSize } = architecture;
  const [width, shared] = [heads * headSize, keyValueHeads * headSize];
  const dScores = scratch + positions * headSize;
  heap.fill(0, dKey, dKey + positions * shared);
  heap.fill(0, dValue, dValue + positions * shared);
  for (let head = 0; head < heads; head += 1) {
    const group = Math.floor(head * keyValueHeads / heads) * headSize;
    const own = head * headSize;
    transpose(heap, positions, headSize, value + group, shared, scratch);
    blocks(positions, (from, rows, keys) => {
      const table = probabilities + (head * positions + from) * positions;
      const there = dMixedThenQuery + from * width + own;
      multiply({ rows: keys, columns: headSize, inner: rows }, transposed(table, positions), matrix(there, width), matrix(dValue + group, shared), true);
      multiply({ rows, columns: keys, inner: headSize }, matrix(there, width), matrix(scratch, positions), matrix(dScores, positions));
      causalSoftmaxBack({ heap, rows, width: keys }, table, positions, dScores, positions, from, 1 / Math.sqrt(headSize));
      multiply({ rows: keys, columns: headSize, inner: rows }, transposed(dScores, positions), matrix(query + from * width + own, width), matrix(dKey + group, shared), true);
      multiply({ rows, columns: headSize, inner: keys }, matrix(dScores, positions), matrix(key + group, shared), matrix(there, width));
    });
  }
}
