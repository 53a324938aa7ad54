import { ModelViolation } from './game-checker.ts';
import { closingActions, honestDuties, isRight, legalActions } from './rollup-players.ts';
import type { RollupBounds } from './rollup-players.ts';
import { AMOUNTS, TIMES, applyAction, gamePhase, heldBy, isHonest, isLegal, openGames, phaseOf } from './rollup-rules.ts';
import type { Instance, Payment, RollupAction, RollupRules, RollupState } from './rollup-rules.ts';

export const initialState = (): RollupState => ({
  instances: [], confirmed: [],
  requests: (['final', 'asserted'] as const).map((finality) => ({ finality, status: 'pending', left: TIMES.deadline, feeSpent: false })),
});

const keyOfInstance = ({ claim, sponsor, left, defeats, released, games }: Instance): string =>
  `${claim},${sponsor[0]}${left},${defeats}${released ? 'r' : ''}${games.map((game) => `;${game.challenger[0]}${game.phase.replace(/[a-z]+ /, '')[0]}${game.phase[0]}${game.elapsed}${game.settled ? 's' : ''}`).join('')}`;

const keyOf = ({ instances, confirmed, requests }: RollupState): string =>
  `${instances.map(keyOfInstance).join('|')}#${confirmed.join()}#${requests.map(({ status, left, feeSpent }) => `${status}${left}${feeSpent ? 's' : ''}`).join()}`;

/** The order of instances says nothing. */
const canonical = (state: RollupState): RollupState => ({
  ...state,
  instances: state.instances.map((instance) => ({ instance, key: keyOfInstance(instance) })).sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ instance }) => instance),
});

export interface RollupCheckResult {
  readonly states: number;
  readonly transitions: number;
}

/**
 * Goes through every reachable state and checks the properties that `stateFault` and `stepFault` name.
 * @throws ModelViolation with the shortest way to a state that breaks one
 */
export function checkRollup(rules: RollupRules, bounds: RollupBounds): RollupCheckResult {
  const states: RollupState[] = [initialState()];
  const from: number[] = [-1];
  const by: (RollupAction | null)[] = [null];
  const seen = new Set(states.map(keyOf));
  let transitions = 0;
  const traceTo = (index: number): string[] => {
    const trace: string[] = [];
    for (let at = index; from[at] !== -1; at = from[at] as number) trace.unshift(describe(states[from[at] as number] as RollupState, by[at] as RollupAction));
    return trace;
  };
  for (let index = 0; index < states.length; index += 1) {
    const state = states[index] as RollupState;
    const fault = stateFault(rules, state, bounds);
    if (fault !== null) throw new ModelViolation(fault, traceTo(index));
    for (const action of legalActions(rules, state, bounds)) {
      transitions += 1;
      const { state: next, payments } = applyAction(rules, state, action);
      const broken = stepFault(rules, state, next, action, payments);
      if (broken !== null) throw new ModelViolation(broken, [...traceTo(index), describe(state, action)]);
      const sorted = canonical(next);
      const key = keyOf(sorted);
      if (seen.has(key)) continue;
      seen.add(key);
      states.push(sorted);
      from.push(index);
      by.push(action);
    }
  }
  return { states: states.length, transitions };
}

function describe(state: RollupState, action: RollupAction): string {
  if (!('instance' in action)) return JSON.stringify(action);
  const { claim, sponsor } = state.instances[action.instance] as Instance;
  return `${JSON.stringify(action)}, which is "${claim}" by the ${sponsor}`;
}

/** What is wrong with a state, or null. */
function stateFault(rules: RollupRules, state: RollupState, bounds: RollupBounds): string | null {
  for (const [index, instance] of state.instances.entries()) {
    const phase = phaseOf(rules, state, instance);
    if (!isRight(instance.claim) && phase === 'final') return 'a wrong claim is final';
    if (instance.sponsor === 'honest sponsor' && phase === 'defeated') return 'an honest instance is defeated';
    if (instance.defeats !== instance.games.filter((game) => game.settled && game.phase === 'challenger won').length) return 'a game counts more than once';
    if (AMOUNTS.bounty * rules.bounties(instance.defeats) * 2 > AMOUNTS.bond) return 'bounties are more than half of the bond';
    for (const [at, game] of instance.games.entries()) {
      const moves = (['answer', 'prove', 'settle'] as const).filter((kind) => isLegal(rules, state, { kind, instance: index, game: at, wins: true } as RollupAction));
      if (!game.settled && moves.length !== 1) return `a game has ${moves.length} legal continuations`;
      const endless = gamePhase(rules, game) === 'to answer' || gamePhase(rules, game) === 'to prove';
      if (instance.sponsor === 'honest sponsor' && instance.left <= -2 * TIMES.allowance && endless) return 'a game goes on two allowances after the window';
    }
  }
  if (state.confirmed.some((claim) => !isRight(claim))) return 'a wrong claim is confirmed';
  for (const [index, request] of state.requests.entries()) {
    if (request.finality === 'final' && request.status === 'delivered wrong') return 'a wrong result was delivered as final';
    if (request.status === 'pending' && isLegal(rules, state, { kind: 'refund', request: index }) !== request.left <= 0) return 'a refund is not legal exactly from the deadline on';
    if (request.status === 'pending' && rules.mayDeliver(request.left) === rules.mayRefund(request.left)) return 'not exactly one of a delivery and a refund is in time';
  }
  return closingFault(rules, state, bounds);
}

