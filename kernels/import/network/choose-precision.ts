import { evaluateNetwork, inputSize } from './evaluate.ts';
import type { FloatTensor } from './float-tensor.ts';
import type { CalibratedRange, Ranges } from './calibrate.ts';
import { layerInputs } from './layer.ts';
import type { Network } from './layer.ts';
import { WIDE_LIMIT, activationQuantization, quantizeTo, quantizeValue, wideQuantization } from './quantization.ts';

/** Relative error (root mean square) of the outputs that is aimed at. */
export const ERROR_TARGET = 0.01;
/** Inputs that errors are measured on, at most. */
const SAMPLES = 6;
/** What share of the values is raised at a time. */
const SHARE = 0.2;
const ROUNDS = 6;

/** What the choice of precisions was based on, by value: relative errors (root mean square) if all have eight bits, and with the choice. */
export interface PrecisionChoice {
  readonly precisions: ReadonlyMap<string, 8 | 16>;
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

/**
 * Which values need sixteen bits: the network is run with every value rounded to its integers, and while the outputs are further from the float network's than aimed at,
 * the values at which the error grows most are raised.
 */
export function choosePrecisions(network: Network, ranges: Ranges, samples: Float32Array): PrecisionChoice {
  const chosen = someSamples(network, samples);
  const floats = chosen.map((sample) => evaluateNetwork(network, sample));
  const precisions = new Map<string, 8 | 16>();
  const writers = new Map(network.layers.map((layer) => [layer.output, layer]));
  const { results, final } = measuredResults(network);
  const values = [...network.inputs, ...network.layers.map(({ output }) => output)].filter((name) => network.integers?.has(name) !== true && name !== final);
  let before: ReadonlyMap<string, number> | null = null;
  for (let round = 0; ; round += 1) {
    const errors = measure(network, ranges, precisions, chosen, floats);
    before ??= errors;
    const worst = Math.max(...results.map((name) => errors.get(name) ?? 0));
    // Raising what is nearly exact would change nothing.
    const open = values.filter((name) => !precisions.has(name) && (errors.get(name) ?? 0) > ERROR_TARGET / 50);
    if (worst <= ERROR_TARGET || round === ROUNDS || open.length === 0) return { precisions, before, after: errors };
    const growth = (name: string): number => {
      const layer = writers.get(name);
      return (errors.get(name) ?? 0) - (layer === undefined ? 0 : Math.max(0, ...layerInputs(layer).map((input) => errors.get(input) ?? 0)));
    };
    const ranked = open.map((name) => ({ name, grown: growth(name) })).sort((a, b) => b.grown - a.grown);
    for (const { name } of ranked.slice(0, Math.max(1, Math.ceil(values.length * SHARE)))) precisions.set(name, 16);
  }
}

/** Some of the samples, spread over all of them, which may be sorted. */
export function someSamples(network: Network, samples: Float32Array): Float32Array[] {
  const size = inputSize(network);
  const count = Math.min(SAMPLES, samples.length / size);
  return Array.from({ length: count }, (_, index) => Math.floor((index * (samples.length / size)) / count)).map((index) => samples.subarray(index * size, (index + 1) * size));
}

/** The values whose errors count: the outputs, but what a softmax reads that ends the network (`final`), since it is left to whoever reads the result. */
export function measuredResults({ layers, outputs }: Network): { readonly results: readonly string[]; readonly final: string | null } {
  const last = layers.at(-1);
  return last?.kind === 'softmax' && outputs.length === 1 && outputs[0] === last.output ? { results: [last.x], final: last.output } : { results: outputs, final: null };
}

/** Relative error of every value if values are rounded to these precisions. */
export function measure(network: Network, ranges: Ranges, precisions: ReadonlyMap<string, 8 | 16>, samples: readonly Float32Array[], floats: readonly ReadonlyMap<string, FloatTensor>[]): ReadonlyMap<string, number> {
  const sums = new Map<string, { signal: number; error: number }>();
  samples.forEach((sample, index) => {
    evaluateNetwork(network, sample, (name, tensor) => {
      const rounded = network.integers?.has(name) === true ? tensor : roundTo(tensor, ranges.get(name) ?? { low: 0, high: 0 }, precisions.get(name) ?? 8);
      const exact = floats[index]?.get(name)?.data ?? new Float32Array();
      const sum = sums.get(name) ?? { signal: 0, error: 0 };
      for (let at = 0; at < exact.length; at += 1) {
        const value = exact[at] as number;
        if (Math.abs(value) > 1e6) continue;
        sum.signal += value * value;
        sum.error += (value - (rounded.data[at] as number)) ** 2;
      }
      sums.set(name, sum);
      return rounded;
    });
  });
  return new Map([...sums].map(([name, { signal, error }]) => [name, signal > 0 ? Math.sqrt(error / signal) : 0]));
}

function roundTo({ dims, data }: FloatTensor, range: CalibratedRange, precision: 8 | 16): FloatTensor {
  const quantization = precision === 8 ? activationQuantization(range.typical ?? range) : wideQuantization(range);
  const { scale, zeroPoint } = quantization;
  const integer = precision === 8 ? (value: number): number => quantizeValue(value, quantization) : (value: number): number => quantizeTo(value, quantization, -WIDE_LIMIT, WIDE_LIMIT);
  const rounded = new Float32Array(data.length);
  for (let index = 0; index < data.length; index += 1) rounded[index] = scale * (integer(data[index] as number) - zeroPoint);
  return { dims, data: rounded };
}
