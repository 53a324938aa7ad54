import { closingActions, honestDuties, isRight } from './rollup-players.ts';
import type { RollupBounds } from './rollup-players.ts';
import {
  AMOUNTS, TIMES, applyAction, gamePhase, heldForInstance, heldForRequests, isHonest, isLegal, isLegalForInstance, isLegalForRequest, isRunning, openGames, phaseOf,
} from './rollup-rules.ts';
import type { ClaimName, Instance, InstanceAction, Payment, RequestState, RollupAction, RollupPhase, RollupRules, RollupState, Sponsor } from './rollup-rules.ts';

/** Ticks that honest parties have to bring everything to its end: a window, and two allowances for a game. */
export const CLOSING_TICKS = TIMES.window + 2 * TIMES.allowance;

/** What is wrong with an instance in its phase, or null. */
export function instanceFault(rules: RollupRules, instance: Instance, phase: RollupPhase): string | null {
  if (!isRight(instance.claim) && phase === 'final') return 'a wrong claim is final';
  if (instance.sponsor === 'honest sponsor' && phase === 'defeated') return 'an honest instance is defeated';
  if (instance.defeats !== instance.games.filter((game) => game.settled && game.phase === 'challenger won').length) return 'a game counts more than once';
  if (AMOUNTS.bounty * rules.bounties(instance.defeats) * 2 > AMOUNTS.bond) return 'bounties are more than half of the bond';
  for (const [at, game] of instance.games.entries()) {
    const moves = (['answer', 'prove', 'settle'] as const).filter((kind) => isLegalForInstance(rules, instance, phase, { kind, game: at, wins: true } as InstanceAction));
    if (!game.settled && moves.length !== 1) return `a game has ${moves.length} legal continuations`;
    const endless = gamePhase(rules, game) === 'to answer' || gamePhase(rules, game) === 'to prove';
    if (instance.sponsor === 'honest sponsor' && instance.left <= -2 * TIMES.allowance && endless) return 'a game goes on two allowances after the window';
  }
  return null;
}

export const confirmedFault = (confirmed: readonly ClaimName[]): string | null => (confirmed.every(isRight) ? null : 'a wrong claim is confirmed');

/** What is wrong with the requests, or null. */
export function requestsFault(rules: RollupRules, requests: readonly RequestState[]): string | null {
  for (const [index, request] of requests.entries()) {
    if (request.finality === 'final' && request.status === 'delivered wrong') return 'a wrong result was delivered as final';
    if (request.status !== 'pending') continue;
    if (isLegalForRequest(rules, requests, index, 'refund') !== request.left <= 0) return 'a refund is not legal exactly from the deadline on';
    if (rules.mayDeliver(request.left) === rules.mayRefund(request.left)) return 'not exactly one of a delivery and a refund is in time';
    const later = requests.map((one) => ({ ...one, left: 0 }));
    if (!isLegalForRequest(rules, later, index, 'refund')) return 'a request is stuck';
  }
  return null;
}

/** Whether a phase that is for good has changed, or null. */
export function phaseFault(instance: Instance, was: RollupPhase, is: RollupPhase): string | null {
  if ((was === 'final' || was === 'defeated') && is !== was) return `an assertion is not ${was} for good, but ${is}`;
  return was === 'final' && openGames(instance) > 0 ? 'a final assertion has an open game' : null;
}

/** Whether a contract holds less or more than it held before and what came in and went out. */
function moneyFault(contract: Payment['contract'], held: number, holds: number, kind: string, payments: readonly Payment[]): string | null {
  const change = payments.filter((one) => one.contract === contract).reduce((total, { to, amount }) => total + (to === 'escrow' ? amount : -amount), 0);
  return holds !== held + change || holds < 0 ? `${contract}: ${held} became ${holds} by ${change}, in ${kind}` : null;
}

/** What is wrong with the money in a step of an instance, or null. */
export function instanceMoneyFault(rules: RollupRules, before: Instance | null, after: Instance, kind: string, payments: readonly Payment[]): string | null {
  const held = before === null ? { assertions: 0, game: 0 } : heldForInstance(rules, before);
  const holds = heldForInstance(rules, after);
  return moneyFault('assertions', held.assertions, holds.assertions, kind, payments) ?? moneyFault('game', held.game, holds.game, kind, payments)
    ?? moneyFault('inbox', 0, 0, kind, payments);
}

/** What is wrong with the money in a step of the requests, or null. */
export const requestsMoneyFault = (before: readonly RequestState[], after: readonly RequestState[], kind: string, payments: readonly Payment[]): string | null =>
  moneyFault('inbox', heldForRequests(before), heldForRequests(after), kind, payments) ?? moneyFault('assertions', 0, 0, kind, payments) ?? moneyFault('game', 0, 0, kind, payments);

