/**
 * Goes through every game that an adversary can play against a truthful player.
 *
 * **What stands for what.** A claim of the adversary is right (0) or wrong (1), and no more is told apart. That leaves out nothing that it can
 * do, and allows nothing that it can't:
 * - A truthful player's claims are all right, so an adversary's move starts at a right state and must end in another one than a right one:
 *   a wrong one, and which one does not matter, since a truthful answer to it claims the right one, whatever the wrong one was.
 * - The truthful player opens segments that start right and end wrong. So nobody ever opens a wrong start, and what a wrong state steps to, in
 *   which the wrong ones differ, is never asked.
 * - All patterns of right and wrong can be claimed: claims are numbers that their author chooses. States that are right at another bound are
 *   wrong here: a finished machine's states are equal at all bounds, and then right at all of them.
 * - Lengths of segments depend on a split's length alone, so games that differ in where a split starts are the same game.
 * Calldata splits (up to 8 segments at an arity of 4) are gone through pattern by pattern, those in blobs by the classes of `patternClasses`.
 *
 * **Time** passes by the second. The truthful player may be held up as long as its clock allows, by an adversary's choice at every turn; the
 * adversary moves, concedes or stays silent whenever it likes. Illegal calls change nothing, and so are no moves; that the contract
 * refuses them is seen in the replays.
 */
import { CARRIERS, applyCall, isOver, objection, openGame, otherRole, roleToMove } from './game-rules.ts';
import type { Call, Carrier, Claim, GameRules, GameState, GameTerms, Move, Prices, Role } from './game-rules.ts';
import { allPatterns, disputable, patternClasses, segmentLengths } from './split-patterns.ts';
import type { PatternClass } from './split-patterns.ts';

/** Splits with more segments are gone through by classes. */
const MOST_PATTERNS = 8;

const NO_PRICES: Prices = { opening: 0n, answer: 0n, move: 0n, proof: 0n, blobPick: 0n, ending: 0n, gasPrice: 0n };

export interface GameCheck {
  readonly rules: GameRules;
  readonly honest: Role;
  /** Numbers of steps of the games. */
  readonly steps: readonly number[];
  /** Seconds on each clock. */
  readonly allowance: number;
}

export interface GameCheckResult {
  readonly states: number;
  readonly transitions: number;
  /** Games from an opening to an end that differ in anything that the adversary decides: claims, segments, carriers, the second of each move. */
  readonly games: bigint;
}

