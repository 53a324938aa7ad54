/**
 * Evidence: a watcher in a process of its own is killed (SIGKILL) at every stage of a dispute, and wins all the same, with every transaction sent once.
 * Each round is one lie about one request. In a round each process dies at its n-th kill point (before and after every send and every store write), n drawn
 * from the seed; the last one lives. Prints where processes died, and what the chain says in the end.
 * `npm run evidence:kills -- [rounds] [seed]`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAddressEqual, toHex } from 'viem';
import type { Hex } from 'viem';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { writeBundleDirectory } from '../bundle-files.ts';
import { DEVNET_ACCOUNTS, startDevnet } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { silentLogger } from '../log.ts';
import { seededNumbers } from './kill-points.ts';
import { ask, until, warp } from './requests.ts';
import { tinyModel } from './tiny-model.ts';

const ROUNDS = Number(process.argv[2] ?? 10);
const SEED = Number(process.argv[3] ?? 1);
/** A process dies at one of its first so many points: few, so that many die in a round; more than one step of the loop has, so that each gets on. */
const MOST_POINTS = 14;
/** Processes killed in a round at most; the next one lives. */
const MOST_KILLS = 25;
const WINDOW = 3_600;

const draw = seededNumbers(SEED);
const model = tinyModel();
const folder = await mkdtemp(join(tmpdir(), 'assay-kill-'));
await writeBundleDirectory(join(folder, 'bundle'), model);
const devnet = await startDevnet({
  models: [{ model, fee: 10n ** 15n }], sequencerExecutor: createWasmExecutor(), fault: randomFaults(3n), pollInterval: 50, log: silentLogger(),
  parameters: { window: BigInt(WINDOW), baseAllowance: 3_600n, defaultDeadline: 1_000_000n },
});
const { account } = devnet.wallet(DEVNET_ACCOUNTS.watcher);
const { store } = devnet.sequencer.context;
const program = fileURLToPath(new URL('./mortal-watcher.ts', import.meta.url));
const died = new Map<string, number>();

/** Runs a watcher until it dies by its own hand, or until `done`. True when it was done. */
async function live(limit: number, done: () => Promise<boolean>): Promise<boolean> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, devnet.url, devnet.deployment.resultAssertions, String(devnet.deployment.block), join(folder, 'bundle'), join(folder, 'store'), String(limit)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ASSAY_PRIVATE_KEY: toHex(account.getHdKey().privateKey as Uint8Array) },
  });
  const endWithParent = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithParent);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => { printed = (printed + chunk.toString()).slice(-1_000); });
  const ended = once(child, 'close');
  const finished = await until(async () => (child.exitCode !== null || child.signalCode !== null ? 'died' : (await done()) && 'done'), 'the watcher dies or is done', 120_000);
  child.kill('SIGKILL');
  await ended;
  process.off('exit', endWithParent);
  if (finished === 'done') return true;
  if (child.signalCode !== 'SIGKILL') throw new Error(`a watcher ended by itself (${String(child.exitCode)})`);
  const point = printed.trim().split('\n').at(-1) ?? '?';
  died.set(point, (died.get(point) ?? 0) + 1);
  return false;
}

const disputesAbout = async (requestId: Hex) => (await store.list('disputes')).map(({ value }) => value).filter((dispute) => dispute.requestId === requestId);
let kills = 0;

try {
  for (let round = 0; round < ROUNDS; round += 1) {
    const requestId = await ask(devnet, devnet.models[0]!.contract, model.program.signature, Uint8Array.from({ length: 64 }, (_, index) => (index * 29 + round * 7) % 256));
    let warped = false;
    const done = async (): Promise<boolean> => {
      const disputes = await disputesAbout(requestId);
      const own = (await store.list('answers', { prefix: `${requestId}!` })).some(({ value }) => isAddressEqual(value.sponsor, account.address));
      if (!warped && own && disputes.some(({ settled, paidOut }) => settled && paidOut !== undefined)) {
        warped = true;
        await warp(devnet, WINDOW);
      }
      return (await store.get('requests', requestId))?.feeTo === account.address;
    };
    let killed = 0;
    while (!(await live(killed < MOST_KILLS ? draw(MOST_POINTS) : 0, done))) killed += 1;
    kills += killed;
    const disputes = await disputesAbout(requestId);
    const won = disputes.length === 1 && disputes.every(({ phase, ending, challenger }) => phase === 'challenger-won' && ending !== 'timeout' && isAddressEqual(challenger, account.address));
    console.log(`round ${round + 1}: ${killed} kills; ${disputes.map(({ phase, ending, moves }) => `${phase} by ${ending ?? '?'} after ${moves.length} moves`).join(', ')}; delivered`);
    if (!won) throw new Error(`round ${round + 1} was not won by one dispute of the watcher's own`);
  }
  // Each kind of transaction once a round; withdrawals may be gathered.
  const made = (await store.list('assertions')).filter(({ value }) => isAddressEqual(value.sponsor, account.address)).length;
  if (made > ROUNDS) throw new Error(`the watcher asserted ${made} times in ${ROUNDS} rounds`);
  console.table(Object.fromEntries([...died].sort(([a], [b]) => a.localeCompare(b)).map(([point, times]) => [point, { deaths: times }])));
  console.log({ rounds: ROUNDS, seed: SEED, kills, 'kinds of points died at': died.size, won: ROUNDS, assertions: made, transactions: await devnet.client.getTransactionCount({ address: account.address }) });
} finally {
  await devnet.stop();
  await rm(folder, { recursive: true, force: true });
}
