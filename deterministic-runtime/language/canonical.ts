import { z } from 'zod';
import { canonicalJson } from '../program/canonical-json.ts';
import { LIMITS } from '../program/program.ts';
import { MAX_EXPRESSION_DEPTH, checkKernel } from './check.ts';
import type { Expression, WordExpression } from './expression.ts';
import type { Kernel } from './kernel.ts';
import { MAX_REDUCTION_DEPTH } from './scalar.ts';

/** Changes whenever the same kernel may compile to other word-machine code; part of every model's id. */
export const COMPILER_VERSION = 'assay-word-code-1';

/** Most expressions that a kernel may have, equal ones counted once. */
export const MAX_KERNEL_NODES = 4096;

type Node = Expression | WordExpression;

const scalarType = z.enum(['i32', 'i64']);
const elementType = z.enum(['i8', 'i32']);
const name = z.string().min(1).max(64);
/** The position of a node earlier in the list. */
const reference = z.int().min(0).max(MAX_KERNEL_NODES - 1);
const level = z.int().min(0).max(MAX_REDUCTION_DEPTH - 1);
const decimal = z.string().regex(/^(0|-?[1-9][0-9]{0,18})$/);

const nodeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), type: scalarType, value: decimal }),
  z.strictObject({ kind: z.literal('parameter'), name }),
  z.strictObject({ kind: z.literal('extent'), operand: name.nullable(), of: z.enum(['rows', 'columns', 'words']) }),
  z.strictObject({ kind: z.literal('coordinate'), of: z.enum(['row', 'column', 'iteration']) }),
  z.strictObject({ kind: z.literal('index'), level }),
  z.strictObject({ kind: z.literal('load'), operand: name, iteration: reference.nullable(), row: reference, column: reference }),
  z.strictObject({ kind: z.literal('word'), operand: name, iteration: reference.nullable(), row: reference, index: reference }),
  z.strictObject({ kind: z.literal('dot32'), left: reference, right: reference }),
  z.strictObject({
    kind: z.literal('binary'),
    operator: z.enum(['add', 'sub', 'mul', 'div', 'mod', 'shl', 'shr', 'shru', 'and', 'or', 'xor', 'min', 'max', 'lt', 'le', 'eq']),
    type: scalarType,
    left: reference,
    right: reference,
  }),
  z.strictObject({ kind: z.literal('select'), type: scalarType, condition: reference, whenTrue: reference, whenFalse: reference }),
  z.strictObject({ kind: z.literal('requantize'), accumulator: reference, multiplier: reference, shift: reference }),
  z.strictObject({ kind: z.literal('convert'), to: scalarType, value: reference }),
  z.strictObject({
    kind: z.literal('reduce'), operator: z.enum(['add', 'min', 'max', 'and', 'or', 'xor']), type: scalarType, level, bound: reference, body: reference,
  }),
]);

const kernelSchema = z.strictObject({
  name,
  operands: z.array(z.strictObject({ name, type: elementType })).max(LIMITS.operandsPerOperator),
  parameters: z.array(name).max(256),
  output: elementType,
  nodes: z.array(nodeSchema).min(1).max(MAX_KERNEL_NODES),
});

/** A kernel as a JSON value: its distinct expressions, each after those it is made of; the last one is the element. */
export type SerializedKernel = z.infer<typeof kernelSchema>;
type SerializedNode = z.infer<typeof nodeSchema>;

/** Parts of an expression that are expressions themselves, in the order in which the list has them. */
const CHILDREN = {
  constant: [], parameter: [], extent: [], coordinate: [], index: [],
  load: ['iteration', 'row', 'column'],
  word: ['iteration', 'row', 'index'],
  dot32: ['left', 'right'],
  binary: ['left', 'right'],
  select: ['condition', 'whenTrue', 'whenFalse'],
  requantize: ['accumulator', 'multiplier', 'shift'],
  convert: ['value'],
  reduce: ['bound', 'body'],
} as const satisfies Record<Node['kind'], readonly string[]>;

