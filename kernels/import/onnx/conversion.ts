import { ImportError } from '../import-error.ts';
import { evaluateLayer } from '../network/evaluate.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { layerInputs } from '../network/layer.ts';
import type { Layer } from '../network/layer.ts';
import { describe } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/** Elements of a computed value: bounds what a hostile file makes the importer compute. */
export const MAXIMUM_ELEMENTS = 2 ** 24;
/** Multiplications (or elements looked at) of one layer, and of all layers together, likewise. */
const MAXIMUM_OPERATIONS = 2 ** 33;
const MAXIMUM_ALL_OPERATIONS = 2 ** 36;
/** Layers of a network: recurrent ones are unrolled into many. */
const MAXIMUM_LAYERS = 2 ** 15;

/** Numbers of the model that are whole, and numbers that need not be. */
export type ValueType = 'float' | 'integer';

/** A layer without what every layer has. */
type Parts<L> = L extends Layer ? Omit<L, 'name' | 'output'> : never;
export type LayerParts = Parts<Layer>;

/** The network while it is put together from nodes. What depends on constants only is computed at once. */
export class Conversion {
  readonly opset: number;
  readonly layers: Layer[] = [];
  readonly constants = new Map<string, FloatTensor>();
  readonly dims = new Map<string, readonly number[]>();
  readonly types = new Map<string, ValueType>();
  #operations = 0;
  #names = 0;
  /** Values that are other values under a second name. */
  readonly #aliases = new Map<string, string>();

  constructor(opset: number) {
    this.opset = opset;
  }

  /** The name under which a value is known. */
  resolve(value: string): string {
    return this.#aliases.get(value) ?? value;
  }

  /** Makes `output` another name for `value`. */
  alias(output: string, value: string): void {
    this.#aliases.set(output, this.resolve(value));
  }

  addConstant(name: string, value: FloatTensor, type: ValueType = 'float'): void {
    this.constants.set(name, value);
    this.dims.set(name, value.dims);
    this.types.set(name, type);
  }

  addInput(name: string, dims: readonly number[], type: ValueType = 'float'): void {
    this.dims.set(name, dims);
    this.types.set(name, type);
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
    return this.dimsOf(node, this.input(node, index));
  }

  /** Dimensions of a value that a node reads. */
  dimsOf(node: OnnxNode, name: string): readonly number[] {
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

  /** Whether a value holds whole numbers. */
  isInteger(name: string): boolean {
    return this.types.get(name) === 'integer';
  }

  /** The node's first output. */
  output(node: OnnxNode): string {
    const [output = ''] = node.outputs;
    if (output === '') throw new ImportError(`${describe(node)} has no output`);
    return output;
  }

  /** Adds a layer under the node's name that gives its output. */
  add(node: OnnxNode, parts: LayerParts, dims: readonly number[], type?: ValueType): void {
    this.addLayer({ ...parts, name: node.name, output: this.output(node) } as Layer, dims, type);
  }

  /** Adds a layer that gives a value which the file has no name for, and names it. */
  step(node: OnnxNode, what: string, parts: LayerParts, dims: readonly number[], type?: ValueType): string {
    const output = this.fresh(node, what);
    this.addLayer({ ...parts, name: `${node.name}.${what}`, output } as Layer, dims, type);
    return output;
  }

  /** A constant that the file does not have, named. */
  constant(node: OnnxNode, what: string, dims: readonly number[], data: Float32Array | Float64Array | readonly number[], type: ValueType = 'float'): string {
    const name = this.fresh(node, what);
    this.addConstant(name, { dims, data: Array.isArray(data) ? Float64Array.from(data) : (data as Float32Array) }, type);
    return name;
  }

  /** Adds a layer that gives a value of these dimensions; computes it now if all it reads is constant. */
  addLayer(layer: Layer, dims: readonly number[], type: ValueType = this.#typeOf(layer)): void {
    if (dims.length > 8) throw new ImportError(`${layer.name} gives a value of ${dims.length} dimensions; at most 8 are supported`);
    const inputs = layerInputs(layer).map((name) => this.constants.get(name));
    const folds = inputs.every((input) => input !== undefined);
    // Only constants may be empty: parts of shapes are.
    if (elementCount(dims) > MAXIMUM_ELEMENTS || dims.some((dim) => !(dim >= (folds ? 0 : 1)))) {
      throw new ImportError(`${layer.name} gives a value of dimensions [${dims.join(', ')}]: every dimension must be at least 1 and all together at most ${MAXIMUM_ELEMENTS} elements`);
    }
    const operations = elementCount(dims) * this.#operationsPerElement(layer);
    if (operations > MAXIMUM_OPERATIONS) throw new ImportError(`${layer.name} takes ${operations} operations; at most ${MAXIMUM_OPERATIONS} a layer are imported`);
    this.#operations += operations;
    if (this.#operations > MAXIMUM_ALL_OPERATIONS || this.layers.length >= MAXIMUM_LAYERS) throw new ImportError(`with ${layer.name} the model takes more than ${MAXIMUM_ALL_OPERATIONS} operations or ${MAXIMUM_LAYERS} layers`);
    this.dims.set(layer.output, dims);
    this.types.set(layer.output, type);
    if (folds) {
      this.addConstant(layer.output, evaluateLayer(layer, (name) => this.constants.get(name) as FloatTensor, dims), type);
    } else {
      this.layers.push(layer);
    }
  }

  /** A name for a value that the file does not have. */
  fresh(node: OnnxNode, what: string): string {
    let name = `${node.outputs.find((output) => output !== '') ?? node.name}.${what}`;
    while (this.dims.has(name)) name = `${name}'${(this.#names += 1)}`;
    return name;
  }

  #typeOf(layer: Layer): ValueType {
    switch (layer.kind) {
      case 'reshape': case 'transpose': case 'slice': case 'expand': case 'pad': case 'gather': case 'clamp':
      case 'add': case 'multiply': case 'concatenation': return layerInputs(layer).every((name) => this.isInteger(name)) ? 'integer' : 'float';
      case 'reduction': return layer.operation !== 'mean' && this.isInteger(layer.x) ? 'integer' : 'float';
      case 'operation':
        if (layer.operation === 'subtract' || layer.operation === 'minimum' || layer.operation === 'maximum' || layer.operation === 'modulo' || layer.operation === 'remainder') return this.isInteger(layer.x) && this.isInteger(layer.b) ? 'integer' : 'float';
        return layer.operation === 'divide' ? 'float' : 'integer';
      case 'select': return this.isInteger(layer.a) && this.isInteger(layer.b) ? 'integer' : 'float';
      case 'argument': return 'integer';
      case 'embedding': return this.types.get(layer.table) ?? 'float';
      default: return 'float';
    }
  }

  #operationsPerElement(layer: Layer): number {
    switch (layer.kind) {
      case 'pooling': return layer.window.kernelHeight * layer.window.kernelWidth * (layer.depth?.kernelDepth ?? 1);
      case 'convolution':
      case 'dense': return layer.weights.data.length / (layer.weights.dims[0] ?? 1);
      case 'matrix-product': return this.dims.get(layer.x)?.at(-1) ?? 1;
      case 'resampling': return layer.source.length;
      case 'reduction': return elementCount(layer.axes.map((axis) => this.dims.get(layer.x)?.[axis] ?? 1));
      default: return 1;
    }
  }
}
