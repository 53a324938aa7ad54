import type { Range } from './layer.ts';

/**
 * How the range that eight bits are spread over is found; what lies beyond saturates.
 * - `minMax`: everything that was seen.
 * - `percentile`: all but the furthest 0.005% at either end.
 * - `meanSquaredError`: the range whose rounding and cutting together have the least squared error.
 */
export type RangeMethod = 'minMax' | 'percentile' | 'meanSquaredError';

/** How often a value's elements fell into equal parts of its range. Zeros are not counted: they are exact in every range. */
export interface Histogram { readonly range: Range; readonly counts: Uint32Array }

/** Parts of a range; a step of eight bits has eight. */
const PARTS = 2048;
/** Share of the elements that is cut off at either end. */
const TAIL = 5e-5;
/** Ranges are tried that are smaller by multiples of this. */
const SHRINK = 0.025;
const SMALLEST = 0.2;

export const histogramOf = (range: Range): Histogram => ({ range, counts: new Uint32Array(PARTS) });

/** Counts elements; those outside of the range, which are taken for infinite, are left out. */
export function countElements({ range: { low, high }, counts }: Histogram, data: Float32Array | Float64Array): void {
  const parts = PARTS / (high - low);
  for (let index = 0; index < data.length; index += 1) {
    const element = data[index] as number;
    if (element === 0 || !(element >= low && element <= high)) continue;
    const part = Math.min(PARTS - 1, Math.floor((element - low) * parts));
    counts[part] = (counts[part] as number) + 1;
  }
}

/** The range for eight bits, within what was seen. */
export function typicalRange(histogram: Histogram, method: Exclude<RangeMethod, 'minMax'>): Range {
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return histogram.range;
  return method === 'percentile' ? percentileRange(histogram, total) : leastErrorRange(histogram, total);
}

function percentileRange({ range: { low, high }, counts }: Histogram, total: number): Range {
  const width = (high - low) / PARTS;
  const allowed = Math.floor(total * TAIL);
  /** Parts at an end that hold no more than may be cut off. */
  const cut = (count: (part: number) => number): number => {
    let [part, sum] = [0, count(0)];
    while (sum <= allowed && part < PARTS - 1) sum += count((part += 1));
    return part;
  };
  const [below, above] = [cut((part) => counts[part] ?? 0), cut((part) => counts[PARTS - 1 - part] ?? 0)];
  return { low: low + below * width, high: high - above * width };
}

/** Rounding costs a twelfth of the squared step an element, cutting the squared distance. */
function leastErrorRange({ range: { low, high }, counts }: Histogram, total: number): Range {
  const width = (high - low) / PARTS;
  const tries = Array.from({ length: Math.floor((1 - SMALLEST) / SHRINK) + 1 }, (_, index) => 1 - index * SHRINK);
  const cutting = (bound: number, side: 1 | -1): number => {
    let error = 0;
    for (let part = 0; part < PARTS; part += 1) error += (counts[part] ?? 0) * Math.max(0, side * (low + (part + 0.5) * width - bound)) ** 2;
    return error;
  };
  // Eight bits reach to 0 in any case.
  const ends = (end: number, side: 1 | -1): { readonly bound: number; readonly error: number }[] =>
    (side * end <= 0 ? [{ bound: 0, error: 0 }] : tries.map((share) => ({ bound: end * share, error: cutting(end * share, side) })));
  let best = { low, high, error: Infinity };
  for (const above of ends(high, 1)) for (const below of ends(low, -1)) {
    const error = above.error + below.error + (total * ((above.bound - below.bound) / 255) ** 2) / 12;
    if (error < best.error) best = { low: below.bound, high: above.bound, error };
  }
  return { low: best.low, high: best.high };
}
