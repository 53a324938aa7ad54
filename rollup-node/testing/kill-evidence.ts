/**
 * Evidence by hand: a watcher in a process of its own is killed (SIGKILL) again and again while it fights a lie, and wins all the same.
 * `npx tsx rollup-node/testing/kill-evidence.ts [kills]`
 */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from 'viem';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { smallClassifier } from '../../test/models/small-classifier.ts';
import { writeBundleDirectory } from '../bundle-files.ts';
import { DEVNET_ACCOUNTS, startDevnet } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { silentLogger } from '../log.ts';
import { ask, until, warp } from './requests.ts';

const KILLS = Number(process.argv[2] ?? 6);
const model = smallClassifier();
const folder = await mkdtemp(join(tmpdir(), 'assay-kill-'));
await writeBundleDirectory(join(folder, 'bundle'), model);
const devnet = await startDevnet({ models: [{ model, fee: 10n ** 15n }], sequencerExecutor: createWasmExecutor(), fault: randomFaults(3n), parameters: { window: 3_600n, baseAllowance: 3_600n, defaultDeadline: 100_000n }, pollInterval: 500, log: silentLogger() });
const { account } = devnet.wallet(DEVNET_ACCOUNTS.watcher);
const { store } = devnet.sequencer.context;
const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

const startWatcher = (): { kill(): Promise<void> } => {
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'watch', '--rpc-url', devnet.url, '--assertions', devnet.deployment.resultAssertions, '--models', join(folder, 'bundle'), '--executor', 'wasm', '--data-directory', join(folder, 'store'), '--poll-interval', '100', '--api', 'false'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ASSAY_PRIVATE_KEY: toHex(account.getHdKey().privateKey as Uint8Array) },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { kill: async () => { child.kill('SIGKILL'); await ended; } };
};

try {
  const requestId = await ask(devnet, devnet.models[0]!.contract, model.program.signature, new Uint8Array(64));
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = await devnet.client.getTransactionCount({ address: account.address });
    const watcher = startWatcher();
    await until(async () => (await devnet.client.getTransactionCount({ address: account.address, blockTag: 'pending' })) > before, 'the watcher acts', 20_000).catch(() => undefined);
    await watcher.kill();
    console.log(`killed after ${await devnet.client.getTransactionCount({ address: account.address })} transactions`);
  }
  const watcher = startWatcher();
  await until(async () => (await store.list('disputes')).some(({ value }) => value.settled && value.paidOut !== undefined), 'the dispute ends', 120_000);
  await warp(devnet, 3_600);
  await until(async () => (await store.get('requests', requestId))?.status === 'delivered', 'the right result is delivered', 120_000);
  await watcher.kill();
  const disputes = (await store.list('disputes')).map(({ value }) => `${value.phase} by ${value.ending ?? '?'}`);
  const assertions = (await store.list('assertions')).map(({ value }) => value.sponsor).filter((sponsor) => sponsor === account.address).length;
  console.log({ kills: KILLS, disputes, watcherAssertions: assertions, transactions: await devnet.client.getTransactionCount({ address: account.address }) });
} finally {
  await devnet.stop();
}
