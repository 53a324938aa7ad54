import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bytesToHex } from 'viem';
import { afterEach, expect, test } from 'vitest';
import { BLOB_BYTES, versionedHash } from '../../fraud-proof/dispute/blob-claims.ts';
import { kzg } from '../kzg.ts';
import { beaconBlobs, BlobUnavailableError, fetchBlob } from './blob-source.ts';
import type { BlobSource } from './blob-source.ts';

const GENESIS = 1_000_000;
const SECONDS_PER_SLOT = 12;
const SLOT = 77;

const blobWith = (value: number): Uint8Array => {
  const blob = new Uint8Array(BLOB_BYTES);
  blob[31] = value;
  return blob;
};
const [blob, other] = [blobWith(1), blobWith(2)];
const commitment = kzg.blobToKzgCommitment(blob);
const name = { versionedHash: versionedHash(commitment), blockNumber: 5n, timestamp: BigInt(GENESIS + SLOT * SECONDS_PER_SLOT) };

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

/** A beacon node that answers as it is told; any other path is not known. */
async function beaconNode(answers: Readonly<Record<string, unknown>>): Promise<BlobSource & { readonly asked: string[] }> {
  const asked: string[] = [];
  const known: Readonly<Record<string, unknown>> = {
    '/prefix/eth/v1/beacon/genesis': { data: { genesis_time: String(GENESIS) } },
    '/prefix/eth/v1/config/spec': { data: { SECONDS_PER_SLOT: String(SECONDS_PER_SLOT) } },
    ...answers,
  };
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = known[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? { code: 404 }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { ...beaconBlobs(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`), asked };
}

const BLOBS = `/prefix/eth/v1/beacon/blobs/${SLOT}?versioned_hashes=${name.versionedHash}`;
const SIDECARS = `/prefix/eth/v1/beacon/blob_sidecars/${SLOT}`;

test('a blob by its slot and its name, among those of others', async () => {
  const node = await beaconNode({ [BLOBS]: { data: [bytesToHex(other), bytesToHex(blob)] } });
  expect(await fetchBlob(name, [node], kzg)).toEqual(blob);
  await fetchBlob(name, [node], kzg);
  expect(node.asked.filter((path) => path.endsWith('genesis'))).toHaveLength(1);
});

test('a beacon node that has sidecars only', async () => {
  const node = await beaconNode({ [SIDECARS]: { data: [
    { blob: bytesToHex(other), kzg_commitment: bytesToHex(kzg.blobToKzgCommitment(other)) }, { blob: bytesToHex(blob), kzg_commitment: bytesToHex(commitment) },
  ] } });
  expect(await fetchBlob(name, [node], kzg)).toEqual(blob);
});

test('what is not the blob is refused, whatever its commitment says; the next source is asked', async () => {
  const liar = await beaconNode({ [SIDECARS]: { data: [{ blob: bytesToHex(other), kzg_commitment: bytesToHex(commitment) }] } });
  const failing: BlobSource = { name: 'a failing source', blobs: async () => { throw new Error('no route'); } };
  const right: BlobSource = { name: 'a right one', blobs: async () => [blob] };
  expect(await fetchBlob(name, [failing, liar, right], kzg)).toEqual(blob);
  const refused = fetchBlob(name, [failing, liar], kzg);
  await expect(refused).rejects.toThrow(BlobUnavailableError);
  await expect(refused).rejects.toThrow(/a failing source: no route; the beacon node at http:.* answered with another one\): set --beacon/);
});

test.each([
  ['a list of something else', { [BLOBS]: { data: ['0x00'] } }, 'no blob of 131072 bytes'],
  ['no list', { [BLOBS]: { data: 'x' } }, 'no list of blobs'],
  ['nothing', {}, 'does not have it'],
  ['no clock', { [BLOBS]: { data: [] }, '/prefix/eth/v1/config/spec': { data: { SECONDS_PER_SLOT: '0' } } }, 'when its slots are'],
])('a beacon node that answers with %s', async (_, answers, reason) => {
  await expect(fetchBlob(name, [await beaconNode(answers)], kzg)).rejects.toThrow(reason);
});
