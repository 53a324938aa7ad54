import { ModelViolation } from './game-checker.ts';
import { PackedStates } from './packed-states.ts';
import { Catalogue, bitOf } from './rollup-catalogue.ts';
import type { KnownInstance } from './rollup-catalogue.ts';
import { closingSearch, descending, pack } from './rollup-closing.ts';
import { assertions, isRight } from './rollup-players.ts';
import type { RollupBounds } from './rollup-players.ts';
import { closingFault, confirmedFault, instanceMoneyFault, phaseFault, truthsToAssert } from './rollup-properties.ts';
import { AMOUNTS, CLAIM_NAMES, initialState, isLegal, newInstance, phaseOf } from './rollup-rules.ts';
import type { Instance, RollupAction, RollupPhase, RollupRules, RollupState } from './rollup-rules.ts';

export interface RollupCheckResult {
  readonly states: number;
  readonly transitions: number;
  /** Different instances, each in a phase, that were met. */
  readonly instances: readonly MetInstance[];
}

export interface MetInstance {
  readonly instance: Instance;
  readonly phase: RollupPhase;
}

/** Bits of the packed words: a claim is confirmed; the number of the requests. */
const CONFIRMED_BITS = CLAIM_NAMES.length;
const CONFIRMED = (1 << CONFIRMED_BITS) - 1;

interface Numbered {
  readonly numbers: readonly number[];
  readonly confirmed: number;
  readonly requests: number;
}

/** Takes what is done, the instance it is done to (or -1), and what comes of it, instances in their places. */
type Visit = (action: object, place: number, numbers: number[], confirmed: number, requests: number, fault: string | null) => void;

/**
 * Goes through every reachable state, one of all that nobody can tell apart (rollup-symmetry.ts), and checks the properties of rollup-properties.ts. A state
 * is 12 bytes: the numbers of its instances in a catalogue, a bit for each confirmed claim, and the number of its requests.
 * @param onState is given every state
 * @throws ModelViolation with the shortest way to a state that breaks a property
 */
