import { afterEach, expect, test } from 'vitest';
import { connect } from '../chain/client.ts';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { startProxy } from '../testing/proxy.ts';
import type { Proxy } from '../testing/proxy.ts';
import { ask, until } from '../testing/requests.ts';
import { image, otherExecutor, signature, useDevnet } from '../testing/small-devnet.ts';

const start = useDevnet();
let endpoint: Proxy | undefined;
afterEach(() => endpoint?.close());

test('a watcher whose endpoint has no blobs reads the liar\'s claims from the Beacon API, and wins', async () => {
  const net = await start({ fault: randomFaults(7n), claims: 'blob' });
  await ask(net, net.models[0]!.contract, signature, image(3));
  endpoint = await startProxy(net.url);
  let asked = 0;
  endpoint.refuse = ({ method }) => {
    if (method !== 'anvil_getBlobByHash') return undefined;
    asked += 1;
    return 'the method does not exist';
  };
  const watch = { roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, client: await connect({ rpcUrl: endpoint.url, pollInterval: 20 }) } as const;
  const blind = await net.addNode({ ...watch, name: 'without a beacon node' });
  await until(async () => asked > 0, 'a blob asked for');
  const { gameId } = (await blind.context.store.list('disputes'))[0]!.value;
  await blind.stop();
  expect(await blind.context.store.get('disputes', gameId)).toMatchObject({ phase: 'challenger-to-move', split: { blob: { versionedHash: expect.stringMatching(/^0x01/) } }, settled: false });
  asked = 0;
  const watcher = await net.addNode({ ...watch, name: 'with a beacon node', beacon: net.url });
  const settled = await until(async () => (await watcher.context.store.list('disputes')).find(({ value }) => value.settled)?.value, 'the dispute settled', 40_000);
  expect(settled).toMatchObject({ gameId, phase: 'challenger-won', ending: 'proof' });
  expect(asked).toBe(0);
}, 90_000);
