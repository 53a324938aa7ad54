import { bytesToHex, concat, fromRlp, slice, toRlp } from 'viem';
import type { Hex, TransactionSerialized } from 'viem';
import { versionedHash } from '../../fraud-proof/dispute/blob-claims.ts';
import { kzg } from '../kzg.ts';
import type { KzgLibrary } from '../kzg.ts';

/** Type byte of a transaction with blobs (EIP-4844). */
const BLOB_TRANSACTION = '0x03';
/** Version of what goes with one on its way to a block: blobs with proofs of their cells (EIP-7594). */
const WRAPPER_VERSION = '0x01';

/** What a transaction with blobs takes along on its way to a block, and what no block keeps. */
export interface BlobSidecar {
  /** 131,072 bytes each. */
  readonly blobs: readonly Uint8Array[];
  /** KZG commitments, 48 bytes each. */
  readonly commitments: readonly Uint8Array[];
  /** KZG proofs of the blobs' cells, 128 a blob, blob after blob. */
  readonly cellProofs: readonly Uint8Array[];
}

/** Commits to blobs and to their cells. */
export function sidecarOf(blobs: readonly Uint8Array[], library: KzgLibrary): BlobSidecar {
  return {
    blobs,
    commitments: blobs.map((blob) => library.blobToKzgCommitment(blob)),
    cellProofs: blobs.flatMap((blob) => library.computeCellsAndKzgProofs(blob).proofs),
  };
}

/** The names of a transaction's blobs, as the contract sees them. */
export const versionedHashesOf = (blobs: readonly Uint8Array[], commitments: readonly Uint8Array[] = blobs.map((blob) => kzg.blobToKzgCommitment(blob))): Hex[] =>
  commitments.map(versionedHash);

/** What an estimate has to know of a transaction's blobs. Untyped: viem's types ask for the blobs themselves, which nodes need not be sent for it. */
export const blobArguments = (blobVersionedHashes: readonly Hex[]): object => (blobVersionedHashes.length === 0 ? {} : { blobVersionedHashes });

/** A signed transaction as nodes take it: with its blobs, if it has any. Its hash is that of the signed bytes alone. */
export function networkForm(signed: Hex, sidecar: BlobSidecar | undefined): TransactionSerialized {
  if (sidecar === undefined) return signed as TransactionSerialized;
  const body = fromRlp(slice(signed, 1), 'hex');
  const { blobs, commitments, cellProofs } = sidecar;
  const hex = (all: readonly Uint8Array[]): Hex[] => all.map((bytes) => bytesToHex(bytes));
  return concat([BLOB_TRANSACTION, toRlp([body, WRAPPER_VERSION, hex(blobs), hex(commitments), hex(cellProofs)])]) as TransactionSerialized;
}
