import onnxProto from 'onnx-proto';
import type { onnx } from 'onnx-proto';
import { ImportError } from '../import-error.ts';
import type { AttributeValue, OnnxGraph, OnnxNode, OnnxSubgraph, OnnxTensor, OnnxValue } from './graph.ts';
import { orderNodes } from './order.ts';
import { readTensor, toNumber } from './tensor-data.ts';

const MAXIMUM_NODES = 2 ** 14;
const OLDEST_OPSET = 7;

/** Domains whose operators are the standard's. */
const STANDARD_DOMAINS = ['', 'ai.onnx'];

/**
 * Reads an ONNX file.
 *
 * @throws ImportError when it is truncated or no ONNX file at all, when names clash or are missing, when nodes form a cycle, when weights are
 * stored elsewhere, and when it uses what this importer does not read (sparse tensors, functions).
 */
export function decodeOnnx(bytes: Uint8Array): OnnxGraph {
  const model = decodeModel(bytes);
  const { graph } = model;
  if (graph == null) throw new ImportError('the file has no graph: it is not an ONNX model, or it is truncated');
  if ((graph.sparseInitializer?.length ?? 0) > 0) throw new ImportError('the model has sparse weights: save it with dense ones');
  if ((model.functions?.length ?? 0) > 0) throw new ImportError('the model defines functions of its own: inline them before importing');
  if ((graph.node?.length ?? 0) > MAXIMUM_NODES) throw new ImportError(`the model has ${graph.node?.length} nodes; at most ${MAXIMUM_NODES} are read`);
  const opset = (model.opsetImport ?? []).find(({ domain }) => STANDARD_DOMAINS.includes(domain ?? ''));
  const version = opset === undefined ? 0 : toNumber(opset.version ?? 0);
  if (version < OLDEST_OPSET) throw new ImportError(`the model uses operator set ${version}; ${OLDEST_OPSET} is the oldest that is read: convert it to a newer one`);

  const constants = new Map<string, OnnxTensor>();
  for (const initializer of graph.initializer ?? []) {
    const name = initializer.name ?? '';
    if (name === '' || constants.has(name)) throw new ImportError(`the model has ${name === '' ? 'a weight without a name' : `two weights named ${name}`}`);
    constants.set(name, readTensor(initializer, `weight ${name}`));
  }
  const inputs = (graph.input ?? []).map(readValue).filter(({ name }) => !constants.has(name));
  const outputs = (graph.output ?? []).map(readValue);
  if (outputs.length === 0) throw new ImportError('the model has no output');
  const nodes = (graph.node ?? []).map((node) => readNode(node));
  return {
    name: graph.name ?? '',
    producer: [model.producerName, model.producerVersion].filter((part) => part != null && part !== '').join(' '),
    opset: version,
    nodes: orderNodes(nodes, [...constants.keys(), ...inputs.map(({ name }) => name)], outputs.map(({ name }) => name)),
    inputs,
    outputs,
    constants,
  };
}

function decodeModel(bytes: Uint8Array): onnx.IModelProto {
  try {
    return onnxProto.onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new ImportError('the file is not an ONNX model, or it is truncated', { cause });
  }
}

function readValue(value: onnx.IValueInfoProto): OnnxValue {
  const type = value.type?.tensorType;
  const name = value.name ?? '';
  if (type == null) throw new ImportError(`${name === '' ? 'a value' : name} is not a tensor`);
  const dims = (type.shape?.dim ?? []).map(({ dimValue, dimParam }) => (dimValue == null || (dimParam ?? '') !== '' ? null : toNumber(dimValue)));
  return { name, elementType: type.elemType ?? 0, dims };
}

/** Subgraphs inside of subgraphs. */
const MAXIMUM_DEPTH = 4;

/** A Loop's body or an If's branch. Its nodes stay in the file's order, which ONNX requires to be one in which they can be computed. */
function readSubgraph(graph: onnx.IGraphProto, what: string, depth: number): OnnxSubgraph {
  if (depth > MAXIMUM_DEPTH || (graph.node?.length ?? 0) > MAXIMUM_NODES) throw new ImportError(`${what}: subgraphs are ${MAXIMUM_DEPTH} deep and have ${MAXIMUM_NODES} nodes at most`);
  const constants = new Map((graph.initializer ?? []).map((initializer) => [initializer.name ?? '', readTensor(initializer, `${what}, weight ${initializer.name ?? ''}`)]));
  const names = (values: readonly onnx.IValueInfoProto[] | null | undefined): string[] => (values ?? []).map(({ name }) => name ?? '');
  return { kind: 'subgraph', inputs: names(graph.input), outputs: names(graph.output), nodes: (graph.node ?? []).map((node) => readNode(node, depth)), constants };
}

/** Names that a subgraph reads and does not define. */
function capturedBy({ inputs, outputs, nodes, constants }: OnnxSubgraph): string[] {
  const own = new Set([...inputs, ...constants.keys(), ...nodes.flatMap((node) => node.outputs), '']);
  return [...nodes.flatMap((node) => [...node.inputs, ...(node.captured ?? [])]), ...outputs].filter((name) => !own.has(name));
}

function readNode(node: onnx.INodeProto, depth = 0): OnnxNode {
  const outputs = node.output ?? [];
  const name = node.name != null && node.name !== '' ? node.name : (outputs[0] ?? '');
  const standard = STANDARD_DOMAINS.includes(node.domain ?? '');
  const operator = standard ? (node.opType ?? '') : `${node.domain ?? ''}.${node.opType ?? ''}`;
  const attributes = new Map<string, AttributeValue>();
  for (const attribute of node.attribute ?? []) {
    const value = readAttribute(attribute, `node ${name} (${operator}), attribute ${attribute.name ?? ''}`, depth);
    if (value !== null) attributes.set(attribute.name ?? '', value);
  }
  const captured = [...new Set([...attributes.values()].flatMap((value) => (typeof value === 'object' && 'kind' in value ? capturedBy(value) : [])))];
  return { operator, name, inputs: node.input ?? [], outputs, attributes, ...(captured.length === 0 ? {} : { captured }) };
}

/** Null for kinds of attributes that no supported operator has: such an operator is named as unsupported later. */
function readAttribute(attribute: onnx.IAttributeProto, what: string, depth: number): AttributeValue | null {
  switch (attribute.type) {
    case 1:
      return attribute.f ?? 0;
    case 2:
      return toNumber(attribute.i ?? 0);
    case 3:
      return new TextDecoder().decode(attribute.s ?? new Uint8Array());
    case 4:
      return attribute.t == null ? null : readTensor(attribute.t, what);
    case 5:
      return attribute.g == null ? null : readSubgraph(attribute.g, what, depth + 1);
    case 6:
      return [...(attribute.floats ?? [])];
    case 7:
      return (attribute.ints ?? []).map(toNumber);
    default:
      return null;
  }
}
