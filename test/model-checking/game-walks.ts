import { CARRIERS, isOver, otherRole, phaseAt, roleToMove, segmentBounds } from './game-rules.ts';
import type { Call, Carrier, Claim, Move, Role } from './game-rules.ts';
import type { GameBench, ReplayedGame } from './game-replay.ts';
import { disputable } from './split-patterns.ts';

/** Numbers below a bound that depend on the seed alone: a linear congruential generator with the constants of Numerical Recipes. */
export function seededNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Stories that liars tell. */
const STORIES = 3;

export interface WalkOptions {
  /** Most steps of a game. */
  readonly steps: number;
  /** Of 16 splits, so many travel in blobs, which take long to open. */
  readonly blobs: number;
}

/** What was compared with the contract. */
export interface WalkCount {
  games: number;
  legal: number;
  illegal: number;
  honestWins: number;
  honestGames: number;
}

type Numbers = (below: number) => number;

const claimsOf = (numbers: Numbers, bench: GameBench, length: number, carrier: Carrier, truthful: boolean): Claim[] =>
  Array.from({ length: bench.rules.segments(length, carrier) }, () => (truthful ? 0 : numbers(STORIES)));

/**
 * Plays one game on the model and on the contract: one side truthful, or neither; with illegal calls in between, pauses up to the last
 * second and past it, and the client's note of the end.
 * @throws Error where the contract and the model differ, or a truthful player lost
 */
export async function walkGame(bench: GameBench, seed: number, { steps, blobs }: WalkOptions, count: WalkCount): Promise<void> {
  const numbers = seededNumbers(seed);
  numbers(2);
  const honest = (['asserter', 'challenger', null] as const)[numbers(3)] ?? null;
  const carrier = (): Carrier => CARRIERS[numbers(16) < blobs ? 1 : 0] as Carrier;
  const length = 1 + numbers(steps);
  const first = carrier();
  const opening = claimsOf(numbers, bench, length, first, honest === 'challenger');
  if (honest === 'asserter') opening[opening.length - 1] = 1 + numbers(STORIES - 1);
  const allowance = 1 + numbers(20);
  const asserterStake = BigInt(numbers(4)) * 10n ** 14n;
  const game = await bench.open({ steps: length, allowance, stakes: { asserter: asserterStake, challenger: asserterStake * 10n + 7n } }, first, [0, ...opening]);
  count.games += 1;

  const send = async (call: Call): Promise<void> => {
    const before = game.state;
    await game.call(call);
    if (game.state === before) count.illegal += 1;
    else count.legal += 1;
  };
  for (let turn = 0; turn < 40 && !isOver(game.state.phase); turn += 1) {
    const mover = roleToMove(game.state);
    const left = game.state.remaining[mover] - (game.time - game.state.turnStartedAt);
    // A truthful player has its turn in time; the other one may be late.
    if (numbers(3) === 0) game.wait(numbers(4) === 0 ? left - 1 : numbers(left));
    if (mover !== honest && numbers(16) === 0) game.wait(allowance);
    if (numbers(3) === 0) await send(spoilt(numbers, bench, game, carrier));
    if (numbers(4) === 0) await game.close();
    if (isOver(phaseAt(bench.rules, game.state, game.time))) {
      await send(anyCall(numbers, bench, game, carrier, mover, mover === honest));
      if (!isOver(game.state.phase)) await (numbers(2) === 0 ? send({ kind: 'claimTimeout' }) : game.close());
      break;
    }
    await send(anyCall(numbers, bench, game, carrier, mover, mover === honest));
  }
  await send(spoilt(numbers, bench, game, carrier));
  await game.close();
  await game.close();
  if (honest === null) return;
  count.honestGames += 1;
  if (game.state.phase === `${honest}-won`) count.honestWins += 1;
  else throw new Error(`game ${seed}: the truthful ${honest} did not win, but ${game.state.phase}`);
}

/** A well-formed call of the mover; a truthful one disputes a segment that starts right and ends wrong. */
function anyCall(numbers: Numbers, bench: GameBench, { state }: ReplayedGame, carrier: () => Carrier, by: Role, truthful: boolean): Call {
  const { split, phase } = state;
  const segments = split.claims.length - 1;
  const candidates = truthful ? disputable(split.claims) : Array.from({ length: segments }, (_, index) => index);
  const segment = candidates[numbers(candidates.length)] as number;
  const [from, to] = segmentBounds(split.length, segment, segments);
  const picked = [split.claims[segment] as Claim, split.claims[segment + 1] as Claim] as const;
  const pick = { by, steps: split.length, segment, picked };
  if (to - from === 1) return { ...pick, kind: 'prove', story: picked[0] };
  const chosen = carrier();
  const claims = claimsOf(numbers, bench, to - from, chosen, truthful);
  if (!truthful && numbers(8) > 0 && claims.at(-1) === picked[1]) claims[claims.length - 1] = (picked[1] + 1) % STORIES;
  return { ...pick, kind: phase === 'asserter-to-answer' ? 'answer' : 'move', carrier: chosen, first: picked[0], claims };
}

/** A call with something wrong about it; now and then it is legal all the same. */
function spoilt(numbers: Numbers, bench: GameBench, game: ReplayedGame, carrier: () => Carrier): Call {
  const mover = roleToMove(game.state);
  const call = anyCall(numbers, bench, game, carrier, mover, false);
  if (call.kind === 'claimTimeout') return call;
  const { picked } = call;
  const move: Move = call.kind === 'prove' ? { ...call, kind: game.state.phase === 'asserter-to-answer' ? 'answer' : 'move', carrier: 'calldata', first: 0, claims: [(picked[1] + 1) % STORIES] } : call;
  switch (numbers(10)) {
    case 0: return { ...call, by: otherRole(call.by) };
    case 1: return { ...call, steps: call.steps + 1 };
    case 2: return { ...call, segment: call.segment + game.state.split.claims.length - 1 };
    case 3: return { ...call, picked: [(picked[0] + 1) % STORIES, picked[1]] };
    case 4: return { ...call, picked: [picked[0], (picked[1] + 1) % STORIES] };
    case 5: return { ...move, kind: move.kind === 'answer' ? 'move' : 'answer' };
    case 6: return { ...move, claims: [...move.claims.slice(0, -1), picked[1]] };
    case 7: return { ...move, carrier: 'calldata', claims: [...move.claims, (picked[1] + 1) % STORIES] };
    case 8: return { ...call, kind: 'prove', story: call.kind === 'prove' ? (picked[0] + 1) % STORIES : picked[0] };
    default: return { kind: 'claimTimeout' };
  }
}
