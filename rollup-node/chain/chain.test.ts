import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTestClient, http } from 'viem';
import type { Address, Hex } from 'viem';
import { mnemonicToAccount, privateKeyToAccount } from 'viem/accounts';
import { DEVELOPMENT_MNEMONIC, startAnvil } from '../anvil.ts';
import type { Anvil } from '../anvil.ts';
import { silentLogger } from '../log.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { connect } from './client.ts';
import type { ChainClient } from './client.ts';
import { syncToHead } from './follower.ts';
import type { FollowerOptions } from './follower.ts';
import { createSender } from './sender.ts';
import type { Probe, TransactionSender } from './sender.ts';

// A busy machine is slow, not wrong.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

// CALLDATACOPY all of the calldata, LOG0 it; behind an init code that returns these seven bytes.
const ECHO: Hex = '0x66365f5f37365fa05f5260076019f3';

let anvil: Anvil;
let client: ChainClient;
let echo: Address;
const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'assay-chain-'));
const control = () => createTestClient({ mode: 'anvil', transport: http(anvil.url) });

/** A fresh account with ether, so that nonces start at zero. */
async function account(): Promise<ReturnType<typeof privateKeyToAccount>> {
  const fresh = privateKeyToAccount(`0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}`);
  await control().setBalance({ address: fresh.address, value: 10n ** 20n });
  return fresh;
}

async function sender(store: Store, probe?: Probe, resendAfter = 30_000): Promise<TransactionSender & { account: Awaited<ReturnType<typeof account>> }> {
  const from = await account();
  return { account: from, ...createSender({ client, account: from, store, log: silentLogger(), resendAfter, ...(probe === undefined ? {} : { probe }) }) };
}

const follower = (store: Store, options: Partial<FollowerOptions> = {}): FollowerOptions => ({
  client,
  store,
  addresses: [echo],
  startBlock: 0n,
  logRange: 100,
  reorganizationDepth: 16,
  // What was said, and how often anything was.
  projection: async (logs, reader) => {
    const said = (await reader.get('counters', 'count')) ?? 0;
    const payload = logs.at(-1)?.data;
    if (payload === undefined) return [];
    return [{ table: 'counters', key: 'count', value: said + logs.length }, { table: 'requestOrder', key: payload, value: payload }];
  },
  ...options,
});

const heard = async (store: Store): Promise<string[]> => (await store.list('requestOrder')).map(({ key }) => key);
const count = (store: Store): Promise<number | undefined> => store.get('counters', 'count');

beforeAll(async () => {
  anvil = await startAnvil();
  client = await connect({ rpcUrl: anvil.url, chainId: 31337, pollInterval: 20 });
  const deployer = mnemonicToAccount(DEVELOPMENT_MNEMONIC);
  const request = await client.prepareTransactionRequest({ account: deployer, data: ECHO });
  const hash = await client.sendRawTransaction({ serializedTransaction: await deployer.signTransaction(request as never) });
  echo = (await client.waitForTransactionReceipt({ hash })).contractAddress as Address;
});
afterAll(() => anvil.stop());

describe('connect', () => {
  test('refuses an endpoint that does not answer, and another chain', async () => {
    await expect(connect({ rpcUrl: 'http://127.0.0.1:9', retryCount: 0 })).rejects.toThrow(/cannot reach the chain at http:\/\/127\.0\.0\.1:9/);
    await expect(connect({ rpcUrl: anvil.url, chainId: 1 })).rejects.toThrow(/serves chain 31337, not 1/);
  });

  test('rides out an endpoint that fails for a while', async () => {
    let requests = 0;
    const flaky = createServer((request, response) => {
      requests += 1;
      if (requests % 3 !== 0) return void response.writeHead(requests % 2 ? 503 : 429).end('later');
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => void fetch(anvil.url, { method: 'POST', body: Buffer.concat(chunks), headers: { 'content-type': 'application/json' } })
        .then(async (answer) => response.end(await answer.text())));
    });
    await new Promise<void>((resolve) => flaky.listen(0, '127.0.0.1', resolve));
    const { port } = flaky.address() as { port: number };
    const unsteady = await connect({ rpcUrl: `http://127.0.0.1:${port}`, retryDelay: 1 });
    const store = await openStore(await folder());
    const { head } = await syncToHead(follower(store, { client: unsteady }));
    expect(head.number).toBe(await client.getBlockNumber());
    expect(requests).toBeGreaterThan(3);
    await store.close();
    flaky.close();
  });
});

