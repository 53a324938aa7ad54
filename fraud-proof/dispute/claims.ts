import { concat, keccak256 } from 'viem';
import type { Hex } from 'viem';

const ZERO: Hex = `0x${'00'.repeat(32)}`;

const parent = (left: Hex, right: Hex): Hex => (left === ZERO && right === ZERO ? ZERO : keccak256(concat([left, right])));

/** The rows of the tree over a split's segments, leaves first: `leafCount` leaves `keccak256(state_j ‖ state_{j+1})`, missing ones zero. */
function tree(states: readonly Hex[], leafCount: number): Hex[][] {
  let row = Array.from({ length: leafCount }, (_, index): Hex => {
    const [start, end] = [states[index], states[index + 1]];
    return start === undefined || end === undefined ? ZERO : keccak256(concat([start, end]));
  });
  const rows = [row];
  while (row.length > 1) {
    const below = row;
    row = Array.from({ length: below.length / 2 }, (_, index) => parent(below[2 * index] as Hex, below[2 * index + 1] as Hex));
    rows.push(row);
  }
  return rows;
}

/** Root of the claims of a split that travelled as calldata. `leafCount` is a power of two: the most segments that a split may have. */
export const claimsRoot = (states: readonly Hex[], leafCount: number): Hex => tree(states, leafCount).at(-1)?.[0] as Hex;

/** Opens segment `index` of such claims: the siblings from the leaf upwards. */
export const claimsPath = (states: readonly Hex[], index: number, leafCount: number): Hex =>
  concat(tree(states, leafCount).slice(0, -1).map((row, height) => row[(index >> height) ^ 1] as Hex));
