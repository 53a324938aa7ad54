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
export type Challenger = 'honest challenger' | 'first attacker' | 'second attacker';
export const ATTACKING_CHALLENGERS: readonly Challenger[] = ['first attacker', 'second attacker'];
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

export type RollupPhase = 'challengeable' | 'disputed' | 'waiting' | 'final' | 'defeated';

export type RollupAction =
  | { readonly kind: 'assert'; readonly claim: ClaimName; readonly sponsor: Sponsor }
  | { readonly kind: 'challenge'; readonly instance: number; readonly challenger: Challenger }
  | { readonly kind: 'answer' | 'settle'; readonly instance: number; readonly game: number }
  /** `wins`: whether the step shows the challenger to be right. */
  | { readonly kind: 'prove'; readonly instance: number; readonly game: number; readonly wins: boolean }
  | { readonly kind: 'withdrawBond' | 'confirm'; readonly instance: number }
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

export function isLegal(rules: RollupRules, state: RollupState, action: RollupAction): boolean {
  const instance = 'instance' in action ? (state.instances[action.instance] as Instance) : undefined;
  const phase = instance === undefined ? undefined : phaseOf(rules, state, instance);
  const game = instance !== undefined && 'game' in action ? (instance.games[action.game] as GameOfClaim) : undefined;
  const request = 'request' in action ? (state.requests[action.request] as RequestState) : undefined;
  switch (action.kind) {
    case 'assert': return !rules.assertedOnce || state.instances.every(({ claim }) => claim !== action.claim);
    case 'challenge':
      return phase !== 'defeated' && rules.challengeable(instance?.left as number) && !instance?.games.some(({ challenger }) => challenger === action.challenger);
    case 'answer': return gamePhase(rules, game as GameOfClaim) === 'to answer';
    case 'prove': return gamePhase(rules, game as GameOfClaim) === 'to prove';
    case 'settle': return isWon(gamePhase(rules, game as GameOfClaim));
    case 'confirm': return phase === 'final' || (!rules.confirmNeedsFinal && phase !== 'defeated');
    case 'withdrawBond':
      return !instance?.released && (phase === 'final' || phase === 'waiting' || phase === 'defeated') && (openGames(instance as Instance) === 0 || !rules.bondWaitsForGames);
    case 'deliver':
      return request?.status === 'pending' && rules.mayDeliver(request.left) && requestOf((instance as Instance).claim) === action.request && phase !== 'defeated'
        && (phase === 'final' || request.finality === 'asserted');
    case 'claimFee':
      return (request?.status === 'delivered right' || request?.status === 'delivered wrong') && requestOf((instance as Instance).claim) === action.request
        && phase === 'final' && !(request.feeSpent && rules.feeOnce);
    case 'refund': return request?.status === 'pending' && rules.mayRefund(request.left);
    case 'tick': return true;
  }
}

