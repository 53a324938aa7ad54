/**
 * The rules of the dispute game, written from docs/dispute.md and not from the contract, with small numbers in the place of hashes.
 *
 * A claimed state is the number of the **story** that it is from: story 0 is what the machine does, the others are what liars may have made
 * up. State `i` of a story steps to state `i + 1` of the same story, so that a claim is right if it is 0, two claims of the state at one bound
 * are equal if their numbers are, and a step is as claimed if both of its ends have the same number.
 */
export type Claim = number;

export type Role = 'asserter' | 'challenger';
export type Carrier = 'calldata' | 'blob';
export const CARRIERS: readonly Carrier[] = ['calldata', 'blob'];

export const otherRole = (role: Role): Role => (role === 'asserter' ? 'challenger' : 'asserter');

/** Claims at the bounds of a split of `length` steps from `start` on: one more than there are segments. */
export interface Split {
  readonly start: number;
  readonly length: number;
  readonly carrier: Carrier;
  readonly claims: readonly Claim[];
}

export type GamePhase = 'asserter-to-answer' | 'asserter-to-move' | 'challenger-to-move' | 'asserter-won' | 'challenger-won';

/** A running game, or one whose end is on record. Times in seconds. */
export interface GameState {
  readonly phase: GamePhase;
  readonly split: Split;
  readonly turnStartedAt: number;
  readonly remaining: Readonly<Record<Role, number>>;
  /** What each side's moves are metered at. */
  readonly gas: Readonly<Record<Role, bigint>>;
  /** What the two were paid at the end, and what is nobody's. */
  readonly payout?: Payout;
}

export interface Payout extends Readonly<Record<Role, bigint>> {
  readonly burnt: bigint;
}

/** What a game is opened with, beside the split. */
export interface GameTerms {
  readonly steps: number;
  readonly allowance: number;
  readonly stakes: Readonly<Record<Role, bigint>>;
}

/** What the winner's moves are paid at: gas, and wei for a unit of it. */
export interface Prices {
  readonly opening: bigint;
  readonly answer: bigint;
  readonly move: bigint;
  readonly proof: bigint;
  readonly blobPick: bigint;
  readonly ending: bigint;
  readonly gasPrice: bigint;
}

/** What a call says of the split that it answers. */
interface Pick {
  readonly by: Role;
  readonly steps: number;
  readonly segment: number;
  readonly picked: readonly [Claim, Claim];
}

/** `claims` are those behind the first; `first` is looked at only where a broken rule lets the mover choose it. */
export interface Move extends Pick {
  readonly kind: 'answer' | 'move';
  readonly carrier: Carrier;
  readonly claims: readonly Claim[];
  readonly first: Claim;
}

/** `story` is the one of which the proof shows the step. */
export interface Proof extends Pick {
  readonly kind: 'prove';
  readonly story: Claim;
}

export type Call = Move | Proof | { readonly kind: 'claimTimeout' };

/** What can be broken on purpose, to see whether the checker notices. */
export interface GameRules {
  segments(length: number, carrier: Carrier): number;
  mayMove(elapsed: number, remaining: number): boolean;
  timedOut(elapsed: number, remaining: number): boolean;
  charge(remaining: number, elapsed: number): number;
  readonly endMustDiffer: boolean;
  readonly startIsAgreed: boolean;
  readonly proofIsOfOneStep: boolean;
  /** Whether a step from one claim to another shows that the mover is right. */
  moverWins(start: Claim, end: Claim): boolean;
  /** Who has lost when a clock has run out in `role`'s turn. */
  loserOfTimeout(role: Role): Role;
}

/** The rules as docs/dispute.md has them. @param arity segments of a split in calldata @param blobArity the most in a blob */
export const gameRules = (arity: number, blobArity = 4096): GameRules => ({
  segments: (length, carrier) => (carrier === 'blob' ? Math.min(blobArity, length) : length <= 2 * arity ? length : arity),
  mayMove: (elapsed, remaining) => elapsed < remaining,
  timedOut: (elapsed, remaining) => elapsed >= remaining,
  charge: (remaining, elapsed) => remaining - elapsed,
  endMustDiffer: true,
  startIsAgreed: true,
  proofIsOfOneStep: true,
  moverWins: (start, end) => start !== end,
  loserOfTimeout: (role) => role,
});

/** Bounds of segment `j` of `m`, counted from the split's start. */
export const segmentBounds = (length: number, j: number, m: number): readonly [number, number] => [Math.floor((j * length) / m), Math.floor(((j + 1) * length) / m)];

export const isOver = (phase: GamePhase): boolean => phase === 'asserter-won' || phase === 'challenger-won';

/** Whose turn is on record. */
export const roleToMove = (state: GameState): Role => (state.phase === 'challenger-to-move' ? 'challenger' : 'asserter');

