import { createRequire } from 'node:module';
import type { DasContextJs } from '@crate-crypto/node-eth-kzg';
import type { Kzg, KzgVerifier } from '../fraud-proof/dispute/blob-claims.ts';
import { UserError } from './errors.ts';

/** What a node needs of a KZG library: claims in blobs, the precompile in a replay, and what a blob's transaction carries. */
export type KzgLibrary = Kzg & KzgVerifier & Pick<DasContextJs, 'computeCellsAndKzgProofs'>;

let opened: DasContextJs | undefined;

/** Setting up takes seconds: nobody pays for it before there is a blob. @throws UserError where the library is not installed */
function library(): DasContextJs {
  if (opened !== undefined) return opened;
  try {
    const { DasContextJs: Context } = createRequire(import.meta.url)('@crate-crypto/node-eth-kzg') as typeof import('@crate-crypto/node-eth-kzg');
    opened = Context.create({ usePrecomp: false });
  } catch (error) {
    throw new UserError('claims in blobs need @crate-crypto/node-eth-kzg, which is not installed for this platform', { hint: 'npm install @crate-crypto/node-eth-kzg', cause: error });
  }
  return opened;
}

/** The KZG library, opened when it is first used. */
export const kzg: KzgLibrary = {
  blobToKzgCommitment: (blob) => library().blobToKzgCommitment(blob),
  computeKzgProof: (blob, z) => library().computeKzgProof(blob, z),
  computeCellsAndKzgProofs: (blob) => library().computeCellsAndKzgProofs(blob),
  verifyKzgProof: (commitment, z, y, proof) => library().verifyKzgProof(commitment, z, y, proof),
};