describe('sender', () => {
  test('many at once: consecutive nonces, all mined, gas as the receipts have it', async () => {
    const store = await openStore(await folder());
    const mined: bigint[] = [];
    const from = await account();
    const own = createSender({ client, account: from, store, log: silentLogger(), onMined: (_, { gasUsed }) => mined.push(gasUsed) });
    const results = await Promise.all(Array.from({ length: 8 }, (_, index) => own.send({ intent: `say ${index}`, to: echo, data: `0x0${index}` })));
    const receipts = await Promise.all(results.map(({ hash }) => client.getTransactionReceipt({ hash })));
    expect(receipts.map(({ status, gasUsed }) => [status, gasUsed])).toEqual(results.map(({ gasUsed }) => ['success', gasUsed]));
    expect(await client.getTransactionCount({ address: from.address })).toBe(8);
    expect(mined).toHaveLength(8);
    expect(own.pending()).toBe(0);
    await store.close();
  });

  test('one intent is one transaction, however often it is asked for', async () => {
    const store = await openStore(await folder());
    const own = await sender(store);
    const wanted = { intent: 'once', to: echo, data: '0xaa' as const };
    const [first, second] = await Promise.all([own.send(wanted), own.send(wanted)]);
    expect(second.hash).toBe(first.hash);
    expect((await own.send(wanted)).hash).toBe(first.hash);
    expect(await client.getTransactionCount({ address: own.account.address })).toBe(1);
    await store.close();
  });

  test.each(['persist', 'broadcast', 'sent', 'mined'])('killed at "%s": the next process sends it exactly once', async (point) => {
    const location = await folder();
    const store = await openStore(location);
    let killed = false;
    const doomed = await sender(store, (reached) => {
      if (killed || reached === `${point} pay`) {
        killed = true;
        throw new Error('killed');
      }
    });
    await expect(doomed.send({ intent: 'pay', to: echo, data: '0xbb' })).rejects.toThrow('killed');
    await store.close();
    const again = await openStore(location);
    const next = createSender({ client, account: doomed.account, store: again, log: silentLogger() });
    await next.resume();
    await next.send({ intent: 'pay', to: echo, data: '0xbb' });
    expect(await client.getTransactionCount({ address: doomed.account.address })).toBe(1);
    await again.close();
  });

  test('a transaction that would revert is not sent; the nonce is kept', async () => {
    const store = await openStore(await folder());
    const own = await sender(store);
    await expect(own.send({ intent: 'too dear', to: echo, data: '0x', value: 10n ** 30n })).rejects.toThrow();
    expect(await store.list('transactions')).toEqual([]);
    await own.send({ intent: 'fine', to: echo, data: '0x' });
    await store.close();
  });

  test("a contract's refusal is told in its own words", async () => {
    const store = await openStore(await folder());
    const from = await account();
    // PUSH4 deadbeef, PUSH0, MSTORE, PUSH1 4, PUSH1 28, REVERT.
    const code = '0x63deadbeef5f526004601cfd' as const;
    const contract = privateKeyToAccount(`0x${'42'.repeat(32)}`).address;
    await control().setCode({ address: contract, bytecode: code });
    const own = createSender({ client, account: from, store, log: silentLogger(), explainRevert: (data) => `meaning of ${data}` });
    await expect(own.send({ intent: 'refused', to: contract, data: '0x' })).rejects.toThrow('refused would revert: meaning of 0xdeadbeef');
    await store.close();
  });

  test('stuck: offered again with a higher fee and the same nonce', async () => {
    const store = await openStore(await folder());
    const own = await sender(store, undefined, 150);
    await control().setAutomine(false);
    const sent = own.send({ intent: 'slow', to: echo, data: '0xcc' });
    await expect.poll(async () => (await store.get('transactions', 'slow'))?.attempts.length).toBeGreaterThan(1);
    await control().mine({ blocks: 1 });
    await control().setAutomine(true);
    await sent;
    const record = await store.get('transactions', 'slow');
    expect(record?.status).toBe('mined');
    expect(await client.getTransactionCount({ address: own.account.address })).toBe(1);
    await store.close();
  });
});

