import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startAnvil } from '../anvil.ts';
import type { Anvil } from '../anvil.ts';
import { createLogger, silentLogger } from '../log.ts';
import { openStore } from '../store/store.ts';
import { startProxy } from '../testing/proxy.ts';
import type { Proxy } from '../testing/proxy.ts';
import { isDisagreement } from './agreement.ts';
import { connect } from './client.ts';
import type { ChainClient, ConnectOptions } from './client.ts';
import { syncToHead } from './follower.ts';
import { createSender } from './sender.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

// LOG0 of the calldata, at a fixed address.
const ECHO = `0x${'ec'.repeat(20)}` as const;
const ECHO_CODE = '0x365f5f37365fa0' as const;
const sender = privateKeyToAccount(`0x${'11'.repeat(32)}`);

let anvil: Anvil;
let direct: ChainClient;
let proxies: Proxy[];
let clock: number;
const control = () => createTestClient({ mode: 'anvil', transport: http(anvil.url) });

beforeAll(async () => {
  anvil = await startAnvil();
  direct = await connect({ rpcUrl: anvil.url, pollInterval: 20 });
  await control().setCode({ address: ECHO, bytecode: ECHO_CODE });
  await control().setBalance({ address: sender.address, value: 10n ** 20n });
  for (const data of ['0x01', '0x02'] as const) await say(data);
});
afterAll(() => anvil.stop());
beforeEach(async () => {
  proxies = await Promise.all([0, 1, 2].map(() => startProxy(anvil.url)));
  clock = 0;
});
afterEach(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))));

async function say(data: `0x${string}`): Promise<void> {
  const request = await direct.prepareTransactionRequest({ account: sender, to: ECHO, data, chain: direct.chain });
  await direct.waitForTransactionReceipt({ hash: await direct.sendRawTransaction({ serializedTransaction: await sender.signTransaction(request as never) }) });
}

/** Pauses of endpoints that failed pass when the test moves the clock. */
const several = (count: number, options: Partial<ConnectOptions> = {}): Promise<ChainClient> =>
  connect({ rpcUrl: proxies.slice(0, count).map(({ url }) => url), chainId: 31337, pollInterval: 20, timeout: 1_000, now: () => clock, ...options });

async function eventsThrough(client: ChainClient): Promise<readonly string[]> {
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-endpoints-')));
  const heard: string[] = [];
  try {
    await syncToHead({
      client, store, addresses: [ECHO], startBlock: 0n, logRange: 100, reorganizationDepth: 16,
      projection: async (logs) => { heard.push(...logs.map(({ data }) => data)); return []; },
    });
  } finally {
    await store.close();
  }
  return heard;
}

const states = (client: ChainClient): readonly string[] => client.endpoints?.status().map(({ state }) => state) ?? [];
const dropLogs: Proxy['lie'] = ({ method }, answer) => (method === 'eth_getLogs' ? (answer as unknown[]).slice(1) : answer);
const otherHash: Proxy['lie'] = ({ method }, answer) => (method === 'eth_getBlockByNumber' ? { ...(answer as object), hash: `0x${'66'.repeat(32)}` } : answer);

test('endpoints that agree are believed', async () => {
  const client = await several(3, { quorum: 3 });
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
  expect(states(client)).toEqual(['usable', 'usable', 'usable']);
});

test.each([['an event is kept back', dropLogs], ['a block has another hash', otherHash]])('of two that contradict each other none is believed: %s', async (_, lie) => {
  const client = await several(2);
  proxies[1]!.lie = lie;
  const failure = await eventsThrough(client).catch((error: unknown) => error);
  expect(isDisagreement(failure)).toBe(true);
  expect(String(failure)).toMatch(/endpoints disagree about eth_get(Logs|BlockByNumber): 1:127\.0\.0\.1:\d+ against 2:127/);
  proxies[1]!.lie = (_call, answer) => answer;
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
});

