import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AgentContext } from '../../rollup-node/agent/duty.ts';
import { BlobUnavailableError } from '../../rollup-node/chain/blob-source.ts';
import { playDisputes } from '../../rollup-node/disputes/play.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import { dispute, idOf, request } from '../../rollup-node/testing/records.ts';

test('a blob is asked for at once, not after an inference that may run longer than chains keep blobs', async () => {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-blobs-')));
  const game = dispute(1, { phase: 'asserter-to-move' });
  const value = { ...game, split: { ...game.split, inner: [], blob: { versionedHash: idOf(7), blockNumber: 1n } } };
  const asked = request(1, { requestId: game.requestId });
  await store.write([
    { table: 'disputes', key: game.gameId, value }, { table: 'openDisputes', key: game.gameId, value: true }, { table: 'requests', key: asked.requestId, value: asked },
  ]);
  const context = {
    store, self: game.asserter,
    client: { getBlock: async () => ({ timestamp: 1n }) },
    blobSources: [{ name: 'a source', blobs: async () => [] }],
    inference: { keepTraces: async () => undefined, trace: () => new Promise(() => undefined) },
  } as unknown as AgentContext;
  const [turn] = await playDisputes(context, { number: 1n, hash: idOf(1), timestamp: game.turnStartedAt });
  await expect(turn!.run(new AbortController().signal)).rejects.toThrow(BlobUnavailableError);
  await store.close();
}, 5_000);
