import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAddressEqual } from 'viem';
import { expect, test } from 'vitest';
import { DEVNET_ACCOUNTS } from './devnet.ts';
import { randomFaults } from './inference/faults.ts';
import { openStore } from './store/store.ts';
import { killPoints, seededNumbers } from './testing/kill-points.ts';
import { ask, until, warp } from './testing/requests.ts';
import { image, otherExecutor, signature, useDevnet } from './testing/small-devnet.ts';

const start = useDevnet();

/** A small share of `evidence:kills`, in one process: what is dead gets an error from everything that it touches. */
test('a watcher that dies at seeded points of the loop, writes included, wins all the same', async () => {
  const net = await start({ fault: randomFaults(11n) });
  const { store: view } = net.sequencer.context;
  const account = net.wallet(DEVNET_ACCOUNTS.watcher).account.address;
  const location = await mkdtemp(join(tmpdir(), 'assay-kills-'));
  const draw = seededNumbers(3);
  const requestId = await ask(net, net.models[0]!.contract, signature, image(5));
  let warped = false;
  const done = async (): Promise<boolean> => {
    const disputes = (await view.list('disputes')).map(({ value }) => value);
    const own = (await view.list('answers', { prefix: `${requestId}!` })).some(({ value }) => isAddressEqual(value.sponsor, account));
    if (!warped && own && disputes.some(({ settled, paidOut }) => settled && paidOut !== undefined)) {
      warped = true;
      await warp(net, 300);
    }
    return (await view.get('requests', requestId))?.feeTo === account;
  };
  let kills = 0;
  const died = new Set<string>();
  for (let finished = false; !finished;) {
    const store = await openStore(location);
    let left = kills < 15 ? draw(14) : Infinity;
    let dead = false;
    const points = killPoints((point) => {
      left -= 1;
      if (!dead && left === 0) {
        dead = true;
        died.add(point);
      }
      if (dead) throw new Error('killed');
    });
    const node = await net.addNode({ name: 'mortal', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, store: points.wrap(store), probe: points.probe });
    finished = await until(async () => (dead ? 'dead' : (await done()) && 'done'), 'death or the end', 40_000) === 'done';
    await node.stop();
    await store.close();
    if (!finished) kills += 1;
  }
  expect(died.size).toBeGreaterThan(5);
  const disputes = (await view.list('disputes')).map(({ value }) => value);
  expect(disputes.map(({ phase, ending, challenger }) => [phase, ending, challenger])).toEqual([['challenger-won', expect.stringMatching(/^(proof|concession)$/), account]]);
  const own = (await view.list('assertions')).filter(({ value }) => isAddressEqual(value.sponsor, account));
  expect(own).toHaveLength(1);
  const store = await openStore(location);
  const count = await net.client.getTransactionCount({ address: account });
  const mined = (await store.list('transactions')).map(({ value }) => value).filter(({ nonce }) => nonce < count);
  // Every nonce is one decision's: nothing was sent twice.
  expect(mined.map(({ nonce }) => nonce).sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, nonce) => nonce));
  await store.close();
}, 90_000);
