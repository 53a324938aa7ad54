import { bytesToHex, encodeFunctionData, zeroHash } from 'viem';
import type { Hex } from 'viem';
import { inboxAbi } from '../../contracts/abi/generated.ts';
import { proveEntry } from '../../rollup-node/chain/entries.ts';
import type { Adversary } from './adversary.ts';
import { claimOf, isTrueClaim, rootOfOne } from './claims.ts';
import type { Computation } from './inference.ts';
import { bondRelease, confirmation, PHASE, phaseOf } from './phases.ts';
import { Broken } from './scene.ts';
import type { AssertionOnStage, Scene } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;
const CHAIN = 4;

/** Lists by one sponsor, each on the one before. */
async function chain(scene: Scene, sponsor: Hex, outputs: readonly Hex[]): Promise<AssertionOnStage[]> {
  const lists: AssertionOnStage[] = [];
  for (const output of outputs) lists.push(await scene.assert(sponsor, output, lists.at(-1)?.claim));
  return lists;
}

/** Tries to have confirmed whatever is not final, or builds on what is false. */
async function confirmEarly(scene: Scene): Promise<void> {
  await scene.passUntil(scene.stage.time);
  for (const { id } of scene.assertions) {
    if ((await phaseOf(scene, id)) !== PHASE.final) await scene.sendJunk({ from: scene.attacker, ...confirmation(scene, id) });
  }
}

/** Nobody can challenge any of the lists any more. */
const passWindows = (scene: Scene): Promise<void> => scene.passUntil(lastWindow(scene));

const lastWindow = ({ assertions }: Scene): bigint => assertions.reduce((latest, { until }) => (until > latest ? until : latest), 0n);

/** Records the ends of all games. */
async function settleAll(scene: Scene): Promise<void> {
  for (const game of scene.games) if (!game.closed) await scene.send({ from: scene.attacker, ...scene.settlement(game) }, game);
}

/** When all games are over and all windows, what is true is confirmed as far as it can be, and nothing else can be. */
async function confirmAll(scene: Scene): Promise<void> {
  await settleAll(scene);
  await passWindows(scene);
  await confirmEarly(scene);
  for (const { id, claim } of scene.assertions) {
    if (isTrueClaim(scene, claim) && (await phaseOf(scene, id)) === PHASE.final) await scene.send({ from: scene.attacker, ...confirmation(scene, id) });
  }
  await confirmEarly(scene);
}

/** What is no claim of any list: it stands for nothing, and what builds on it never counts. */
const NO_CLAIMS: Readonly<Record<string, (scene: Scene, lie: Computation) => Hex | Promise<Hex>>> = {
  'what nobody asserted': ({ random }) => random.word(),
  "an assertion's id": async (scene) => (await scene.assert(scene.attacker, scene.truth.output)).id,
  "a list's root": async (scene) => {
    await scene.assert(scene.attacker, scene.truth.output);
    return rootOfOne(scene.asked.requestId, scene.truth.output);
  },
  'the very list that it asserts': ({ asked: { requestId } }, lie) => claimOf(zeroHash, rootOfOne(requestId, lie.output), 1),
  'a list of another length': async (scene) => {
    await scene.assert(scene.attacker, scene.truth.output);
    return claimOf(zeroHash, rootOfOne(scene.asked.requestId, scene.truth.output), 2);
  },
};

const onNoClaim = Object.entries(NO_CLAIMS).map(([name, parentOf]): Adversary => ({
  name: `builds on ${name}`, roles: ['asserter'],
  begin: async (scene, lie) => {
    const parent = await parentOf(scene, lie);
    await scene.assert(scene.attacker, scene.truth.output, parent);
    await scene.challenge(scene.honest, await scene.assert(scene.attacker, lie.output, parent), scene.truth);
  },
  after: confirmAll,
}));

