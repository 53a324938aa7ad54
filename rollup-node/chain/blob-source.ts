import { hexToBytes, isHex } from 'viem';
import type { Hex } from 'viem';
import { BLOB_BYTES, versionedHash } from '../../fraud-proof/dispute/blob-claims.ts';
import type { Kzg } from '../../fraud-proof/dispute/blob-claims.ts';
import { reasonOf } from '../errors.ts';
import type { ChainClient } from './client.ts';

/** Milliseconds that one request may take. */
const PATIENCE = 20_000;
/** Bytes of an answer at most: more than the blobs of any block, in hex. */
const ANSWER_LIMIT = 64 * 1_048_576;
const BLOB_DIGITS = 2 + 2 * BLOB_BYTES;

/** Names a blob: its versioned hash, and the block whose transaction carried it. */
export interface BlobName {
  readonly versionedHash: Hex;
  readonly blockNumber: bigint;
  /** Seconds of block time. */
  readonly timestamp: bigint;
}

/** Somebody who may still have a blob. What it answers with is not believed before it was checked. */
export interface BlobSource {
  /** For messages. */
  readonly name: string;
  /** Candidates, none when it has none. @throws whatever the request failed with */
  blobs(name: BlobName): Promise<readonly Uint8Array[]>;
  /** Finds out whether it would give blobs at all. Absent where there is nothing to ask. @throws Error that says why it would not */
  check?(): Promise<void>;
}

/** No source has a blob. */
export class BlobUnavailableError extends Error {
  override readonly name = 'BlobUnavailableError';
  /** What every source answered. */
  readonly reasons: readonly string[];
  constructor({ versionedHash: hash, blockNumber }: BlobName, reasons: readonly string[]) {
    super(`claims are in blob ${hash} of block ${blockNumber}, which cannot be had (${reasons.join('; ')}): set --beacon to the URL of a beacon node that has the chain's blobs`);
    this.reasons = reasons;
  }
}

/**
 * Fetches a blob from the first source that has it. What comes is right or refused: its commitment is computed again and has to have the name.
 * @throws BlobUnavailableError that says what every source answered, and what to configure
 */
export async function fetchBlob(name: BlobName, sources: readonly BlobSource[], kzg: Kzg): Promise<Uint8Array> {
  const reasons: string[] = [];
  for (const source of sources) {
    try {
      const candidates = await source.blobs(name);
      const blob = candidates.find((candidate) => versionedHash(kzg.blobToKzgCommitment(candidate)) === name.versionedHash);
      if (blob !== undefined) return blob;
      reasons.push(`${source.name} ${candidates.length === 0 ? 'does not have it' : 'answered with another one'}`);
    } catch (error) {
      reasons.push(`${source.name}: ${reasonOf(error)}`);
    }
  }
  throw new BlobUnavailableError(name, reasons);
}

/** Where a chain's blobs are asked for: at a beacon node, if one is configured, and at the endpoint itself, since development chains have them. */
export const blobSourcesOf = (client: ChainClient, beacon: string | undefined): readonly BlobSource[] =>
  [...(beacon === undefined ? [] : [beaconBlobs(beacon)]), endpointBlobs(client)];

/** What a development chain keeps: anvil's `anvil_getBlobByHash`. Other endpoints do not know the method. */
export function endpointBlobs(client: ChainClient): BlobSource {
  return {
    name: 'the JSON-RPC endpoint',
    blobs: async ({ versionedHash: hash }) => {
      const answer = await client.request({ method: 'anvil_getBlobByHash', params: [hash] } as never, { retryCount: 0 }) as unknown;
      return answer === null ? [] : [blobOfHex(answer)];
    },
  };
}

/**
 * A node of the consensus layer, by the Beacon API: `/eth/v1/beacon/blobs/{slot}` (since Fulu), or `blob_sidecars` of nodes that have nothing else. anvil has the first of
 * them on its own port, without slots: it goes by the numbers of blocks.
 */
