import type { Hex } from 'viem';
import { blobOf, blobOpening } from './blob-claims.ts';
import type { Kzg } from './blob-claims.ts';
import { claimsOpening } from './claims.ts';
import { BLOB_ARITY, CALLDATA_ARITY, segmentAt, splitBounds } from './split.ts';
import type { Arity, Segment } from './split.ts';

export type Role = 'asserter' | 'challenger';

/** How a split's claims travel. */
export type Carrier = 'calldata' | 'blob';

/** A split as the chain has it: the states at all of its bounds, the first and last included. */
export interface ClaimedSplit extends Segment {
  readonly states: readonly Hex[];
  readonly carrier: Carrier;
  /** The blob that the inner states came in; made from them when absent, which fits only an author that left the rest of it zero. */
  readonly blob?: Uint8Array;
}

/** What the chain says of a game, as far as a player needs it. */
export interface GameView {
  readonly status: 'awaiting-answer' | 'awaiting-move' | 'settled';
  readonly turn: Role;
  /** The latest split, which the party to move has to answer. */
  readonly split: ClaimedSplit;
}

/** A party's own computation of the disputed inference. */
export interface StateSource {
  /** Hashes of the states after so many steps, in the order asked for. */
  stateAt(steps: readonly bigint[]): Promise<Hex[]>;
  /** Proof of the step that follows state number `step`. */
  proofAt(step: bigint): Promise<Hex>;
  /** Opens the final state for the contract, so that it sees the output, or that there is none. */
  finalOpening(): Promise<Hex>;
}

/** How a party plays. */
export interface PlayOptions {
  /** Of splits that travel as calldata: the deployment's. */
  readonly arity?: Arity;
  /** What the party's own claims travel in; calldata when absent. */
  readonly carrier?: Carrier;
  /** For claims in blobs, one's own or the other's. */
  readonly kzg?: Kzg;
}

/** The segment of the other's split that a move disputes: the contract's `Pick`. */
export interface Pick {
  /** Steps of the split that is answered. */
  readonly steps: bigint;
  readonly segment: bigint;
  readonly start: Hex;
  readonly end: Hex;
  readonly opening: Hex;
}

/** A party's own claims: the contract's `Split`, and the blob that goes with the transaction, if one does. */
export interface SplitClaims {
  readonly end: Hex;
  readonly inner: readonly Hex[];
  readonly blob?: Uint8Array;
}

/** What a challenge brings. */
export interface Challenge {
  readonly opening: Hex;
  readonly split: SplitClaims;
}

/** The next thing to send. */
export type Action =
  /** `answer` is the asserter's first move. */
  | { readonly kind: 'answer' | 'move'; readonly pick: Pick; readonly split: SplitClaims }
  /** `step` is the number of the step that is proven. */
  | { readonly kind: 'prove'; readonly pick: Pick; readonly proof: Hex; readonly step: bigint };

/** Thrown when a party's own computation agrees with everything that the other side claims: it has nothing to answer. */
export class NothingToDisputeError extends Error {
  constructor(split: Segment) {
    super(`own states agree with every claim over steps ${split.start} to ${split.start + split.length}: there is no segment to dispute`);
    this.name = 'NothingToDisputeError';
  }
}

/** How many segments a split has. */
export const arityOf = (carrier: Carrier, options: PlayOptions = {}): Arity => (carrier === 'blob' ? BLOB_ARITY : (options.arity ?? CALLDATA_ARITY));

/** What opens a game about an inference of `steps` steps: the challenger's own final state, and its split of all steps. */
export async function openingMove(steps: bigint, source: StateSource, options: PlayOptions = {}): Promise<Challenge> {
  return { split: await ownSplit({ start: 0n, length: steps }, source, options), opening: await source.finalOpening() };
}

/**
 * The next action of `role`, or null when it is not its turn. An honest party always has one: its opponent's split starts
 * with a state that both hold (or is the machine's first) and ends with one that it does not, so some segment starts right and ends wrong.
 * @throws NothingToDisputeError when the party's own states equal all of the split's.
 */
export async function nextAction(view: GameView, role: Role, source: StateSource, options: PlayOptions = {}): Promise<Action | null> {
  if (view.status === 'settled' || view.turn !== role) return null;
  const { split } = view;
  const arity = arityOf(split.carrier, options);
  const own = await source.stateAt(splitBounds(split, arity));
  const segment = own.findIndex((state, index) => index + 1 < own.length && state === split.states[index] && own[index + 1] !== split.states[index + 1]);
  if (segment < 0) throw new NothingToDisputeError(split);
  const pick: Pick = {
    steps: split.length,
    segment: BigInt(segment),
    start: split.states[segment] as Hex,
    end: split.states[segment + 1] as Hex,
    opening: split.carrier === 'calldata' ? claimsOpening(split.states, segment, arity) : blobOpening(split.states, segment, kzgOf(options), split.blob),
  };
  const inner = segmentAt(split, segment, arity);
  if (inner.length === 1n) return { kind: 'prove', pick, proof: await source.proofAt(inner.start), step: inner.start };
  return { kind: view.status === 'awaiting-answer' ? 'answer' : 'move', pick, split: await ownSplit(inner, source, options) };
}

async function ownSplit(segment: Segment, source: StateSource, options: PlayOptions): Promise<SplitClaims> {
  const carrier = options.carrier ?? 'calldata';
  const states = await source.stateAt(splitBounds(segment, arityOf(carrier, options)));
  const end = states.at(-1) as Hex;
  return carrier === 'calldata' ? { end, inner: states.slice(1, -1) } : { end, inner: [], blob: blobOf(states) };
}

function kzgOf({ kzg }: PlayOptions): Kzg {
  if (kzg === undefined) throw new Error('the other side put its claims into a blob, and there is no KZG library to open them with: install @crate-crypto/node-eth-kzg');
  return kzg;
}
