import { solidityCompiler } from '../../contracts/test/machine/compile.ts';

/** A source with one small change. */
export interface Mutant {
  /** What is changed and where, without line numbers: the same as long as that piece of code is. */
  readonly name: string;
  /** Line in the source, from 1. */
  readonly line: number;
  readonly source: string;
}

interface Node {
  readonly nodeType: string;
  /** `start:length:file`, in bytes. */
  readonly src: string;
  readonly [key: string]: unknown;
}

/** A replacement of bytes `start` to `end`. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Operators of Solidity, each with those that it is mistaken for. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '%': ['/'], '**': ['*'], '<<': ['>>'], '>>': ['<<'], '&': ['|'], '|': ['&'], '^': ['|'],
  '&&': ['||'], '||': ['&&'], '<': ['<=', '>'], '<=': ['<', '>='], '>': ['>=', '<'], '>=': ['>', '<='], '==': ['!='], '!=': ['=='],
  '+=': ['-='], '-=': ['+='], '|=': ['&='], '&=': ['|='],
};
/** Functions of the EVM, likewise. */
const EVM_FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  add: ['sub'], sub: ['add'], mul: ['add'], sdiv: ['div'], smod: ['mod'], div: ['mul'], mod: ['div'], shl: ['shr'], shr: ['shl', 'sar'], sar: ['shr'],
  and: ['or'], or: ['and'], xor: ['or'], lt: ['gt', 'slt'], gt: ['lt', 'sgt'], slt: ['sgt', 'lt'], sgt: ['slt', 'gt'], eq: ['lt'],
};
/** Order of arguments does not matter to these. */
const COMMUTATIVE = ['add', 'mul', 'and', 'or', 'xor', 'eq'];
/** A comparison's other answer at equality: `a < b` becomes `a ≤ b`. */
const OPPOSITES: Readonly<Record<string, string>> = { lt: 'gt', gt: 'lt', slt: 'sgt', sgt: 'slt' };

/** Every mutant of a source, in its order. `file` is what their names start with. */
export function mutantsOf(source: string, file: string): Mutant[] {
  const bytes = Buffer.from(source);
  const text = (node: Node): string => cut(bytes, ...rangeOf(node));
  const found: Mutant[] = [];
  const seen = new Map<string, number>();

  const add = (where: string, context: string, edit: Edit): void => {
    const before = cut(bytes, edit.start, edit.end);
    if (before === edit.text) return;
    const name = `${file} ${where}: ${quote(context)}: ${quote(before)} → ${quote(edit.text)}`;
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    const mutated = Buffer.concat([bytes.subarray(0, edit.start), Buffer.from(edit.text), bytes.subarray(edit.end)]);
    found.push({ name: times === 1 ? name : `${name} (${times})`, line: cut(bytes, 0, edit.start).split('\n').length, source: mutated.toString() });
  };

  const visit = (value: unknown, where: string, context: string): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, where, context));
    if (!isNode(value)) return;
    if (value.nodeType === 'PragmaDirective' || value.nodeType === 'ImportDirective') return;
    const name = value.nodeType === 'FunctionDefinition' || value.nodeType === 'ContractDefinition' ? String(value['name']) : where;
    const inner = startsContext(value) ? text(value) : HAVE_CONDITIONS.includes(value.nodeType) && isNode(value['condition']) ? text(value['condition']) : context;
    for (const edit of editsOf(value, bytes)) add(name, inner, edit);
    for (const [key, child] of Object.entries(value)) if (!SKIPPED.includes(key)) visit(child, name, inner);
  };
  visit(parse(source), 'file', '');
  return found;
}

/** Statements that a mutant's name quotes the condition of. */
const HAVE_CONDITIONS = ['IfStatement', 'WhileStatement', 'ForStatement', 'YulIf', 'YulForLoop'];
const SKIPPED = ['documentation', 'typeName', 'typeDescriptions', 'returnParameters', 'errorCall', 'eventCall'];

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).nodeType === 'string';

/** Statements and declarations: what a mutant's name quotes. */
const startsContext = ({ nodeType }: Node): boolean => /Statement$|^Return$|^YulAssignment$|^VariableDeclaration$|^YulVariableDeclaration$/.test(nodeType) && nodeType !== 'IfStatement' && nodeType !== 'ForStatement';

function rangeOf({ src }: Node): [number, number] {
  const [start, length] = src.split(':').map(Number) as [number, number];
  return [start, start + length];
}

const cut = (bytes: Buffer, start: number, end: number): string => bytes.subarray(start, end).toString();
/** On one line, and no longer than a table bears. */
function quote(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return `'${line.length > 90 ? `${line.slice(0, 60)} … ${line.slice(-26)}` : line}'`;
}

function parse(source: string): unknown {
  const input = { language: 'Solidity', sources: { source: { content: source } }, settings: { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } } };
  const output = JSON.parse(solidityCompiler().compile(JSON.stringify(input))) as { readonly sources?: { readonly source?: { readonly ast?: unknown } }; readonly errors?: unknown };
  const ast = output.sources?.source?.ast;
  if (ast === undefined) throw new Error(`the source has no syntax tree: ${JSON.stringify(output.errors)}`);
  return ast;
}

