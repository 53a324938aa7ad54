import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { expect, test } from 'vitest';
import { DEVNET_ACCOUNTS } from '../devnet.ts';
import type { Devnet } from '../devnet.ts';
import { randomFaults } from '../inference/faults.ts';
import { openStore } from '../store/store.ts';
import type { DisputeRecord } from '../store/tables.ts';
import { smallClassifier, smallClassifierInput } from '../../test/models/small-classifier.ts';
import { ask, until } from '../testing/requests.ts';
import { executor, otherExecutor, useDevnet } from '../testing/small-devnet.ts';

const start = useDevnet();
const models = [{ model: smallClassifier(), fee: 10n ** 15n }];
/** Elements without padding, as a request carries them. */
const elements = smallClassifierInput(1);

/** Types of the transactions of a dispute's moves, in order: `eip4844` has blobs. */
const typesOf = (net: Devnet, { moves }: DisputeRecord): Promise<string[]> =>
  Promise.all(moves.map(async ({ transactionHash }) => (await net.client.getTransaction({ hash: transactionHash })).type));

test('both sides put their claims into blobs; the challenger is killed before, while and after it sends, and wins', async () => {
  const net = await start({ models, fault: randomFaults(3n), claims: 'blob' });
  const location = await mkdtemp(join(tmpdir(), 'assay-blobs-'));
  await ask(net, net.models[0]!.contract, models[0]!.model.program.signature, elements);
  const deaths = new Set<string>();
  const sent = new Map<string, Hex>();
  let ended: DisputeRecord | undefined;
  while (ended === undefined) {
    const store = await openStore(location);
    let dead = false;
    const node = await net.addNode({
      name: 'watcher', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.watcher, claims: 'blob', store,
      probe: (point) => {
        if (dead) throw new Error('killed');
        if (!/^(broadcast|sent|mined) (challenge|prove)/.test(point) || deaths.has(point)) return;
        deaths.add(point);
        dead = true;
        throw new Error('killed');
      },
    });
    await until(async () => {
      ended = (await store.list('disputes')).find(({ value }) => value.settled)?.value;
      // The opponent's blob is forgotten once its game is over.
      return dead || (ended !== undefined && (await store.list('fetchedBlobs')).length === 0);
    }, 'death or the end', 40_000);
    for (const { value: { intent, attempts } } of await store.list('transactions')) {
      // What was signed once is what every later life sends.
      if (sent.has(intent)) expect(attempts[0]!.hash).toBe(sent.get(intent));
      sent.set(intent, attempts[0]!.hash);
    }
    await node.stop();
    await store.close();
  }
  expect(deaths.size).toBe(6);
  expect(ended).toMatchObject({ phase: 'challenger-won', ending: 'proof' });
  expect((await typesOf(net, ended)).slice(0, 2)).toEqual(['eip4844', 'eip4844']);
}, 90_000);

test('an honest sequencer with calldata answers a lying challenger with blobs', async () => {
  const net = await start({ models, sequencerExecutor: executor() });
  await net.addNode({ name: 'attacker', roles: { watch: true }, executor: otherExecutor(), accountIndex: DEVNET_ACCOUNTS.liar, chooseFault: randomFaults(5n), claims: 'blob' });
  await ask(net, net.models[0]!.contract, models[0]!.model.program.signature, elements);
  const settled = await until(async () => (await net.sequencer.context.store.list('disputes')).find(({ value }) => value.settled && value.asserter === net.sequencer.context.self)?.value, 'the dispute is settled', 40_000);
  expect(settled.phase).toBe('asserter-won');
  const types = await typesOf(net, settled);
  expect(new Set(settled.moves.flatMap(({ by }, index) => (types[index] === 'eip4844' ? [by] : [])))).toEqual(new Set(['challenger']));
}, 60_000);
