import type { Adversary } from './adversary.ts';

const BOTH = ['asserter', 'challenger'] as const;
const MOST_MOVES = 7;

const withholding = (moves: number): Adversary => ({
  name: `falls silent after ${moves} moves`,
  roles: [moves % 2 === 0 ? 'asserter' : 'challenger'],
  turn: async ({ game, playUsual }) => {
    if (game.moves < moves) await playUsual();
  },
});

/** Moves in the last second, too late, or not at all; claims time-outs that are none. */
export const CLOCKS: readonly Adversary[] = [
  {
    name: 'moves in the last second', roles: BOTH,
    turn: async ({ scene, game, playUsual }) => {
      const last = (await scene.deadline(game)) - 1n;
      if (scene.stage.time < last) scene.stage.time = last;
      await playUsual();
    },
  },
  {
    name: 'moves one second late', roles: BOTH,
    turn: async ({ scene, game, role, usual, playUsual }) => {
      if (game.moves < scene.random.below(MOST_MOVES) && (await playUsual())) return;
      const action = await usual();
      const deadline = await scene.deadline(game);
      if (scene.stage.time < deadline) scene.stage.time = deadline;
      if (action !== null) await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, action) });
    },
  },
  {
    name: 'claims time-outs too early', roles: BOTH,
    pending: async (scene, _, game) => {
      if (game === null || game.winner !== undefined || scene.stage.time >= (await scene.deadline(game)) - 10n) return;
      await scene.sendJunk({ from: scene.attacker, ...scene.timeout(game) });
      await scene.sendJunk({ from: scene.attacker, ...scene.settlement(game) });
    },
    turn: async ({ scene, game, playUsual }) => {
      const last = (await scene.deadline(game)) - 20n;
      if (scene.stage.time < last && scene.random.below(3) === 0) scene.stage.time = last;
      await scene.sendJunk({ from: scene.accomplice, ...scene.timeout(game) });
      await playUsual();
    },
  },
  {
    name: 'has its own time-out recorded', roles: BOTH,
    turn: async ({ scene, game }) => {
      scene.stage.time = await scene.deadline(game);
      await scene.send({ from: scene.attacker, ...scene.random.one([scene.timeout(game), scene.settlement(game)]) }, game);
    },
  },
  ...Array.from({ length: MOST_MOVES }, (_, moves) => withholding(moves)),
];
