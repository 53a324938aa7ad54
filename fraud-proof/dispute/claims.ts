import { concatHex, keccak256 } from 'viem';
import type { Hex } from 'viem';
import type { Arity } from './split.ts';

/** Set behind the blocks' hashes: no hash of whole words is a root. */
const END: Hex = '0x00';

/** Segments of a block of claims: about the root of the arity, so that openings are short. */
export const blockSegments = ({ usual }: Arity): number => 2 ** Math.floor(Math.log2(usual) / 2);

/** Hashes of the blocks of `size` segments, of which the last may be shorter: each of the states at its segments' bounds. */
const blockHashes = (states: readonly Hex[], size: number): Hex[] =>
  Array.from({ length: Math.ceil((states.length - 1) / size) }, (_, block) => keccak256(concatHex(states.slice(block * size, (block + 1) * size + 1))));

/** Root of the claims of a split that travelled as calldata: see `Dissection.sol`. @param states those at the bounds of all segments, 32 bytes each */
export const claimsRoot = (states: readonly Hex[], arity: Arity): Hex => keccak256(concatHex([...blockHashes(states, blockSegments(arity)), END]));

/** Opens segment `index` of such claims: its block's other states, and the other blocks' hashes. */
export function claimsOpening(states: readonly Hex[], index: number, arity: Arity): Hex {
  const size = blockSegments(arity);
  const block = Math.floor(index / size);
  const first = block * size;
  return concatHex([
    ...states.slice(first, index), ...states.slice(index + 2, first + size + 1),
    ...blockHashes(states, size).filter((_, other) => other !== block),
  ]);
}