test('one liar among three is outvoted, left out, and asked again later; not where all have to agree', async () => {
  const client = await several(3, { quorum: 2 });
  proxies[0]!.lie = dropLogs;
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
  expect(states(client)).toEqual(['deviating', 'usable', 'usable']);
  proxies[0]!.lie = (_call, answer) => answer;
  clock += 60_000;
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
  expect(states(client)).toEqual(['usable', 'usable', 'usable']);
  const strict = await several(3, { quorum: 3 });
  proxies[0]!.lie = dropLogs;
  expect(isDisagreement(await eventsThrough(strict).catch((error: unknown) => error))).toBe(true);
});

test('one that fails is left alone for a while that grows, and comes back', async () => {
  const lines: string[] = [];
  const client = await several(2, { log: createLogger({ format: 'json', stream: { write: (line) => lines.push(line) } }) });
  proxies[0]!.down = true;
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
  expect(states(client)).toEqual(['failing', 'usable']);
  const asked = (): number => proxies[0]!.calls.length;
  const counts: number[] = [];
  const down: Proxy = proxies[0]!;
  down.swallow = () => { throw new Error('no answer'); };
  down.down = false;
  for (const step of [500, 1_000, 1_000, 2_500]) {
    clock += step;
    const before = asked();
    await eventsThrough(client);
    counts.push(asked() - before);
  }
  // Its pauses: 1 s, 2 s, 4 s.
  expect(counts).toEqual([0, 1, 0, 1]);
  down.swallow = () => undefined;
  clock += 60_000;
  await eventsThrough(client);
  expect(states(client)).toEqual(['usable', 'usable']);
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['endpoint is left out', 'endpoint is used again']);
  expect(lines.join()).not.toContain('http://');
});

test('with fewer left than have to agree nothing is read', async () => {
  const client = await several(2, { quorum: 2 });
  proxies[1]!.down = true;
  await expect(eventsThrough(client)).rejects.toThrow(/1 endpoints can be used, 2 have to agree: 2:127\.0\.0\.1:\d+ is failing/);
  await expect(several(2, { quorum: 3 })).rejects.toThrow(/3 endpoints have to agree, and there are 2/);
});

test('one that does not answer in time is left out; the others go on', async () => {
  const client = await several(2, { timeout: 200 });
  proxies[0]!.delay = 2_000;
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
  expect(states(client)).toEqual(['failing', 'usable']);
});

test('one that stands still is left out, as is one that runs away', async () => {
  await control().mine({ blocks: 12 });
  const client = await several(3, { maximumLag: 5 });
  const newest = await direct.getBlockNumber();
  const old = await direct.getBlock({ blockNumber: newest - 10n });
  const at = (number: bigint, hash: string): Proxy['lie'] => (call, answer) =>
    (call.method === 'eth_getBlockByNumber' && call.params[0] === 'latest' ? { ...(answer as object), number: `0x${number.toString(16)}`, hash } : answer);
  proxies[0]!.lie = at(newest - 10n, old.hash);
  expect((await client.getBlock()).number).toBe(newest);
  expect(states(client)).toEqual(['behind', 'usable', 'usable']);
  expect(client.endpoints?.status()[0]).toMatchObject({ lag: 10, reason: "its newest block is 10 blocks older than the others'" });
  proxies[0]!.lie = at(newest + 1_000n, old.hash);
  expect((await client.getBlock()).number).toBe(newest);
  expect(states(client)).toEqual(['ahead', 'usable', 'usable']);
  proxies[0]!.lie = at(newest - 2n, (await direct.getBlock({ blockNumber: newest - 2n })).hash);
  // A little behind: what all of them have is followed.
  expect((await client.getBlock()).number).toBe(newest - 2n);
});

