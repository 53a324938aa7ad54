import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kindOf } from './agent/tasks.ts';
import { assertedKey } from './chain/projection.ts';
import { DEVNET_ACCOUNTS } from './devnet.ts';
import type { Devnet, DevnetNodeOptions } from './devnet.ts';
import { randomFaults } from './inference/faults.ts';
import type { AssayNode } from './node.ts';
import { openStore } from './store/store.ts';
import type { Store } from './store/store.ts';
import { ask, until, warp } from './testing/requests.ts';
import { executor, image, otherExecutor, signature, useDevnet } from './testing/small-devnet.ts';

const picture = image(5);
const start = useDevnet();

/** A node that is killed the first time it reaches each point around each kind of transaction, and started again on the same folder. */
interface Mortal {
  readonly deaths: ReadonlySet<string>;
  /** Resolves once the condition holds for the living node; then stops it. */
  live(done: (node: AssayNode) => Promise<boolean>): Promise<void>;
}

async function mortal(net: Devnet, options: Omit<DevnetNodeOptions, 'probe' | 'store' | 'name'>): Promise<Mortal & { readonly location: string }> {
  const location = await mkdtemp(join(tmpdir(), 'assay-restart-'));
  const deaths = new Set<string>();
  const once = async (done: (node: AssayNode) => Promise<boolean>): Promise<boolean> => {
    const store: Store = await openStore(location);
    let dead = false;
    const node = await net.addNode({
      ...options, store, name: 'mortal',
      probe: (point) => {
        const [moment, intent] = point.split(' ') as [string, string];
        const death = `${moment} ${kindOf(intent)}`;
        if (!dead && MOMENTS.includes(moment) && !deaths.has(death)) {
          deaths.add(death);
          dead = true;
        }
        // The dead do nothing more, whichever of their tasks tries.
        if (dead) throw new Error('killed');
      },
    });
    const finished = await until(async () => (dead ? 'dead' : (await done(node)) && 'done'), 'death or the end', 40_000);
    await node.stop();
    await store.close();
    return finished === 'done';
  };
  return { deaths, location, live: async (done) => { while (!(await once(done))); } };
}

/** Signed and stored but not sent; sent but not known to be; mined but not noted. Before that, nothing has happened yet. */
const MOMENTS = ['broadcast', 'sent', 'mined'];
const deathsOf = (kinds: readonly string[]): string[] => kinds.flatMap((kind) => MOMENTS.map((moment) => `${moment} ${kind}`));

/** Every transaction of the account is one that its store knows: none was sent twice, none was wasted. */
async function spentOnce(net: Devnet, location: string, account: `0x${string}`): Promise<Store> {
  const store = await openStore(location);
  const count = await net.client.getTransactionCount({ address: account });
  const used = (await store.list('transactions')).map(({ value }) => value).filter(({ nonce }) => nonce < count);
  expect(used.map(({ nonce }) => nonce).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, nonce) => nonce));
  expect(used.filter(({ status }) => status === 'failed')).toEqual([]);
  return store;
}

test('a watcher that is killed after every effect still wins, sponsors and delivers, all of it once', async () => {
  const net = await start({ fault: randomFaults(11n) });
  const account = net.wallet(DEVNET_ACCOUNTS.watcher).account.address;
  const watcher = await mortal(net, { roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher });
  const requestId = await ask(net, net.models[0]!.contract, signature, picture);
  let warped = false;
  await watcher.live(async ({ context: { store } }) => {
    const dispute = (await store.list('disputes'))[0]?.value;
    const sponsored = (await store.get('counters', assertedKey(account))) === 1;
    if (dispute?.settled === true && dispute.paidOut !== undefined && sponsored && !warped) {
      warped = true;
      await warp(net, 300);
    }
    const request = await store.get('requests', requestId);
    const open = await store.list('openAssertions');
    const others = await Promise.all(open.map(({ key }) => store.get('assertions', key)));
    const withdrawn = (await store.list('counters')).some(({ key }) => key.startsWith(`withdrawn!${net.deployment.inbox}!${account}`));
    return request?.feeTo === account && withdrawn && !others.some((assertion) => assertion?.sponsor === account);
  });
  expect([...watcher.deaths]).toEqual(expect.arrayContaining(deathsOf(['challenge', 'assert', 'move', 'deliver', 'fee', 'bond', 'withdraw'])));
  const store = await spentOnce(net, watcher.location, account);
  expect(await store.get('counters', assertedKey(account))).toBe(1);
  const own = (await store.list('disputes')).filter(({ value }) => value.challenger === account);
  expect(own).toHaveLength(1);
  expect(own[0]!.value).toMatchObject({ phase: 'challenger-won', ending: expect.stringMatching(/^(proof|concession)$/) });
  await store.close();
}, 90_000);

test('a sequencer that is killed after every effect answers, defends itself and is paid, all of it once', async () => {
  const net = await start({ watcherExecutor: otherExecutor() });
  await net.sequencer.stop();
  const account = net.wallet(DEVNET_ACCOUNTS.sequencer).account.address;
  await net.addNode({ name: 'attacker', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(5n) });
  const sequencer = await mortal(net, { roles: { sequence: { size: 8, delay: 0 } }, executor: executor(), accountIndex: DEVNET_ACCOUNTS.sequencer });
  // Final results alone: what takes asserted ones takes the attacker's, if that is first.
  const ids = [await ask(net, net.models[0]!.contract, signature, picture), await ask(net, net.models[0]!.contract, signature, image(6))];
  let warped = false;
  await sequencer.live(async ({ context: { store } }) => {
    const disputes = (await store.list('disputes')).map(({ value }) => value);
    // One against the right answers, and the watcher's against each of the attacker's own, after which it has nothing left to assert: the clock must not run over any of them.
    const disproven = (id: string): boolean => disputes.some(({ requestId, asserter, phase }) => requestId === id && asserter !== account && phase === 'challenger-won');
    const isQuiet = disputes.length > 2 && disputes.every(({ settled, paidOut }) => settled && paidOut !== undefined) && ids.every(disproven);
    if (!warped && isQuiet) {
      warped = true;
      await warp(net, 300);
    }
    const requests = await Promise.all(ids.map((id) => store.get('requests', id)));
    const assertions = (await store.list('assertions')).map(({ value }) => value).filter(({ sponsor }) => sponsor === account);
    return requests.every((request) => request?.feeTo === account) && assertions.every(({ bondReleased }) => bondReleased);
  });
  expect([...sequencer.deaths]).toEqual(expect.arrayContaining(deathsOf(['assert', 'answer', 'prove', 'settle', 'deliver', 'fee', 'bond'])));
  const store = await spentOnce(net, sequencer.location, account);
  const lost = (await store.list('disputes')).filter(({ value }) => value.asserter === account && value.phase !== 'asserter-won');
  expect(lost).toEqual([]);
  await store.close();
}, 90_000);
