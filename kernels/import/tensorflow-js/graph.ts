import { ImportError } from '../import-error.ts';
import { ELEMENT } from '../onnx/quantized/value.ts';
import type { AttributeValue, OnnxGraph, OnnxNode, OnnxTensor } from '../onnx/graph.ts';
import { array, object } from './json.ts';
import { LAYERS } from './layers.ts';
import type { LayerTarget } from './layers.ts';
import { readTopology } from './topology.ts';
import type { KerasLayer } from './topology.ts';
import { readWeights } from './weights.ts';

/** The two parts of a TensorFlow.js layers model: its model.json, parsed, and its shards, one after another. */
export interface TensorFlowJsFiles { readonly model: unknown; readonly shards: Uint8Array }

/**
 * A TensorFlow.js layers model as an ONNX graph, so that one importer serves both: weights in ONNX's order, images NCHW behind a transpose of the
 * input, a bias, an activation and a normalisation as nodes of their own.
 *
 * @throws ImportError when the files do not fit together, and on layers that are not supported (all at once, by name).
 */
export function layersModelGraph({ model, shards }: TensorFlowJsFiles): OnnxGraph {
  const root = object(model, 'the model');
  const { name, layers, input, output } = readTopology(root.modelTopology);
  const weights = readWeights(root.weightsManifest, shards);
  refuseUnsupported(layers);

  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const outputs = new Map<string, string>();
  const ranks = new Map<string, number>();
  let inputDims: readonly number[] | null = null;

  for (const layer of layers) {
    if (outputs.has(layer.name)) throw new ImportError(`the model has two layers named ${layer.name}`);
    const target = targetFor(layer, nodes, constants, weights, ranks);
    if (layer.kind === 'InputLayer') {
      if (layer.name !== input) throw new ImportError(`the model has an input ${layer.name} besides ${input}; models with one are supported`);
      inputDims = inputShape(layer);
      ranks.set(layer.name, inputDims.length - 1);
      outputs.set(layer.name, inputDims.length === 4 ? target.node('Transpose', [input], { perm: [0, 3, 1, 2] }) : input);
      continue;
    }
    const read = layer.inputs.map((from) => {
      const value = outputs.get(from);
      if (value === undefined) throw new ImportError(`layer ${layer.name} reads ${from}, which is no layer before it`);
      return value;
    });
    const kind = LAYERS.get(layer.kind);
    if (kind === undefined || read.length === 0) throw new ImportError(`layer ${layer.name} (${layer.kind}) has no inputs`);
    ranks.set(layer.name, kind.rank(ranks.get(layer.inputs[0] ?? '') ?? 1));
    outputs.set(layer.name, kind.convert(target, layer, read));
  }

  const last = outputs.get(output);
  if (last === undefined || inputDims === null) throw new ImportError(`the model's input ${input} or output ${output} is no layer of it`);
  const result = ranks.get(output) === 3 ? targetFor({ kind: 'Output', name: 'output', config: {}, inputs: [] }, nodes, constants, weights, ranks).node('Transpose', [last], { perm: [0, 2, 3, 1] }) : last;
  return {
    name,
    producer: 'tensorflow.js',
    opset: 13,
    nodes,
    inputs: [{ name: input, elementType: ELEMENT.float, dims: inputDims }],
    outputs: [{ name: result, elementType: ELEMENT.float, dims: [] }],
    constants,
  };
}

function targetFor(layer: KerasLayer, nodes: OnnxNode[], constants: Map<string, OnnxTensor>, weights: ReturnType<typeof readWeights>, ranks: ReadonlyMap<string, number>): LayerTarget {
  return {
    node(operator, inputs, attributes = {}) {
      const output = `${layer.name}:${nodes.length}`;
      nodes.push({ operator, name: layer.name, inputs, outputs: [output], attributes: new Map<string, AttributeValue>(Object.entries(attributes)) });
      return output;
    },
    constant(tensor) {
      const name = `${layer.name}:constant${constants.size}`;
      constants.set(name, { ...tensor, elementType: tensor.data instanceof Float32Array ? ELEMENT.float : ELEMENT.int64 });
      return name;
    },
    weight: (name) => weights.get(name) ?? null,
    rankOf: (name) => ranks.get(name) ?? 1,
  };
}

function refuseUnsupported(layers: readonly KerasLayer[]): void {
  const unsupported = layers.filter(({ kind }) => kind !== 'InputLayer' && !LAYERS.has(kind));
  if (unsupported.length === 0) return;
  const kinds = [...new Set(unsupported.map(({ kind }) => kind))].join(', ');
  const named = unsupported.slice(0, 20).map(({ name }) => name).join(', ');
  throw new ImportError(`the model uses layers that are not supported (${kinds}): ${named}${unsupported.length > 20 ? ` and ${unsupported.length - 20} more` : ''}`);
}

/** Dimensions with a batch of 1. */
function inputShape(layer: KerasLayer): readonly number[] {
  const [, ...rest] = array(layer.config.batch_input_shape ?? layer.config.batch_shape, `layer ${layer.name}: batch_input_shape`);
  if (rest.length < 1 || rest.length > 3 || !rest.every((dim) => Number.isSafeInteger(dim) && (dim as number) >= 1 && (dim as number) <= 2 ** 20)) {
    throw new ImportError(`layer ${layer.name} takes [${rest.join(', ')}]; one to three fixed dimensions are supported`);
  }
  return [1, ...(rest as number[])];
}