/** Lists that build on lists: false parents, missing ones, lost ones, and what is done while they wait. */
export const LISTS_ON_LISTS: readonly Adversary[] = [
  ...onNoClaim,
  {
    name: 'builds a truth on a lie', roles: ['asserter'],
    begin: async (scene, lie) => {
      const [parent] = await chain(scene, scene.attacker, [lie.output, scene.truth.output]);
      await scene.challenge(scene.honest, parent!, scene.truth);
    },
    after: confirmAll,
  },
  {
    name: 'has others build on its lie', roles: ['asserter'],
    begin: async (scene, lie) => {
      const { honest, attacker, accomplice, truth } = scene;
      const parent = await scene.assert(attacker, lie.output);
      const orphan = await scene.assert(honest, truth.output, parent.claim);
      await scene.challenge(honest, parent, truth);
      await chain(scene, honest, [truth.output, truth.output]);
      await scene.challenge(accomplice, orphan, lie);
    },
    after: confirmAll,
  },
  {
    name: 'piles lies on a lie', roles: ['asserter'],
    begin: async (scene, lie) => {
      // One game is enough against all of them.
      const [first] = await chain(scene, scene.attacker, Array.from({ length: CHAIN }, () => lie.output));
      await scene.challenge(scene.honest, first!, scene.truth);
    },
    after: confirmAll,
  },
  {
    name: 'hides a lie in the middle of a chain', roles: ['asserter'],
    begin: async (scene, lie) => {
      const { truth, random } = scene;
      const place = random.below(CHAIN);
      const lists = await chain(scene, scene.attacker, Array.from({ length: CHAIN }, (_, link) => (link === place ? lie.output : truth.output)));
      await scene.challenge(scene.honest, lists[place]!, truth);
    },
    after: confirmAll,
  },
  {
    name: 'lies on a parent that comes later', roles: ['asserter'],
    begin: async (scene, lie) => {
      const { attacker, honest, truth, asked: { requestId } } = scene;
      const parent = claimOf(zeroHash, rootOfOne(requestId, truth.output), 1);
      await scene.assert(attacker, truth.output, parent);
      await scene.challenge(honest, await scene.assert(attacker, lie.output, parent), truth);
    },
    after: async (scene) => {
      await passWindows(scene);
      await scene.assert(scene.accomplice, scene.truth.output);
      await confirmAll(scene);
    },
  },
  {
    name: 'lies on a parent that is final', roles: ['asserter'],
    begin: async (scene, lie) => {
      const parent = await scene.assert(scene.attacker, scene.truth.output);
      await confirmAll(scene);
      const lying = await scene.assert(scene.attacker, lie.output, parent.claim);
      await confirmEarly(scene);
      await scene.challenge(scene.honest, lying, scene.truth);
    },
    after: confirmAll,
  },
  {
    name: 'challenges parent and child at once', roles: ['challenger'],
    begin: async (scene, lie) => {
      const [parent, child] = await chain(scene, scene.honest, [scene.truth.output, scene.truth.output]);
      await scene.challenge(scene.attacker, parent!, lie);
      await scene.challenge(scene.attacker, child!, lie);
      await scene.challenge(scene.accomplice, child!, lie);
    },
    after: confirmAll,
  },
  {
    name: 'delays every list of a chain', roles: ['challenger'],
    begin: async (scene, lie) => {
      const lists = await chain(scene, scene.honest, Array.from({ length: CHAIN }, () => scene.truth.output));
      for (const [link, list] of lists.entries()) {
        if (scene.stage.time < list.until - BigInt(CHAIN - link)) scene.stage.time = list.until - BigInt(CHAIN - link);
        await scene.challenge(scene.attacker, list, lie);
      }
    },
    turn: async ({ scene, game, playUsual }) => {
      const left = (await scene.deadline(game)) - scene.stage.time;
      if (left > 0n) scene.stage.time += scene.random.big(left);
      await playUsual();
    },
    after: async (scene) => {
      const end = lastWindow(scene) + 2n * scene.games[0]!.terms.allowance;
      // The honest party records one end after another.
      if (scene.stage.time > end + 24n * BigInt(scene.games.length)) throw new Broken('a chain takes longer than its last list and its games');
      await confirmAll(scene);
    },
  },
  {
    name: 'lets its own instance of a parent lose', roles: ['challenger'],
    begin: async (scene, lie) => {
      const { honest, attacker, accomplice, truth } = scene;
      const sabotaged = await scene.assert(attacker, truth.output);
      const [parent, child] = await chain(scene, honest, [truth.output, truth.output]);
      if (sabotaged.claim !== parent!.claim) throw new Error('two instances of a claim were expected');
      await scene.challenge(accomplice, sabotaged, lie);
      await scene.challenge(accomplice, child!, lie);
    },
    after: confirmAll,
  },
  {
    name: 'lets the only instance of a parent lose', roles: ['challenger'],
    begin: async (scene, lie) => {
      const { honest, attacker, accomplice, truth } = scene;
      const sabotaged = await scene.assert(attacker, truth.output);
      const child = await scene.assert(honest, truth.output, sabotaged.claim);
      await scene.challenge(accomplice, sabotaged, lie);
      await scene.challenge(accomplice, child, lie);
    },
    after: async (scene) => {
      await confirmAll(scene);
      // Whoever needs the parent asserts it again.
      await scene.assert(scene.honest, scene.truth.output);
    },
  },
  {
    name: 'lets another instance of a final parent lose', roles: ['challenger'],
    begin: async (scene, lie) => {
      const { honest, attacker, accomplice, truth } = scene;
      const parent = await scene.assert(honest, truth.output);
      await confirmAll(scene);
      const child = await scene.assert(honest, truth.output, parent.claim);
      await scene.challenge(accomplice, await scene.assert(attacker, truth.output), lie);
      await scene.challenge(accomplice, child, lie);
    },
    after: confirmAll,
  },
  {
    name: 'confirms what is not final', roles: BOTH,
    begin: beginChain,
    pending: confirmEarly,
    turn: async ({ scene, playUsual }) => {
      await confirmEarly(scene);
      await playUsual();
    },
    after: confirmAll,
  },
  {
    name: 'fetches bonds while lists wait, and again', roles: BOTH,
    begin: beginChain,
    turn: async ({ scene, playUsual }) => {
      await releaseTwice(scene, []);
      await playUsual();
    },
    after: async (scene) => {
      await settleAll(scene);
      await releaseTwice(scene, [PHASE.defeated]);
      await passWindows(scene);
      await releaseTwice(scene, [PHASE.waiting, PHASE.final]);
      await confirmAll(scene);
      await releaseTwice(scene, []);
    },
  },
  {
    name: 'settles a game against another list of its chain', roles: BOTH,
    begin: beginChain,
    pending: settleElsewhere,
    after: async (scene) => {
      await settleElsewhere(scene);
      await confirmAll(scene);
    },
  },
  {
    name: 'delivers out of a list that waits', roles: ['asserter'],
    begin: async (scene, lie) => {
      const [parent] = await chain(scene, scene.attacker, [lie.output, scene.truth.output]);
      await scene.challenge(scene.honest, parent!, scene.truth);
    },
    after: async (scene) => {
      await settleAll(scene);
      await passWindows(scene);
      const { asked: { requestId, inference: { trace } }, assertions: [, child], stage, attacker } = scene;
      const { index, path } = proveEntry({ requestIds: [...child!.requestIds], outputCommitments: [...child!.outputCommitments] }, 0);
      const data = encodeFunctionData({ abi: inboxAbi, functionName: 'deliver', args: [requestId, child!.id, index, path, bytesToHex(trace.output)] });
      await scene.sendJunk({ from: attacker, to: stage.inbox, data });
    },
  },
];

