import { segmentBounds } from './game-rules.ts';
import type { Carrier, Claim, GameRules } from './game-rules.ts';

/** Patterns of right (0) and wrong (1) claims that leave the other side the same choice: lengths of segments that start right and end wrong. */
export interface PatternClass {
  /** One of them: all claims of the split, the first included. */
  readonly claims: readonly Claim[];
  /** How many they are. */
  readonly count: bigint;
}

/** Lengths of a split's segments. */
export function segmentLengths(rules: GameRules, length: number, carrier: Carrier): number[] {
  const count = rules.segments(length, carrier);
  return Array.from({ length: count }, (_, j) => {
    const [from, to] = segmentBounds(length, j, count);
    return to - from;
  });
}

/** Segments that a truthful player can dispute: they start right and end wrong. */
export const disputable = (claims: readonly Claim[]): number[] =>
  claims.flatMap((claim, index) => (index + 1 < claims.length && claim === 0 && claims[index + 1] !== 0 ? [index] : []));

/** All patterns with that first and last claim, one by one. */
export function allPatterns(segments: number, first: Claim, last: Claim): PatternClass[] {
  return Array.from({ length: 2 ** (segments - 1) }, (_, bits) => ({
    claims: [first, ...Array.from({ length: segments - 1 }, (_unused, index) => (bits >> index) & 1), last], count: 1n,
  }));
}

/**
 * The same as classes, for splits with too many patterns to write down: a walk from bound to bound, in which patterns that have the same
 * last claim and the same disputable lengths so far are one.
 */
export function patternClasses(lengths: readonly number[], first: Claim, last: Claim): PatternClass[] {
  interface Prefix extends PatternClass {
    readonly disputed: readonly number[];
  }
  let prefixes: Prefix[] = [{ claims: [first], count: 1n, disputed: [] }];
  lengths.forEach((length, index) => {
    const merged = new Map<string, Prefix>();
    for (const { claims, count, disputed } of prefixes) {
      for (const claim of index === lengths.length - 1 ? [last] : [0, 1]) {
        const added = claims.at(-1) === 0 && claim !== 0 && !disputed.includes(length) ? [...disputed, length].sort((a, b) => a - b) : disputed;
        const key = `${claim}:${added.join()}`;
        merged.set(key, { claims: [...claims, claim], count: count + (merged.get(key)?.count ?? 0n), disputed: added });
      }
    }
    prefixes = [...merged.values()];
  });
  return prefixes;
}
