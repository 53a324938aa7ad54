import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { connect } from './client.ts';

const HASH = `0x${'ab'.repeat(32)}` as const;
const ADDRESS = `0x${'01'.repeat(20)}`;
const mined = { transactionHash: HASH, hash: HASH, blockNumber: '0x5', blockHash: HASH, transactionIndex: '0x0', from: ADDRESS, to: ADDRESS, nonce: '0x0' };

let stop: () => void = () => undefined;
afterEach(() => stop());

/** A chain that stands at block 5, which shows a transaction in it, and the receipt only when it has been asked for so many times. */
async function chainWithLateReceipt(asked: number): Promise<string> {
  let times = 0;
  const answers: Record<string, () => unknown> = {
    eth_chainId: () => '0x1',
    eth_blockNumber: () => '0x5',
    eth_getBlockByNumber: () => ({ number: '0x5', hash: HASH, transactions: [] }),
    eth_getTransactionByHash: () => ({ ...mined, type: '0x2', value: '0x0', gas: '0x5208', input: '0x' }),
    eth_getTransactionReceipt: () => ((times += 1) > asked ? { ...mined, status: '0x1', gasUsed: '0x5208', logs: [] } : null),
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      const { id, method } = JSON.parse(Buffer.concat(parts).toString()) as { id: number; method: string };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]?.() ?? null }));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  stop = () => void server.close();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a receipt that comes after its block is found though no other block follows', async () => {
  const client = await connect({ rpcUrl: await chainWithLateReceipt(3), pollInterval: 10 });
  expect((await client.waitForTransactionReceipt({ hash: HASH })).gasUsed).toBe(21_000n);
});

test('the wait ends when its time is over', async () => {
  const client = await connect({ rpcUrl: await chainWithLateReceipt(Number.POSITIVE_INFINITY), pollInterval: 10 });
  await expect(client.waitForTransactionReceipt({ hash: HASH, timeout: 1_500 })).rejects.toThrow('Timed out while waiting for transaction');
});

test('what an endpoint is told by is its host: paths and passwords may be access keys', async () => {
  for (const rpcUrl of ['http://127.0.0.1:1/v3/verysecret', 'http://user:verysecret@127.0.0.1:1']) {
    const refused = connect({ rpcUrl, retryCount: 0 });
    await expect(refused).rejects.toThrow(/cannot reach the chain at http:\/\/127\.0\.0\.1:1: /);
    await expect(refused).rejects.not.toThrow(/verysecret/);
  }
  const rpcUrl = `${await chainWithLateReceipt(0)}/verysecret`;
  await expect(connect({ rpcUrl, chainId: 2 })).rejects.toThrow(/^http:\/\/127\.0\.0\.1:\d+ serves chain 1, not 2$/);
});
