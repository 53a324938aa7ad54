import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RpcRequestError, TimeoutError, numberToHex, zeroHash } from 'viem';
import { expect, test } from 'vitest';
import { createAgent } from '../../rollup-node/agent/agent.ts';
import type { ChainClient } from '../../rollup-node/chain/client.ts';
import { syncToHead } from '../../rollup-node/chain/follower.ts';
import { openStore } from '../../rollup-node/store/store.ts';
import { addressOf, idOf } from '../../rollup-node/testing/records.ts';
import { surround } from './context.ts';

const NEWEST = 400n;
const PER_BLOCK = 30;
/** What an endpoint gives in one answer. */
const MOST_LOGS = 1_000;

/** A chain of which somebody has made every block noisy, behind an endpoint that limits its answers. */
const noisy = {
  getBlock: async ({ blockNumber }: { blockNumber?: bigint }) => ({ number: blockNumber ?? NEWEST, hash: idOf(Number(blockNumber ?? NEWEST)), timestamp: 1n }),
  getLogs: async ({ fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint }) => {
    const blocks = Number(toBlock - fromBlock) + 1;
    if (blocks * PER_BLOCK > MOST_LOGS) {
      throw new RpcRequestError({ body: {}, url: 'http://endpoint', error: { code: -32_005, message: 'query returned more than 1000 results' } });
    }
    return Array.from({ length: blocks * PER_BLOCK }, (_, index) => {
      const block = fromBlock + BigInt(Math.floor(index / PER_BLOCK));
      return { address: addressOf(1), blockNumber: block, blockHash: idOf(Number(block)), logIndex: index % PER_BLOCK, data: numberToHex(index) };
    });
  },
} as unknown as ChainClient;

test('events that are too many for one answer are read in smaller ranges: noise does not blind a node', async () => {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-follower-')));
  const { head, events } = await syncToHead({
    client: noisy, store, addresses: [addressOf(1)], startBlock: 1n, logRange: 2_000, reorganizationDepth: 16, projection: async () => [],
  });
  expect(head.number).toBe(NEWEST);
  expect(events).toBe(Number(NEWEST) * PER_BLOCK);
  expect((await store.cursor())?.number).toBe(NEWEST);
  await store.close();
}, 20_000);

test('an endpoint that never has the time for a long range is asked for shorter ones, look by look, and for longer ones again', async () => {
  const { context } = await surround({ compute: () => zeroHash });
  let patience = 100n;
  const asked: bigint[] = [];
  const getLogs = async ({ fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint }): Promise<readonly []> => {
    asked.push(toBlock - fromBlock + 1n);
    if (toBlock - fromBlock >= patience) throw new TimeoutError({ body: {}, url: 'http://endpoint' });
    return [];
  };
  const client = { getBlock: noisy.getBlock, getLogs } as unknown as ChainClient;
  const agent = createAgent({ context: { ...context, client }, duties: [], startBlock: 1n, logRange: 300, reorganizationDepth: 16, pollInterval: 10, maximumHeadAge: 0 });
  for (let looks = 0; looks < 4 && agent.status().state !== 'following'; looks += 1) {
    if (looks === 3) patience = NEWEST;
    await agent.tick();
  }
  expect(asked.map(Number)).toEqual([300, 150, 75, 150, 37, 74, 148, 66]);
  expect(await context.store.cursor()).toMatchObject({ number: NEWEST });
  expect(agent.status().state).toBe('following');
  await agent.stop();
  await context.store.close();
});