/**
 * The one JSON value that says what a kernel is: equal kernels give equal values, however they were built.
 * @throws RangeError when the kernel has no meaning (`checkKernel`) or more than `MAX_KERNEL_NODES` expressions.
 */
export function serializeKernel(kernel: Kernel): SerializedKernel {
  checkKernel(kernel);
  const nodes: SerializedNode[] = [];
  const places = new Map<string, number>();
  const known = new Map<Node, number>();
  const place = (node: Node): number => {
    const seen = known.get(node);
    if (seen !== undefined) return seen;
    const fields: Record<string, unknown> = { ...node };
    for (const child of CHILDREN[node.kind]) {
      const expression = fields[child] as Node | null;
      fields[child] = expression === null ? null : place(expression);
    }
    if (node.kind === 'constant') fields['value'] = node.value.toString();
    const key = canonicalJson(fields);
    const index = places.get(key) ?? nodes.length;
    if (index === nodes.length) {
      if (index === MAX_KERNEL_NODES) throw new RangeError(`kernel '${kernel.name}': has more than ${MAX_KERNEL_NODES} expressions`);
      places.set(key, index);
      nodes.push(fields as SerializedNode);
    }
    known.set(node, index);
    return index;
  };
  place(kernel.element);
  return {
    name: kernel.name,
    operands: kernel.operands.map((operand) => ({ name: operand.name, type: operand.type })),
    parameters: [...kernel.parameters],
    output: kernel.output,
    nodes,
  };
}

/** A kernel's canonical bytes: `serializeKernel` as JSON in UTF-8, without white space, keys sorted. Models' ids commit to them. */
export const canonicalKernel = (kernel: Kernel): Uint8Array => new TextEncoder().encode(canonicalJson(serializeKernel(kernel)));

/**
 * Reads what `serializeKernel` wrote, from whatever source.
 * @throws RangeError that says what is wrong with anything that `serializeKernel` would not have written.
 */
export function parseKernel(value: unknown): Kernel {
  const parsed = kernelSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RangeError(`not a kernel: ${issue === undefined ? 'unreadable' : `${issue.path.join('.') || 'the value'}: ${issue.message}`}`);
  }
  const { name: kernelName, operands, parameters, output } = parsed.data;
  const nodes: Node[] = [];
  const depths: number[] = [];
  parsed.data.nodes.forEach((node, index) => {
    const { expression, depth } = revive(node, nodes, depths, (reason) => {
      throw new RangeError(`not a kernel: '${kernelName}', expression ${index}: ${reason}`);
    });
    nodes.push(expression);
    depths.push(depth);
  });
  const element = nodes[nodes.length - 1] as Node;
  if (element.kind === 'word') throw new RangeError(`not a kernel: '${kernelName}': the element is a word`);
  const kernel: Kernel = { name: kernelName, operands, parameters, output, element };
  checkKernel(kernel);
  if (canonicalJson(serializeKernel(kernel)) !== canonicalJson(parsed.data)) {
    throw new RangeError(`not a kernel: '${kernelName}': not in canonical form (expressions that are unused, repeated or out of order)`);
  }
  return kernel;
}

function revive(node: SerializedNode, nodes: readonly Node[], depths: readonly number[], fail: (reason: string) => never): { expression: Node; depth: number } {
  const fields: Record<string, unknown> = { ...node };
  let depth = 1;
  for (const child of CHILDREN[node.kind]) {
    const index = fields[child] as number | null;
    if (index === null) continue;
    const expression = nodes[index] ?? fail(`refers to expression ${index}, which does not come before it`);
    if ((expression.kind === 'word') !== (node.kind === 'dot32')) fail(node.kind === 'dot32' ? 'takes words, not values' : `uses a word as a value`);
    depth = Math.max(depth, 1 + (depths[index] as number));
    fields[child] = expression;
  }
  if (depth > MAX_EXPRESSION_DEPTH) fail(`is deeper than ${MAX_EXPRESSION_DEPTH} expressions`);
  if (node.kind === 'constant') fields['value'] = BigInt(node.value);
  return { expression: fields as unknown as Node, depth };
}
