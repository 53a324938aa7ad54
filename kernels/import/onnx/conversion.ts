import { ImportError } from '../import-error.ts';
import { evaluateLayer } from '../network/evaluate.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { layerInputs } from '../network/layer.ts';
import type { Layer } from '../network/layer.ts';
import { describe } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/** Elements of a computed value: bounds what a hostile file makes the importer compute. */
const MAXIMUM_ELEMENTS = 2 ** 24;
/** Multiplications (or elements looked at) of one layer, likewise. */
const MAXIMUM_OPERATIONS = 2 ** 33;

/** The network while it is put together from nodes. What depends on constants only is computed at once. */
export class Conversion {
  readonly layers: Layer[] = [];
  readonly constants = new Map<string, FloatTensor>();
  readonly dims = new Map<string, readonly number[]>();
  /** Values that are other values under a second name. */
  readonly #aliases = new Map<string, string>();

  /** The name under which a value is known. */
  resolve(value: string): string {
    return this.#aliases.get(value) ?? value;
  }

  /** Makes `output` another name for `value`. */
  alias(output: string, value: string): void {
    this.#aliases.set(output, this.resolve(value));
  }

  addConstant(name: string, value: FloatTensor): void {
    this.constants.set(name, value);
    this.dims.set(name, value.dims);
  }

  addInput(name: string, dims: readonly number[]): void {
    this.dims.set(name, dims);
  }

  /** Input `index` of a node, by name. @throws ImportError when the node has none. */
  input(node: OnnxNode, index: number): string {
    const name = node.inputs[index];
    if (name === undefined || name === '') throw new ImportError(`${describe(node)} lacks its input ${index}`);
    return this.resolve(name);
  }

  /** True when the node has an input `index`. */
  hasInput(node: OnnxNode, index: number): boolean {
    return (node.inputs[index] ?? '') !== '';
  }

  /** Dimensions of a node's input. */
  inputDims(node: OnnxNode, index: number): readonly number[] {
    const name = this.input(node, index);
    const dims = this.dims.get(name);
    if (dims === undefined) throw new ImportError(`${describe(node)} reads ${name}, which is an output that this importer does not compute`);
    return dims;
  }

  /** The constant that a node reads. @throws ImportError when the value is computed from the model's input. */
  constantInput(node: OnnxNode, index: number, what: string): FloatTensor {
    const constant = this.constants.get(this.input(node, index));
    if (constant === undefined) throw new ImportError(`${describe(node)}: its ${what} must be constant, and ${this.input(node, index)} is not`);
    return constant;
  }

  /** The node's first output. */
  output(node: OnnxNode): string {
    const [output = ''] = node.outputs;
    if (output === '') throw new ImportError(`${describe(node)} has no output`);
    return output;
  }

  /** Adds a layer that gives a value of these dimensions; computes it now if all it reads is constant. */
  addLayer(layer: Layer, dims: readonly number[]): void {
    if (elementCount(dims) > MAXIMUM_ELEMENTS || dims.some((dim) => dim < 1)) {
      throw new ImportError(`${layer.name} gives a value of dimensions [${dims.join(', ')}]: every dimension must be at least 1 and all together at most ${MAXIMUM_ELEMENTS} elements`);
    }
    const operations = elementCount(dims) * operationsPerElement(layer);
    if (operations > MAXIMUM_OPERATIONS) throw new ImportError(`${layer.name} takes ${operations} operations; at most ${MAXIMUM_OPERATIONS} a layer are imported`);
    this.dims.set(layer.output, dims);
    const inputs = layerInputs(layer).map((name) => this.constants.get(name));
    if (inputs.every((input) => input !== undefined)) {
      this.addConstant(layer.output, evaluateLayer(layer, (name) => this.constants.get(name) as FloatTensor, dims));
    } else {
      this.layers.push(layer);
    }
  }

  /** A name for a value that the file does not have. */
  fresh(node: OnnxNode, what: string): string {
    let name = `${this.output(node)}.${what}`;
    while (this.dims.has(name)) name += '\'';
    return name;
  }
}

function operationsPerElement(layer: Layer): number {
  if (layer.kind === 'pooling') return layer.window.kernelHeight * layer.window.kernelWidth;
  if (layer.kind === 'convolution' || layer.kind === 'dense') return layer.weights.data.length / (layer.weights.dims[0] ?? 1);
  return 1;
}