/** The state after a legal action, and what it pays; what comes in goes to `escrow`. */
export function applyAction(rules: RollupRules, state: RollupState, action: RollupAction): { state: RollupState; payments: Payment[] } {
  const payments: Payment[] = [];
  const pay = (contract: Payment['contract'], to: Payment['to'], amount: number): void => {
    if (amount > 0) payments.push({ to, amount, contract });
  };
  const withInstance = (index: number, change: Partial<Instance>): RollupState =>
    ({ ...state, instances: state.instances.map((one, at) => (at === index ? { ...one, ...change } : one)) });
  const withGame = (index: number, game: number, change: Partial<GameOfClaim>, also: Partial<Instance> = {}): RollupState =>
    withInstance(index, { games: (state.instances[index] as Instance).games.map((one, at) => (at === game ? { ...one, ...change } : one)), ...also });
  const withRequest = (index: number, change: Partial<RequestState>): RollupState =>
    ({ ...state, requests: state.requests.map((one, at) => (at === index ? { ...one, ...change } : one)) });
  const instance = 'instance' in action ? (state.instances[action.instance] as Instance) : undefined;

  /** The winner has its stake back, the other's is burnt; a sponsor that never answered has brought none. */
  const dealOut = (game: GameOfClaim, end: GameOfClaim['phase']): void => {
    const brought = game.phase === 'to answer' ? 0 : AMOUNTS.sponsorStake;
    const sponsorWon = end === 'sponsor won';
    pay('game', sponsorWon ? (instance as Instance).sponsor : game.challenger, sponsorWon ? brought : AMOUNTS.challengerStake);
    pay('game', 'nobody', sponsorWon ? AMOUNTS.challengerStake : brought);
  };

  switch (action.kind) {
    case 'assert':
      pay('assertions', 'escrow', AMOUNTS.bond);
      return { payments, state: { ...state, instances: [...state.instances, { claim: action.claim, sponsor: action.sponsor, left: TIMES.window, defeats: 0, released: false, games: [] }] } };
    case 'challenge':
      pay('game', 'escrow', AMOUNTS.challengerStake);
      return { payments, state: withInstance(action.instance, { games: [...(instance as Instance).games, { challenger: action.challenger, phase: 'to answer', elapsed: 0, settled: false }] }) };
    case 'answer':
      pay('game', 'escrow', AMOUNTS.sponsorStake);
      return { payments, state: withGame(action.instance, action.game, { phase: 'to prove', elapsed: 0 }) };
    case 'prove': {
      const end = action.wins ? 'challenger won' : 'sponsor won';
      dealOut(instance?.games[action.game] as GameOfClaim, end);
      return { payments, state: withGame(action.instance, action.game, { phase: end, elapsed: 0 }) };
    }
    case 'settle': {
      const game = instance?.games[action.game] as GameOfClaim;
      if (game.settled && rules.settlesOnce) return { payments, state };
      const end = gamePhase(rules, game);
      if (!isWon(game.phase)) dealOut(game, end);
      const { defeats } = instance as Instance;
      const lost = end === 'challenger won';
      if (lost) pay('assertions', game.challenger, AMOUNTS.bounty * (rules.bounties(defeats + 1) - rules.bounties(defeats)));
      return { payments, state: withGame(action.instance, action.game, { phase: end, elapsed: 0, settled: true }, { defeats: defeats + (lost ? 1 : 0) }) };
    }
    case 'withdrawBond': {
      const { sponsor, defeats } = instance as Instance;
      if (phaseOf(rules, state, instance as Instance) === 'defeated') pay('assertions', 'nobody', AMOUNTS.bond - AMOUNTS.bounty * rules.bounties(defeats));
      else pay('assertions', sponsor, AMOUNTS.bond);
      return { payments, state: withInstance(action.instance, { released: true }) };
    }
    case 'confirm': {
      const { claim } = instance as Instance;
      return { payments, state: state.confirmed.includes(claim) ? state : { ...state, confirmed: CLAIM_NAMES.filter((one) => one === claim || state.confirmed.includes(one)) } };
    }
    case 'deliver':
      return { payments, state: withRequest(action.request, { status: CLAIMS[(instance as Instance).claim].right ? 'delivered right' : 'delivered wrong' }) };
    case 'claimFee':
      pay('inbox', (instance as Instance).sponsor, AMOUNTS.fee);
      return { payments, state: withRequest(action.request, { feeSpent: true }) };
    case 'refund':
      pay('inbox', 'requester', AMOUNTS.fee);
      return { payments, state: withRequest(action.request, { status: 'refunded', feeSpent: true }) };
    case 'tick':
      return {
        payments,
        state: {
          ...state,
          instances: state.instances.map((one) => ({
            ...one,
            left: Math.max(one.left - 1, one.sponsor === 'honest sponsor' ? -2 * TIMES.allowance : 0),
            games: one.games.map((game) => (game.settled || isWon(game.phase) ? game : { ...game, elapsed: Math.min(game.elapsed + 1, TIMES.allowance) })),
          })),
          requests: state.requests.map((request) => ({ ...request, left: Math.max(request.left - 1, 0) })),
        },
      };
  }
}

/** What each contract has to hold: bonds, less the bounties paid out of them; stakes of running games; fees in escrow. */
export function heldBy(rules: RollupRules, { instances, requests }: RollupState): Readonly<Record<Payment['contract'], number>> {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  return {
    assertions: sum(instances.map(({ released, defeats }) => (released ? 0 : AMOUNTS.bond - AMOUNTS.bounty * rules.bounties(defeats)))),
    game: sum(instances.flatMap(({ games }) => games.map(({ phase }) => (isWon(phase) ? 0 : AMOUNTS.challengerStake + (phase === 'to prove' ? AMOUNTS.sponsorStake : 0))))),
    inbox: sum(requests.map(({ feeSpent }) => (feeSpent ? 0 : AMOUNTS.fee))),
  };
}
