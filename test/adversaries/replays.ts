import { encodeFunctionData } from 'viem';
import { dissectionGameAbi } from '../../contracts/abi/generated.ts';
import type { Adversary, Turn } from './adversary.ts';
import type { Computation, Inference } from './inference.ts';
import { same } from './scene.ts';
import type { GameOnStage, Scene } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;
const MOST_REPLAYS = 6;

/** Moves of a game so far: what was sent to the game's contract and counted. */
const movesOf = (scene: Scene, game: GameOnStage) => scene.sent.filter((sent) => sent.game === game && sent.receipt.success && sent.transaction.to === scene.stage.game).slice(-MOST_REPLAYS);

/** Sends every move of the game again, the honest party's too. */
async function replayAll({ scene, game }: Pick<Turn, 'scene' | 'game'>): Promise<void> {
  for (const { transaction } of movesOf(scene, game)) {
    await scene.sendJunk(transaction.from === scene.honest ? { ...transaction, from: scene.attacker, value: transaction.value ?? 0n } : transaction);
  }
}

/** Two games about one assertion, or about two. */
async function twoGames(scene: Scene, lie: Computation): Promise<void> {
  const { honest, honestRole, truth, attacker, accomplice } = scene;
  if (honestRole === 'asserter') {
    const assertion = await scene.assert(honest, truth.output);
    await scene.challenge(attacker, assertion, lie);
    await scene.challenge(accomplice, assertion, lie);
  } else {
    for (let game = 0; game < 2; game += 1) await scene.challenge(honest, await scene.assert(attacker, lie.output), truth);
  }
}

/** The same states again and again: a split of them looks like any other. */
const inTail = ({ trace, steps }: Inference): boolean => trace.finishedAfter + 64n < steps;

/** Old moves, in the same game and in others. */
export const REPLAYS: readonly Adversary[] = [
  {
    name: 'replays all moves of the game', roles: BOTH,
    turn: async (turn) => { await replayAll(turn); await turn.playUsual(); },
    after: async (scene) => { for (const game of scene.games) await replayAll({ scene, game }); },
  },
  {
    name: 'replays in the honest turn', roles: BOTH,
    pending: async (scene, { to }, game) => {
      if (game !== null && game.winner === undefined && to === scene.stage.game) await replayAll({ scene, game });
    },
  },
  {
    name: 'replays where the states repeat', roles: BOTH,
    fits: inTail,
    lie: ({ asked: { inference }, random }) => inference.splicedLie(inference.trace.finishedAfter + random.big(inference.steps - inference.trace.finishedAfter), random),
    turn: async (turn) => { await replayAll(turn); await turn.playUsual(); await replayAll(turn); },
  },
  {
    name: 'plays an old move at another level', roles: BOTH,
    turn: async (turn) => {
      const { scene, game, role } = turn;
      const action = await turn.usual();
      if (action === null) return;
      for (const steps of [action.pick.steps + 1n, action.pick.steps - 1n, action.pick.steps * 16n, game.terms.steps + 1n]) {
        await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(game, { ...action, pick: { ...action.pick, steps } }) });
      }
      await turn.play(action);
    },
  },
  {
    name: 'plays the moves of one game in another', roles: BOTH, begin: twoGames,
    turn: async (turn) => {
      const { scene, game, role } = turn;
      const other = scene.games.find((one) => one !== game)!;
      const action = await turn.usual();
      if (action === null) return;
      if (other.split.states.join() !== game.split.states.join() || scene.turnOf(other) !== role || other.winner !== undefined) {
        const from = other.winner === undefined && scene.turnOf(other) === role ? other.terms[role] : game.terms[role];
        await scene.sendJunk({ from, ...scene.transactionOf(other, action) });
      }
      if (!same(game.terms.challenger, other.terms.challenger) && action.kind === 'move') {
        const { asserter, challenger } = other.terms;
        await scene.sendJunk({ from: game.terms[role], to: scene.stage.game, data: encodeFunctionData({ abi: dissectionGameAbi, functionName: 'move', args: [game.id, { asserter, challenger }, action.pick, { ...action.split, blob: 0n }] }) });
      }
      await turn.play(action);
    },
  },
  {
    name: 'names itself as the other party', roles: BOTH,
    pending: async (scene, { to }, game) => {
      if (game === null || game.winner !== undefined || to !== scene.stage.game) return;
      const action = await scene.actionOf(game, scene.truth);
      if (action === null) return;
      const posing = { ...game, terms: { ...game.terms, asserter: scene.attacker, challenger: scene.attacker } };
      await scene.sendJunk({ from: scene.attacker, ...scene.transactionOf(posing, action) });
    },
  },
  {
    name: 'changes a term', roles: BOTH,
    turn: async (turn) => {
      const { scene, game, role } = turn;
      const action = await turn.usual();
      if (action === null) return;
      for (const terms of [{ steps: game.terms.steps - 1n }, { allowance: 1n }, { asserterStake: 0n }, { challengerStake: 1n }, { binding: scene.random.word() }, { initialState: game.split.states[1]! }]) {
        const changed = { ...game, terms: { ...game.terms, ...terms } };
        if (action.kind !== 'move') await scene.sendJunk({ from: game.terms[role], ...scene.transactionOf(changed, action) });
        await scene.sendJunk({ from: game.terms[role], ...scene.timeout(changed) });
        await scene.sendJunk({ from: game.terms[role], ...scene.settlement(changed) });
      }
      await turn.play(action);
    },
  },
];
