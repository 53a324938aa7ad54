/**
 * The rules of the layer above the game, written from docs/dispute.md: instances of claims, their challengers, children, bonds, and the
 * requests that they answer. Times are in ticks, money in small units.
 *
 * Two lists are about the same two requests: a root (request 0), and a child that builds on a root (request 1). Either is right or wrong.
 * A game is the shortest that has every kind of ending: the sponsor answers or lets its clock run out; then the challenger proves the sponsor
 * wrong, or proves it right and so concedes, or lets its clock run out. Longer games differ from it in when they end, which is at most two allowances
 * after the opening, and in that only a party that is not truthful can lose: both are what the model of the game shows.
 */
export const CLAIMS = {
  'right': { parent: null, right: true },
  'wrong': { parent: null, right: false },
  'right on right': { parent: 'right', right: true },
  'wrong on right': { parent: 'right', right: false },
  'right on wrong': { parent: 'wrong', right: true },
  'wrong on wrong': { parent: 'wrong', right: false },
} as const satisfies Record<string, { parent: string | null; right: boolean }>;

export type ClaimName = keyof typeof CLAIMS;
export const CLAIM_NAMES = Object.keys(CLAIMS) as ClaimName[];

export type Sponsor = 'honest sponsor' | 'attacking sponsor';
export type Challenger = 'honest challenger' | 'first attacker' | 'second attacker' | 'third attacker' | 'fourth attacker';
export const ATTACKING_CHALLENGERS: readonly Challenger[] = ['first attacker', 'second attacker', 'third attacker', 'fourth attacker'];
export type Account = Sponsor | Challenger | 'requester';
export const isHonest = (account: Account): boolean => account === 'honest sponsor' || account === 'honest challenger';

export interface GameOfClaim {
  readonly challenger: Challenger;
  readonly phase: 'to answer' | 'to prove' | 'sponsor won' | 'challenger won';
  /** Ticks of the running turn. */
  readonly elapsed: number;
  readonly settled: boolean;
}

export interface Instance {
  readonly claim: ClaimName;
  readonly sponsor: Sponsor;
  /** Ticks until nobody can challenge it any more; then it goes on below 0, as far as two allowances, where the sponsor is honest. */
  readonly left: number;
  readonly defeats: number;
  readonly released: boolean;
  readonly games: readonly GameOfClaim[];
}

export interface RequestState {
  readonly finality: 'asserted' | 'final';
  readonly status: 'pending' | 'delivered right' | 'delivered wrong' | 'refunded';
  /** Ticks until the deadline. */
  readonly left: number;
  readonly feeSpent: boolean;
}

export interface RollupState {
  readonly instances: readonly Instance[];
  readonly confirmed: readonly ClaimName[];
  readonly requests: readonly RequestState[];
}

/** Before anything is asserted, with the two requests or without. */
export const initialState = (withRequests: boolean): RollupState => ({
  instances: [], confirmed: [],
  requests: withRequests ? (['final', 'asserted'] as const).map((finality) => ({ finality, status: 'pending', left: TIMES.deadline, feeSpent: false })) : [],
});

export type RollupPhase = 'challengeable' | 'disputed' | 'waiting' | 'final' | 'defeated';

/** What is done to one instance. */
export type InstanceAction =
  | { readonly kind: 'challenge'; readonly challenger: Challenger }
  | { readonly kind: 'answer' | 'settle'; readonly game: number }
  /** `wins`: whether the step shows the challenger to be right. */
  | { readonly kind: 'prove'; readonly game: number; readonly wins: boolean }
  | { readonly kind: 'withdrawBond' | 'confirm' };

/** What is done to a request, with an instance or without. */
export type RequestAction = 'deliver' | 'claimFee' | 'refund';

export type RollupAction =
  | { readonly kind: 'assert'; readonly claim: ClaimName; readonly sponsor: Sponsor }
  | (InstanceAction & { readonly instance: number })
  | { readonly kind: 'deliver' | 'claimFee'; readonly request: number; readonly instance: number }
  | { readonly kind: 'refund'; readonly request: number }
  | { readonly kind: 'tick' };

/** Wei, or what stands for it, that an action moves. */
export interface Payment {
  readonly to: Account | 'nobody' | 'escrow';
  readonly amount: number;
  readonly contract: 'assertions' | 'game' | 'inbox';
}

