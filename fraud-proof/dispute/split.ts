/** Segments that a split whose claims travel as calldata has at most, where a deployment says nothing else. */
export const CALLDATA_ARITY = 16;
/** Segments that a split whose claims travel in a blob has at most: one more than the inner states that it holds. */
export const BLOB_ARITY = 4096;

/** A run of steps: `[start, start + length)`. */
export interface Segment {
  readonly start: bigint;
  readonly length: bigint;
}

/** Segments that `length` steps are divided into: `min(arity, length)`. */
export const segmentCount = (length: bigint, arity: number): number => (length < BigInt(arity) ? Number(length) : arity);

/**
 * The step numbers at which a split names states: `start + ⌊j·length/m⌋` for `j = 0 … m`, `m = segmentCount(length, arity)`.
 * @throws RangeError when the segment is empty.
 */
export function splitBounds({ start, length }: Segment, arity: number): bigint[] {
  if (length < 1n) throw new RangeError('an empty segment cannot be split');
  const count = segmentCount(length, arity);
  return Array.from({ length: count + 1 }, (_, index) => start + (BigInt(index) * length) / BigInt(count));
}

/** Segment `index` of a split. @throws RangeError when there is none. */
export function segmentAt(split: Segment, index: number, arity: number): Segment {
  const count = segmentCount(split.length, arity);
  if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`the split has no segment ${index}`);
  const bound = (position: number): bigint => split.start + (BigInt(position) * split.length) / BigInt(count);
  return { start: bound(index), length: bound(index + 1) - bound(index) };
}

/** Splits that a dispute over `steps` steps takes before a single step is left, the challenger's first included. */
export function levels(steps: bigint, arity: number = CALLDATA_ARITY): number {
  let count = 1;
  for (let length = steps; length > BigInt(arity); count += 1) length = (length + BigInt(arity) - 1n) / BigInt(arity);
  return count;
}
