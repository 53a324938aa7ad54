import { statesOfBlob } from '../../fraud-proof/dispute/blob-claims.ts';
import type { ClaimedSplit, PlayOptions } from '../../fraud-proof/dispute/player.ts';
import { BLOB_ARITY, segmentCount } from '../../fraud-proof/dispute/split.ts';
import type { AgentContext } from '../agent/duty.ts';
import { fetchBlob } from '../chain/blob-source.ts';
import { kzg } from '../kzg.ts';
import type { DisputeRecord } from '../store/tables.ts';

/** How a node plays: with which arity, and what its own claims travel in. */
export const playOptionsOf = ({ contracts, claims }: Pick<AgentContext, 'contracts' | 'claims'>): PlayOptions => ({ arity: contracts.arity, carrier: claims ?? 'calldata', kzg });

/**
 * A dispute's latest split. If its inner states are in a blob, that is fetched, once: chains forget blobs, so the store keeps it as long as the dispute runs.
 * @throws BlobUnavailableError when nobody has it
 */
export async function claimedSplit(
  { gameId, split: { start, length, first, inner, last, blob: name } }: Pick<DisputeRecord, 'gameId' | 'split'>,
  { store, client, blobSources = [] }: Pick<AgentContext, 'store' | 'client' | 'blobSources'>,
): Promise<ClaimedSplit> {
  if (name === undefined) return { start, length, states: [first, ...inner, last], carrier: 'calldata' };
  const { versionedHash, blockNumber } = name;
  const kept = await store.get('fetchedBlobs', gameId);
  let blob = kept?.versionedHash === versionedHash ? kept.blob : undefined;
  if (blob === undefined) {
    const { timestamp } = await client.getBlock({ blockNumber });
    blob = await fetchBlob({ versionedHash, blockNumber, timestamp }, blobSources, kzg);
    await store.write([{ table: 'fetchedBlobs', key: gameId, value: { versionedHash, blob } }, { table: 'gamesWithBlobs', key: gameId, value: true }]);
  }
  return { start, length, states: statesOfBlob(first, blob, last, segmentCount(length, BLOB_ARITY)), carrier: 'blob', blob };
}

/** Lets go of the blobs of all disputes but those. */
export async function keepBlobs(running: ReadonlySet<string>, { store }: Pick<AgentContext, 'store'>): Promise<void> {
  const over = (await store.list('gamesWithBlobs')).filter(({ key }) => !running.has(key));
  if (over.length === 0) return;
  await store.write(over.flatMap(({ key }) => [{ table: 'fetchedBlobs' as const, key, value: undefined }, { table: 'gamesWithBlobs' as const, key, value: undefined }]));
}