export const AMOUNTS = { bond: 4, bounty: 1, sponsorStake: 1, challengerStake: 3, fee: 5 };
const MOST_BOUNTIES = Math.floor(AMOUNTS.bond / (2 * AMOUNTS.bounty));
/** Ticks. */
export const TIMES = { window: 2, allowance: 2, deadline: 4 };

/** What can be broken on purpose. */
export interface RollupRules {
  challengeable(left: number): boolean;
  /** Whether a game that is lost defeats this instance. */
  isDefeated(instance: Instance, all: readonly Instance[]): boolean;
  parentIsFinal(parent: ClaimName, state: RollupState): boolean;
  bounties(defeats: number): number;
  /** Who has won when a clock has run out. */
  timeout(phase: 'to answer' | 'to prove'): 'sponsor won' | 'challenger won';
  mayDeliver(left: number): boolean;
  mayRefund(left: number): boolean;
  readonly finalNeedsNoGame: boolean;
  readonly confirmNeedsFinal: boolean;
  readonly settlesOnce: boolean;
  readonly bondWaitsForGames: boolean;
  readonly assertedOnce: boolean;
  readonly feeOnce: boolean;
}

export const ROLLUP_RULES: RollupRules = {
  challengeable: (left) => left > 0,
  isDefeated: ({ defeats }) => defeats > 0,
  parentIsFinal: (parent, { confirmed }) => confirmed.includes(parent),
  bounties: (defeats) => Math.min(defeats, MOST_BOUNTIES),
  timeout: (phase) => (phase === 'to answer' ? 'challenger won' : 'sponsor won'),
  mayDeliver: (left) => left > 0,
  mayRefund: (left) => left <= 0,
  finalNeedsNoGame: true,
  confirmNeedsFinal: true,
  settlesOnce: true,
  bondWaitsForGames: true,
  assertedOnce: false,
  feeOnce: true,
};

export const openGames = ({ games }: Instance): number => games.filter(({ settled }) => !settled).length;
export const requestOf = (claim: ClaimName): number => (CLAIMS[claim].parent === null ? 0 : 1);

export function phaseOf(rules: RollupRules, state: RollupState, instance: Instance): RollupPhase {
  if (rules.isDefeated(instance, state.instances)) return 'defeated';
  if (instance.left > 0) return 'challengeable';
  if (rules.finalNeedsNoGame && openGames(instance) > 0) return 'disputed';
  const { parent } = CLAIMS[instance.claim];
  return parent === null || rules.parentIsFinal(parent, state) ? 'final' : 'waiting';
}

/** How a game stands, on record or by the clock. */
export function gamePhase(rules: RollupRules, { phase, elapsed }: GameOfClaim): GameOfClaim['phase'] {
  return (phase === 'to answer' || phase === 'to prove') && elapsed >= TIMES.allowance ? rules.timeout(phase) : phase;
}

const isWon = (phase: GameOfClaim['phase']): boolean => phase === 'sponsor won' || phase === 'challenger won';

/** Whether an instance in `phase` takes an action: nothing else of the state enters. */
export function isLegalForInstance(rules: RollupRules, instance: Instance, phase: RollupPhase, action: InstanceAction): boolean {
  switch (action.kind) {
    case 'challenge': return phase !== 'defeated' && rules.challengeable(instance.left) && !instance.games.some(({ challenger }) => challenger === action.challenger);
    case 'answer': return gamePhase(rules, instance.games[action.game] as GameOfClaim) === 'to answer';
    case 'prove': return gamePhase(rules, instance.games[action.game] as GameOfClaim) === 'to prove';
    case 'settle': return isWon(gamePhase(rules, instance.games[action.game] as GameOfClaim));
    case 'confirm': return phase === 'final' || (!rules.confirmNeedsFinal && phase !== 'defeated');
    case 'withdrawBond':
      return !instance.released && (phase === 'final' || phase === 'waiting' || phase === 'defeated') && (openGames(instance) === 0 || !rules.bondWaitsForGames);
  }
}

