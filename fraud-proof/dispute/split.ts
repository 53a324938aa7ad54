/** How many segments a split has. */
export interface Arity {
  /** Segments of a split of many steps. */
  readonly usual: number;
  /** A split of so many steps, or fewer, has one segment a step. */
  readonly most: number;
}

/** Claims in calldata: twice as many segments in the last split, which saves one for a handful of steps. */
export const calldataArity = (usual: number): Arity => ({ usual, most: 2 * usual });
/** Where a deployment says nothing else. */
export const CALLDATA_ARITY: Arity = calldataArity(16);
/** Claims in a blob: one segment more than the inner states that it holds. */
export const BLOB_ARITY: Arity = { usual: 4096, most: 4096 };

/** A run of steps: `[start, start + length)`. */
export interface Segment {
  readonly start: bigint;
  readonly length: bigint;
}

/** Segments that `length` steps are divided into. */
export const segmentCount = (length: bigint, { usual, most }: Arity): number => (length <= BigInt(most) ? Number(length) : usual);

/**
 * The step numbers at which a split names states: `start + ⌊j·length/m⌋` for `j = 0 … m`, `m = segmentCount(length, arity)`.
 * @throws RangeError when the segment is empty.
 */
export function splitBounds({ start, length }: Segment, arity: Arity): bigint[] {
  if (length < 1n) throw new RangeError('an empty segment cannot be split');
  const count = segmentCount(length, arity);
  return Array.from({ length: count + 1 }, (_, index) => start + (BigInt(index) * length) / BigInt(count));
}

/** Segment `index` of a split. @throws RangeError when there is none. */
export function segmentAt(split: Segment, index: number, arity: Arity): Segment {
  const count = segmentCount(split.length, arity);
  if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`the split has no segment ${index}`);
  const bound = (position: number): bigint => split.start + (BigInt(position) * split.length) / BigInt(count);
  return { start: bound(index), length: bound(index + 1) - bound(index) };
}

/** Splits that a dispute over `steps` steps takes before a single step is left, the challenger's first included. */
export function levels(steps: bigint, { usual, most }: Arity = CALLDATA_ARITY): number {
  let count = 1;
  for (let length = steps; length > BigInt(most); count += 1) length = (length + BigInt(usual) - 1n) / BigInt(usual);
  return count;
}
