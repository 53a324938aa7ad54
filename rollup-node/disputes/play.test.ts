import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { expect, test } from 'vitest';
import type { AgentContext } from '../agent/duty.ts';
import type { Head } from '../chain/follower.ts';
import { openStore } from '../store/store.ts';
import { addressOf, dispute, idOf } from '../testing/records.ts';
import { playDisputes } from './play.ts';

test('traces are kept for disputes that run, and let go of once they are decided', async () => {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-play-')));
  const kept: Hex[][] = [];
  const context = { store, self: addressOf(4), inference: { keepTraces: (ids: ReadonlySet<Hex>) => kept.push([...ids].sort()) } } as unknown as AgentContext;
  const records = [
    dispute(1, { requestId: idOf(0x101) }),
    dispute(2, { requestId: idOf(0x102), phase: 'challenger-to-move' }),
    dispute(3, { requestId: idOf(0x103), challenger: addressOf(9) }),
  ];
  const write = (changed: readonly ReturnType<typeof dispute>[]): Promise<void> => store.write(changed.flatMap((value) => [
    { table: 'disputes' as const, key: value.gameId, value }, { table: 'openDisputes' as const, key: value.gameId, value: true as const },
  ]));
  await write(records);
  const at = (timestamp: bigint): Head => ({ number: 1n, hash: idOf(1), timestamp });
  await playDisputes(context, at(60n));
  // Decided, though nobody has paid the stakes out.
  await write([{ ...records[1]!, phase: 'asserter-won' }]);
  await playDisputes(context, at(60n));
  // The asserter's clock has run out.
  await playDisputes(context, at(200n));
  expect(kept).toEqual([[idOf(0x101), idOf(0x102)], [idOf(0x101)], []]);
  await store.close();
});