/**
 * From here on, honest parties alone act: they assert the truth, with a child on it, and play what is theirs. Nobody else does anything. After
 * one window and two allowances both are final, and nothing of anybody's is left in a game or a bond. (What attackers may do meanwhile is in the other states, and
 * `stateFault` bounds the games of honest instances in all of them.)
 */
function closingFault(rules: RollupRules, start: RollupState, { claims }: RollupBounds): string | null {
  let state = start;
  let escrow = 0;
  let returned = 0;
  const act = (action: RollupAction): void => {
    const { state: next, payments } = applyAction(rules, state, action);
    for (const { to, amount, contract } of payments) {
      const bounty = contract === 'assertions' && action.kind === 'settle';
      if (to === 'escrow') escrow += amount;
      else if (to !== 'nobody' && isHonest(to) && !bounty) returned += amount;
    }
    state = next;
  };
  const locked = honestStakes(start);
  for (const claim of claims.filter(isRight)) {
    if (start.instances.some((one) => one.claim === claim && one.sponsor === 'honest sponsor')) continue;
    const action = { kind: 'assert', claim, sponsor: 'honest sponsor' } as const;
    if (!isLegal(rules, state, action)) return 'the truth cannot be asserted';
    act(action);
  }
  let brought = escrow;
  for (let tick = 0; tick <= TIMES.window + 2 * TIMES.allowance; tick += 1) {
    if (tick > 0) act({ kind: 'tick' });
    for (const duty of honestDuties(rules, state, false)) {
      const before = escrow;
      if (isLegal(rules, state, duty)) act(duty);
      brought += escrow - before;
    }
    for (let actions = closingActions(rules, state); actions.length > 0; actions = closingActions(rules, state)) act(actions[0] as RollupAction);
  }
  if (claims.filter(isRight).some((claim) => !state.confirmed.includes(claim))) return 'the truth cannot become final in time';
  if (state.instances.some((instance) => openGames(instance) > 0)) return 'a game cannot be settled';
  if (state.instances.some(({ released }) => !released)) return 'a bond is stuck';
  // What honest parties locked before and since has come back, all of it.
  if (returned < locked + brought) return 'an honest party lost a bond or a stake';
  for (let tick = 0; tick < TIMES.deadline; tick += 1) act({ kind: 'tick' });
  if (state.requests.some(({ status }, request) => status === 'pending' && !isLegal(rules, state, { kind: 'refund', request }))) return 'a request is stuck';
  return null;
}

/** What honest parties have in bonds and games. */
function honestStakes({ instances }: RollupState): number {
  return instances.reduce((sum, { sponsor, released, games }) => {
    const bond = isHonest(sponsor) && !released ? AMOUNTS.bond : 0;
    const stakes = games.map((game) => {
      if (game.phase !== 'to answer' && game.phase !== 'to prove') return 0;
      return (isHonest(game.challenger) ? AMOUNTS.challengerStake : 0) + (isHonest(sponsor) && game.phase === 'to prove' ? AMOUNTS.sponsorStake : 0);
    });
    return sum + bond + stakes.reduce<number>((total, one) => total + one, 0);
  }, 0);
}

/** What is wrong with a step, or null. Instances keep their places in it. */
function stepFault(rules: RollupRules, before: RollupState, after: RollupState, action: RollupAction, payments: readonly Payment[]): string | null {
  for (const [index, instance] of before.instances.entries()) {
    const [was, is] = [phaseOf(rules, before, instance), phaseOf(rules, after, after.instances[index] as Instance)];
    if ((was === 'final' || was === 'defeated') && is !== was) return `an assertion is not ${was} for good, but ${is}`;
    if (was === 'final' && openGames(instance) > 0) return 'a final assertion has an open game';
  }
  for (const contract of ['assertions', 'game', 'inbox'] as const) {
    const [held, holds] = [heldBy(rules, before)[contract], heldBy(rules, after)[contract]];
    const change = payments.filter((one) => one.contract === contract).reduce((sum, { to, amount }) => sum + (to === 'escrow' ? amount : -amount), 0);
    if (holds !== held + change || holds < 0) return `${contract}: ${held} became ${holds} by ${change}, in ${action.kind}`;
  }
  return null;
}

