import { actionsOn, actionsOnRequests, dutiesOf, refunds, shamGames } from './rollup-players.ts';
import { honestGain, honestStakes, instanceFault, instanceMoneyFault, requestsFault, requestsMoneyFault } from './rollup-properties.ts';
import {
  CLAIM_NAMES, applyToInstance, applyToRequest, isLegalForInstance, newInstance, openGames, tickInstance, tickRequests,
} from './rollup-rules.ts';
import type { ClaimName, Instance, InstanceAction, Payment, RequestAction, RequestState, RollupPhase, RollupRules, Sponsor } from './rollup-rules.ts';
import { canonicalInstance, canonicalRequests, keyOfInstance, keyOfRequests } from './rollup-symmetry.ts';

const PHASES: readonly RollupPhase[] = ['challengeable', 'disputed', 'waiting', 'final', 'defeated'];

/** An action on an instance or on the requests, and what comes of it. */
export interface Step<Action> {
  readonly action: Action;
  /** The number of what comes of it. */
  readonly next: number;
  /** What is wrong with it, or null. */
  readonly fault: string | null;
  /** What it brings honest parties, less what they lock. */
  readonly gain: number;
  /** Whether it is a game that an attacker opens. */
  readonly isSham: boolean;
}

/** What can become of an instance in a phase. */
export interface InstanceSteps {
  readonly fault: string | null;
  readonly steps: readonly Step<InstanceAction>[];
  /** What an honest party has to do next, and what anybody can bring to an end. */
  readonly duty: Step<InstanceAction> | null;
  readonly ending: Step<InstanceAction> | null;
  readonly mayConfirm: boolean;
}

/** What a search asks about an instance, worked out once. */
export interface KnownInstance {
  readonly instance: Instance;
  readonly claimBit: number;
  readonly shams: number;
  readonly openGames: number;
  readonly stakes: number;
  /** Whether an honest party has to act before time passes. */
  readonly isDue: boolean;
  /** The number of the instance a tick later; 0 before it was asked for. */
  afterTick: number;
  readonly byPhase: Map<RollupPhase, InstanceSteps>;
}

interface KnownRequests {
  readonly requests: readonly RequestState[];
  readonly fault: string | null;
  readonly refunds: readonly Step<{ readonly kind: RequestAction; readonly request: number }>[];
  readonly byInstance: Map<number, readonly Step<{ readonly kind: RequestAction; readonly request: number }>[]>;
  afterTick: number;
}

export const bitOf = (claim: ClaimName): number => 1 << CLAIM_NAMES.indexOf(claim);

/**
 * Numbers for the canonical instances and requests that a search meets, and what each can do, worked out by the rules when it is first asked for.
 * An action on an instance depends on the instance and its phase alone (the signatures of `isLegalForInstance` and `applyToInstance` say so), and
 * a phase on anything, so that callers have to work it out in every state.
 */
export class Catalogue {
  private readonly rules: RollupRules;
  private readonly instanceNumbers = new Map<string, number>();
  private readonly requestNumbers = new Map<string, number>();
  private readonly newInstances: number[] = [];
  /** From 1 on: 0 is no instance. */
  readonly instances: KnownInstance[] = [];
  readonly requests: KnownRequests[] = [];

  constructor(rules: RollupRules) {
    this.rules = rules;
    this.instances.push(this.known(newInstance('right', 'honest sponsor')));
  }

  private known(instance: Instance): KnownInstance {
    return {
      instance, claimBit: bitOf(instance.claim), shams: shamGames(instance), openGames: openGames(instance), stakes: honestStakes(instance),
      isDue: dutiesOf(this.rules, instance, true).length > 0, afterTick: 0, byPhase: new Map(),
    };
  }

  numberOf(instance: Instance): number {
    const canonical = canonicalInstance(instance);
    const key = keyOfInstance(canonical);
    const number = this.instanceNumbers.get(key) ?? this.instances.length;
    if (number === this.instances.length) {
      if (number === 1 << 16) throw new Error('more than 65,535 different instances; take smaller bounds');
      this.instanceNumbers.set(key, number);
      this.instances.push(this.known(canonical));
    }
    return number;
  }