/** Whether a request takes an action: nothing enters but the request, and the claim and the phase of the instance that is shown to it. */
export function isLegalForRequest(rules: RollupRules, requests: readonly RequestState[], index: number, kind: RequestAction, claim?: ClaimName, phase?: RollupPhase): boolean {
  const request = requests[index] as RequestState;
  if (kind === 'refund') return request.status === 'pending' && rules.mayRefund(request.left);
  if (claim === undefined || requestOf(claim) !== index) return false;
  if (kind === 'claimFee') return request.status.startsWith('delivered') && phase === 'final' && !(request.feeSpent && rules.feeOnce);
  return request.status === 'pending' && rules.mayDeliver(request.left) && phase !== 'defeated' && (phase === 'final' || request.finality === 'asserted');
}

export function isLegal(rules: RollupRules, state: RollupState, action: RollupAction): boolean {
  if (action.kind === 'tick') return true;
  if (action.kind === 'assert') return !rules.assertedOnce || state.instances.every(({ claim }) => claim !== action.claim);
  if (action.kind === 'refund') return isLegalForRequest(rules, state.requests, action.request, 'refund');
  const instance = state.instances[action.instance] as Instance;
  const phase = phaseOf(rules, state, instance);
  if ('request' in action) return isLegalForRequest(rules, state.requests, action.request, action.kind, instance.claim, phase);
  return isLegalForInstance(rules, instance, phase, action);
}

export const newInstance = (claim: ClaimName, sponsor: Sponsor): Instance => ({ claim, sponsor, left: TIMES.window, defeats: 0, released: false, games: [] });

/** The instance after a legal action, and what it pays; what comes in goes to `escrow`. */
export function applyToInstance(rules: RollupRules, instance: Instance, phase: RollupPhase, action: InstanceAction): { instance: Instance; payments: Payment[] } {
  const payments: Payment[] = [];
  const pay = (contract: Payment['contract'], to: Payment['to'], amount: number): void => {
    if (amount > 0) payments.push({ to, amount, contract });
  };
  const withGame = (game: number, change: Partial<GameOfClaim>): Instance => ({ ...instance, games: instance.games.map((one, at) => (at === game ? { ...one, ...change } : one)) });
  /** The winner has its stake back, the other's is burnt; a sponsor that never answered has brought none. */
  const dealOut = (game: GameOfClaim, end: GameOfClaim['phase']): void => {
    const brought = game.phase === 'to answer' ? 0 : AMOUNTS.sponsorStake;
    const sponsorWon = end === 'sponsor won';
    pay('game', sponsorWon ? instance.sponsor : game.challenger, sponsorWon ? brought : AMOUNTS.challengerStake);
    pay('game', 'nobody', sponsorWon ? AMOUNTS.challengerStake : brought);
  };
  switch (action.kind) {
    case 'challenge':
      pay('game', 'escrow', AMOUNTS.challengerStake);
      return { payments, instance: { ...instance, games: [...instance.games, { challenger: action.challenger, phase: 'to answer', elapsed: 0, settled: false }] } };
    case 'answer':
      pay('game', 'escrow', AMOUNTS.sponsorStake);
      return { payments, instance: withGame(action.game, { phase: 'to prove', elapsed: 0 }) };
    case 'prove': {
      const end = action.wins ? 'challenger won' : 'sponsor won';
      dealOut(instance.games[action.game] as GameOfClaim, end);
      return { payments, instance: withGame(action.game, { phase: end, elapsed: 0 }) };
    }
    case 'settle': {
      const game = instance.games[action.game] as GameOfClaim;
      if (game.settled && rules.settlesOnce) return { payments, instance };
      const end = gamePhase(rules, game);
      if (!isWon(game.phase)) dealOut(game, end);
      const defeats = instance.defeats + (end === 'challenger won' ? 1 : 0);
      pay('assertions', game.challenger, AMOUNTS.bounty * (rules.bounties(defeats) - rules.bounties(instance.defeats)));
      return { payments, instance: { ...withGame(action.game, { phase: end, elapsed: 0, settled: true }), defeats } };
    }
    case 'withdrawBond':
      if (phase === 'defeated') pay('assertions', 'nobody', AMOUNTS.bond - AMOUNTS.bounty * rules.bounties(instance.defeats));
      else pay('assertions', instance.sponsor, AMOUNTS.bond);
      return { payments, instance: { ...instance, released: true } };
    case 'confirm': return { payments, instance };
  }
}

