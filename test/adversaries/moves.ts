import type { Hex } from 'viem';
import { claimsOpening } from '../../fraud-proof/dispute/claims.ts';
import { arityOf } from '../../fraud-proof/dispute/player.ts';
import type { Action, Pick } from '../../fraud-proof/dispute/player.ts';
import { CALLDATA_ARITY, segmentAt, segmentCount, splitBounds } from '../../fraud-proof/dispute/split.ts';
import type { GameOnStage, Scene } from './scene.ts';

/** Segments of the split that is to be answered. */
export const segmentsOf = ({ split }: GameOnStage): number => segmentCount(split.length, arityOf(split.carrier));

/** The step numbers at the bounds of a move into `segment`. */
export const boundsIn = ({ split }: GameOnStage, segment: number): bigint[] => splitBounds(segmentAt(split, segment, arityOf(split.carrier)), CALLDATA_ARITY);

/** A well-formed pick of a segment of claims that came as calldata. */
export function pickOf({ split }: GameOnStage, segment: number): Pick {
  return {
    steps: split.length, segment: BigInt(segment), start: split.states[segment] as Hex, end: split.states[segment + 1] as Hex,
    opening: claimsOpening(split.states, segment, CALLDATA_ARITY),
  };
}

/** An action into any segment: a move that claims these states after its first one, or the proof of a single step. */
export async function forgedAction(scene: Scene, game: GameOnStage, segment: number, claim: (bounds: readonly bigint[]) => readonly Hex[] | Promise<readonly Hex[]>): Promise<Action> {
  const pick = pickOf(game, segment);
  const bounds = boundsIn(game, segment);
  if (bounds.length === 2) return { kind: 'prove', pick, proof: await scene.truth.source.proofAt(bounds[0]!), step: bounds[0]! };
  const states = await claim(bounds.slice(1));
  return { kind: game.moves === 0 ? 'answer' : 'move', pick, split: { inner: states.slice(0, -1), end: states.at(-1) as Hex } };
}