export function beaconBlobs(url: string): BlobSource {
  let clock: Promise<SlotClock | null> | undefined;
  const slotsOf = (): Promise<SlotClock | null> => (clock ??= slotClock(url).catch((error: unknown) => {
    clock = undefined;
    throw error;
  }));
  return {
    name: `the beacon node at ${new URL(url).origin}`,
    check: async () => {
      const newest = (await slotsOf()) === null ? 'latest' : 'head';
      const blobs = await ask(url, `eth/v1/beacon/blobs/${newest}`);
      if ('data' in blobs) return;
      const sidecars = await ask(url, `eth/v1/beacon/blob_sidecars/${newest}`);
      if (!('data' in sidecars)) throw new Error(`${blobs.refusal}; ${sidecars.refusal}`);
    },
    blobs: async ({ versionedHash: hash, blockNumber, timestamp }) => {
      const slots = await slotsOf();
      const id = slots === null ? blockNumber : slotAt(slots, timestamp);
      const named = await ask(url, `eth/v1/beacon/blobs/${id}?versioned_hashes=${hash}`);
      if ('data' in named) return listOf(named.data, 'blobs').map(blobOfHex);
      const sidecars = await ask(url, `eth/v1/beacon/blob_sidecars/${id}`);
      if ('data' in sidecars) return listOf(sidecars.data, 'sidecars').filter((sidecar) => isNamed(sidecar, hash)).map((sidecar) => blobOfHex(field(sidecar, 'blob')));
      throw new Error(`${named.refusal}; ${sidecars.refusal}`);
    },
  };
}

interface SlotClock {
  /** Seconds. */
  readonly genesis: bigint;
  readonly milliseconds: bigint;
}

/** When slots are; null where the node has no configuration to say so. */
async function slotClock(url: string): Promise<SlotClock | null> {
  const [genesis, spec] = await Promise.all([ask(url, 'eth/v1/beacon/genesis'), ask(url, 'eth/v1/config/spec')]);
  if (!('data' in genesis)) throw new Error(genesis.refusal);
  if (!('data' in spec)) {
    if (spec.status === NOT_FOUND) return null;
    throw new Error(spec.refusal);
  }
  const start = field(genesis.data, 'genesis_time');
  const [milliseconds, seconds] = [field(spec.data, 'SLOT_DURATION_MS'), field(spec.data, 'SECONDS_PER_SLOT')];
  const length = isCount(milliseconds) ? BigInt(milliseconds) : isCount(seconds) ? 1_000n * BigInt(seconds) : 0n;
  if (!isCount(start) || length === 0n) throw new Error('it does not say when its slots are (genesis_time; SLOT_DURATION_MS or SECONDS_PER_SLOT)');
  return { genesis: BigInt(start), milliseconds: length };
}

function slotAt({ genesis, milliseconds }: SlotClock, timestamp: bigint): bigint {
  if (timestamp < genesis) throw new Error(`its chain began at ${genesis}, after the block (${timestamp}): it is a node of another chain`);
  return (1_000n * (timestamp - genesis)) / milliseconds;
}

const NOT_FOUND = 404;
/** Characters of an explanation that are passed on. */
const SHOWN = 300;

/** The `data` of an answer, or how the node refused, in words. */
type Answer = { readonly data: unknown } | { readonly status: number; readonly refusal: string };

async function ask(url: string, path: string): Promise<Answer> {
  const { target, headers } = requestFor(url, path);
  const response = await fetch(target, { headers, signal: AbortSignal.timeout(PATIENCE) });
  const text = await limitedText(response);
  const answer = parsed(text);
  if (response.ok && answer === undefined) throw new Error(`what it answered to ${path} is no JSON`);
  if (response.ok) return { data: field(answer, 'data') ?? null };
  const { status } = response;
  const message = field(answer, 'message');
  return { status, refusal: `it answered ${status} to ${path.replace(/\?.*$/, '')}${typeof message === 'string' ? ` (${reasonOf(message).slice(0, SHOWN)})` : ''}` };
}

/** A path below the node's URL. Keys stay where providers want them: in the query, or as a name and password, which `fetch` takes in a header only. */
function requestFor(url: string, path: string): { readonly target: URL; readonly headers: Record<string, string> } {
  const base = new URL(url);
  const credentials = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
  const target = new URL(path, `${base.origin}${base.pathname.replace(/\/*$/, '/')}`);
  for (const [name, value] of base.searchParams) target.searchParams.append(name, value);
  const authorization = credentials === ':' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  return { target, headers: { accept: 'application/json', ...authorization } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function limitedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += (chunk as Uint8Array).length;
    if (length > ANSWER_LIMIT) throw new Error(`its answer has more than ${ANSWER_LIMIT} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const field = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined);
const isCount = (value: unknown): value is string => typeof value === 'string' && /^\d{1,18}$/.test(value);

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`its answer is no list of ${what}`);
  return value;
}

/** A sidecar's commitment is compared before its blob is looked at; `fetchBlob` then checks the blob itself. */
function isNamed(sidecar: unknown, hash: Hex): boolean {
  const commitment = field(sidecar, 'kzg_commitment');
  return isHex(commitment) && versionedHash(hexToBytes(commitment)) === hash;
}

function blobOfHex(value: unknown): Uint8Array {
  if (!isHex(value) || value.length !== BLOB_DIGITS) throw new Error(`it answered with something that is no blob of ${BLOB_BYTES} bytes`);
  return hexToBytes(value);
}