/** What honest parties have in the bond and the games of an instance. */
export function honestStakes({ sponsor, released, games }: Instance): number {
  return games.reduce((total, game) => {
    if (!isRunning(game)) return total;
    return total + (isHonest(game.challenger) ? AMOUNTS.challengerStake : 0) + (isHonest(sponsor) && game.phase === 'to prove' ? AMOUNTS.sponsorStake : 0);
  }, isHonest(sponsor) && !released ? AMOUNTS.bond : 0);
}

/** What a step brings honest parties, less what they lock in it; bounties don't count. */
export function honestGain(kind: RollupAction['kind'], payments: readonly Payment[]): number {
  return payments.reduce((total, { to, amount, contract }) => {
    if (to === 'escrow') return total - amount;
    const isBounty = contract === 'assertions' && kind === 'settle';
    return to !== 'nobody' && isHonest(to) && !isBounty ? total + amount : total;
  }, 0);
}

/** The truths that the honest sponsor has yet to assert. */
export const truthsToAssert = (claims: readonly ClaimName[], instances: readonly { readonly claim: ClaimName; readonly sponsor: Sponsor }[]): ClaimName[] =>
  claims.filter((claim) => isRight(claim) && !instances.some((one) => one.claim === claim && one.sponsor === 'honest sponsor'));

/**
 * From here on, honest parties alone act: they assert the truth, with a child on it, and play what is theirs. Nobody else does anything. After
 * one window and two allowances both are final, and nothing of anybody's is left in a game or a bond. (What attackers may do meanwhile is in the other states, and
 * `instanceFault` bounds the games of honest instances in all of them.)
 */
export function closingFault(rules: RollupRules, start: RollupState, { claims }: RollupBounds): string | null {
  let state = start;
  let gained = 0;
  const act = (action: RollupAction): void => {
    const { state: next, payments } = applyAction(rules, state, action);
    gained += honestGain(action.kind, payments);
    state = next;
  };
  for (const claim of truthsToAssert(claims, start.instances)) {
    const action = { kind: 'assert', claim, sponsor: 'honest sponsor' } as const;
    if (!isLegal(rules, state, action)) return 'the truth cannot be asserted';
    act(action);
  }
  for (let tick = 0; tick <= CLOSING_TICKS; tick += 1) {
    if (tick > 0) act({ kind: 'tick' });
    for (const duty of honestDuties(rules, state, false)) if (isLegal(rules, state, duty)) act(duty);
    for (let actions = closingActions(rules, state); actions.length > 0; actions = closingActions(rules, state)) act(actions[0] as RollupAction);
  }
  if (claims.some((claim) => isRight(claim) && !state.confirmed.includes(claim))) return 'the truth cannot become final in time';
  if (state.instances.some((instance) => openGames(instance) > 0)) return 'a game cannot be settled';
  if (state.instances.some(({ released }) => !released)) return 'a bond is stuck';
  // What honest parties locked before and since has come back, all of it.
  if (gained < start.instances.reduce((total, instance) => total + honestStakes(instance), 0)) return 'an honest party lost a bond or a stake';
  return null;
}

/** What is wrong with a state, or null. */
export function stateFault(rules: RollupRules, state: RollupState, bounds: RollupBounds): string | null {
  for (const instance of state.instances) {
    const fault = instanceFault(rules, instance, phaseOf(rules, state, instance));
    if (fault !== null) return fault;
  }
  return confirmedFault(state.confirmed) ?? requestsFault(rules, state.requests) ?? closingFault(rules, state, bounds);
}

/** What is wrong with a step, or null. Instances keep their places in it. */
export function stepFault(rules: RollupRules, before: RollupState, after: RollupState, action: RollupAction, payments: readonly Payment[]): string | null {
  for (const [index, instance] of before.instances.entries()) {
    const fault = phaseFault(instance, phaseOf(rules, before, instance), phaseOf(rules, after, after.instances[index] as Instance));
    if (fault !== null) return fault;
  }
  for (const [index, instance] of after.instances.entries()) {
    const was = before.instances[index] ?? null;
    const own = action.kind === 'assert' ? index === after.instances.length - 1 : 'instance' in action && action.instance === index && !('request' in action);
    if (own || action.kind === 'tick' || was !== instance) {
      const fault = instanceMoneyFault(rules, was, instance, action.kind, own ? payments : []);
      if (fault !== null) return fault;
    }
  }
  const ofRequests = action.kind === 'deliver' || action.kind === 'claimFee' || action.kind === 'refund' || action.kind === 'tick';
  return ofRequests ? requestsMoneyFault(before.requests, after.requests, action.kind, payments) : null;
}
