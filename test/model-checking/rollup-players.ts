import {
  ATTACKING_CHALLENGERS, CLAIMS, CLAIM_NAMES, TIMES, gamePhase, isLegal, isLegalForInstance, isLegalForRequest, openGames, phaseOf, requestOf,
} from './rollup-rules.ts';
import type { ClaimName, Instance, InstanceAction, RequestAction, RequestState, RollupAction, RollupPhase, RollupRules, RollupState, Sponsor } from './rollup-rules.ts';

/** What is gone through. */
export interface RollupBounds {
  /** Instances of attackers, and in all. */
  readonly attackersInstances: number;
  readonly instances: number;
  /** Games that attackers open, in all. */
  readonly shamGames: number;
  /** Whether requests are delivered, refunded and paid for. */
  readonly requests: boolean;
  readonly claims: readonly ClaimName[];
  /**
   * Whether there are other instances, any number of them: all that they can do to these is to confirm what is right, at any time. (`checkRollup` alone.)
   */
  readonly others?: boolean;
}

export const isFalse = (claim: ClaimName): boolean => !CLAIMS[claim].right;

/** A claim that is right itself, on one that is. */
export function isRight(claim: ClaimName): boolean {
  const { parent, right } = CLAIMS[claim];
  return right && (parent === null || isRight(parent));
}

/** The games of attackers about an instance. */
export const shamGames = ({ games }: Instance): number => games.filter(({ challenger }) => challenger !== 'honest challenger').length;

/**
 * What an honest party must do about an instance before its time is up: answer, prove, and challenge what is wrong. `late` asks for what can't
 * wait for another tick.
 */
export function dutiesOf(rules: RollupRules, instance: Instance, late: boolean): InstanceAction[] {
  const due = (elapsed: number): boolean => !late || elapsed + 1 >= TIMES.allowance;
  const inGames = instance.games.flatMap((game, at): InstanceAction[] => {
    const phase = gamePhase(rules, game);
    if (phase === 'to answer' && instance.sponsor === 'honest sponsor' && due(game.elapsed)) return [{ kind: 'answer', game: at }];
    if (phase === 'to prove' && game.challenger === 'honest challenger' && due(game.elapsed)) return [{ kind: 'prove', game: at, wins: true }];
    return [];
  });
  const unchallenged = isFalse(instance.claim) && instance.defeats === 0 && instance.games.every(({ challenger }) => challenger !== 'honest challenger');
  const lastChance = instance.left > 0 && (!late || instance.left === 1);
  return unchallenged && lastChance ? [...inGames, { kind: 'challenge', challenger: 'honest challenger' }] : inGames;
}

/** Duties about all instances. */
export const honestDuties = (rules: RollupRules, { instances }: RollupState, late: boolean): RollupAction[] =>
  instances.flatMap((instance, index) => dutiesOf(rules, instance, late).map((action) => ({ ...action, instance: index })));

/** Everything that anybody may do about an instance: honest parties only what is honest, attackers whatever is legal for them. */
export function actionsOn(rules: RollupRules, instance: Instance, phase: RollupPhase, mayChallenge: boolean): InstanceAction[] {
  // Attackers are alike: the next one challenges where those before have.
  const attacker = ATTACKING_CHALLENGERS.find((one) => instance.games.every(({ challenger }) => challenger !== one));
  const actions: InstanceAction[] = attacker !== undefined && mayChallenge ? [{ kind: 'challenge', challenger: attacker }] : [];
  instance.games.forEach((game, at) => {
    actions.push({ kind: 'answer', game: at });
    // An honest sponsor's answers are right, so that no step shows the challenger right; an honest challenger proves what is wrong.
    if (instance.sponsor !== 'honest sponsor') actions.push({ kind: 'prove', game: at, wins: true });
    if (game.challenger !== 'honest challenger') actions.push({ kind: 'prove', game: at, wins: false });
    if (!game.settled || !rules.settlesOnce) actions.push({ kind: 'settle', game: at });
  });
  actions.push({ kind: 'confirm' }, { kind: 'withdrawBond' }, ...dutiesOf(rules, instance, false).filter(({ kind }) => kind === 'challenge'));
  return actions.filter((action) => isLegalForInstance(rules, instance, phase, action));
}

/** What requests take from an instance with this claim in this phase. */
export function actionsOnRequests(rules: RollupRules, requests: readonly RequestState[], claim: ClaimName, phase: RollupPhase): { kind: RequestAction; request: number }[] {
  const request = requestOf(claim);
  if (request >= requests.length) return [];
  return (['deliver', 'claimFee'] as const).filter((kind) => isLegalForRequest(rules, requests, request, kind, claim, phase)).map((kind) => ({ kind, request }));
}

export const refunds = (rules: RollupRules, requests: readonly RequestState[]): { kind: 'refund'; request: number }[] =>
  requests.map((_, request) => ({ kind: 'refund' as const, request })).filter(({ request }) => isLegalForRequest(rules, requests, request, 'refund'));

/** Who may assert what: attackers anything, the honest sponsor the truth, once, since nothing can defeat it. */
export function assertions(bounds: RollupBounds, instances: readonly { readonly claim: ClaimName; readonly sponsor: Sponsor }[]): { kind: 'assert'; claim: ClaimName; sponsor: Sponsor }[] {
  if (instances.length >= bounds.instances) return [];
  const attackersMay = instances.filter(({ sponsor }) => sponsor === 'attacking sponsor').length < bounds.attackersInstances;
  return CLAIM_NAMES.filter((name) => bounds.claims.includes(name)).flatMap((claim) => [
    ...(attackersMay ? [{ kind: 'assert' as const, claim, sponsor: 'attacking sponsor' as const }] : []),
    ...(isRight(claim) && !instances.some((one) => one.claim === claim && one.sponsor === 'honest sponsor') ? [{ kind: 'assert' as const, claim, sponsor: 'honest sponsor' as const }] : []),
  ]);
}

/** Everything that anybody may do next. Time passes only if no honest party has to act before. */
export function legalActions(rules: RollupRules, state: RollupState, bounds: RollupBounds): RollupAction[] {
  const { instances, requests, confirmed } = state;
  const shams = instances.reduce((total, instance) => total + shamGames(instance), 0);
  const actions: RollupAction[] = assertions(bounds, instances).filter((action) => isLegal(rules, state, action));
  instances.forEach((instance, index) => {
    const phase = phaseOf(rules, state, instance);
    for (const action of actionsOn(rules, instance, phase, shams < bounds.shamGames)) {
      if (action.kind !== 'confirm' || !confirmed.includes(instance.claim)) actions.push({ ...action, instance: index });
    }
    for (const { kind, request } of actionsOnRequests(rules, requests, instance.claim, phase)) actions.push({ kind: kind as 'deliver', request, instance: index });
  });
  actions.push(...refunds(rules, requests));
  return honestDuties(rules, state, true).length === 0 ? [...actions, { kind: 'tick' }] : actions;
}

/** Everything that anybody can bring to an end now: settlements, confirmations, bonds. */
export function closingActions(rules: RollupRules, state: RollupState): RollupAction[] {
  return state.instances.flatMap((instance: Instance, index): RollupAction[] => [
    ...instance.games.flatMap((game, at): RollupAction[] => (game.settled ? [] : [{ kind: 'settle', instance: index, game: at }])),
    ...(state.confirmed.includes(instance.claim) ? [] : [{ kind: 'confirm' as const, instance: index }]),
    ...(instance.released || openGames(instance) > 0 ? [] : [{ kind: 'withdrawBond' as const, instance: index }]),
  ]).filter((action) => isLegal(rules, state, action));
}
