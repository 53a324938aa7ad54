import { ATTACKING_CHALLENGERS, CLAIMS, CLAIM_NAMES, TIMES, gamePhase, isLegal, openGames } from './rollup-rules.ts';
import type { ClaimName, Instance, RollupAction, RollupRules, RollupState } from './rollup-rules.ts';

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
}

export const isFalse = (claim: ClaimName): boolean => !CLAIMS[claim].right;

/** What an honest party must do before its time is up: answer, prove, and challenge what is wrong. `late` asks for what can't wait for another tick. */
export function honestDuties(rules: RollupRules, { instances }: RollupState, late: boolean): RollupAction[] {
  const due = (elapsed: number): boolean => !late || elapsed + 1 >= TIMES.allowance;
  return instances.flatMap((instance, index): RollupAction[] => {
    const inGames = instance.games.flatMap((game, at): RollupAction[] => {
      const phase = gamePhase(rules, game);
      if (phase === 'to answer' && instance.sponsor === 'honest sponsor' && due(game.elapsed)) return [{ kind: 'answer', instance: index, game: at }];
      if (phase === 'to prove' && game.challenger === 'honest challenger' && due(game.elapsed)) return [{ kind: 'prove', instance: index, game: at, wins: true }];
      return [];
    });
    const unchallenged = isFalse(instance.claim) && instance.defeats === 0 && instance.games.every(({ challenger }) => challenger !== 'honest challenger');
    const lastChance = instance.left > 0 && (!late || instance.left === 1);
    return unchallenged && lastChance ? [...inGames, { kind: 'challenge', instance: index, challenger: 'honest challenger' }] : inGames;
  });
}

/** Everything that anybody may do next: honest parties only what is honest, in time; attackers whatever is legal for them. */
export function legalActions(rules: RollupRules, state: RollupState, bounds: RollupBounds): RollupAction[] {
  const { instances, requests } = state;
  const ofAttackers = instances.filter(({ sponsor }) => sponsor === 'attacking sponsor').length;
  const shams = instances.reduce((sum, { games }) => sum + games.filter(({ challenger }) => challenger !== 'honest challenger').length, 0);
  const actions: RollupAction[] = [];
  if (instances.length < bounds.instances) {
    for (const claim of CLAIM_NAMES.filter((name) => bounds.claims.includes(name))) {
      if (ofAttackers < bounds.attackersInstances) actions.push({ kind: 'assert', claim, sponsor: 'attacking sponsor' });
      // One instance of a claim is enough for an honest sponsor: nothing can defeat it.
      if (isRight(claim) && !instances.some((one) => one.claim === claim && one.sponsor === 'honest sponsor')) actions.push({ kind: 'assert', claim, sponsor: 'honest sponsor' });
    }
  }
  instances.forEach((instance, index) => {
    // Attackers are alike: the second one challenges where the first has.
    const attacker = ATTACKING_CHALLENGERS.find((one) => instance.games.every(({ challenger }) => challenger !== one));
    if (attacker !== undefined && shams < bounds.shamGames) actions.push({ kind: 'challenge', instance: index, challenger: attacker });
    instance.games.forEach((game, at) => {
      const sponsorHonest = instance.sponsor === 'honest sponsor';
      const challengerHonest = game.challenger === 'honest challenger';
      actions.push({ kind: 'answer', instance: index, game: at });
      // An honest sponsor's answers are right, so that no step shows the challenger right; an honest challenger proves what is wrong.
      if (!sponsorHonest) actions.push({ kind: 'prove', instance: index, game: at, wins: true });
      if (!challengerHonest) actions.push({ kind: 'prove', instance: index, game: at, wins: false });
      if (!game.settled || !rules.settlesOnce) actions.push({ kind: 'settle', instance: index, game: at });
    });
    if (!state.confirmed.includes(instance.claim)) actions.push({ kind: 'confirm', instance: index });
    actions.push({ kind: 'withdrawBond', instance: index });
    if (bounds.requests) requests.forEach((_, request) => actions.push({ kind: 'deliver', request, instance: index }, { kind: 'claimFee', request, instance: index }));
  });
  if (bounds.requests) requests.forEach((_, request) => actions.push({ kind: 'refund', request }));
  actions.push(...honestDuties(rules, state, false).filter(({ kind }) => kind === 'challenge'));
  const legal = actions.filter((action) => isLegal(rules, state, action));
  return honestDuties(rules, state, true).length === 0 ? [...legal, { kind: 'tick' }] : legal;
}

/** A claim that is right itself, on one that is. */
export function isRight(claim: ClaimName): boolean {
  const { parent, right } = CLAIMS[claim];
  return right && (parent === null || isRight(parent));
}

/** Everything that anybody can bring to an end now: settlements, confirmations, bonds. */
export function closingActions(rules: RollupRules, state: RollupState): RollupAction[] {
  return state.instances.flatMap((instance: Instance, index): RollupAction[] => [
    ...instance.games.flatMap((game, at): RollupAction[] => (game.settled ? [] : [{ kind: 'settle', instance: index, game: at }])),
    ...(state.confirmed.includes(instance.claim) ? [] : [{ kind: 'confirm' as const, instance: index }]),
    ...(instance.released || openGames(instance) > 0 ? [] : [{ kind: 'withdrawBond' as const, instance: index }]),
  ]).filter((action) => isLegal(rules, state, action));
}
