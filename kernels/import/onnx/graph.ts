import type { FloatTensor } from '../network/float-tensor.ts';

/** A tensor of the file; `elementType` is ONNX's number for the type that it has there (`TensorProto.DataType`). */
export interface OnnxTensor extends FloatTensor { readonly elementType: number }

/** A node of an ONNX graph, with its attributes as plain values. */
export interface OnnxNode {
  readonly operator: string;
  /** The node's own name, or its first output's where it has none. */
  readonly name: string;
  /** Names of values; '' for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Names of values that its subgraphs read from around it. */
  readonly captured?: readonly string[];
}

/** The body of a Loop or a branch of an If: names of what it takes and gives, and its nodes in an order in which they can be computed. */
export interface OnnxSubgraph {
  readonly kind: 'subgraph';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
}

export type AttributeValue = number | string | readonly number[] | OnnxTensor | OnnxSubgraph;

/** A value that comes in or goes out. A dimension is null where the file leaves it open. */
export interface OnnxValue { readonly name: string; readonly elementType: number; readonly dims: readonly (number | null)[] }

/** What a model file holds, decoded and checked: names are unique, every input of a node is written before it is read. */
export interface OnnxGraph {
  readonly name: string;
  readonly producer: string;
  /** Version of the standard operators. */
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
}