  numberOfRequests(requests: readonly RequestState[]): number {
    const canonical = canonicalRequests(requests);
    const key = keyOfRequests(canonical);
    const number = this.requestNumbers.get(key) ?? this.requests.length;
    if (number === this.requests.length) {
      if (number === 1 << 10) throw new Error('more than 1,024 different pairs of requests');
      this.requestNumbers.set(key, number);
      this.requests.push({ requests: canonical, fault: requestsFault(this.rules, canonical), refunds: [], byInstance: new Map(), afterTick: -1 });
      this.requests[number] = { ...(this.requests[number] as KnownRequests), refunds: refunds(this.rules, canonical).map(({ request }) => this.requestStep(canonical, 'refund', request)) };
    }
    return number;
  }

  asserted(claim: ClaimName, sponsor: Sponsor): number {
    const key = CLAIM_NAMES.indexOf(claim) * 2 + (sponsor === 'honest sponsor' ? 1 : 0);
    return (this.newInstances[key] ??= this.numberOf(newInstance(claim, sponsor)));
  }

  tick(number: number): number {
    const known = this.instances[number] as KnownInstance;
    if (known.afterTick === 0) known.afterTick = this.numberOf(tickInstance(known.instance));
    return known.afterTick;
  }

  tickRequests(number: number): number {
    const known = this.requests[number] as KnownRequests;
    if (known.afterTick < 0) known.afterTick = this.numberOfRequests(tickRequests(known.requests));
    return known.afterTick;
  }

  steps(number: number, phase: RollupPhase): InstanceSteps {
    const known = this.instances[number] as KnownInstance;
    const steps = known.byPhase.get(phase) ?? this.workOut(known.instance, phase);
    known.byPhase.set(phase, steps);
    return steps;
  }

  private workOut(instance: Instance, phase: RollupPhase): InstanceSteps {
    const { rules } = this;
    const step = (action: InstanceAction): Step<InstanceAction> => {
      const { instance: after, payments } = applyToInstance(rules, instance, phase, action);
      return {
        action, next: this.numberOf(after), gain: honestGain(action.kind, payments), fault: instanceMoneyFault(rules, instance, after, action.kind, payments),
        isSham: action.kind === 'challenge' && action.challenger !== 'honest challenger',
      };
    };
    const legal = (actions: readonly InstanceAction[]): InstanceAction | undefined => actions.find((action) => isLegalForInstance(rules, instance, phase, action));
    const duty = legal(dutiesOf(rules, instance, false));
    const settlements = instance.games.flatMap(({ settled }, game): InstanceAction[] => (settled ? [] : [{ kind: 'settle', game }]));
    const ending = legal(openGames(instance) > 0 || instance.released ? settlements : [{ kind: 'withdrawBond' }]);
    return {
      fault: instanceFault(rules, instance, phase),
      steps: actionsOn(rules, instance, phase, true).map(step),
      duty: duty === undefined ? null : step(duty),
      ending: ending === undefined ? null : step(ending),
      mayConfirm: isLegalForInstance(rules, instance, phase, { kind: 'confirm' }),
    };
  }

  private requestStep(requests: readonly RequestState[], kind: RequestAction, request: number, instance?: Instance): Step<{ kind: RequestAction; request: number }> {
    const { requests: after, payments }: { requests: readonly RequestState[]; payments: Payment[] } = applyToRequest(requests, request, kind, instance);
    return { action: { kind, request }, next: this.numberOfRequests(after), fault: requestsMoneyFault(requests, after, kind, payments), gain: 0, isSham: false };
  }

  /** What requests take from an instance in a phase. */
  requestSteps(requests: number, instance: Instance, phase: RollupPhase): readonly Step<{ readonly kind: RequestAction; readonly request: number }>[] {
    const known = this.requests[requests] as KnownRequests;
    const key = (CLAIM_NAMES.indexOf(instance.claim) * 2 + (instance.sponsor === 'honest sponsor' ? 1 : 0)) * PHASES.length + PHASES.indexOf(phase);
    const steps = known.byInstance.get(key)
      ?? actionsOnRequests(this.rules, known.requests, instance.claim, phase).map(({ kind, request }) => this.requestStep(known.requests, kind, request, instance));
    known.byInstance.set(key, steps);
    return steps;
  }
}