export function checkRollup(rules: RollupRules, bounds: RollupBounds, onState?: (state: RollupState) => void): RollupCheckResult {
  const catalogue = new Catalogue(rules);
  const found = new PackedStates();
  const at = (number: number): KnownInstance => catalogue.instances[number] as KnownInstance;
  const namesOf = Array.from({ length: CONFIRMED + 1 }, (_, bits) => CLAIM_NAMES.filter((claim) => (bits & bitOf(claim)) !== 0));
  const faultOf = namesOf.map(confirmedFault);

  const stateOf = (numbers: readonly number[], confirmed: number, requests: number): RollupState =>
    ({ instances: numbers.map((number) => at(number).instance), confirmed: namesOf[confirmed] as RollupState['confirmed'], requests: catalogue.requests[requests]?.requests ?? [] });
  const phasesOf = (numbers: readonly number[], confirmed: number): RollupPhase[] => {
    const state = stateOf(numbers, confirmed, 0);
    return state.instances.map((instance) => phaseOf(rules, state, instance));
  };
  const truths = bounds.claims.reduce((bits, claim) => bits | (truthsToAssert([claim], []).length > 0 ? bitOf(claim) : 0), 0);
  const closes = closingSearch(catalogue, phasesOf, truths);

  const read = (index: number): Numbered => {
    const [first, second, third] = [found.word(0, index), found.word(1, index), found.word(2, index)];
    const numbers = [first & 0xffff, first >>> 16, second & 0xffff, second >>> 16, third & 0xffff].filter((number) => number !== 0);
    return { numbers, confirmed: (third >>> 16) & CONFIRMED, requests: third >>> (16 + CONFIRMED_BITS) };
  };
  const keyOf = (numbers: number[], confirmed: number, requests: number): [number, number, number] => pack(numbers.sort(descending), confirmed | (requests << CONFIRMED_BITS));

  const stateFault = (state: Numbered, phases: readonly RollupPhase[]): string | null => {
    const { numbers, confirmed, requests } = state;
    for (const [index, number] of numbers.entries()) {
      const { fault } = catalogue.steps(number, phases[index] as RollupPhase);
      if (fault !== null) return fault;
    }
    const fault = faultOf[confirmed] ?? catalogue.requests[requests]?.fault ?? null;
    if (fault !== null) return fault;
    const missing = truthsToAssert(bounds.claims, numbers.map((number) => at(number).instance));
    const whole = stateOf(numbers, confirmed, requests);
    const asserted = missing.filter((claim) => isLegal(rules, whole, { kind: 'assert', claim, sponsor: 'honest sponsor' }));
    const toAssert = asserted.map((claim) => catalogue.asserted(claim, 'honest sponsor'));
    if (asserted.length === missing.length && closes(numbers, confirmed, toAssert, missing.length * AMOUNTS.bond)) return null;
    return closingFault(rules, whole, bounds) ?? 'the truth becomes final by the rules, but not by what is remembered of them';
  };

  /** Instances that are the same do the same: one of them stands for all. */
  const expand = (state: Numbered, phases: readonly RollupPhase[], visit: Visit): void => {
    const { numbers, confirmed, requests } = state;
    const instances = numbers.map((number) => at(number).instance);
    for (const action of assertions(bounds, instances)) {
      if (rules.assertedOnce && !isLegal(rules, stateOf(numbers, confirmed, requests), action)) continue;
      const fault = instanceMoneyFault(rules, null, newInstance(action.claim, action.sponsor), 'assert', [{ to: 'escrow', amount: AMOUNTS.bond, contract: 'assertions' }]);
      visit(action, -1, [...numbers, catalogue.asserted(action.claim, action.sponsor)], confirmed, requests, fault);
    }
    const mayChallenge = numbers.reduce((total, number) => total + at(number).shams, 0) < bounds.shamGames;
    let isDue = false;
    for (const [place, number] of numbers.entries()) {
      const { isDue: due, claimBit } = at(number);
      isDue ||= due;
      if (number === numbers[place - 1]) continue;
      const phase = phases[place] as RollupPhase;
      for (const { action, next, fault, isSham } of catalogue.steps(number, phase).steps) {
        if (isSham && !mayChallenge) continue;
        if (action.kind === 'confirm' && (confirmed & claimBit) !== 0) continue;
        const after = numbers.slice();
        after[place] = next;
        visit(action, place, after, action.kind === 'confirm' ? confirmed | claimBit : confirmed, requests, fault);
      }
      if (!bounds.requests) continue;
      for (const { action, next, fault } of catalogue.requestSteps(requests, at(number).instance, phase)) visit(action, place, numbers.slice(), confirmed, next, fault);
    }
    for (const { action, next, fault } of catalogue.requests[requests]?.refunds ?? []) visit(action, -1, numbers.slice(), confirmed, next, fault);
    // What is confirmed is right, as long as `confirmedFault` finds nothing.
    for (const claim of bounds.others ? CLAIM_NAMES.filter(isRight) : []) {
      if ((confirmed & bitOf(claim)) === 0) visit({ kind: 'confirmed by others', claim }, -1, numbers.slice(), confirmed | bitOf(claim), requests, null);
    }
    if (!isDue) visit({ kind: 'tick' }, -1, numbers.map((number) => catalogue.tick(number)), confirmed, catalogue.tickRequests(requests), null);
  };

  const describe = ({ numbers }: Numbered, action: object, place: number): string => {
    if (place < 0) return JSON.stringify(action);
    const { claim, sponsor } = at(numbers[place] as number).instance;
    return `${JSON.stringify({ ...action, instance: place } as RollupAction)}, which is "${claim}" by the ${sponsor}`;
  };
  const traceTo = (last: number): string[] => {
    const trace: string[] = [];
    for (let index = last; index > 0; index = found.note(index)) {
      const before = read(found.note(index));
      let step = '';
      expand(before, phasesOf(before.numbers, before.confirmed), (action, place, numbers, confirmed, requests) => {
        if (step === '' && found.find(...keyOf(numbers, confirmed, requests)) === index) step = describe(before, action, place);
      });
      trace.unshift(step);
    }
    return trace;
  };

  found.add(...keyOf([], 0, catalogue.numberOfRequests(initialState(bounds.requests).requests)), 0);
  let transitions = 0;
  const met = new Map<RollupPhase, Set<number>>();
  for (let index = 0; index < found.size; index += 1) {
    const state = read(index);
    const phases = phasesOf(state.numbers, state.confirmed);
    for (const [place, phase] of phases.entries()) {
      const inPhase = met.get(phase) ?? new Set();
      met.set(phase, inPhase.add(state.numbers[place] as number));
    }
    onState?.(stateOf(state.numbers, state.confirmed, state.requests));
    const fault = stateFault(state, phases);
    if (fault !== null) throw new ModelViolation(fault, traceTo(index));
    expand(state, phases, (action, place, numbers, confirmed, requests, moneyFault) => {
      transitions += 1;
      const phasesAfter = phasesOf(numbers, confirmed);
      let broken: string | null = null;
      for (let one = 0; one < phases.length && broken === null; one += 1) {
        broken = phaseFault(at(state.numbers[one] as number).instance, phases[one] as RollupPhase, phasesAfter[one] as RollupPhase);
      }
      broken ??= moneyFault;
      if (broken !== null) throw new ModelViolation(broken, [...traceTo(index), describe(state, action, place)]);
      found.add(...keyOf(numbers, confirmed, requests), index);
    });
  }
  const instances = [...met].flatMap(([phase, numbers]) => [...numbers].map((number) => ({ instance: at(number).instance, phase })));
  return { states: found.size, transitions, instances };
}
