import { bytesToHex, concat, hexToBytes } from 'viem';
import type { Hex } from 'viem';
import { treePath } from '../../deterministic-runtime/commitment/tree.ts';
import { keccak256 } from '../../deterministic-runtime/commitment/keccak.ts';
import type { AssertionRecord } from '../store/tables.ts';

/** One entry of an assertion with its path: what a challenge, a delivery and a fee claim name. */
export interface ProvenEntry {
  readonly index: bigint;
  readonly requestId: Hex;
  readonly outputCommitment: Hex;
  /** Siblings from the leaf upwards. */
  readonly path: readonly Hex[];
}

/** Opens an entry of an assertion: leaves are `keccak256(requestId ‖ outputCommitment)`. @throws RangeError when there is none at that index. */
export function proveEntry(assertion: Pick<AssertionRecord, 'requestIds' | 'outputCommitments'>, index: number): ProvenEntry {
  const { requestIds, outputCommitments } = assertion;
  const [requestId, outputCommitment] = [requestIds[index], outputCommitments[index]];
  if (requestId === undefined || outputCommitment === undefined) throw new RangeError(`the assertion has no entry ${index}`);
  const leaves = new Uint8Array(32 * requestIds.length);
  requestIds.forEach((id, leaf) => leaves.set(keccak256(hexToBytes(concat([id, outputCommitments[leaf] as Hex]))), 32 * leaf));
  return { index: BigInt(index), requestId, outputCommitment, path: treePath(leaves, index).map((node) => bytesToHex(node)) };
}
