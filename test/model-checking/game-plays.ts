import { applyCall, isOver, openGame, roleToMove } from './game-rules.ts';
import type { Call, Claim, GameRules, GameState, GameTerms, Prices, Role } from './game-rules.ts';
import type { GameBench } from './game-replay.ts';
import { allPatterns, disputable, segmentLengths } from './split-patterns.ts';

/** A game from its opening to its end; it ends in silence where the last call is no proof. */
export interface Play {
  readonly opening: readonly Claim[];
  readonly calls: readonly Call[];
}

/** Every game of `steps` steps with claims in calldata, all segments and patterns one by one, against every truthful answer. */
export function* allPlays(rules: GameRules, honest: Role, steps: number): Generator<Play> {
  const terms: GameTerms = { steps, allowance: 1, stakes: { asserter: 0n, challenger: 0n } };
  const prices: Prices = { opening: 0n, answer: 0n, move: 0n, proof: 0n, blobPick: 0n, ending: 0n, gasPrice: 0n };
  const patterns = (length: number, truthful: boolean, end: readonly Claim[]): readonly (readonly Claim[])[] => {
    const segments = rules.segments(length, 'calldata');
    return truthful ? [Array.from({ length: segments + 1 }, () => 0)] : end.flatMap((last) => allPatterns(segments, 0, last).map(({ claims }) => claims));
  };
  const callsIn = ({ phase, split }: GameState, by: Role): Call[] => {
    const truthful = by === honest;
    const lengths = segmentLengths(rules, split.length, split.carrier);
    return (truthful ? disputable(split.claims) : lengths.map((_, index) => index)).flatMap((segment): Call[] => {
      const picked = [split.claims[segment] as Claim, split.claims[segment + 1] as Claim] as const;
      const pick = { by, steps: split.length, segment, picked };
      const length = lengths[segment] as number;
      if (length === 1) return [{ ...pick, kind: 'prove', story: picked[0] }];
      const kind = phase === 'asserter-to-answer' ? 'answer' : 'move';
      return patterns(length, truthful, [1]).map((claims) => ({ ...pick, kind, carrier: 'calldata', first: 0, claims: claims.slice(1) }));
    });
  };
  function* from(state: GameState, opening: readonly Claim[], calls: readonly Call[]): Generator<Play> {
    if (isOver(state.phase)) {
      yield { opening, calls };
      return;
    }
    const mover = roleToMove(state);
    if (mover !== honest) yield { opening, calls };
    for (const call of callsIn(state, mover)) yield* from(applyCall(rules, terms, prices, state, call, 0), opening, [...calls, call]);
  }
  for (const opening of patterns(steps, honest === 'challenger', [1])) yield* from(openGame(terms, 'calldata', opening, prices), opening, []);
}

/** Plays a game on the contract, the adversary moving at once or in its last second. @throws Error where model and contract differ, or the truthful player lost */
export async function replayPlay(bench: GameBench, honest: Role, steps: number, { opening, calls }: Play, lastSecond: boolean): Promise<void> {
  const allowance = 30;
  const game = await bench.open({ steps, allowance, stakes: { asserter: 10n ** 14n, challenger: 10n ** 15n } }, 'calldata', opening);
  for (const call of calls) {
    const mover = roleToMove(game.state);
    // It leaves itself one second, in which its later moves come at once.
    if (lastSecond && mover !== honest) game.wait(game.state.remaining[mover] - 1);
    await game.call(call);
  }
  if (!isOver(game.state.phase)) {
    game.wait(game.state.remaining[roleToMove(game.state)] - (game.time - game.state.turnStartedAt) - 1);
    await game.call({ kind: 'claimTimeout' });
    game.wait(1);
    await game.call({ kind: 'claimTimeout' });
  }
  await game.close();
  if (game.state.phase !== `${honest}-won`) throw new Error(`the truthful ${honest} did not win: ${game.state.phase}`);
}
