import { concat, keccak256 } from 'viem';
import type { Hex } from 'viem';

/** Depth of the tree over a split's segments: 16 leaves. */
export const CLAIMS_DEPTH = 4;

const ZERO: Hex = `0x${'00'.repeat(32)}`;

const parent = (left: Hex, right: Hex): Hex => (left === ZERO && right === ZERO ? ZERO : keccak256(concat([left, right])));

function tree(states: readonly Hex[]): Hex[][] {
  const leaves = Array.from({ length: 2 ** CLAIMS_DEPTH }, (_, index): Hex => {
    const [start, end] = [states[index], states[index + 1]];
    return start === undefined || end === undefined ? ZERO : keccak256(concat([start, end]));
  });
  const rows = [leaves];
  for (let height = 0; height < CLAIMS_DEPTH; height += 1) {
    const below = rows[height] as Hex[];
    rows.push(Array.from({ length: below.length / 2 }, (_, index) => parent(below[2 * index] as Hex, below[2 * index + 1] as Hex)));
  }
  return rows;
}

/** What the chain stores of a split: the root over `keccak256(state_j ‖ state_{j+1})`, missing leaves being zero. */
export const claimsRoot = (states: readonly Hex[]): Hex => tree(states)[CLAIMS_DEPTH]?.[0] as Hex;

/** The siblings of segment `index`, from the leaf upwards. */
export function claimsPath(states: readonly Hex[], index: number): Hex[] {
  return tree(states)
    .slice(0, CLAIMS_DEPTH)
    .map((row, height) => row[(index >> height) ^ 1] as Hex);
}
