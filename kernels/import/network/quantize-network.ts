import { calibrate } from './calibrate.ts';
import { choosePrecisions } from './choose-precision.ts';
import type { PrecisionChoice } from './choose-precision.ts';
import { inputSize } from './evaluate.ts';
import type { Network } from './layer.ts';
import { lowerNetwork } from './lower.ts';
import type { LoweredNetwork } from './lower.ts';
import type { RangeMethod } from './range-method.ts';

export interface ImportedModel extends LoweredNetwork {
  /** The float network that was quantised. */
  readonly network: Network;
  /** Which of the network's values have sixteen bits, and why. */
  readonly precision: PrecisionChoice;
}

/** What `quantizeNetwork` is told besides the network. */
export interface QuantizationOptions {
  readonly classify?: boolean;
  readonly activationBits?: 8 | 16 | 'auto';
  readonly ranges?: RangeMethod;
  /** For the metadata: where the network comes from. */
  readonly source: Readonly<Record<string, unknown>>;
}

/**
 * Makes an integer program of a network of any origin (its layers are fused already: `fuseLayers`), as `importOnnx` does with a file's.
 *
 * @throws ImportError when calibration data do not fit, or layers have dimensions that the kernels do not support.
 */
export function quantizeNetwork(network: Network, calibration: Float32Array, { classify = false, activationBits = 'auto', ranges: method = 'minMax', source }: QuantizationOptions): ImportedModel {
  const ranges = calibrate(network, calibration, method);
  const precision = activationBits === 'auto' ? choosePrecisions(network, ranges, calibration) : fixedPrecision(network, activationBits);
  const samples = calibration.length / inputSize(network);
  const raised = [...precision.precisions].filter(([, bits]) => bits === 16).map(([value]) => value);
  const activations = raised.length === 0 ? 'int8 per tensor' : `int8 per tensor, int16 for ${raised.length} values`;
  const metadata = { source, quantization: { weights: 'int8 per output channel', activations, ...(method === 'minMax' ? {} : { ranges: method }), calibrationSamples: samples } };
  return { ...lowerNetwork(network, ranges, { classify, metadata, precisions: precision.precisions }), network, precision };
}

function fixedPrecision(network: Network, bits: 8 | 16): PrecisionChoice {
  const values = [...network.inputs, ...network.layers.map(({ output }) => output)];
  return { precisions: new Map(bits === 8 ? [] : values.map((value) => [value, bits])), before: new Map(), after: new Map() };
}
