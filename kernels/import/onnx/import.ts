import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { ImportError } from '../import-error.ts';
import type { Activation } from '../network/activation.ts';
import { calibrate } from '../network/calibrate.ts';
import { fuseLayers } from '../network/fuse.ts';
import type { Network } from '../network/layer.ts';
import { lowerNetwork } from '../network/lower.ts';
import { Conversion } from './conversion.ts';
import { decodeOnnx } from './decode.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from './graph.ts';
import { OPERATORS } from './operators.ts';
import { describe } from './attributes.ts';
import { readDims } from './tensor-data.ts';

export interface OnnxImportOptions {
  /** Inputs of the model as it has them (row-major float32), one after another: some hundred that are typical. */
  readonly calibration?: Float32Array;
  /** End with the index of the greatest output, for classifiers: `classify(…) → (int32)`. Otherwise the model's own outputs. */
  readonly classify?: boolean;
  /** The program's name; the graph's otherwise. */
  readonly name?: string;
}

export interface ImportedModel {
  readonly model: Model;
  /** The float network that was quantised. */
  readonly network: Network;
  /** Where the network's values are in the program, with their scales. */
  readonly activations: readonly Activation[];
}

/**
 * Imports an ONNX model with float weights as an integer program: weights of eight bits with a scale for each output channel, activations of eight bits
 * with scales from calibration data.
 *
 * @example const { model } = importOnnx(bytes, { calibration: new Float32Array(inputs) });
 * @throws ImportError on a damaged file, on operators or forms of them that are not supported (all unsupported operators at once, with
 * their nodes' names), and when calibration data is missing or does not fit.
 */
export function importOnnx(bytes: Uint8Array, { calibration, classify = false, name }: OnnxImportOptions = {}): ImportedModel {
  const graph = decodeOnnx(bytes);
  const network = { ...fuseLayers(toNetwork(graph)), ...(name === undefined ? {} : { name }) };
  if (calibration === undefined) {
    throw new ImportError('the model has float weights, and to make integers of them their inputs\' usual range is needed: give calibration data, raw float32 inputs one after another');
  }
  const samples = calibration.length / (network.dims.get(network.input) ?? []).reduce((product, dim) => product * dim, 1);
  const ranges = calibrate(network, calibration);
  const metadata = {
    source: { format: 'onnx', producer: graph.producer, opset: graph.opset },
    quantization: { weights: 'int8 per output channel', activations: 'int8 per tensor', calibrationSamples: samples },
  };
  return { ...lowerNetwork(network, ranges, { classify, metadata }), network };
}

/**
 * An ONNX graph as a network of layers, with everything constant computed.
 *
 * @throws ImportError as `importOnnx`.
 */
export function toNetwork(graph: OnnxGraph): Network {
  refuseUnsupported(graph.nodes);
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (input === undefined || graph.inputs.length > 1) throw new ImportError(`the model has ${graph.inputs.length} inputs; models with one are supported`);
  if (output === undefined || graph.outputs.length > 1) throw new ImportError(`the model has ${graph.outputs.length} outputs (${graph.outputs.map((value) => value.name).join(', ')}); models with one are supported`);

  const conversion = new Conversion();
  for (const [name, value] of graph.constants) conversion.addConstant(name, value);
  conversion.addInput(input.name, inputDims(input));
  for (const node of graph.nodes) OPERATORS.get(node.operator)?.(conversion, node);
  const result = conversion.resolve(output.name);
  if (conversion.constants.has(result)) throw new ImportError(`the model's output ${output.name} does not depend on its input`);
  const { layers, constants, dims } = conversion;
  return { name: graph.name === '' ? 'onnx-model' : graph.name, input: input.name, output: result, layers, constants, dims };
}

function refuseUnsupported(nodes: readonly OnnxNode[]): void {
  const unsupported = nodes.filter(({ operator }) => !OPERATORS.has(operator));
  if (unsupported.length === 0) return;
  const operators = new Set(unsupported.map(({ operator }) => operator));
  const named = unsupported.slice(0, 20).map(describe).join(', ');
  const more = unsupported.length > 20 ? ` and ${unsupported.length - 20} more` : '';
  throw new ImportError(`the model uses operators that are not supported (${[...operators].join(', ')}): ${named}${more}`);
}

/** The input's dimensions; an open one, which is a batch's, becomes 1. */
function inputDims({ name, elementType, dims }: OnnxValue): readonly number[] {
  if (elementType !== 1) throw new ImportError(`the model's input ${name} has element type ${elementType}; models that take float32 (1) are supported`);
  const open = dims.flatMap((dim, axis) => (dim === null && axis > 0 ? [axis] : []));
  if (open.length > 0) throw new ImportError(`the model's input ${name} leaves its dimensions ${open.join(', ')} open: save the model with fixed ones`);
  const fixed = readDims(dims.map((dim) => dim ?? 1), `the model's input ${name}`);
  if (fixed.some((dim) => dim < 1)) throw new ImportError(`the model's input ${name} has the dimensions [${fixed.join(', ')}]; none may be 0`);
  return fixed;
}
