import { ImportError } from '../import-error.ts';
import { evaluateNetwork, inputSize } from './evaluate.ts';
import { layerInputs } from './layer.ts';
import type { Network, Range } from './layer.ts';
import { countElements, histogramOf, typicalRange } from './range-method.ts';
import type { Histogram, RangeMethod } from './range-method.ts';

/** What a value ranged over. */
export interface CalibratedRange extends Range {
  /** The part of it that eight bits are spread over, where that is not all. */
  readonly typical?: Range;
}

/** What each value of the network ranged over on some inputs. */
export type Ranges = ReadonlyMap<string, CalibratedRange>;

/** Numbers beyond this are taken for infinite: they don't widen ranges. On the way to a softmax, where masks of attention are, less is enough. */
const INFINITE = 1e6;
const MASK = 5000;
/** What is masked stands so far below the least other number: its share in a softmax is below 2^-34. */
const MASKED_DISTANCE = 24;

/**
 * Runs the network in floating point on `samples` (inputs one after another) and notes the least and greatest of every value; a second time for methods that need its distribution.
 *
 * @throws ImportError when the samples are no whole number of inputs, none at all, or not finite.
 */
export function calibrate(network: Network, samples: Float32Array, method: RangeMethod = 'minMax'): Ranges {
  const size = inputSize(network);
  if (samples.length === 0 || samples.length % size !== 0) {
    throw new ImportError(`calibration data has ${samples.length} numbers, which is not one or more whole inputs of ${size}: give raw float32 inputs, one after another`);
  }
  if (!samples.every(Number.isFinite)) throw new ImportError('calibration data has numbers that are not finite: it should be raw little-endian float32');
  const ranges = new Map<string, CalibratedRange>();
  const masked = new Set<string>();
  const towards = towardsSoftmax(network);
  for (let start = 0; start < samples.length; start += size) {
    evaluateNetwork(network, samples.subarray(start, start + size), (name, tensor) => {
      const { data } = tensor;
      const bound = towards.has(name) ? MASK : INFINITE;
      let { low, high } = ranges.get(name) ?? { low: Infinity, high: -Infinity };
      for (let index = 0; index < data.length; index += 1) {
        const element = data[index] as number;
        if (element < low && element >= -bound) low = element;
        if (element > high && element <= bound) high = element;
        if (element < -bound) masked.add(name);
        if (Number.isNaN(element)) throw new ImportError(`with this calibration data the value ${name} is not finite`);
      }
      ranges.set(name, { low, high });
      return tensor;
    });
  }
  for (const [name, { low, high }] of ranges) {
    const range = low > high ? { low: 0, high: 0 } : { low, high };
    ranges.set(name, masked.has(name) && network.integers?.has(name) !== true ? { ...range, low: range.low - MASKED_DISTANCE } : range);
  }
  if (method === 'minMax') return ranges;
  const kept = (name: string, { low, high }: Range): boolean => masked.has(name) || network.integers?.has(name) === true || !(high > low);
  const histograms = new Map([...ranges].flatMap(([name, range]): [string, Histogram][] => (kept(name, range) ? [] : [[name, histogramOf(range)]])));
  for (let start = 0; start < samples.length; start += size) {
    evaluateNetwork(network, samples.subarray(start, start + size), (name, tensor) => {
      const histogram = histograms.get(name);
      if (histogram !== undefined) countElements(histogram, tensor.data);
      return tensor;
    });
  }
  for (const [name, histogram] of histograms) ranges.set(name, { ...histogram.range, typical: typicalRange(histogram, method) });
  return ranges;
}

/** Values that reach a softmax through sums, choices and movement only. */
function towardsSoftmax({ layers }: Network): ReadonlySet<string> {
  const towards = new Set(layers.filter(({ kind }) => kind === 'softmax').map(({ x }) => x));
  const passing: ReadonlySet<string> = new Set(['add', 'multiply', 'operation', 'select', 'reshape', 'transpose', 'expand', 'slice', 'gather', 'clamp']);
  for (const layer of [...layers].reverse()) {
    if (towards.has(layer.output) && passing.has(layer.kind)) for (const input of layerInputs(layer)) towards.add(input);
  }
  return towards;
}