/** A state that breaks a property, and how it is reached. */
export class ModelViolation extends Error {
  constructor(property: string, trace: readonly string[]) {
    super(`${property}\n${trace.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ModelViolation';
  }
}

/** `age` is the time since the opening; `game.turnStartedAt` is kept at 0, and `elapsed` counts from there. */
interface Node {
  readonly game: GameState;
  readonly elapsed: number;
  readonly age: number;
}

interface Edge {
  readonly label: string;
  readonly to: Node;
  /** Choices that this one stands for. */
  readonly count: bigint;
}

const keyOf = ({ game: { phase, split, remaining }, elapsed, age }: Node): string =>
  isOver(phase) ? phase : `${phase},${split.length},${split.carrier},${split.claims.join('')},${remaining.asserter},${remaining.challenger},${elapsed},${age}`;

const labelOf = (call: Call): string => {
  if (call.kind === 'claimTimeout') return 'a time-out is claimed';
  const segment = `segment ${call.segment} of ${call.steps} steps`;
  return call.kind === 'prove' ? `${call.by} proves ${segment}` : `${call.by} ${call.kind}s ${segment}, claiming ${call.claims.join('')} by ${call.carrier}`;
};

/**
 * Checks that in every reachable state
 * - exactly one of "the party to move can move" and "its time-out can be claimed" holds;
 * - the truthful player, if it is to move, has a legal answer, and every truthful answer is legal;
 * - no game is older than twice the allowance without being over, at least by the clock;
 * - the truthful player has not lost.
 * Lengths fall and time passes, so no game is endless: that there always is a next state until the end makes every game end.
 * @throws ModelViolation with the way to a state that breaks one of them
 */
export function checkGames({ rules, honest, steps, allowance }: GameCheck): GameCheckResult {
  const terms: GameTerms = { steps: 0, allowance, stakes: { asserter: 0n, challenger: 0n } };
  const gamesFrom = new Map<string, bigint>();
  const trace: string[] = [];
  let transitions = 0;

  const patterns = new Map<string, readonly PatternClass[]>();
  const lies = (length: number, carrier: Carrier, first: Claim, last: Claim): readonly PatternClass[] => {
    const key = `${length},${carrier},${first},${last}`;
    let found = patterns.get(key);
    if (found === undefined) {
      const lengths = segmentLengths(rules, length, carrier);
      found = lengths.length <= MOST_PATTERNS ? allPatterns(lengths.length, first, last) : patternClasses(lengths, first, last);
      patterns.set(key, found);
    }
    return found;
  };
  const truth = (length: number, carrier: Carrier): Claim[] => segmentLengths(rules, length, carrier).map(() => 0);

  const fail = (property: string): never => {
    throw new ModelViolation(property, trace);
  };

  /** What a truthful player can do against the split: any segment that starts right and ends wrong, either carrier. */
  const truthfulCalls = ({ phase, split }: GameState, by: Role): Call[] => {
    const lengths = segmentLengths(rules, split.length, split.carrier);
    return disputable(split.claims).flatMap((segment): Call[] => {
      const pick = { by, steps: split.length, segment, picked: [split.claims[segment] as Claim, split.claims[segment + 1] as Claim] as const };
      const length = lengths[segment] as number;
      if (length === 1) return [{ ...pick, kind: 'prove', story: 0 }];
      const kind = phase === 'asserter-to-answer' ? 'answer' : 'move';
      return CARRIERS.map((carrier) => ({ ...pick, kind, carrier, first: 0, claims: truth(length, carrier) }));
    });
  };

  /** Everything that an adversary can send: one segment of each length stands for all of that length, since all are right throughout. */
  const adversaryCalls = ({ phase, split }: GameState, by: Role): { call: Call; count: bigint }[] => {
    const lengths = segmentLengths(rules, split.length, split.carrier);
    return [...new Set(lengths)].flatMap((length) => {
      const segment = lengths.indexOf(length);
      const alike = BigInt(lengths.filter((one) => one === length).length);
      const pick = { by, steps: split.length, segment, picked: [split.claims[segment] as Claim, split.claims[segment + 1] as Claim] as const };
      const kind: Move['kind'] = phase === 'asserter-to-answer' ? 'answer' : 'move';
      const proof: Call = { ...pick, kind: 'prove', story: pick.picked[0] };
      const moves = length < 2 ? [] : CARRIERS.flatMap((carrier) => [0, 1].flatMap((first) => [0, 1].flatMap((last) => (rules.startIsAgreed && first !== 0 ? [] : lies(length, carrier, first, last))
        .map(({ claims, count }) => ({ call: { ...pick, kind, carrier, first, claims: claims.slice(1) }, count: count * alike })))));
      return [{ call: proof, count: alike }, ...moves];
    });
  };

  const successors = ({ game, elapsed, age }: Node): Edge[] => {
    const mover = roleToMove(game);
    const after = (call: Call, count = 1n): Edge => {
      const next = applyCall(rules, terms, NO_PRICES, game, call, elapsed);
      return { label: `after ${elapsed} s, ${labelOf(call)}`, to: { game: { ...next, turnStartedAt: 0 }, elapsed: 0, age }, count };
    };
    const legal = (call: Call): boolean => objection(rules, game, call, elapsed) === null;
    const edges: Edge[] = [];
    const timeout: Call = { kind: 'claimTimeout' };
    const timedOut = legal(timeout);
    const wait: Edge = { label: 'a second passes', to: { game, elapsed: elapsed + 1, age: age + 1 }, count: 1n };
    if (mover === honest) {
      const calls = truthfulCalls(game, mover);
      const possible = calls.filter(legal);
      if (!timedOut && possible.length === 0) fail('the truthful player has no answer');
      if (!timedOut && possible.length < calls.length) fail('a truthful answer is illegal');
      if (timedOut && possible.length > 0) fail('a move and its time-out are both legal');
      edges.push(...possible.map((call) => after(call)));
      // It is held up, but never until its clock has run out.
      if (!timedOut && rules.mayMove(elapsed + 1, game.remaining[mover])) edges.push(wait);
    } else {
      const possible = adversaryCalls(game, mover).filter(({ call }) => legal(call));
      if (timedOut && possible.length > 0) fail('a move and its time-out are both legal');
      if (!timedOut && possible.length === 0) fail('neither a move nor its time-out is legal');
      edges.push(...possible.map(({ call, count }) => after(call, count)));
      if (!timedOut) edges.push(wait);
    }
    if (timedOut) edges.push(after(timeout));
    else if (age >= 2 * allowance) fail('the game is older than two allowances');
    return edges;
  };

  const visit = (node: Node): bigint => {
    if (isOver(node.game.phase)) {
      if (node.game.phase !== `${honest}-won`) fail('the truthful player has lost');
      gamesFrom.set(keyOf(node), 1n);
      return 1n;
    }
    const key = keyOf(node);
    const known = gamesFrom.get(key);
    if (known !== undefined) return known;
    let games = 0n;
    for (const { label, to, count } of successors(node)) {
      transitions += 1;
      trace.push(label);
      games += count * visit(to);
      trace.pop();
    }
    gamesFrom.set(key, games);
    return games;
  };

  let games = 0n;
  for (const length of steps) {
    for (const carrier of CARRIERS) {
      // The client has seen that the challenger's end is not that of the asserted output.
      const openings = honest === 'asserter' ? lies(length, carrier, 0, 1) : [{ claims: [0, ...truth(length, carrier)], count: 1n }];
      for (const { claims, count } of openings) {
        trace.push(`the challenger opens a game of ${length} steps, claiming ${claims.slice(1).join('')} by ${carrier}`);
        games += count * visit({ game: openGame({ ...terms, steps: length }, carrier, claims, NO_PRICES), elapsed: 0, age: 0 });
        trace.pop();
      }
    }
  }
  // Whatever both sides have played so far, truthfully or not: who faces a right start and a wrong end, with a second left, is not lost.
  for (const length of steps) {
    for (const carrier of CARRIERS) {
      for (const phase of honest === 'asserter' ? (['asserter-to-answer', 'asserter-to-move'] as const) : (['challenger-to-move'] as const)) {
        for (let asserter = 1; asserter <= allowance; asserter += 1) {
          for (let challenger = 1; challenger <= allowance; challenger += 1) {
            for (const { claims } of lies(length, carrier, 0, 1)) {
              trace.push(`a split of ${length} steps is ${claims.join('')} by ${carrier}, the ${otherRole(honest)} moved last, clocks ${asserter} and ${challenger}`);
              visit({
                game: { phase, split: { start: 0, length, carrier, claims }, turnStartedAt: 0, remaining: { asserter, challenger }, gas: { asserter: 0n, challenger: 0n } },
                elapsed: 0, age: 2 * allowance - asserter - challenger,
              });
              trace.pop();
            }
          }
        }
      }
    }
  }
  return { states: gamesFrom.size, transitions, games };
}
