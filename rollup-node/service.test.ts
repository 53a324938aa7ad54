import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAddressEqual, toHex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { writeBundleDirectory } from './bundle-files.ts';
import { loadConfig } from './config.ts';
import { startDevnet } from './devnet.ts';
import type { Devnet } from './devnet.ts';
import { silentLogger } from './log.ts';
import type { AssayNode } from './node.ts';
import { runService } from './service.ts';
import type { ServiceOptions } from './service.ts';
import { ask, callOptions, delivered, until } from './testing/requests.ts';
import { tinyModel } from './testing/tiny-model.ts';

const model = tinyModel();
let devnet: Devnet;
let bundle: string;

beforeAll(async () => {
  devnet = await startDevnet({ models: [{ model }], sequencerExecutor: createWasmExecutor(), pollInterval: 20, log: silentLogger() });
  await devnet.sequencer.stop();
  bundle = join(await mkdtemp(join(tmpdir(), 'assay-service-')), 'classifier');
  await writeBundleDirectory(bundle, model);
}, 30_000);
afterAll(() => devnet.stop());

async function run(settings: Record<string, unknown>, { environment, ...options }: Partial<ServiceOptions> & { readonly environment?: NodeJS.ProcessEnv } = {}): Promise<{ readonly node: AssayNode; readonly apiUrl: string | null; stop(): Promise<void> }> {
  const key = devnet.wallet(6).account.getHdKey().privateKey;
  const config = await loadConfig({
    environment: environment ?? { ASSAY_PRIVATE_KEY: toHex(key!) },
    flags: {
      rpcUrl: devnet.url, assertions: devnet.deployment.resultAssertions, models: [bundle], executor: 'wasm', apiPort: 0, pollInterval: 20, batchDelay: 0,
      dataDirectory: await mkdtemp(join(tmpdir(), 'assay-service-')), ...settings,
    },
  });
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const ended = runService(config, {
      sequence: true, watch: false, signal: controller.signal, log: silentLogger(), ...options,
      onReady: (ready) => resolve({ ...ready, stop: () => { controller.abort(); return ended; } }),
    });
    ended.catch(reject);
  });
}

test('a configured node serves requests and its API until it is told to stop', async () => {
  const { node, apiUrl, stop } = await run({ verifyWith: 'lifted' });
  const requestId = await ask(devnet, devnet.models[0]!.contract, model.program.signature, new Uint8Array(64), callOptions(0));
  await delivered(node, requestId);
  const health = (await (await fetch(`${apiUrl}/health`)).json()) as Record<string, unknown>;
  expect(health).toMatchObject({ status: 'ok', models: [devnet.models[0]!.modelId] });
  const answer = (await (await fetch(`${apiUrl}/requests/${requestId}`)).json()) as Record<string, unknown>;
  expect(answer).toMatchObject({ status: 'delivered' });
  const { result } = (answer.delivery as { result: string });
  expect(result).toMatch(/^0x[0-9a-f]{64}$/);
  await stop();
  await expect(fetch(`${apiUrl}/health`)).rejects.toThrow();
  expect(node.agent.status().state).toBe('stopped');
}, 30_000);

test('with a remote signer and two endpoints, no key is on this machine', async () => {
  const { node, apiUrl, stop } = await run({ rpcUrl: [devnet.url, `${devnet.url}/`], quorum: 2, signerUrl: devnet.url, account: devnet.wallet(7).account.address }, { environment: {} });
  const requestId = await ask(devnet, devnet.models[0]!.contract, model.program.signature, new Uint8Array(64).fill(9), callOptions(0));
  const { delivery } = await delivered(node, requestId);
  expect(isAddressEqual((await node.context.store.get('assertions', delivery!.assertionId))!.sponsor, devnet.wallet(7).account.address)).toBe(true);
  expect(await (await fetch(`${apiUrl}/metrics`)).text()).toMatch(/^assay_endpoint_usable\{endpoint="2:127\.0\.0\.1:\d+"\} 1$/m);
  await stop();
}, 30_000);

test('what is missing or wrong is one clear error', async () => {
  await expect(run({ rpcUrl: 'http://127.0.0.1:9' })).rejects.toThrow(/cannot reach the chain at http:\/\/127\.0\.0\.1:9/);
  await expect(run({ assertions: devnet.deployment.inbox })).rejects.toThrow(/there is no Assay rollup at/);
  await expect(run({ models: [] })).rejects.toThrow(/no models to work with/);
  await expect(run({ dataDirectory: '/dev/null/assay' })).rejects.toThrow(/cannot create the data folder/);
}, 30_000);

test('a bundle whose files do not match its id is left out, and others are served', async () => {
  const damaged = join(await mkdtemp(join(tmpdir(), 'assay-service-')), 'damaged');
  await writeBundleDirectory(damaged, model);
  await writeFile(join(damaged, 'weights.bin'), new Uint8Array(32));
  const { node, apiUrl, stop } = await run({ models: [damaged, bundle], verifyWith: 'lifted' });
  expect([...node.context.inference.models.keys()]).toEqual([devnet.models[0]!.modelId]);
  await until(async () => node.agent.status().state === 'following', 'it follows');
  const response = await fetch(`${apiUrl}/health`);
  expect([response.status, await response.json()]).toMatchObject([200, { status: 'degraded', problems: [expect.stringContaining(`the bundle ${damaged} is not used`) as unknown] }]);
  expect(await (await fetch(`${apiUrl}/metrics`)).text()).toMatch(/^assay_models_unusable 1$/m);
  await stop();
  await expect(run({ models: [damaged] })).rejects.toThrow(/none of the bundles can be used/);
}, 30_000);
