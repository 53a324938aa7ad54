import type { Adversary } from './adversary.ts';
import { confirmation } from './phases.ts';
import type { Scene } from './scene.ts';
import { Broken } from './scene.ts';

const SHAMS = 3;
/** More than half of a bond pays. */
const DRAIN = 22;

/** The attacker's own challengers come first, and it lets them win: they take the bounties. */
const draining = (name: string, shams: number): Adversary => ({
  name, roles: ['asserter'], costly: shams > SHAMS,
  begin: async (scene, lie) => {
    const { honest, attacker, truth } = scene;
    const assertion = await scene.assert(attacker, lie.output);
    for (let sham = 0; sham < shams; sham += 1) await scene.challenge(await scene.anotherAccount(), assertion, truth);
    await scene.challenge(honest, assertion, truth);
  },
  after: async (scene) => {
    for (const game of scene.games) if (!scene.plays(scene.honest, game)) await scene.send({ from: scene.attacker, ...scene.settlement(game) }, game);
  },
});

/** Attackers on both sides, beside the honest party. */
export const COLLUSION: readonly Adversary[] = [
  draining('lets its own challengers win the bounties', SHAMS),
  draining('lets its own challengers win all bounties', DRAIN),
  {
    name: 'wins against its own challengers', roles: ['asserter'],
    begin: async (scene, lie) => {
      const { honest, attacker, truth } = scene;
      const assertion = await scene.assert(attacker, lie.output);
      for (let sham = 0; sham < SHAMS; sham += 1) await scene.challenge(await scene.anotherAccount(), assertion, truth);
      await scene.challenge(honest, assertion, truth);
    },
    turn: async ({ scene, game, role, playUsual }) => {
      // Its challengers fall silent after its answer, and lose.
      if (scene.plays(scene.honest, game) || role === 'asserter') await playUsual();
    },
  },
  {
    name: 'sponsors the truth in order to lose it', roles: ['challenger'],
    begin: async (scene, lie) => {
      const { honest, attacker, accomplice, truth } = scene;
      const sabotaged = await scene.assert(attacker, truth.output);
      await scene.challenge(accomplice, sabotaged, lie);
      await scene.challenge(accomplice, await scene.assert(honest, truth.output), lie);
    },
    turn: async ({ scene, game, playUsual }) => {
      if (scene.plays(scene.honest, game)) await playUsual();
    },
    after: async (scene) => {
      for (const game of scene.games) if (!scene.plays(scene.honest, game) && !game.closed) await scene.send({ from: scene.attacker, ...scene.settlement(game) }, game);
      if (await confirms(scene)) throw new Broken('a defeated list was confirmed');
    },
  },
  {
    name: 'challenges its own lie beside the honest party and concedes', roles: ['asserter'],
    begin: async (scene, lie) => {
      const { honest, attacker, accomplice, truth, asked: { inference }, random } = scene;
      const assertion = await scene.assert(attacker, lie.output);
      await scene.challenge(accomplice, assertion, inference.splicedLie(random.big(inference.steps), random));
      await scene.challenge(honest, assertion, truth);
    },
    turn: async ({ playUsual }) => { await playUsual(); },
  },
  {
    name: 'challenges from many accounts in turn', roles: ['challenger'],
    begin: async (scene, lie) => {
      const assertion = await scene.assert(scene.honest, scene.truth.output);
      for (let number = 0; number < SHAMS; number += 1) {
        scene.stage.time += 20_000n;
        await scene.challenge(await scene.anotherAccount(), assertion, lie);
      }
    },
  },
];

/** Whether the attacker's instance passes for final. */
const confirms = async (scene: Scene): Promise<boolean> => (await scene.send({ from: scene.attacker, ...confirmation(scene, scene.assertions[0]!.id) })).success;