/** The requests after a legal action on one of them, and what it pays. */
export function applyToRequest(requests: readonly RequestState[], index: number, kind: RequestAction, instance?: Instance): { requests: readonly RequestState[]; payments: Payment[] } {
  const change = (to: Partial<RequestState>): readonly RequestState[] => requests.map((one, at) => (at === index ? { ...one, ...to } : one));
  const { claim, sponsor } = instance ?? {};
  if (claim === undefined || sponsor === undefined) return { requests: change({ status: 'refunded', feeSpent: true }), payments: [{ contract: 'inbox', to: 'requester', amount: AMOUNTS.fee }] };
  if (kind === 'deliver') return { requests: change({ status: CLAIMS[claim].right ? 'delivered right' : 'delivered wrong' }), payments: [] };
  return { requests: change({ feeSpent: true }), payments: [{ contract: 'inbox', to: sponsor, amount: AMOUNTS.fee }] };
}

export const isRunning = ({ settled, phase }: GameOfClaim): boolean => !settled && !isWon(phase);

export const tickInstance = (instance: Instance): Instance => ({
  ...instance,
  left: Math.max(instance.left - 1, instance.sponsor === 'honest sponsor' ? -2 * TIMES.allowance : 0),
  games: instance.games.map((game) => (isRunning(game) ? { ...game, elapsed: Math.min(game.elapsed + 1, TIMES.allowance) } : game)),
});

export const tickRequests = (requests: readonly RequestState[]): readonly RequestState[] => requests.map((request) => ({ ...request, left: Math.max(request.left - 1, 0) }));

export const withConfirmed = (confirmed: readonly ClaimName[], claim: ClaimName): readonly ClaimName[] =>
  (confirmed.includes(claim) ? confirmed : CLAIM_NAMES.filter((one) => one === claim || confirmed.includes(one)));

/** The state after a legal action, and what it pays; what comes in goes to `escrow`. */
export function applyAction(rules: RollupRules, state: RollupState, action: RollupAction): { state: RollupState; payments: Payment[] } {
  switch (action.kind) {
    case 'assert': return { payments: [{ to: 'escrow', amount: AMOUNTS.bond, contract: 'assertions' }], state: { ...state, instances: [...state.instances, newInstance(action.claim, action.sponsor)] } };
    case 'tick': return { payments: [], state: { ...state, instances: state.instances.map(tickInstance), requests: tickRequests(state.requests) } };
    case 'deliver':
    case 'claimFee':
    case 'refund': {
      const { requests, payments } = applyToRequest(state.requests, action.request, action.kind, 'instance' in action ? state.instances[action.instance] : undefined);
      return { payments, state: { ...state, requests } };
    }
    default: {
      const before = state.instances[action.instance] as Instance;
      const { instance, payments } = applyToInstance(rules, before, phaseOf(rules, state, before), action);
      const confirmed = action.kind === 'confirm' ? withConfirmed(state.confirmed, instance.claim) : state.confirmed;
      return { payments, state: { ...state, confirmed, instances: state.instances.map((one, at) => (at === action.instance ? instance : one)) } };
    }
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** What the contracts have to hold for an instance: its bond, less the bounties paid out of it; the stakes of its running games. */
export function heldForInstance(rules: RollupRules, { released, defeats, games }: Instance): { readonly assertions: number; readonly game: number } {
  return {
    assertions: released ? 0 : AMOUNTS.bond - AMOUNTS.bounty * rules.bounties(defeats),
    game: sum(games.map(({ phase }) => (isWon(phase) ? 0 : AMOUNTS.challengerStake + (phase === 'to prove' ? AMOUNTS.sponsorStake : 0)))),
  };
}

/** What the inbox has to hold: the fees that nobody has had. */
export const heldForRequests = (requests: readonly RequestState[]): number => sum(requests.map(({ feeSpent }) => (feeSpent ? 0 : AMOUNTS.fee)));

/** What each contract has to hold. */
export function heldBy(rules: RollupRules, { instances, requests }: RollupState): Readonly<Record<Payment['contract'], number>> {
  const held = instances.map((instance) => heldForInstance(rules, instance));
  return { assertions: sum(held.map(({ assertions }) => assertions)), game: sum(held.map(({ game }) => game)), inbox: heldForRequests(requests) };
}