describe('follower', () => {
  test('reads what was said, once, and goes on where it was after a restart', async () => {
    const location = await folder();
    const store = await openStore(location);
    const startBlock = (await client.getBlockNumber()) + 1n;
    const from = await account();
    const own = createSender({ client, account: from, store, log: silentLogger() });
    await own.send({ intent: '1', to: echo, data: '0x01' });
    await own.send({ intent: '2', to: echo, data: '0x02' });
    await syncToHead(follower(store, { startBlock }));
    await syncToHead(follower(store, { startBlock }));
    expect(await count(store)).toBe(2);
    await store.close();
    const again = await openStore(location);
    await createSender({ client, account: from, store: again, log: silentLogger() }).send({ intent: '3', to: echo, data: '0x03' });
    expect(await syncToHead(follower(again, { startBlock }))).toMatchObject({ events: 1, blocks: 1 });
    expect(await count(again)).toBe(3);
    await again.close();
  });

  test('small ranges give the same as large ones', async () => {
    const [small, large] = [await openStore(await folder()), await openStore(await folder())];
    await syncToHead(follower(small, { logRange: 1, reorganizationDepth: 3 }));
    await syncToHead(follower(large));
    expect(await small.list('requestOrder')).toEqual(await large.list('requestOrder'));
    expect(await small.cursor()).toEqual(await large.cursor());
    expect((await small.marks()).length).toBeLessThanOrEqual(5);
    await Promise.all([small.close(), large.close()]);
  });

  test('a reorganisation is undone to the last common block', async () => {
    const store = await openStore(await folder());
    const own = await sender(store);
    await own.send({ intent: 'kept', to: echo, data: '0xd1' });
    await syncToHead(follower(store));
    const snapshot = await control().snapshot();
    await own.send({ intent: 'lost', to: echo, data: '0xd2' });
    await syncToHead(follower(store));
    expect(await heard(store)).toContain('0xd2');
    const before = await count(store);
    await control().revert({ id: snapshot });
    const other = await sender(store);
    await other.send({ intent: 'instead', to: echo, data: '0xd3' });
    await other.send({ intent: 'more', to: echo, data: '0xd4' });
    const { reorganizedTo } = await syncToHead(follower(store));
    expect(typeof reorganizedTo).toBe('bigint');
    expect(await heard(store)).toEqual(expect.arrayContaining(['0xd1', '0xd3', '0xd4']));
    expect(await heard(store)).not.toContain('0xd2');
    expect(await count(store)).toBe((before as number) + 1);
    await store.close();
  });

  test('a reorganisation deeper than what can be undone reads everything again', async () => {
    const store = await openStore(await folder());
    const snapshot = await control().snapshot();
    const own = await sender(store);
    for (const index of [0, 1, 2, 3]) {
      await own.send({ intent: `deep ${index}`, to: echo, data: `0xe${index}` });
      await syncToHead(follower(store, { reorganizationDepth: 1 }));
    }
    await control().revert({ id: snapshot });
    const fresh = await openStore(await folder());
    expect((await syncToHead(follower(store, { reorganizationDepth: 1 }))).reorganizedTo).toBeNull();
    await syncToHead(follower(fresh));
    expect(await store.list('requestOrder')).toEqual(await fresh.list('requestOrder'));
    await Promise.all([store.close(), fresh.close()]);
  });
});

test('a transaction behind one that a reorganisation took back, and that nobody wants any more, is not held up by its nonce', async () => {
  const store = await openStore(await folder());
  const own = await sender(store);
  const snapshot = await control().snapshot();
  await own.send({ intent: 'of the old branch', to: echo, data: '0xf1' });
  await control().revert({ id: snapshot });
  await own.send({ intent: 'of the new branch', to: echo, data: '0xf2' });
  expect((await store.get('transactions', 'of the new branch'))).toMatchObject({ nonce: 1, status: 'mined' });
  expect(await client.getTransactionCount({ address: own.account.address })).toBe(2);
  await store.close();
});
