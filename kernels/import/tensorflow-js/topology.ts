import { ImportError } from '../import-error.ts';
import { array, object, text } from './json.ts';
import type { JsonObject } from './json.ts';

const MAXIMUM_LAYERS = 2 ** 12;

/** A layer of a Keras model as TensorFlow.js stores it. */
export interface KerasLayer {
  readonly kind: string;
  readonly name: string;
  readonly config: JsonObject;
  /** Names of the layers whose outputs it reads. */
  readonly inputs: readonly string[];
}

export interface KerasModel { readonly name: string; readonly layers: readonly KerasLayer[]; readonly input: string; readonly output: string }

/**
 * The layers of a `modelTopology` (Keras `get_config` of Functional, Model and Sequential models), in the file's order.
 *
 * @throws ImportError when it is of another kind, shares layers, or has several inputs or outputs.
 */
export function readTopology(topology: unknown): KerasModel {
  const root = object(topology, 'modelTopology');
  if (root.node !== undefined) throw new ImportError('the model is a TensorFlow.js graph model; layers models are read');
  const model = object(root.model_config ?? root, 'model_config');
  const kind = text(model.class_name, 'the model\'s class_name');
  const given = Array.isArray(model.config) ? { layers: model.config } : object(model.config, 'the model\'s config');
  const name = typeof (given as JsonObject).name === 'string' ? ((given as JsonObject).name as string) : 'model';
  const list = array((given as JsonObject).layers, 'the model\'s layers');
  if (list.length === 0 || list.length > MAXIMUM_LAYERS) throw new ImportError(`the model has ${list.length} layers; 1 to ${MAXIMUM_LAYERS} are read`);
  if (kind === 'Sequential') return sequential(name, list);
  if (kind !== 'Model' && kind !== 'Functional') throw new ImportError(`the model is a ${kind}; Sequential, Model and Functional are read`);
  const layers = list.map((value): KerasLayer => {
    const layer = object(value, 'a layer');
    return { ...described(layer), inputs: inbound(layer) };
  });
  const config = given as JsonObject;
  return { name, layers, input: single(config.input_layers, 'inputs'), output: single(config.output_layers, 'outputs') };
}

function described(layer: JsonObject): { readonly kind: string; readonly name: string; readonly config: JsonObject } {
  const config = object(layer.config, 'a layer\'s config');
  return { kind: text(layer.class_name, 'a layer\'s class_name'), name: text(layer.name ?? config.name, 'a layer\'s name'), config };
}

function sequential(name: string, list: readonly unknown[]): KerasModel {
  const layers: KerasLayer[] = [];
  for (const value of list) {
    const layer = described(object(value, 'a layer'));
    const before = layers.at(-1);
    if (before === undefined && layer.kind !== 'InputLayer') {
      layers.push({ kind: 'InputLayer', name: `${layer.name}_input`, config: { batch_input_shape: layer.config.batch_input_shape }, inputs: [] });
    }
    const previous = layers.at(-1);
    layers.push({ ...layer, inputs: previous === undefined ? [] : [previous.name] });
  }
  return { name, layers, input: layers[0]?.name ?? '', output: layers.at(-1)?.name ?? '' };
}

/** Layers that a layer reads: `[[[name, node, tensor, arguments], …]]`. */
function inbound(layer: JsonObject): string[] {
  const nodes = array(layer.inbound_nodes ?? [], 'inbound_nodes');
  if (nodes.length > 1) throw new ImportError(`layer ${String(layer.name)} is used ${nodes.length} times; models that share layers are not supported`);
  return nodes.flatMap((node) => array(node, 'inbound_nodes').map((entry) => {
    const [name, , tensor] = array(entry, 'inbound_nodes');
    if (tensor !== 0) throw new ImportError(`layer ${String(layer.name)} reads a second output of ${String(name)}`);
    return text(name, 'inbound_nodes');
  }));
}

function single(value: unknown, what: string): string {
  const list = array(value, what);
  // One of them may stand there without a list around it.
  const first = Array.isArray(list[0]) ? list[0] : list;
  if (Array.isArray(list[0]) && list.length !== 1) throw new ImportError(`the model has ${list.length} ${what}; models with one are supported`);
  return text((first as readonly unknown[])[0], what);
}
