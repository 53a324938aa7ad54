import { concat, encodeAbiParameters, keccak256, zeroHash } from 'viem';
import type { Hex } from 'viem';
import type { AssertionOnStage, Scene } from './scene.ts';

/** What names a list and all that it builds on: docs/dispute.md, "Assertions". */
export const claimOf = (parent: Hex, root: Hex, count: number): Hex =>
  keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint256' }], [parent, root, BigInt(count)]));

/** The root of a list of one entry: its leaf. */
export const rootOfOne = (requestId: Hex, output: Hex): Hex => keccak256(concat([requestId, output]));

/** True if all entries of a list are right. */
export const isRight = ({ asked, truth }: Scene, { requestIds, outputCommitments }: Pick<AssertionOnStage, 'requestIds' | 'outputCommitments'>): boolean =>
  requestIds.every((id, entry) => id !== asked.requestId || outputCommitments[entry] === truth.output);

/** True if a list of this claim was asserted, is right, and builds on nothing or on a claim of which the same is true. Only such a claim may ever be final. */
export function isTrueClaim(scene: Scene, claim: Hex): boolean {
  if (claim === zeroHash) return true;
  const instance = scene.assertions.find((one) => one.claim === claim);
  return instance !== undefined && isRight(scene, instance) && isTrueClaim(scene, instance.parent);
}
