import { calibrate } from './calibrate.ts';
import { choosePrecisions } from './choose-precision.ts';
import type { PrecisionChoice } from './choose-precision.ts';
import { chooseRows, withRows } from './choose-rows.ts';
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
  /** Names of the dense layers that read bytes with a scale a row. */
  readonly rowLayers?: readonly string[];
}

/** What `quantizeNetwork` is told besides the network. */
export interface QuantizationOptions {
  readonly classify?: boolean;
  readonly activationBits?: 8 | 16 | 'auto';
  readonly ranges?: RangeMethod;
  /**
   * `row`: dense layers whose input has sixteen bits read bytes with a scale a row, found while the program runs, for half the work; with `activationBits: 'auto'` those where that costs little accuracy,
   * found by measuring, else all. `tensor` (default): scales are found by calibration.
   */
  readonly activations?: 'tensor' | 'row';
  /** For the metadata: where the network comes from. */
  readonly source: Readonly<Record<string, unknown>>;
}

/**
 * Makes an integer program of a network of any origin (its layers are fused already: `fuseLayers`), as `importOnnx` does with a file's.
 *
 * @throws ImportError when calibration data do not fit, or layers have dimensions that the kernels do not support.
 */
export function quantizeNetwork(network: Network, calibration: Float32Array, { classify = false, activationBits = 'auto', ranges: method = 'minMax', activations: kind = 'tensor', source }: QuantizationOptions): ImportedModel {
  const ranges = calibrate(network, calibration, method);
  const precision = activationBits === 'auto' ? choosePrecisions(network, ranges, calibration) : fixedPrecision(network, activationBits);
  const rows = kind === 'tensor' ? new Set<string>() : activationBits === 'auto' ? chooseRows(network, ranges, precision.precisions, calibration) : new Set(network.layers.map(({ output }) => output));
  const rowLayers = network.layers.filter((layer) => layer.kind === 'dense' && rows.has(layer.output) && precision.precisions.get(layer.x) === 16).map(({ name }) => name);
  const samples = calibration.length / inputSize(network);
  const raised = [...precision.precisions].filter(([, bits]) => bits === 16).map(([value]) => value);
  const activations = ['int8 per tensor', ...(raised.length === 0 ? [] : [`int16 for ${raised.length} values`]), ...(rowLayers.length === 0 ? [] : [`int8 per row in ${rowLayers.length} layers`])].join(', ');
  const metadata = { source, quantization: { weights: 'int8 per output channel', activations, ...(method === 'minMax' ? {} : { ranges: method }), calibrationSamples: samples } };
  return { ...lowerNetwork(rowLayers.length === 0 ? network : withRows(network, ({ output }) => rows.has(output)), ranges, { classify, metadata, precisions: precision.precisions }), network, precision, rowLayers };
}

function fixedPrecision(network: Network, bits: 8 | 16): PrecisionChoice {
  const values = [...network.inputs, ...network.layers.map(({ output }) => output)];
  return { precisions: new Map(bits === 8 ? [] : values.map((value) => [value, bits])), before: new Map(), after: new Map() };
}
