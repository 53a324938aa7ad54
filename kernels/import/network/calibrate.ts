import { ImportError } from '../import-error.ts';
import { evaluateNetwork, inputSize } from './evaluate.ts';
import type { Network, Range } from './layer.ts';

/** What each value of the network ranged over on some inputs. */
export type Ranges = ReadonlyMap<string, Range>;

/** Numbers beyond this are taken for infinite: masks of attention. They don't widen the range of what they are added to. */
const INFINITE = 1e6;

/**
 * Runs the network in floating point on `samples` (inputs one after another) and notes the least and greatest of every value.
 *
 * @throws ImportError when the samples are no whole number of inputs, none at all, or not finite.
 */
export function calibrate(network: Network, samples: Float32Array): Ranges {
  const size = inputSize(network);
  if (samples.length === 0 || samples.length % size !== 0) {
    throw new ImportError(`calibration data has ${samples.length} numbers, which is not one or more whole inputs of ${size}: give raw float32 inputs, one after another`);
  }
  if (!samples.every(Number.isFinite)) throw new ImportError('calibration data has numbers that are not finite: it should be raw little-endian float32');
  const ranges = new Map<string, Range>();
  for (let start = 0; start < samples.length; start += size) {
    evaluateNetwork(network, samples.subarray(start, start + size), (name, tensor) => {
      const { data } = tensor;
      let { low, high } = ranges.get(name) ?? { low: Infinity, high: -Infinity };
      for (let index = 0; index < data.length; index += 1) {
        const element = data[index] as number;
        if (element < low && element >= -INFINITE) low = element;
        if (element > high && element <= INFINITE) high = element;
        if (Number.isNaN(element)) throw new ImportError(`with this calibration data the value ${name} is not finite`);
      }
      ranges.set(name, { low, high });
      return tensor;
    });
  }
  for (const [name, { low, high }] of ranges) if (low > high) ranges.set(name, { low: 0, high: 0 });
  return ranges;
}
