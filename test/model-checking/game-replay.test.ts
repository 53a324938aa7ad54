import { describe, expect, it } from 'vitest';
import { allPlays, replayPlay } from './game-plays.ts';
import { openGameBench } from './game-replay.ts';
import { walkGame } from './game-walks.ts';
import type { WalkCount } from './game-walks.ts';

describe('the model of the game and the contract agree', () => {
  it('in games by chance of up to 64 steps, on every call, legal or not', async () => {
    const bench = await openGameBench(2);
    const count: WalkCount = { games: 0, legal: 0, illegal: 0, honestWins: 0, honestGames: 0 };
    for (let seed = 1; seed <= 16; seed += 1) await walkGame(bench, seed * 7919, { steps: 64, blobs: seed % 8 === 0 ? 8 : 0 }, count);
    expect(count.legal).toBeGreaterThan(25);
    expect(count.illegal).toBeGreaterThan(25);
    expect(count.honestWins).toBe(count.honestGames);
  });

  it.each(['asserter', 'challenger'] as const)('in every game of up to 4 steps with an arity of 2 against a truthful %s', async (honest) => {
    const bench = await openGameBench(1);
    let plays = 0;
    for (let steps = 1; steps <= 4; steps += 1) {
      for (const play of allPlays(bench.rules, honest, steps)) await replayPlay(bench, honest, steps, play, (plays += 1) % 2 === 0);
    }
    // Openings, by the segments that can be disputed; or every proof that concedes, and silence.
    expect(plays).toBe(honest === 'asserter' ? 1 + 2 + 5 + 12 : 2 + 3 + 4 + 5);
  });

  it('and not where a rule of the model is another', async () => {
    const bench = await openGameBench(2);
    const broken = { ...bench, rules: bench.rules };
    Object.assign(broken.rules, { mayMove: (elapsed: number, remaining: number) => elapsed <= remaining });
    const game = await broken.open({ steps: 3, allowance: 5, stakes: { asserter: 0n, challenger: 1n } }, 'calldata', [0, 0, 0, 1]);
    game.wait(5);
    await expect(game.call({ kind: 'prove', by: 'asserter', steps: 3, segment: 2, picked: [0, 1], story: 0 })).rejects.toThrow('legal, but it reverted');
  });
});
