/** The nearest integer, halves to the even one. Exact for numbers below 2^52. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

export const cut = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/**
 * How sums become bytes: a function of integers that never decreases and gives 0 for 0, cut to `low … high`, and the sums that can occur.
 * All of it is relative to the result's zero point.
 */
export interface StepFunction {
  /** `single-precision`: the sum in single precision times the slope in single precision, halves to even. `exact`: the exact quotient, halves to even. */
  readonly arithmetic: 'single-precision' | 'exact';
  readonly apply: (sum: number) => number;
  /** How much the result grows from one sum to the next: about, or in single precision exactly. */
  readonly slope: number;
  readonly leastSum: number;
  readonly greatestSum: number;
  readonly low: number;
  readonly high: number;
}

/** For each result above the least one that occurs: the least sum that gives it or more. */
export interface Thresholds { readonly first: number; readonly sums: readonly number[] }

/** Where a step function steps, found by search: it does not decrease, so its thresholds say all of it. */
export function thresholds({ apply, slope, leastSum, greatestSum, low, high }: StepFunction): Thresholds {
  const value = (sum: number): number => cut(apply(sum), low, high);
  const first = value(leastSum) + 1;
  const last = value(greatestSum);
  const sums: number[] = [];
  for (let result = first; result <= last; result += 1) {
    // `below` gives less, `reached` does not; doubled steps from the likely place, then halves.
    const guess = cut(Math.ceil((result - 0.5) / slope), leastSum + 1, greatestSum);
    let [below, reached] = [leastSum, greatestSum];
    for (let step = 1, at = guess; at > leastSum; at -= step, step *= 2) {
      if (value(at) < result) {
        below = at;
        break;
      }
      reached = at;
    }
    for (let step = 1, at = Math.max(guess, below + 1); at < reached; at += step, step *= 2) {
      if (value(at) >= result) {
        reached = at;
        break;
      }
      below = at;
    }
    while (reached - below > 1) {
      const middle = Math.floor((below + reached) / 2);
      if (value(middle) >= result) reached = middle;
      else below = middle;
    }
    sums.push(reached);
  }
  return { first, sums };
}

/** `multiplier / 2^shift`, with sums that are rounded to another neighbour than it says. */
export interface Rounding {
  readonly multiplier: number;
  readonly shift: number;
  /** Sums, each with what is to be added to its result. */
  readonly exceptions: ReadonlyMap<number, number>;
}

/** Exceptions of one channel: each costs a comparison an element. */
const MAXIMUM_EXCEPTIONS = 8;
const GREATEST_MULTIPLIER = 2 ** 31 - 1;

/** A number in single precision as its 24 bits and a shift, for `requantizeFloat32`; null where the shift does not fit. */
export function singlePrecisionBits(slope: number): { readonly multiplier: number; readonly shift: number } | null {
  const shift = 23 - Math.floor(Math.log2(slope));
  return shift >= 1 && shift <= 62 ? { multiplier: slope * 2 ** shift, shift } : null;
}

/** `factor` as multiplier and shift, with as many bits as there are: exact for single-precision numbers from 2^-39 to 2^30. */
function toMultiplier(factor: number): { readonly multiplier: number; readonly shift: number } {
  const shift = Math.max(1, Math.min(62, 30 - Math.floor(Math.log2(factor))));
  const multiplier = Math.round(factor * 2 ** shift);
  if (multiplier > GREATEST_MULTIPLIER && shift > 1) return { multiplier: Math.round(factor * 2 ** (shift - 1)), shift: shift - 1 };
  return { multiplier, shift };
}

/**
 * A multiplier and a shift that give every result of the step function when halves go upwards (`requantize`), or null where no such multiplier was found.
 * What is returned was checked at every threshold, exactly; as both functions never decrease, they agree on every sum that can occur.
 */
export function fitHalfUp(steps: StepFunction): { readonly multiplier: number; readonly shift: number } | null {
  const { first, sums } = thresholds(steps);
  // Each threshold t of result k wants (k − ½)/t ≤ factor < (k − ½)/(t − 1), for negative ones the other way round.
  let [least, greatest] = [0, Infinity];
  sums.forEach((sum, index) => {
    const half = first + index - 0.5;
    if (sum > 0) least = Math.max(least, half / sum);
    if (sum > 1) greatest = Math.min(greatest, half / (sum - 1));
    if (sum < 0) greatest = Math.min(greatest, half / sum);
    if (sum < 1) least = Math.max(least, half / (sum - 1));
  });
  if (!(least < greatest)) return null;
  const candidates = [steps.slope, Number.isFinite(greatest) ? (least + greatest) / 2 : Math.max(least, steps.slope)];
  for (const factor of candidates) {
    if (!(factor > 0 && factor < 2 ** 29)) continue;
    const { multiplier, shift } = toMultiplier(factor);
    const rounded = (sum: number): bigint => (BigInt(sum) * BigInt(multiplier) + (1n << BigInt(shift - 1))) >> BigInt(shift);
    const exact = sums.every((sum, index) => rounded(sum) >= BigInt(first + index) && rounded(sum - 1) < BigInt(first + index));
    if (multiplier >= 1 && multiplier <= GREATEST_MULTIPLIER && exact) return { multiplier, shift };
  }
  return null;
}

/**
 * The step function as a multiplier, a shift and exceptions, for `requantizeHalfEven`: exact for every sum that can occur. Null when it would take more exceptions than
 * are sensible.
 */
export function fitHalfEven(steps: StepFunction): Rounding | null {
  const { slope, low, high } = steps;
  if (!(slope > 0 && slope < 2 ** 29)) return null;
  const { multiplier, shift } = toMultiplier(slope);
  const halfEven = (sum: number): number => {
    const product = BigInt(sum) * BigInt(multiplier);
    const odd = (product >> BigInt(shift)) & 1n;
    return Number(BigInt.asIntN(64, (product + (1n << BigInt(shift - 1)) - 1n + odd) >> BigInt(shift)));
  };
  const wanted = thresholds(steps);
  const given = thresholds({ ...steps, apply: halfEven });
  const exceptions = new Map<number, number>();
  const values = [...wanted.sums.map((sum, index) => ({ sum, value: wanted.first + index })), ...given.sums.map((sum, index) => ({ sum, value: given.first + index }))];
  for (const { value } of values) {
    const [a, b] = [wanted.sums[value - wanted.first], given.sums[value - given.first]];
    const [from, to] = [Math.min(a ?? steps.greatestSum, b ?? steps.greatestSum), Math.max(a ?? steps.greatestSum + 1, b ?? steps.greatestSum + 1)];
    if (to - from > MAXIMUM_EXCEPTIONS) return null;
    for (let sum = from; sum < to; sum += 1) {
      const step = cut(steps.apply(sum), low, high) - cut(halfEven(sum), low, high);
      if (step !== 0) exceptions.set(sum, step);
    }
  }
  return exceptions.size > MAXIMUM_EXCEPTIONS ? null : { multiplier, shift, exceptions };
}