const wonBy = (role: Role): GamePhase => `${role}-won`;

/** The game that a challenge opens at `time`. */
export function openGame(terms: GameTerms, carrier: Carrier, claims: readonly Claim[], prices: Prices, time = 0): GameState {
  return {
    phase: 'asserter-to-answer',
    split: { start: 0, length: terms.steps, carrier, claims },
    turnStartedAt: time,
    remaining: { asserter: terms.allowance, challenger: terms.allowance },
    gas: { asserter: 0n, challenger: prices.opening },
  };
}

/** Where the game stands at `time`. */
export function phaseAt(rules: GameRules, state: GameState, time: number): GamePhase {
  if (isOver(state.phase)) return state.phase;
  const role = roleToMove(state);
  return rules.timedOut(time - state.turnStartedAt, state.remaining[role]) ? wonBy(otherRole(rules.loserOfTimeout(role))) : state.phase;
}

/** Why a call is illegal, or null. */
export function objection(rules: GameRules, state: GameState, call: Call, time: number): string | null {
  if (isOver(state.phase)) return 'the game is over';
  const role = roleToMove(state);
  const elapsed = time - state.turnStartedAt;
  if (call.kind === 'claimTimeout') return rules.timedOut(elapsed, state.remaining[role]) ? null : 'the clock still runs';
  if (!rules.mayMove(elapsed, state.remaining[role])) return 'the clock has run out';
  if (call.by !== role) return 'not its turn';
  if (call.kind === 'answer' && state.phase !== 'asserter-to-answer') return 'answered already';
  if (call.kind === 'move' && state.phase === 'asserter-to-answer') return 'to be answered, not moved';
  const { split } = state;
  if (call.steps !== split.length) return 'another split is meant';
  const count = rules.segments(split.length, split.carrier);
  if (call.segment < 0 || call.segment >= count) return 'no such segment';
  if (call.picked[0] !== split.claims[call.segment] || call.picked[1] !== split.claims[call.segment + 1]) return 'not what was claimed';
  const [from, to] = segmentBounds(split.length, call.segment, count);
  if (call.kind === 'prove') {
    if (rules.proofIsOfOneStep && to - from !== 1) return 'more than one step';
    return call.story === call.picked[0] ? null : 'a proof of another state';
  }
  if (to - from <= 1) return 'one step: to be proven';
  if (call.claims.length !== rules.segments(to - from, call.carrier)) return 'wrong number of states';
  return rules.endMustDiffer && call.claims.at(-1) === call.picked[1] ? 'its end is not disputed' : null;
}

/** The game after a legal call. */
export function applyCall(rules: GameRules, terms: GameTerms, prices: Prices, state: GameState, call: Call, time: number): GameState {
  const role = roleToMove(state);
  if (call.kind === 'claimTimeout') return end(terms, prices, state, otherRole(rules.loserOfTimeout(role)), 0n);
  const { split } = state;
  const [from, to] = segmentBounds(split.length, call.segment, rules.segments(split.length, split.carrier));
  const pickGas = split.carrier === 'blob' ? prices.blobPick : 0n;
  if (call.kind === 'prove') {
    const wins = to - from !== 1 || rules.moverWins(call.picked[0], call.picked[1]);
    return end(terms, prices, state, wins ? role : otherRole(role), wins ? prices.proof + pickGas : 0n);
  }
  return {
    phase: role === 'asserter' ? 'challenger-to-move' : 'asserter-to-move',
    split: { start: split.start + from, length: to - from, carrier: call.carrier, claims: [rules.startIsAgreed ? call.picked[0] : call.first, ...call.claims] },
    turnStartedAt: time,
    remaining: { ...state.remaining, [role]: rules.charge(state.remaining[role], time - state.turnStartedAt) },
    gas: { ...state.gas, [role]: state.gas[role] + (call.kind === 'answer' ? prices.answer : prices.move) + pickGas },
  };
}

/** The winner has its stake back, and its moves paid out of the loser's; the rest is burnt. Who never answered has brought no stake. */
function end(terms: GameTerms, prices: Prices, state: GameState, winner: Role, proofGas: bigint): GameState {
  const stakes = { ...terms.stakes, asserter: state.phase === 'asserter-to-answer' ? 0n : terms.stakes.asserter };
  const forfeit = stakes[otherRole(winner)];
  const worth = (state.gas[winner] + proofGas + prices.ending) * prices.gasPrice;
  const reward = worth < forfeit ? worth : forfeit;
  const paid = { asserter: 0n, challenger: 0n, [winner]: stakes[winner] + reward };
  return { ...state, phase: wonBy(winner), payout: { ...paid, burnt: forfeit - reward } };
}
