import { fuseLayers } from '../network/fuse.ts';
import { withResidualWeights } from '../network/residual-weights.ts';
import { quantizeNetwork } from '../network/quantize-network.ts';
import type { ImportedModel } from '../network/quantize-network.ts';
import type { RangeMethod } from '../network/range-method.ts';
import { toNetwork } from '../onnx/import.ts';
import { layersModelGraph } from './graph.ts';
import type { TensorFlowJsFiles } from './graph.ts';

export interface TensorFlowJsImportOptions {
  /** Inputs of the model as Keras has them (NHWC, float32), one after another. */
  readonly calibration: Float32Array;
  readonly classify?: boolean;
  readonly name?: string;
  readonly activationBits?: 8 | 16 | 'auto';
  /** As `importOnnx` has it. */
  readonly ranges?: RangeMethod;
  /** Scales of activations by calibration (`tensor`), or found by the program for each row in dense layers; see `QuantizationOptions`. */
  readonly activations?: 'tensor' | 'row';
  /** Sixteen: every convolution and dense layer as a sum of two, for twice the work; see `withResidualWeights`. */
  readonly weightBits?: 8 | 16;
}

/**
 * Imports a TensorFlow.js layers model (model.json and its shards) as an integer program, as `importOnnx` does with an ONNX file.
 *
 * @throws ImportError on damaged files, layers that are not supported, and calibration data that does not fit.
 */
export function importTensorFlowJs(files: TensorFlowJsFiles, { calibration, classify = false, name, activationBits = 'auto', ranges = 'minMax', activations = 'tensor', weightBits = 8 }: TensorFlowJsImportOptions): ImportedModel {
  const network = fuseLayers(toNetwork(layersModelGraph(files)));
  const named = { ...network, ...(name === undefined ? {} : { name }) };
  return quantizeNetwork(weightBits === 16 ? withResidualWeights(named, () => true) : named, calibration, { classify, activationBits, ranges, activations, source: { format: 'tensorflow.js' } });
}
