import { keccakOf, keccakText } from '../../deterministic-runtime/commitment/keccak.ts';
import { numberWord } from '../../deterministic-runtime/commitment/tree.ts';
import type { SlotCommitments } from '../../fraud-proof/trace/slot-commitments.ts';
import type { Store } from '../store/store.ts';
import type { SlotCommitmentsRecord } from '../store/tables.ts';

/** Slots' commitments of disputed inferences on disk, by model, input and seed: a node that starts again in the middle of a dispute need not hash all tensors again. */
export interface StoredCommitments {
  /** Undefined where there are none, or where they are damaged. */
  read(key: string): Promise<SlotCommitments | undefined>;
  write(key: string, commitments: SlotCommitments): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
}

export function storedCommitments(store: Store): StoredCommitments {
  return {
    async read(key) {
      const record = await store.get('slotCommitments', key);
      if (record === undefined) return undefined;
      const { checksum, ...commitments } = record;
      return Buffer.compare(checksumOf(key, commitments), checksum) === 0 ? commitments : undefined;
    },
    write: (key, commitments) => store.write([{ table: 'slotCommitments', key, value: { ...commitments, checksum: checksumOf(key, commitments) } }]),
    delete: (keys) => store.write(keys.map((key) => ({ table: 'slotCommitments', key, value: undefined }))),
  };
}

/** What is wrong on the disk must not become what this node claims on the chain. */
const checksumOf = (key: string, { iterations, inOrder, epilogue }: Omit<SlotCommitmentsRecord, 'checksum'>): Uint8Array =>
  keccakOf(keccakText(key), numberWord(iterations), numberWord(inOrder.length), inOrder, epilogue);
