/** Segments that a move divides a segment into, at most. */
export const ARITY = 16;

/** A run of steps: `[start, start + length)`. */
export interface Segment {
  readonly start: bigint;
  readonly length: bigint;
}

/** Segments that `length` steps are divided into: `min(ARITY, length)`. */
export const segmentCount = (length: bigint): number => (length < BigInt(ARITY) ? Number(length) : ARITY);

/**
 * The step numbers at which a split names states: `start + ⌊j·length/m⌋` for `j = 0 … m`, `m = segmentCount(length)`.
 * @throws RangeError when the segment is empty.
 */
export function splitBounds({ start, length }: Segment): bigint[] {
  if (length < 1n) throw new RangeError('an empty segment cannot be split');
  const count = segmentCount(length);
  return Array.from({ length: count + 1 }, (_, index) => start + (BigInt(index) * length) / BigInt(count));
}

/** Segment `index` of a split. @throws RangeError when there is none. */
export function segmentAt(split: Segment, index: number): Segment {
  const bounds = splitBounds(split);
  const [start, end] = [bounds[index], bounds[index + 1]];
  if (start === undefined || end === undefined) throw new RangeError(`the split has no segment ${index}`);
  return { start, length: end - start };
}

/** Moves that a dispute over `steps` steps takes before a single step is left, the asserter's answer included. */
export function levels(steps: bigint): number {
  let count = 1;
  for (let length = steps; length > BigInt(ARITY); count += 1) length = (length + BigInt(ARITY) - 1n) / BigInt(ARITY);
  return count;
}
