import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseTransaction, recoverTransactionAddress } from 'viem';
import type { Hex, TransactionSerializableEIP1559 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, test } from 'vitest';
import { startAnvil } from '../anvil.ts';
import { remoteAccount, watchingAccount } from './remote-signer.ts';

const owner = privateKeyToAccount(`0x${'11'.repeat(32)}`);
const stranger = privateKeyToAccount(`0x${'22'.repeat(32)}`);
const transaction: TransactionSerializableEIP1559 = { type: 'eip1559', chainId: 31337, to: stranger.address, data: '0xabcdef', value: 5n, gas: 50_000n, nonce: 0, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };

let server: Server | undefined;
afterEach(() => void server?.close());

/** A signer that answers as a function says. */
async function signer(sign: (call: Record<string, Hex>) => Promise<unknown>, accounts: readonly string[] = [owner.address]): Promise<string> {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      const { id, method, params } = JSON.parse(Buffer.concat(parts).toString()) as { id: number; method: string; params: [Record<string, Hex>] };
      const answer = method === 'eth_accounts' ? Promise.resolve(accounts) : sign(params[0]);
      void answer.then((result) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, result })));
    });
  });
  await new Promise<void>((ready) => server?.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a signer's call object says. */
const read = (call: Record<string, Hex>): TransactionSerializableEIP1559 => ({
  type: 'eip1559', chainId: Number(call.chainId), to: call.to!, data: call.data!, value: BigInt(call.value!), gas: BigInt(call.gas!), nonce: Number(call.nonce),
  maxFeePerGas: BigInt(call.maxFeePerGas!), maxPriorityFeePerGas: BigInt(call.maxPriorityFeePerGas!),
});

describe('a remote signer', () => {
  test.each([['the signed transaction', (raw: Hex): unknown => raw], ['it beside its fields, as go-ethereum does', (raw: Hex): unknown => ({ raw, tx: {} })]])('gives %s', async (_, wrap) => {
    const account = await remoteAccount(await signer(async (call) => wrap(await owner.signTransaction(read(call)))));
    expect(account.address).toBe(owner.address);
    expect(await account.signTransaction(transaction)).toBe(await owner.signTransaction(transaction));
  });

  test.each([
    ['with another key', async (call: Record<string, Hex>) => stranger.signTransaction(read(call)), /signed with another key/],
    ['another value', async (call: Record<string, Hex>) => owner.signTransaction({ ...read(call), value: 6n }), /signed another transaction/],
    ['to somebody else', async (call: Record<string, Hex>) => owner.signTransaction({ ...read(call), to: owner.address }), /signed another transaction/],
    ['at another price', async (call: Record<string, Hex>) => owner.signTransaction({ ...read(call), maxPriorityFeePerGas: 1n }), /signed another transaction/],
    ['nothing', async () => null, /no signed transaction/],
  ])('that signs %s is not believed', async (_, sign, message) => {
    const account = await remoteAccount(await signer(sign));
    await expect(account.signTransaction(transaction)).rejects.toThrow(message);
  });

  test('has to have the account, and to be there', async () => {
    await expect(remoteAccount(await signer(async () => null), stranger.address)).rejects.toThrow(/does not have account/);
    server?.close();
    await expect(remoteAccount(await signer(async () => null, [owner.address, stranger.address]))).rejects.toThrow(/has 2 accounts/);
    await expect(remoteAccount('http://127.0.0.1:9')).rejects.toThrow(/does not answer/);
  }, 20_000);

  test('may be anvil', async () => {
    const anvil = await startAnvil();
    const account = await remoteAccount(anvil.url, '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
    const raw = await account.signTransaction(transaction);
    expect(parseTransaction(raw as Hex)).toMatchObject({ to: transaction.to!.toLowerCase(), nonce: 0, value: 5n });
    expect(await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` })).toBe(account.address);
    await anvil.stop();
  }, 20_000);
});

test('an account without key signs nothing', async () => {
  await expect(watchingAccount(owner.address).signTransaction(transaction)).rejects.toThrow(/no key/);
});
