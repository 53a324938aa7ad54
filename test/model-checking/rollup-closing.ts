import { PackedStates } from './packed-states.ts';
import { CLOSING_TICKS } from './rollup-properties.ts';
import type { Catalogue, InstanceSteps, KnownInstance, Step } from './rollup-catalogue.ts';
import type { InstanceAction, RollupPhase } from './rollup-rules.ts';

/** Which phase each of some instances is in, `confirmed` being a set of bits. */
export type PhasesOf = (numbers: readonly number[], confirmed: number) => RollupPhase[];

const NEVER = CLOSING_TICKS + 2;
/** So that gains below 0 can be packed, too. */
const GAIN_OFFSET = 1 << 20;

/** Instances in descending order: up to five numbers of 16 bits, and up to 16 bits of other things. */
export function pack(numbers: readonly number[], rest: number): [number, number, number] {
  if (numbers.length > 5) throw new Error('more than five instances do not fit; take smaller bounds');
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = numbers;
  return [(a | (b << 16)) >>> 0, (c | (d << 16)) >>> 0, (e | (rest << 16)) >>> 0];
}

export const descending = (one: number, other: number): number => other - one;

/**
 * `closingFault` of rollup-properties.ts, with what becomes of a state remembered. Honest parties have one thing to do in each state, so the way to the end from a
 * state after the first tick is the rest of the way: how many ticks it takes, and what it brings.
 * @returns whether all is well from `numbers` on, once the truths in `toAssert` are asserted
 */
export function closingSearch(catalogue: Catalogue, phasesOf: PhasesOf, truths: number): (numbers: readonly number[], confirmed: number, toAssert: readonly number[], bonds: number) => boolean {
  const ways = new PackedStates();
  const at = (number: number): KnownInstance => catalogue.instances[number] as KnownInstance;

  /** Honest parties do all that they have to and can, before the next tick. */
  const play = (numbers: number[], confirmedBefore: number): { confirmed: number; gain: number } => {
    let confirmed = confirmedBefore;
    let gain = 0;
    let steps = 0;
    for (let isOver = false; !isOver;) {
      isOver = true;
      const phases = phasesOf(numbers, confirmed);
      for (let index = 0; index < numbers.length; index += 1) {
        const { duty, ending, mayConfirm }: InstanceSteps = catalogue.steps(numbers[index] as number, phases[index] as RollupPhase);
        const step: Step<InstanceAction> | null = duty ?? ending;
        const bit = at(numbers[index] as number).claimBit;
        const confirms = duty === null && mayConfirm && (confirmed & bit) === 0;
        if (confirms) confirmed |= bit;
        else if (step === null) continue;
        else {
          numbers[index] = step.next;
          gain += step.gain;
        }
        isOver = false;
        // A phase may depend on what the step before has changed.
        break;
      }
      if ((steps += 1) > 1000) throw new Error('closing does not come to an end');
    }
    return { confirmed, gain };
  };

  /** How many rounds it takes, and what it brings. */
  const wayFrom = (sorted: readonly number[], confirmedBefore: number): { rounds: number; gain: number } => {
    const key = pack(sorted, confirmedBefore);
    const known = ways.find(...key);
    if (known >= 0) return { rounds: ways.note(known) & 15, gain: (ways.note(known) >>> 4) - GAIN_OFFSET };
    const numbers = [...sorted];
    const { confirmed, gain } = play(numbers, confirmedBefore);
    let way = { rounds: 1, gain };
    if ((confirmed & truths) !== truths || numbers.some((number) => at(number).openGames > 0 || !at(number).instance.released)) {
      const next = numbers.map((number) => catalogue.tick(number)).sort(descending);
      const isStuck = confirmed === confirmedBefore && next.every((number, index) => number === sorted[index]);
      const rest = isStuck ? { rounds: NEVER, gain: 0 } : wayFrom(next, confirmed);
      way = { rounds: Math.min(rest.rounds + 1, NEVER), gain: gain + rest.gain };
    }
    ways.add(...key, way.rounds | ((way.gain + GAIN_OFFSET) << 4));
    return way;
  };

  return (numbers, confirmed, toAssert, bonds) => {
    const { rounds, gain } = wayFrom([...numbers, ...toAssert].sort(descending), confirmed);
    const locked = numbers.reduce((total, number) => total + at(number).stakes, 0);
    return rounds <= CLOSING_TICKS + 1 && gain - bonds >= locked;
  };
}
