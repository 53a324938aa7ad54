import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import { createSender } from '../../rollup-node/chain/sender.ts';
import { silentLogger } from '../../rollup-node/log.ts';
import { openArena } from '../../rollup-node/match/arena.ts';
import type { Arena } from '../../rollup-node/match/arena.ts';
import { openStore } from '../../rollup-node/store/store.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await openArena();
}, 30_000);
afterAll(() => arena.close());

test('a stranger that fetches an account\'s credit before its transaction is mined does not make it run out of gas', async () => {
  const { client, deployment: { dissectionGame: to } } = arena;
  const { account } = arena.wallet(1);
  const credit = { to, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'deposit', args: [account.address] }), value: 1n };
  await arena.send(arena.wallet(1), credit);
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-sender-')));
  const sender = createSender({
    account, store, log: silentLogger(),
    client: {
      ...client,
      estimateGas: async (request: Parameters<typeof client.estimateGas>[0]) => {
        const estimate = await client.estimateGas(request);
        await arena.send(arena.wallet(2), { to, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'withdraw', args: [account.address] }) });
        return estimate;
      },
    } as never,
  });
  await sender.send({ intent: 'credit', ...credit });
  expect(await client.readContract({ address: to, abi: dissectionGameAbi, functionName: 'owed', args: [account.address] })).toBe(1n);
  await store.close();
}, 20_000);
