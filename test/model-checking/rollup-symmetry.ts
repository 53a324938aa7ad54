import { ATTACKING_CHALLENGERS, isRunning } from './rollup-rules.ts';
import type { GameOfClaim, Instance, RequestState, RollupState } from './rollup-rules.ts';

const keyOfGame = ({ challenger, phase, elapsed, settled }: GameOfClaim): string => `${challenger === 'honest challenger' ? 'h' : 'a'}${phase},${elapsed}${settled ? 's' : ''}`;
const byKey = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Instances with the same text are the same instance; in the canonical form of both, if they differ in symmetries alone. */
export const keyOfInstance = ({ claim, sponsor, left, defeats, released, games }: Instance): string =>
  `${claim},${sponsor},${left},${defeats}${released ? 'r' : ''};${games.map((game) => `${game.challenger.slice(0, 2)}${keyOfGame(game)}`).join(';')}`;

export const keyOfRequests = (requests: readonly RequestState[]): string => requests.map(({ status, left, feeSpent }) => `${status}${left}${feeSpent ? 's' : ''}`).join();

/**
 * One instance of all that nobody can tell apart:
 * games are side by side, so their order says nothing; attacking challengers may do the same, so that their names say nothing, and go by the order;
 * the time since the window closed matters to running games alone.
 */
export function canonicalInstance(instance: Instance): Instance {
  const sorted = [...instance.games].sort((one, other) => byKey(keyOfGame(one), keyOfGame(other)));
  let attackers = 0;
  const games = sorted.map((game) => (game.challenger === 'honest challenger' ? game : { ...game, challenger: ATTACKING_CHALLENGERS[attackers++] as GameOfClaim['challenger'] }));
  return { ...instance, games, left: games.some(isRunning) ? instance.left : Math.max(instance.left, 0) };
}

/** The deadline matters to a pending request alone. */
export const canonicalRequests = (requests: readonly RequestState[]): readonly RequestState[] =>
  requests.map((request) => (request.status === 'pending' ? request : { ...request, left: 0 }));

/** One state of all that nobody can tell apart: besides, instances are side by side, so their order says nothing. */
export const canonicalState = ({ instances, confirmed, requests }: RollupState): RollupState => ({
  instances: instances.map(canonicalInstance).sort((one, other) => byKey(keyOfInstance(one), keyOfInstance(other))),
  confirmed,
  requests: canonicalRequests(requests),
});

export const keyOfState = ({ instances, confirmed, requests }: RollupState): string => `${instances.map(keyOfInstance).join('|')}#${confirmed.join()}#${keyOfRequests(requests)}`;
