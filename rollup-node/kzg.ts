import { createRequire } from 'node:module';
import type { Kzg, KzgVerifier } from '../fraud-proof/dispute/blob-claims.ts';
import { UserError } from './errors.ts';

/** A blob's cells and their proofs (EIP-7594). */
interface CellsAndProofs {
  readonly cells: Uint8Array[];
  readonly proofs: Uint8Array[];
}

/** What a node needs of a KZG library: claims in blobs, the precompile in a replay, and what a blob's transaction carries. */
export interface KzgLibrary extends Kzg, KzgVerifier {
  computeCellsAndKzgProofs(blob: Uint8Array): CellsAndProofs;
}

interface KzgModule {
  readonly DasContextJs: { create(options: { readonly usePrecomp: boolean }): KzgLibrary };
}

/** The library of all platforms, where a user has installed it, and the one that comes with the project: Linux x64 alone. */
const PACKAGES = ['@crate-crypto/node-eth-kzg', '@crate-crypto/node-eth-kzg-linux-x64-gnu'];

let opened: KzgLibrary | undefined;

/** Setting up takes seconds: nobody pays for it before there is a blob. @throws UserError where the library is not installed */
function library(): KzgLibrary {
  if (opened !== undefined) return opened;
  const require = createRequire(import.meta.url);
  let cause: unknown;
  for (const name of PACKAGES) {
    try {
      opened = (require(name) as KzgModule).DasContextJs.create({ usePrecomp: false });
      return opened;
    } catch (error) {
      cause = error;
    }
  }
  throw new UserError('claims in blobs need @crate-crypto/node-eth-kzg, which is not installed for this platform', { hint: 'npm install @crate-crypto/node-eth-kzg', cause });
}

/** The KZG library, opened when it is first used. */
export const kzg: KzgLibrary = {
  blobToKzgCommitment: (blob) => library().blobToKzgCommitment(blob),
  computeKzgProof: (blob, z) => library().computeKzgProof(blob, z),
  computeCellsAndKzgProofs: (blob) => library().computeCellsAndKzgProofs(blob),
  verifyKzgProof: (commitment, z, y, proof) => library().verifyKzgProof(commitment, z, y, proof),
};
