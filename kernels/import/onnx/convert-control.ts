import { ImportError } from '../import-error.ts';
import { describe } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import { typeOfElement } from './element-type.ts';
import type { AttributeValue, OnnxNode, OnnxSubgraph } from './graph.ts';
import { OPERATORS } from './operators.ts';

/** Iterations of a Loop, which are unrolled. */
const MAXIMUM_ITERATIONS = 1024;

/** Nodes of subgraphs that one model's conversion takes in, counting every iteration: loops nest. */
const MAXIMUM_INLINED = 2 ** 16;
const INLINED = new WeakMap<Conversion, number>();

function countInlined(conversion: Conversion, node: OnnxNode, nodes: number): void {
  const total = (INLINED.get(conversion) ?? 0) + nodes;
  if (total > MAXIMUM_INLINED) throw new ImportError(`${describe(node)}: the model's subgraphs come to more than ${MAXIMUM_INLINED} nodes when they are unrolled`);
  INLINED.set(conversion, total);
}

function subgraph(node: OnnxNode, name: string): OnnxSubgraph {
  const value = node.attributes.get(name);
  if (typeof value !== 'object' || !('kind' in value)) throw new ImportError(`${describe(node)} has no subgraph ${name}`);
  return value;
}

/** True, false, or null for a condition that is computed. */
const constantCondition = (conversion: Conversion, name: string): boolean | null => {
  const value = conversion.constants.get(conversion.resolve(name));
  return value === undefined ? null : value.data[0] !== 0;
};

/**
 * Converts a subgraph's nodes in place. Names of its own get a prefix that no other has; `given` are the names that its inputs stand for.
 *
 * @returns what its outputs are called
 */
function inline(conversion: Conversion, node: OnnxNode, { inputs, outputs, nodes, constants }: OnnxSubgraph, given: readonly string[], prefix: string): string[] {
  countInlined(conversion, node, nodes.length + 1);
  const names = new Map(inputs.map((name, index) => [name, given[index] ?? '']));
  for (const [name, tensor] of constants) {
    names.set(name, `${prefix}${name}`);
    conversion.addConstant(`${prefix}${name}`, tensor, typeOfElement(tensor.elementType));
  }
  for (const inner of nodes) for (const output of inner.outputs) if (output !== '') names.set(output, `${prefix}${output}`);
  const renamed = (name: string): string => names.get(name) ?? name;
  for (const inner of nodes) {
    const convert = OPERATORS.get(inner.operator);
    if (convert === undefined) throw new ImportError(`the model uses operators that are not supported (${inner.operator}): ${describe(inner)} inside of ${describe(node)}`);
    const attributes = new Map([...inner.attributes].map(([name, value]): [string, AttributeValue] => [name, typeof value === 'object' && 'kind' in value ? renamedSubgraph(value, renamed) : value]));
    convert(conversion, { ...inner, name: `${prefix}${inner.name}`, inputs: inner.inputs.map(renamed), outputs: inner.outputs.map(renamed), attributes });
  }
  return outputs.map(renamed);
}

/** A nested subgraph whose reads of the values around it go by their new names. */
function renamedSubgraph(graph: OnnxSubgraph, renamed: (name: string) => string): OnnxSubgraph {
  const own = new Set([...graph.inputs, ...graph.constants.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  const outer = (name: string): string => (own.has(name) ? name : renamed(name));
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(outer),
    attributes: new Map([...node.attributes].map(([name, value]): [string, AttributeValue] => [name, typeof value === 'object' && 'kind' in value ? renamedSubgraph(value, outer) : value])),
  }));
  return { ...graph, nodes, outputs: graph.outputs.map(outer) };
}

/** If with a condition that is known when the model is imported: the branch that is taken. */
export function convertIf(conversion: Conversion, node: OnnxNode): void {
  const condition = constantCondition(conversion, conversion.input(node, 0));
  if (condition === null) throw new ImportError(`${describe(node)}: its condition depends on the model's input; programs have no branches`);
  const results = inline(conversion, node, subgraph(node, condition ? 'then_branch' : 'else_branch'), [], `${node.name}/`);
  node.outputs.forEach((output, index) => { if (output !== '') conversion.alias(output, results[index] ?? ''); });
}

/** Loop with a number of iterations that is known when the model is imported, unrolled. Outputs that it collects over iterations are not supported. */
export function convertLoop(conversion: Conversion, node: OnnxNode): void {
  const trips = conversion.hasInput(node, 0) ? conversion.constantInput(node, 0, 'number of iterations').data[0] ?? 0 : Infinity;
  const body = subgraph(node, 'body');
  let condition = conversion.hasInput(node, 1) ? constantCondition(conversion, conversion.input(node, 1)) : true;
  let carried = node.inputs.slice(2);
  for (let iteration = 0; iteration < trips; iteration += 1) {
    if (condition === null) throw new ImportError(`${describe(node)}: whether it goes on depends on the model's input`);
    if (!condition) break;
    if (iteration >= MAXIMUM_ITERATIONS) throw new ImportError(`${describe(node)} takes more than ${MAXIMUM_ITERATIONS} iterations`);
    const prefix = `${node.name}/${iteration}/`;
    conversion.addConstant(`${prefix}iteration`, { dims: [], data: Float64Array.of(iteration) }, 'integer');
    conversion.addConstant(`${prefix}condition`, { dims: [], data: Float64Array.of(1) }, 'integer');
    const [goesOn = '', ...results] = inline(conversion, node, body, [`${prefix}iteration`, `${prefix}condition`, ...carried], prefix);
    condition = constantCondition(conversion, goesOn);
    carried = results.slice(0, carried.length);
  }
  node.outputs.forEach((output, index) => { if (output !== '' && index < carried.length) conversion.alias(output, carried[index] ?? ''); });
}
