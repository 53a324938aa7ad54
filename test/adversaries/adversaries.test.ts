import { expect, test } from 'vitest';
import { smallContestant, smallLanguageModelContestant } from '../disputes/contestants.ts';
import { campaign, fittingOf, openInferences } from './campaign.ts';
import type { Adversary } from './adversary.ts';
import { ADVERSARIES } from './library.ts';
import { localStage } from './stage.ts';

const SEED = 20261122;

test('no adversary wins against an honest party, nor costs it money', async () => {
  const inferences = await openInferences([smallContestant(), await smallLanguageModelContestant()], 1, SEED);
  // Each of them once, the roles in turn; the long run is `npm run evidence:adversaries`.
  const adversaries = fittingOf(ADVERSARIES, inferences);
  expect(adversaries.length).toBeGreaterThan(140);
  const once = adversaries.map((adversary, index): Adversary => ({ ...adversary, roles: [adversary.roles[index % adversary.roles.length]!] }));
  const outcomes = await campaign({ adversaries: once, inferences, openStage: localStage, gamesOnStage: 60, games: once.length, seed: SEED });
  const played = new Set(outcomes.map(({ adversary }) => adversary));
  expect(adversaries.filter(({ name }) => !played.has(name)).map(({ name }) => name)).toEqual([]);
  for (const { adversary, games, won, gain, loss } of outcomes) {
    expect(games, adversary).toBeGreaterThan(0);
    expect(won, adversary).toBe(games);
    expect(gain, adversary).toBeGreaterThanOrEqual(0n);
    expect(loss, adversary).toBeGreaterThan(0n);
  }
}, 240_000);

test('an honest party that computes wrongly is found out by the same checks', async () => {
  const inferences = await openInferences([smallContestant()], 1, SEED);
  const [inference] = inferences;
  const wrong = await inference!.consistentLie({ below: () => 0 } as never);
  const sham: Adversary = {
    name: 'tells the truth', roles: ['asserter', 'challenger'], lie: () => inference!.truth,
    begin: async (scene) => {
      Object.defineProperty(scene, 'truth', { value: wrong });
      const { honest, attacker, honestRole, asked } = scene;
      if (honestRole === 'asserter') await scene.challenge(attacker, await scene.assert(honest, wrong.output), asked.inference.truth);
      else await scene.challenge(honest, await scene.assert(attacker, asked.inference.truth.output), wrong);
    },
  };
  const broken: string[] = [];
  await campaign({ adversaries: [sham], inferences, openStage: localStage, gamesOnStage: 60, games: 2, seed: SEED, onBroken: (error) => broken.push((error as Error).message) });
  expect(broken).toEqual(['the honest party lost a game', 'the honest party lost a game']);
});
