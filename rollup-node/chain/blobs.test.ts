import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClient, hexToBytes, http } from 'viem';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { BLOB_BYTES, versionedHash } from '../../fraud-proof/dispute/blob-claims.ts';
import { startAnvil } from '../anvil.ts';
import type { Anvil } from '../anvil.ts';
import { kzg } from '../kzg.ts';
import { silentLogger } from '../log.ts';
import { openStore } from '../store/store.ts';
import { beaconBlobs, BlobUnavailableError, endpointBlobs, fetchBlob } from './blob-source.ts';
import { connect } from './client.ts';
import type { ChainClient } from './client.ts';
import { createSender } from './sender.ts';

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 });

let anvil: Anvil;
let client: ChainClient;
const control = () => createTestClient({ mode: 'anvil', transport: http(anvil.url) });
const blob = new Uint8Array(BLOB_BYTES).map((_, index) => (index % 32 === 0 ? 0 : index % 251));
const name = versionedHash(kzg.blobToKzgCommitment(blob));

beforeAll(async () => {
  anvil = await startAnvil();
  client = await connect({ rpcUrl: anvil.url, pollInterval: 20 });
});
afterAll(() => anvil.stop());

async function richAccount() {
  const account = privateKeyToAccount(generatePrivateKey());
  await control().setBalance({ address: account.address, value: 10n ** 20n });
  return account;
}

test('a transaction with a blob: stuck, then offered for twice the price, and twice that; the same blob, which can be had afterwards', async () => {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-blobs-')));
  const account = await richAccount();
  const sender = createSender({ client, account, store, log: silentLogger(), resendAfter: 300 });
  await control().setAutomine(false);
  const sent = sender.send({ intent: 'blob', to: account.address, data: '0x', blobs: [blob] });
  await expect.poll(async () => (await store.get('transactions', 'blob'))?.attempts.length, { timeout: 20_000 }).toBe(3);
  await control().mine({ blocks: 1 });
  await control().setAutomine(true);
  const { hash, blobFee } = await sent;
  const [first, second, third] = (await store.get('transactions', 'blob'))!.attempts;
  for (const fee of ['maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas'] as const) {
    expect(second![fee]!).toBeGreaterThanOrEqual(2n * first![fee]!);
    expect(third![fee]!).toBeGreaterThanOrEqual(2n * second![fee]!);
  }
  expect(await client.getTransaction({ hash })).toMatchObject({ type: 'eip4844', blobVersionedHashes: [name], nonce: 0 });
  expect(blobFee).toBe(BigInt(BLOB_BYTES));
  const { number, timestamp } = await client.getBlock();
  expect(await fetchBlob({ versionedHash: name, blockNumber: number, timestamp }, [endpointBlobs(client)], kzg)).toEqual(blob);
  await store.close();
});

test('what a chain serves by the Beacon API itself: each blob by its name, of one transaction and of several in a block', async () => {
  const other = new Uint8Array(BLOB_BYTES).fill(3, 33, 64);
  const third = new Uint8Array(BLOB_BYTES).fill(5, 65, 96);
  const senders = await Promise.all([[blob, other], [third]].map(async (blobs) => {
    const account = await richAccount();
    const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-blobs-')));
    return { blobs, store, to: account.address, sender: createSender({ client, account, store, log: silentLogger() }) };
  }));
  await control().setAutomine(false);
  const sent = senders.map(({ sender, blobs, to }) => sender.send({ intent: 'blob', to, data: '0x', blobs }));
  await expect.poll(async () => (await control().getTxpoolStatus()).pending, { timeout: 20_000 }).toBe(2);
  await control().mine({ blocks: 1 });
  await control().setAutomine(true);
  const [first, second] = await Promise.all(sent);
  expect(first!.blockNumber).toBe(second!.blockNumber);
  await control().mine({ blocks: 3 });
  const { number: blockNumber, timestamp } = await client.getBlock({ blockNumber: first!.blockNumber });
  const beacon = beaconBlobs(anvil.url);
  for (const wanted of [blob, other, third]) {
    expect(await fetchBlob({ versionedHash: versionedHash(kzg.blobToKzgCommitment(wanted)), blockNumber, timestamp }, [beacon], kzg)).toEqual(wanted);
  }
  await expect(fetchBlob({ versionedHash: name, blockNumber: blockNumber + 1n, timestamp }, [beacon], kzg)).rejects.toThrow(/does not have it/);
  const unknown = fetchBlob({ versionedHash: name, blockNumber: blockNumber + 1_000n, timestamp }, [beacon], kzg);
  await expect(unknown).rejects.toThrow(BlobUnavailableError);
  await expect(unknown).rejects.toThrow(/it answered 404 to eth\/v1\/beacon\/blobs\/\d+ \(Block not found\); it answered 410 .*deprecated/);
  await Promise.all(senders.map(({ store }) => store.close()));
});

test('killed before it was broadcast: the next process sends the same bytes, blob and all', async () => {
  const location = await mkdtemp(join(tmpdir(), 'assay-blobs-'));
  const account = await richAccount();
  const killed = await openStore(location);
  const dying = createSender({ client, account, store: killed, log: silentLogger(), probe: (point) => { if (point.startsWith('broadcast')) throw new Error('killed'); } });
  await expect(dying.send({ intent: 'blob', to: account.address, data: '0x', blobs: [blob] })).rejects.toThrow('killed');
  await killed.close();
  const store = await openStore(location);
  const { raw, hash } = (await store.get('transactions', 'blob'))!.attempts[0]!;
  const sender = createSender({ client, account, store, log: silentLogger() });
  await sender.resume();
  await expect.poll(async () => (await store.get('transactions', 'blob'))?.status, { timeout: 20_000 }).toBe('mined');
  expect((await client.getTransaction({ hash })).blobVersionedHashes).toEqual([name]);
  expect(hexToBytes(raw as Hex).length).toBeLessThan(1_000);
  await store.close();
});
