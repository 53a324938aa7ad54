import { decodeFunctionResult, encodeFunctionResult, getAbiItem, toFunctionSelector } from 'viem';
import type { Hex } from 'viem';
import { afterEach, expect, test } from 'vitest';
import { resultAssertionsAbi } from '../../contracts/abi/generated.ts';
import { connect } from '../chain/client.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import type { Devnet } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import type { AssayNode } from '../node.ts';
import { seededNumbers } from '../testing/kill-points.ts';
import { startProxy } from '../testing/proxy.ts';
import type { Proxy } from '../testing/proxy.ts';
import { ask, until } from '../testing/requests.ts';
import { image, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';

const start = useDevnet();
let proxies: Proxy[] = [];
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
});

async function watcherThrough(net: Devnet, count: number, name = 'watcher'): Promise<AssayNode> {
  proxies = await Promise.all(Array.from({ length: count }, () => startProxy(net.url)));
  const client = await connect({ rpcUrl: proxies.map(({ url }) => url), chainId: net.client.chain.id, pollInterval: 20, timeout: 2_000, longestPause: 200, firstPause: 20 });
  return net.addNode({ name, roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, client, resendAfter: 1_000 });
}

const metric = async (node: AssayNode, name: string): Promise<number | undefined> => {
  const found = await node.context.metrics.registry.getSingleMetric(name)?.get();
  return found?.values[0]?.value;
};

test('while endpoints contradict each other about events nothing is done, and it is said; afterwards the lie is found', async () => {
  const net = await start({ fault: randomFaults(7n) });
  const watcher = await watcherThrough(net, 2);
  await until(async () => watcher.agent.status().state === 'following', 'it follows');
  // One endpoint keeps every event back.
  proxies[1]!.lie = ({ method }, answer) => (method === 'eth_getLogs' ? [] : answer);
  await ask(net, net.models[0]!.contract, signature, image(0));
  await until(async () => watcher.agent.status().state === 'disagreeing', 'it sees the contradiction');
  expect(watcher.agent.status().problem).toMatch(/endpoints disagree about eth_getLogs/);
  expect(watcher.agent.holdBack()).toMatch(/disagree/);
  expect(await metric(watcher, 'assay_endpoints_disagree')).toBe(1);
  await until(async () => (await net.sequencer.context.store.list('assertions')).length > 0, 'the lie is told');
  expect(await watcher.context.store.list('assertions')).toEqual([]);
  expect(await net.client.getTransactionCount({ address: watcher.context.self })).toBe(0);
  proxies[1]!.lie = (_, answer) => answer;
  await until(async () => (await watcher.context.store.list('disputes')).some(({ value }) => value.phase === 'challenger-won'), 'the lie is disproven', 40_000);
  expect(await metric(watcher, 'assay_endpoints_disagree')).toBe(0);
}, 60_000);

/** What a request's game would be about, as a liar has it: a stake of next to nothing. */
const otherStake: Proxy['lie'] = ({ method, params }, answer) => {
  const { data } = (params[0] ?? {}) as { readonly data?: Hex };
  if (method !== 'eth_call' || data?.slice(0, 10) !== toFunctionSelector(getAbiItem({ abi: resultAssertionsAbi, name: 'terms' }))) return answer;
  const terms = decodeFunctionResult({ abi: resultAssertionsAbi, functionName: 'terms', data: answer as Hex });
  return encodeFunctionResult({ abi: resultAssertionsAbi, functionName: 'terms', result: { ...terms, challengerStake: terms.challengerStake + 1n } });
};

test('an endpoint that lies about a game\'s terms is outvoted by two others; with one other it is said who contradicts whom, and nothing is staked', async () => {
  const net = await start({ fault: randomFaults(7n) });
  const watcher = await watcherThrough(net, 2);
  proxies[0]!.lie = otherStake;
  await ask(net, net.models[0]!.contract, signature, image(0));
  const told = await until(async () => watcher.agent.status().problems?.find((text) => text.includes('endpoints disagree about eth_call')), 'it sees the contradiction');
  expect(told).toMatch(/1:127\.0\.0\.1:\d+ against 2:127\.0\.0\.1:\d+.*name a third in --rpc-url/);
  expect(await metric(watcher, 'assay_endpoints_disagree')).toBe(1);
  const contradicting = (await watcher.context.metrics.registry.getSingleMetric('assay_endpoint_contradicts')!.get()).values;
  expect(contradicting.map(({ value }) => value)).toEqual([1, 1]);
  expect(await watcher.context.store.list('disputes')).toEqual([]);
  expect(await net.client.getTransactionCount({ address: watcher.context.self })).toBe(0);
  await watcher.stop();
  for (const proxy of proxies) await proxy.close();
  const outvoting = await watcherThrough(net, 3, 'watcher-of-three');
  proxies[0]!.lie = otherStake;
  await until(async () => (await outvoting.context.store.list('disputes')).some(({ value }) => value.phase === 'challenger-won'), 'the lie is disproven', 40_000);
  expect(outvoting.agent.status().problems?.join()).not.toContain('disagree');
}, 80_000);

test('wins through endpoints of which one drops transactions and all fail now and then', async () => {
  const net = await start({ fault: randomFaults(7n) });
  const watcher = await watcherThrough(net, 3);
  const draw = seededNumbers(5);
  proxies[0]!.swallow = ({ method }) => (method === 'eth_sendRawTransaction' ? `0x${'00'.repeat(32)}` : undefined);
  for (const proxy of proxies.slice(1)) {
    proxy.swallow = () => {
      if (draw(12) === 1) throw new Error('no answer');
      return undefined;
    };
  }
  await ask(net, net.models[0]!.contract, signature, image(0));
  const dispute = await until(async () => (await watcher.context.store.list('disputes')).map(({ value }) => value).find(({ settled }) => settled), 'the dispute is settled', 50_000);
  expect(dispute).toMatchObject({ phase: 'challenger-won', ending: expect.stringMatching(/^(proof|concession)$/) });
  expect(watcher.context.client.endpoints!.status().reduce((sum, { failures }) => sum + failures, 0)).toBeGreaterThan(0);
}, 60_000);