test('one of another chain is left out', async () => {
  const foreign = await startAnvil({ chainId: 5 });
  const client = await connect({ rpcUrl: [foreign.url, anvil.url], chainId: 31337 });
  expect(await eventsThrough(client)).toEqual(['0x01', '0x02']);
  expect(client.endpoints?.status()[0]).toMatchObject({ state: 'wrong-chain', reason: 'it serves chain 5, not 31337' });
  await foreign.stop();
});

test('a transaction gets in past an endpoint that takes it and drops it', async () => {
  const client = await several(2);
  proxies[0]!.swallow = ({ method }) => (method === 'eth_sendRawTransaction' ? `0x${'00'.repeat(32)}` : undefined);
  proxies[0]!.lie = ({ method }, answer) => (method === 'eth_getTransactionReceipt' ? null : answer);
  const store = await openStore(await mkdtemp(join(tmpdir(), 'assay-endpoints-')));
  const mined = await createSender({ client, account: sender, store, log: silentLogger() }).send({ intent: 'heard', to: ECHO, data: '0x03' });
  expect((await direct.getTransactionReceipt({ hash: mined.hash })).status).toBe('success');
  await store.close();
});

test('storage and balances of a block are compared, too', async () => {
  const client = await several(2);
  const { number } = await client.getBlock();
  expect(await client.getBalance({ address: sender.address, blockNumber: number })).toBe(await direct.getBalance({ address: sender.address }));
  proxies[1]!.lie = ({ method }, answer) => (method === 'eth_getBalance' ? '0x1' : answer);
  const failure = await client.getBalance({ address: sender.address, blockNumber: number }).catch((error: unknown) => error);
  expect(isDisagreement(failure)).toBe(true);
});

