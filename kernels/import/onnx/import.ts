import { ImportError } from '../import-error.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { reachable } from '../network/fuse-functions.ts';
import { fuseLayers } from '../network/fuse.ts';
import { layerInputs } from '../network/layer.ts';
import type { Network } from '../network/layer.ts';
import { quantizeNetwork } from '../network/quantize-network.ts';
import type { ImportedModel } from '../network/quantize-network.ts';
import type { RangeMethod } from '../network/range-method.ts';
import { withResidualWeights } from '../network/residual-weights.ts';
import { describe } from './attributes.ts';
import { Conversion } from './conversion.ts';
import { decodeOnnx } from './decode.ts';
import { typeOfElement } from './element-type.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from './graph.ts';
import { OPERATORS } from './operators.ts';
import { importQuantizedGraph, isQuantized } from './quantized/import.ts';
import { readDims } from './tensor-data.ts';

export interface OnnxImportOptions {
  /** Inputs of the model as it has them (row-major float32), one after another: some hundred that are typical. Several inputs of the model stand one after another in each. */
  readonly calibration?: Float32Array;
  /** End with the index of the greatest output, for classifiers: `classify(…) → (int32)`. Otherwise the model's own outputs. */
  readonly classify?: boolean;
  /** The program's name; the graph's otherwise. */
  readonly name?: string;
  /** Bits of activations; `auto` (default) gives sixteen to those where eight cost accuracy, found by measuring on the calibration data. */
  readonly activationBits?: 8 | 16 | 'auto';
  /** How the range of eight-bit activations is found; everything that calibration saw (`minMax`) otherwise. */
  readonly ranges?: RangeMethod;
  /** Scales of activations by calibration (`tensor`), or found by the program for each row in dense layers; see `QuantizationOptions`. */
  readonly activations?: 'tensor' | 'row';
  /** Sixteen: every convolution and dense layer as a sum of two, for twice the work; see `withResidualWeights`. */
  readonly weightBits?: 8 | 16;
  /** Sizes for dimensions of inputs that the file leaves open, by the input's name; an open first dimension is 1 otherwise. */
  readonly inputDims?: Readonly<Record<string, readonly number[]>>;
  /** Inputs that get these values for good. */
  readonly constants?: ReadonlyMap<string, FloatTensor>;
}

export { quantizeNetwork } from '../network/quantize-network.ts';
export type { ImportedModel, QuantizationOptions } from '../network/quantize-network.ts';

/**
 * Imports an ONNX model with float weights as an integer program: weights of eight bits with a scale for each output channel, activations of eight bits
 * with scales from calibration data. A model that is quantised already keeps its integers and their arithmetic, and needs no calibration (unless it quantises while it runs).
 *
 * @example const { model } = importOnnx(bytes, { calibration: new Float32Array(inputs) });
 * @throws ImportError on a damaged file, on operators or forms of them that are not supported (all unsupported operators at once, with
 * their nodes' names), and when calibration data is missing or does not fit.
 */
export function importOnnx(bytes: Uint8Array, { calibration, classify = false, name, activationBits = 'auto', ranges = 'minMax', activations = 'tensor', weightBits = 8, inputDims, constants }: OnnxImportOptions = {}): ImportedModel {
  const graph = decodeOnnx(bytes);
  if (isQuantized(graph)) {
    return importQuantizedGraph(graph, { classify, ...(name === undefined ? {} : { name }), ...(calibration === undefined ? {} : { calibration }), ...(constants === undefined ? {} : { constants }) });
  }
  const network = { ...fuseLayers(toNetwork(graph, inputDims, constants)), ...(name === undefined ? {} : { name }) };
  if (calibration === undefined) {
    throw new ImportError('the model has float weights, and to make integers of them their inputs\' usual range is needed: give calibration data, raw float32 inputs one after another');
  }
  return quantizeNetwork(weightBits === 16 ? withResidualWeights(network, () => true) : network, calibration, { classify, activationBits, ranges, activations, source: { format: 'onnx', producer: graph.producer, opset: graph.opset } });
}

/**
 * An ONNX graph as a network of layers, with everything constant computed.
 *
 * @throws ImportError as `importOnnx`.
 */
