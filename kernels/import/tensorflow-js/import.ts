import { fuseLayers } from '../network/fuse.ts';
import { withResidualWeights } from '../network/residual-weights.ts';
import { quantizeNetwork } from '../network/quantize-network.ts';
import type { ImportedModel } from '../network/quantize-network.ts';
import { toNetwork } from '../onnx/import.ts';
import type { OnnxImportOptions } from '../onnx/import.ts';
import { layersModelGraph } from './graph.ts';
import type { TensorFlowJsFiles } from './graph.ts';

export interface TensorFlowJsImportOptions extends Pick<OnnxImportOptions, 'classify' | 'name' | 'activationBits' | 'ranges' | 'activations' | 'weightBits'> {
  /** Inputs of the model as Keras has them (NHWC, float32), one after another. */
  readonly calibration: Float32Array;
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