describe('what a contract says of money', () => {
  const ORACLE = `0x${'0c'.repeat(20)}` as const;
  const data = `0x${'ab'.repeat(32)}` as const;
  /** Gives the number of the block: honest endpoints that are asked for the newest state at different moments differ. */
  const NUMBER_CODE = '0x435f5260205ff3' as const;
  const read = (client: ChainClient, blockTag?: 'latest') => client.call({ to: ORACLE, data, ...(blockTag === undefined ? {} : { blockTag }) }).then((result) => BigInt(result.data!));
  const lyingCall: Proxy['lie'] = ({ method }, answer) => (method === 'eth_call' ? `0x${'00'.repeat(31)}07` : answer);
  beforeAll(() => control().setCode({ address: ORACLE, bytecode: NUMBER_CODE }));

  test('is asked of all at the newest block that all have', async () => {
    const client = await several(3);
    await control().mine({ blocks: 3 });
    const newest = await direct.getBlockNumber();
    const { hash } = await direct.getBlock({ blockNumber: newest - 2n });
    const blocks: unknown[] = [];
    for (const proxy of proxies) {
      proxy.lie = ({ method, params }, answer) => {
        if (method === 'eth_call') blocks.push(params[1]);
        return answer;
      };
    }
    proxies[1]!.lie = ({ method, params }, answer) => {
      if (method === 'eth_call') blocks.push(params[1]);
      return method === 'eth_getBlockByNumber' && params[0] === 'latest' ? { ...(answer as object), number: `0x${(newest - 2n).toString(16)}`, hash } : answer;
    };
    for (const tag of [undefined, 'latest'] as const) expect(await read(client, tag)).toBe(newest - 2n);
    expect(blocks).toEqual(Array.from({ length: 6 }, () => `0x${(newest - 2n).toString(16)}`));
    expect(await client.getBalance({ address: sender.address })).toBe(await direct.getBalance({ address: sender.address }));
  });

  test('one liar among three is outvoted, be it the first that is asked', async () => {
    const client = await several(3);
    proxies[0]!.lie = lyingCall;
    expect(await read(client)).toBe(await direct.getBlockNumber());
    expect(client.endpoints?.status()[0]).toMatchObject({ state: 'deviating', reason: 'it contradicts the others about eth_call' });
    expect(client.endpoints?.contradictions()).toEqual([]);
  });

  test('of two that contradict each other none is believed; who they are and what to do is said until they agree', async () => {
    const client = await several(2);
    proxies[0]!.lie = lyingCall;
    const failure = await read(client).catch((error: unknown) => error);
    expect(isDisagreement(failure)).toBe(true);
    const [told, ...rest] = client.endpoints!.contradictions();
    expect(rest).toEqual([]);
    expect(told!.endpoints).toEqual([expect.stringMatching(/^1:127/), expect.stringMatching(/^2:127/)]);
    expect(told!.text).toMatch(/endpoints disagree about eth_call 0xabababab of 0x(0c){20}: 1:127\.0\.0\.1:\d+ against 2:127.*: name a third in --rpc-url: then one alone is outvoted$/);
    // Other reads that agree do not mend it; the same one does.
    await client.getBlock();
    expect(client.endpoints!.contradictions()).toHaveLength(1);
    proxies[0]!.lie = (_call, answer) => answer;
    expect(await read(client)).toBe(await direct.getBlockNumber());
    expect(client.endpoints!.contradictions()).toEqual([]);
    // What nobody asks about any more is not told for ever.
    proxies[0]!.lie = lyingCall;
    await expect(read(client)).rejects.toThrow();
    clock += 600_000;
    expect(client.endpoints!.contradictions()).toEqual([]);
  });

  test('that a call reverts is an answer like any other', async () => {
    const client = await several(2);
    for (const proxy of proxies) proxy.refuse = ({ method }) => (method === 'eth_call' ? 'execution reverted' : undefined);
    await expect(read(client)).rejects.toThrow(/reverted/);
    proxies[1]!.refuse = () => undefined;
    expect(isDisagreement(await read(client).catch((error: unknown) => error))).toBe(true);
    const three = await several(3);
    proxies[2]!.refuse = () => undefined;
    expect(await read(three)).toBe(await direct.getBlockNumber());
    expect(states(three)[0]).toBe('deviating');
  });

  test('where three say three things, the advice is to find out who is wrong', async () => {
    const client = await several(3);
    proxies[0]!.lie = lyingCall;
    proxies[1]!.lie = ({ method }, answer) => (method === 'eth_call' ? `0x${'00'.repeat(31)}08` : answer);
    await expect(read(client)).rejects.toThrow(/find out which are wrong, and take them out of --rpc-url/);
    expect(client.endpoints!.contradictions()[0]?.endpoints).toHaveLength(3);
  });
});

test('one endpoint can neither keep a transaction from being sent, nor lead its nonce and fee astray', async () => {
  const client = await several(3);
  const newest = await direct.getTransactionCount({ address: sender.address });
  const price = await direct.getGasPrice();
  const blobPrice = await direct.getBlobBaseFee();
  for (const [nonce, fee] of [['0x0', '0x0'], ['0xffff', '0xffffffffffff']]) {
    proxies[0]!.lie = ({ method }, answer) => (method === 'eth_getTransactionCount' ? nonce : method === 'eth_gasPrice' || method === 'eth_blobBaseFee' ? fee : answer);
    proxies[0]!.refuse = ({ method }) => (method === 'eth_estimateGas' ? 'execution reverted' : undefined);
    expect(await client.getTransactionCount({ address: sender.address, blockTag: 'pending' })).toBe(newest);
    expect(await client.getGasPrice()).toBe(price);
    expect(await client.getBlobBaseFee()).toBe(blobPrice);
    expect(await client.estimateGas({ account: sender.address, to: ECHO, data: '0x04' })).toBeGreaterThan(21_000n);
  }
  for (const proxy of proxies) proxy.refuse = ({ method }) => (method === 'eth_estimateGas' ? 'execution reverted' : undefined);
  await expect(client.estimateGas({ account: sender.address, to: ECHO, data: '0x04' })).rejects.toThrow(/reverted/);
});
