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

/** An answer that is an error. */
class Refusal {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    this.status = status;
    this.body = body;
  }
}

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
    if (answer instanceof Refusal) response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    else response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? { code: 404 }));
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

test('a key in the URL, as a query or as a name and password, goes with every request and into no message', async () => {
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const source = beaconBlobs(`http://some%20body:pass@127.0.0.1:${port}/prefix/?apikey=secret`);
  const message = await fetchBlob(name, [source], kzg).catch((error: Error) => error.message);
  expect(message).not.toMatch(/secret|pass@|some/);
  expect(asked.length).toBeGreaterThan(1);
  for (const { url, authorization } of asked) {
    expect(url).toMatch(/^\/prefix\/eth\/v1\/.*[?&]apikey=secret$/);
    expect(authorization).toBe(`Basic ${btoa('some body:pass')}`);
  }
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

const SPEC = '/prefix/eth/v1/config/spec';

test.each([
  ['SLOT_DURATION_MS beside SECONDS_PER_SLOT', { SECONDS_PER_SLOT: '12', SLOT_DURATION_MS: '12000' }],
  ['SLOT_DURATION_MS alone', { SLOT_DURATION_MS: '12000' }],
])('a clock with %s', async (_, data) => {
  const node = await beaconNode({ [SPEC]: { data }, [BLOBS]: { data: [bytesToHex(blob)] } });
  expect(await fetchBlob({ ...name, timestamp: name.timestamp + 11n }, [node], kzg)).toEqual(blob);
});

// What Prysm 7 and Lighthouse 8 answer since Fulu where they do not keep enough columns, and a node that does not have the newer path.
test.each([
  ['404 and why', new Refusal(404, '{"message":"Not found: the node does not custody enough data columns to reconstruct blobs","code":404}'), /404 to eth\/v1\/beacon\/blobs\/77 \(Not found: the node does not custody enough data columns to reconstruct blobs\); it answered 404 to eth\/v1\/beacon\/blob_sidecars\/77\): set --beacon/],
  ['500 and why', new Refusal(500, '{"code":500,"message":"INTERNAL_SERVER_ERROR: Insufficient data columns to reconstruct blobs: required 64, but only 4 were found."}'), /500 to eth\/v1\/beacon\/blobs\/77 \(INTERNAL_SERVER_ERROR: Insufficient data columns .* only 4 were found\.\)/],
  ['400 in plain text', new Refusal(400, 'bad request'), /it answered 400 to eth\/v1\/beacon\/blobs\/77;/],
])('a beacon node that answers %s is asked for sidecars, and quoted', async (_, refusal, message) => {
  await expect(fetchBlob(name, [await beaconNode({ [BLOBS]: refusal })], kzg)).rejects.toThrow(message);
  const sidecars = { data: [{ blob: bytesToHex(blob), kzg_commitment: bytesToHex(commitment) }] };
  expect(await fetchBlob(name, [await beaconNode({ [BLOBS]: refusal, [SIDECARS]: sidecars })], kzg)).toEqual(blob);
});

test.each([
  ['a list of something else', { [BLOBS]: { data: ['0x00'] } }, 'no blob of 131072 bytes'],
  ['no list', { [BLOBS]: { data: 'x' } }, 'no list of blobs'],
  ['an empty list', { [BLOBS]: { data: [] } }, 'does not have it'],
  ['no JSON', { [BLOBS]: new Refusal(200, '<html>') }, 'is no JSON'],
  ['nothing', {}, 'it answered 404 to eth/v1/beacon/blobs/77; it answered 404 to eth/v1/beacon/blob_sidecars/77'],
  ['no clock', { [BLOBS]: { data: [] }, [SPEC]: { data: { SECONDS_PER_SLOT: '0' } } }, 'when its slots are'],
  ['a clock that fails', { [BLOBS]: { data: [] }, [SPEC]: new Refusal(503, '') }, 'it answered 503 to eth/v1/config/spec'],
  ['a younger chain', { '/prefix/eth/v1/beacon/genesis': { data: { genesis_time: '2000000' } } }, 'a node of another chain'],
])('a beacon node that answers with %s', async (_, answers, reason) => {
  await expect(fetchBlob(name, [await beaconNode(answers)], kzg)).rejects.toThrow(reason);
});
