import { ImportError } from '../import-error.ts';
import { evaluateNetwork } from './evaluate.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { Network, Range } from './layer.ts';

/** What each value of the network ranged over on some inputs. */
export type Ranges = ReadonlyMap<string, Range>;

/**
 * Runs the network in floating point on `samples` (inputs one after another) and notes the least and greatest of every value.
 *
 * @throws ImportError when the samples are no whole number of inputs, none at all, or not finite.
 */
export function calibrate(network: Network, samples: Float32Array): Ranges {
  const size = elementCount(dimsOf(network, network.input));
  if (samples.length === 0 || samples.length % size !== 0) {
    throw new ImportError(`calibration data has ${samples.length} numbers, which is not one or more whole inputs of ${size}: give raw float32 inputs, one after another`);
  }
  if (!samples.every(Number.isFinite)) throw new ImportError('calibration data has numbers that are not finite: it should be raw little-endian float32');
  const ranges = new Map<string, Range>();
  for (let start = 0; start < samples.length; start += size) {
    for (const [value, { data }] of evaluateNetwork(network, samples.subarray(start, start + size))) {
      if (network.constants.has(value)) continue;
      let { low, high } = ranges.get(value) ?? { low: Infinity, high: -Infinity };
      for (const element of data) {
        if (element < low) low = element;
        if (element > high) high = element;
      }
      if (!Number.isFinite(low) || !Number.isFinite(high)) throw new ImportError(`with this calibration data the value ${value} is not finite`);
      ranges.set(value, { low, high });
    }
  }
  return ranges;
}