export function toNetwork(graph: OnnxGraph, given: OnnxImportOptions['inputDims'] = {}, constants: ReadonlyMap<string, FloatTensor> = new Map()): Network {
  const conversion = convertGraph(graph, given, constants);
  const outputs = graph.outputs.map(({ name }) => conversion.resolve(name));
  const missing = outputs.find((name) => !conversion.dims.has(name));
  if (missing !== undefined) throw new ImportError(`the model's output ${missing} is one that this importer does not compute`);
  const constant = outputs.findIndex((name) => conversion.constants.has(name));
  if (constant >= 0) throw new ImportError(`the model's output ${graph.outputs[constant]?.name} does not depend on its input`);
  const layers = reachable(conversion.layers, outputs);
  const read = new Set([...outputs, ...layers.flatMap(layerInputs)]);
  // Inputs that nothing reads are no inputs of the program.
  const inputs = graph.inputs.map(({ name }) => name).filter((name) => !conversion.constants.has(name) && read.has(name));
  if (inputs.length === 0) throw new ImportError('the model has no input that its outputs depend on');
  const { constants: known, dims, types } = conversion;
  const integers = new Set([...types].filter(([, type]) => type === 'integer').map(([value]) => value));
  return { name: graph.name === '' ? 'onnx-model' : graph.name, inputs, outputs, layers, constants: known, dims, integers };
}

/**
 * Converts every node of a graph; what depends on constants only is among the conversion's constants afterwards.
 *
 * @throws ImportError as `importOnnx`.
 */
export function convertGraph(graph: OnnxGraph, given: OnnxImportOptions['inputDims'] = {}, constants: ReadonlyMap<string, FloatTensor> = new Map()): Conversion {
  refuseUnsupported(graph.nodes);
  const conversion = new Conversion(graph.opset);
  for (const [name, value] of graph.constants) conversion.addConstant(name, value, typeOfElement(value.elementType));
  for (const input of graph.inputs) {
    const constant = constants.get(input.name);
    if (constant === undefined) conversion.addInput(input.name, inputDims(input, Object.hasOwn(given, input.name) ? given[input.name] : undefined), typeOfElement(input.elementType));
    else conversion.addConstant(input.name, constant, typeOfElement(input.elementType));
  }
  for (const node of graph.nodes) OPERATORS.get(node.operator)?.(conversion, node);
  return conversion;
}

function refuseUnsupported(nodes: readonly OnnxNode[]): void {
  const unsupported = nodes.filter(({ operator }) => !OPERATORS.has(operator));
  if (unsupported.length === 0) return;
  const operators = new Set(unsupported.map(({ operator }) => operator));
  const named = unsupported.slice(0, 20).map(describe).join(', ');
  const more = unsupported.length > 20 ? ` and ${unsupported.length - 20} more` : '';
  throw new ImportError(`the model uses operators that are not supported (${[...operators].join(', ')}): ${named}${more}`);
}

/** The input's dimensions; an open first one, which is a batch's, becomes 1. */
function inputDims({ name, elementType, dims }: OnnxValue, given: readonly number[] | undefined): readonly number[] {
  if (![1, 10, 11, 16].includes(elementType) && typeOfElement(elementType) === 'float') throw new ImportError(`the model's input ${name} has element type ${elementType}; models that take floats or whole numbers are supported`);
  if (given !== undefined && (given.length !== dims.length || dims.some((dim, axis) => dim !== null && dim !== given[axis]))) throw new ImportError(`the model's input ${name} cannot have the dimensions [${given.join(', ')}]`);
  const open = dims.flatMap((dim, axis) => (dim === null && axis > 0 ? [axis] : []));
  if (open.length > 0 && given === undefined) throw new ImportError(`the model's input ${name} leaves its dimensions ${open.join(', ')} open: save the model with fixed ones`);
  const fixed = readDims(given ?? dims.map((dim) => dim ?? 1), `the model's input ${name}`);
  if (fixed.some((dim) => dim < 1)) throw new ImportError(`the model's input ${name} has the dimensions [${fixed.join(', ')}]; none may be 0`);
  return fixed;
}