/** All changes of one node itself. */
function editsOf(node: Node, bytes: Buffer): Edit[] {
  const [start, end] = rangeOf(node);
  const whole = (text: string): Edit => ({ start, end, text });
  const source = cut(bytes, start, end);
  switch (node.nodeType) {
    case 'BinaryOperation':
      return betweenOperands(bytes, node['leftExpression'] as Node, node['rightExpression'] as Node, String(node['operator']));
    case 'Assignment':
      return betweenOperands(bytes, node['leftHandSide'] as Node, node['rightHandSide'] as Node, String(node['operator']));
    case 'UnaryOperation': {
      const [from, to] = rangeOf(node['subExpression'] as Node);
      return ['!', '~', '-'].includes(String(node['operator'])) ? [whole(cut(bytes, from, to))] : [];
    }
    case 'Literal':
      return node['kind'] === 'number' ? neighbours(source).map(whole) : node['kind'] === 'bool' ? [whole(source === 'true' ? 'false' : 'true')] : [];
    case 'YulLiteral':
      return node['kind'] === 'number' ? neighbours(source).map(whole) : [];
    case 'FunctionCall':
      return swaps(bytes, node['arguments'] as Node[]);
    case 'IfStatement':
    case 'Conditional':
      return [negated(bytes, node['condition'] as Node)];
    case 'ExpressionStatement':
      return /^(Assignment|FunctionCall)$/.test((node['expression'] as Node).nodeType) || source.startsWith('delete ') ? [whole('true')] : [];
    case 'EmitStatement':
      return [whole('true')];
    case 'FunctionDefinition':
      return (node['modifiers'] as Node[]).filter(({ arguments: given }) => given === undefined || given === null).map((modifier) => ({ start: rangeOf(modifier)[0], end: rangeOf(modifier)[1], text: '' }));
    case 'YulExpressionStatement':
    case 'YulAssignment':
      return [whole('pop(0)')];
    case 'YulFunctionCall':
      return evmCallEdits(node, bytes);
    default:
      return [];
  }
}

/** The operator stands between its operands, perhaps with a bracket of either. */
function betweenOperands(bytes: Buffer, left: Node, right: Node, operator: string): Edit[] {
  const from = rangeOf(left)[1];
  const gap = cut(bytes, from, rangeOf(right)[0]);
  const at = gap.indexOf(operator);
  if (at < 0) return [];
  const start = from + Buffer.byteLength(gap.slice(0, at));
  return (OPERATORS[operator] ?? []).map((text) => ({ start, end: start + operator.length, text }));
}

/** One more and one less. */
function neighbours(literal: string): string[] {
  const [digits, unit] = literal.split(/\s+/) as [string, string | undefined];
  if (!/^(0x[0-9a-fA-F]+|[0-9_]+)$/.test(digits) || digits.length === 42) return [];
  const value = BigInt(digits.replaceAll('_', ''));
  const written = (changed: bigint): string => `${digits.startsWith('0x') ? `0x${changed.toString(16).padStart(digits.length - 2, '0')}` : changed}${unit === undefined ? '' : ` ${unit}`}`;
  return [...(value === 2n ** 256n - 1n ? [] : [written(value + 1n)]), ...(value === 0n ? [] : [written(value - 1n)])];
}

/** Each two arguments that follow one another, exchanged; where their types differ it does not compile. */
function swaps(bytes: Buffer, given: readonly Node[]): Edit[] {
  return given.slice(1).flatMap((second, index) => {
    const [firstStart, firstEnd] = rangeOf(given[index] as Node);
    const [secondStart, secondEnd] = rangeOf(second);
    const text = cut(bytes, secondStart, secondEnd) + cut(bytes, firstEnd, secondStart) + cut(bytes, firstStart, firstEnd);
    return [{ start: firstStart, end: secondEnd, text }];
  });
}

function negated(bytes: Buffer, condition: Node): Edit {
  const [start, end] = rangeOf(condition);
  return { start, end, text: `!(${cut(bytes, start, end)})` };
}

function evmCallEdits(node: Node, bytes: Buffer): Edit[] {
  const { name } = node['functionName'] as unknown as { name: string };
  const [nameStart, nameEnd] = rangeOf(node['functionName'] as Node);
  const [start, end] = rangeOf(node);
  const given = node['arguments'] as Node[];
  const listed = given.map((argument) => cut(bytes, ...rangeOf(argument)));
  return [
    ...(EVM_FUNCTIONS[name] ?? []).map((text) => ({ start: nameStart, end: nameEnd, text })),
    ...(OPPOSITES[name] === undefined ? [] : [{ start, end, text: `iszero(${OPPOSITES[name]}(${listed.join(', ')}))` }]),
    ...(['iszero', 'not'].includes(name) ? [{ start, end, text: listed[0]! }] : []),
    ...(name === 'signextend' ? [{ start, end, text: listed[1]! }] : []),
    ...(COMMUTATIVE.includes(name) || OPPOSITES[name] !== undefined || given.length !== 2 ? [] : swaps(bytes, given)),
  ];
}