/** Two lists, the second on the first: the honest party's, whose child is challenged; or the attacker's, both of them lies. */
async function beginChain(scene: Scene, lie: Computation): Promise<void> {
  const { honest, honestRole, attacker, truth } = scene;
  if (honestRole === 'asserter') {
    const [, child] = await chain(scene, honest, [truth.output, truth.output]);
    await scene.challenge(attacker, child!, lie);
  } else {
    for (const list of await chain(scene, attacker, [lie.output, lie.output])) await scene.challenge(honest, list, truth);
  }
}

/** Has bonds released: of lists in these phases once; of all others, and a second time, it must be refused. */
async function releaseTwice(scene: Scene, phases: readonly number[]): Promise<void> {
  for (const { id } of scene.assertions) {
    const release = { from: scene.attacker, ...bondRelease(scene, id) };
    if (phases.includes(await phaseOf(scene, id))) await scene.send(release);
    await scene.sendJunk(release);
  }
}

/** A game's end is one about its own list only. */
async function settleElsewhere(scene: Scene): Promise<void> {
  for (const game of scene.games) {
    for (const assertion of scene.assertions) {
      if (assertion !== game.assertion) await scene.sendJunk({ from: scene.attacker, ...scene.settlement({ ...game, assertion }) });
    }
  }
}
