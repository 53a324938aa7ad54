import type { Hex } from 'viem';
import { claimsPath, claimsRoot } from './claims.ts';
import { segmentAt, splitBounds } from './split.ts';
import type { Segment } from './split.ts';

export type Role = 'asserter' | 'challenger';

/** What the chain says of a game, as far as a player needs it. */
export interface GameView {
  readonly status: 'awaiting-answer' | 'awaiting-move' | 'settled';
  readonly turn: Role;
  /** Steps of the whole inference, `N`. */
  readonly steps: bigint;
  /** The latest split, which the party to move has to answer: `m + 1` states, the first and last included. */
  readonly split: (Segment & { readonly states: readonly Hex[] }) | null;
}

/** A party's own computation of the disputed inference. */
export interface StateSource {
  /** Hashes of the states after so many steps, in the order asked for. */
  stateAt(steps: readonly bigint[]): Promise<Hex[]>;
  /** Proof of the step that follows state number `step`. */
  proofAt(step: bigint): Promise<Hex>;
  /** Opens the final state for the contract, so that it sees the output. */
  finalOpening(): Promise<Hex>;
}

/** The next thing to send. */
export type Action =
  | { readonly kind: 'answer'; readonly opening: Hex; readonly finalState: Hex; readonly states: readonly Hex[] }
  | {
      readonly kind: 'move';
      readonly claims: Hex;
      readonly segment: number;
      readonly start: Hex;
      readonly end: Hex;
      readonly path: readonly Hex[];
      /** States at the bounds inside the segment, and the mover's own state at its end. */
      readonly states: readonly Hex[];
    }
  | {
      readonly kind: 'prove';
      readonly claims: Hex;
      readonly segment: number;
      readonly start: Hex;
      readonly end: Hex;
      readonly path: readonly Hex[];
      readonly proof: Hex;
      /** Number of the step that is proven. */
      readonly step: bigint;
    };

/** Thrown when a party's own computation agrees with everything that the other side claims: it has nothing to answer. */
export class NothingToDisputeError extends Error {
  constructor(split: Segment) {
    super(`own states agree with every claim over steps ${split.start} to ${split.start + split.length}: there is no segment to dispute`);
    this.name = 'NothingToDisputeError';
  }
}

/**
 * The next action of `role`, or null when it is not its turn. An honest party always has one: its opponent's split starts
 * with a state that both hold (or is the machine's first) and ends with one that it does not, so some segment starts right and ends wrong.
 * @throws NothingToDisputeError when the party's own states equal all of the split's.
 */
export async function nextAction(view: GameView, role: Role, source: StateSource): Promise<Action | null> {
  if (view.status === 'settled' || view.turn !== role) return null;
  if (view.status === 'awaiting-answer') {
    const bounds = splitBounds({ start: 0n, length: view.steps });
    const states = await source.stateAt(bounds);
    return { kind: 'answer', opening: await source.finalOpening(), finalState: states.at(-1) as Hex, states: states.slice(1, -1) };
  }
  if (view.split === null) throw new Error('a game that awaits a move has a split');
  return answerSplit(view.split, source);
}

async function answerSplit(split: NonNullable<GameView['split']>, source: StateSource): Promise<Action> {
  const own = await source.stateAt(splitBounds(split));
  const segment = own.findIndex((state, index) => index + 1 < own.length && state === split.states[index] && own[index + 1] !== split.states[index + 1]);
  if (segment < 0) throw new NothingToDisputeError(split);
  const named = {
    claims: claimsRoot(split.states),
    segment,
    start: split.states[segment] as Hex,
    end: split.states[segment + 1] as Hex,
    path: claimsPath(split.states, segment),
  };
  const inner = segmentAt(split, segment);
  if (inner.length === 1n) return { kind: 'prove', ...named, proof: await source.proofAt(inner.start), step: inner.start };
  return { kind: 'move', ...named, states: (await source.stateAt(splitBounds(inner))).slice(1) };
}
