import { ImportError } from '../import-error.ts';
import { broadcastDims } from '../network/float-tensor.ts';
import { describe, float, integer } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** What scores become that do not count: calibration takes them for infinite. */
const MASKED = -1e9;
/** Inputs of Attention, in their order. */
const [QUERY, KEY, VALUE, MASK, PAST_KEY, PAST_VALUE, LENGTHS] = [0, 1, 2, 3, 4, 5, 6];

/** Puts a value's heads on an axis of their own: [batch, heads, length, size]. */
function withHeads(conversion: Conversion, node: OnnxNode, index: number, attribute: string): string {
  const [x, dims] = [conversion.input(node, index), conversion.inputDims(node, index)];
  if (dims.length === 4) return x;
  const heads = integer(node, attribute, 0);
  const [batch = 1, length = 1, width = 1] = dims;
  if (dims.length !== 3 || heads < 1 || width % heads !== 0) throw new ImportError(`${describe(node)}: [${dims.join(', ')}] in ${heads} heads`);
  const apart = conversion.step(node, `heads${index}`, { kind: 'reshape', x }, [batch, length, heads, width / heads]);
  return conversion.step(node, `turned${index}`, { kind: 'transpose', x: apart, order: [0, 2, 1, 3] }, [batch, heads, length, width / heads]);
}

/** What is cached, and then x. */
function continued(conversion: Conversion, node: OnnxNode, index: number, x: string): string {
  if (!conversion.hasInput(node, index)) return x;
  const [past, dims] = [conversion.inputDims(node, index), conversion.dimsOf(node, x)];
  if (past.length !== 4 || past.some((dim, axis) => axis !== 2 && dim !== dims[axis])) throw new ImportError(`${describe(node)}: [${past.join(', ')}] does not continue as [${dims.join(', ')}]`);
  return conversion.step(node, `present${index}`, { kind: 'concatenation', x: conversion.input(node, index), others: [x], axis: 2 }, dims.map((dim, axis) => dim + (axis === 2 ? (past[2] ?? 0) : 0)));
}

/** Each head as often as queries share it. */
function shared(conversion: Conversion, node: OnnxNode, x: string, heads: number): string {
  const [batch = 1, own = 1, length = 1, size = 1] = conversion.dimsOf(node, x);
  if (own === heads) return x;
  if (heads % own !== 0) throw new ImportError(`${describe(node)}: ${heads} heads of queries share ${own}`);
  const apart = conversion.step(node, 'group', { kind: 'reshape', x }, [batch, own, 1, length, size]);
  const repeated = conversion.step(node, 'groups', { kind: 'expand', x: apart }, [batch, own, heads / own, length, size]);
  return conversion.step(node, 'shared', { kind: 'reshape', x: repeated }, [batch, heads, length, size]);
}

/** Scores with what must not count made very small: by a mask, by order, or by the number of tokens. */
function masked(conversion: Conversion, node: OnnxNode, given: string): string {
  const dims = conversion.dimsOf(node, given);
  const [, , queries = 1, keys = 1] = dims;
  const never = conversion.constant(node, 'never', [], [MASKED]);
  let scores = given;
  const keep = (condition: string, what: string): void => { scores = conversion.step(node, what, { kind: 'select', x: condition, a: scores, b: never }, dims, 'float'); };
  if (conversion.hasInput(node, MASK)) {
    const [mask, own] = [conversion.input(node, MASK), conversion.inputDims(node, MASK)];
    const boolean = conversion.isInteger(mask);
    const short = keys - (own.at(-1) ?? keys);
    const wide = own.map((dim, axis) => (axis === own.length - 1 && dim !== 1 ? keys : dim));
    const whole = short <= 0 || own.at(-1) === 1 ? mask
      : conversion.step(node, 'mask', { kind: 'pad', x: mask, before: own.map(() => 0), after: own.map((_, axis) => (axis === own.length - 1 ? short : 0)), fill: boolean ? 0 : MASKED }, wide);
    if (broadcastDims(wide, dims)?.join() !== dims.join()) throw new ImportError(`${describe(node)}: a mask of [${own.join(', ')}] for scores of [${dims.join(', ')}]`);
    if (boolean) keep(whole, 'masked');
    else scores = conversion.step(node, 'masked', { kind: 'add', x: scores, b: whole, range: null }, dims, 'float');
  }
  if (integer(node, 'is_causal', 0) !== 0) {
    const before = conversion.hasInput(node, PAST_KEY) ? (conversion.inputDims(node, PAST_KEY)[2] ?? 0) : 0;
    const order = Float64Array.from({ length: queries * keys }, (_, index) => (index % keys <= Math.floor(index / keys) + before ? 1 : 0));
    keep(conversion.constant(node, 'order', [queries, keys], order, 'integer'), 'causal');
  }
  if (conversion.hasInput(node, LENGTHS)) {
    const lengths = conversion.step(node, 'lengths', { kind: 'reshape', x: conversion.input(node, LENGTHS) }, [dims[0] ?? 1, 1, 1, 1]);
    const places = conversion.constant(node, 'places', [1, 1, 1, keys], Array.from({ length: keys }, (_, index) => index), 'integer');
    keep(conversion.step(node, 'present', { kind: 'operation', operation: 'less', x: places, b: lengths }, [dims[0] ?? 1, 1, 1, keys], 'integer'), 'counted');
  }
  return scores;
}

/** Attention (operator sets 23 and 24): `softmax(softcap(scale · Q Kᵀ + mask)) V`, with heads that share keys and values, a cache, and the scores as a further output. */
export function convertAttention(conversion: Conversion, node: OnnxNode): void {
  const query = withHeads(conversion, node, QUERY, 'q_num_heads');
  const key = continued(conversion, node, PAST_KEY, withHeads(conversion, node, KEY, 'kv_num_heads'));
  const value = continued(conversion, node, PAST_VALUE, withHeads(conversion, node, VALUE, 'kv_num_heads'));
  const [queryDims, keyDims, valueDims] = [query, key, value].map((name) => conversion.dimsOf(node, name)) as [readonly number[], readonly number[], readonly number[]];
  const [batch = 1, heads = 1, length = 1, size = 1] = queryDims;
  const [, , keys = 1] = keyDims;
  if (keyDims[0] !== batch || valueDims[0] !== batch || keyDims[3] !== size || valueDims[2] !== keys || valueDims[1] !== keyDims[1]) {
    throw new ImportError(`${describe(node)}: queries [${queryDims.join(', ')}], keys [${keyDims.join(', ')}] and values [${valueDims.join(', ')}] do not fit`);
  }
  const square = [batch, heads, length, keys];
  const products = conversion.step(node, 'products', { kind: 'matrix-product', x: query, b: shared(conversion, node, key, heads), transposed: true }, square);
  const scale = conversion.constant(node, 'scale', [], [float(node, 'scale', 0) === 0 ? 1 / Math.sqrt(size) : float(node, 'scale', 0)]);
  const scores = conversion.step(node, 'scores', { kind: 'multiply', x: products, b: scale, range: null }, square);
  const counted = masked(conversion, node, scores);
  const softcap = float(node, 'softcap', 0);
  const capped = softcap === 0 ? counted : conversion.step(node, 'capped', { kind: 'function', x: counted, apply: (x) => softcap * Math.tanh(x / softcap) }, square);
  const shares = conversion.step(node, 'shares', { kind: 'softmax', x: capped }, square);
  const width = valueDims[3] ?? 1;
  const mixed = conversion.step(node, 'mixed', { kind: 'matrix-product', x: shares, b: shared(conversion, node, value, heads), transposed: false }, [batch, heads, length, width]);
  const [output = '', presentKey = '', presentValue = '', shown = ''] = node.outputs;
  if (conversion.inputDims(node, QUERY).length === 4) conversion.alias(output, mixed);
  else {
    const turned = conversion.step(node, 'joined', { kind: 'transpose', x: mixed, order: [0, 2, 1, 3] }, [batch, length, heads, width]);
    conversion.add(node, { kind: 'reshape', x: turned }, [batch, length, heads * width]);
  }
  if (presentKey !== '') conversion.alias(presentKey, key);
  if (presentValue !== '') conversion.alias(presentValue, value);
  if (shown !== '') conversion.alias(shown, [scores, counted, capped, shares][integer(node, 'qk_matmul_output_mode', 0)] ?? scores);
}

/** RotaryEmbedding ("RoFormer", Su et al. 2021): pairs of elements turned by the angle of their position, whose cosines and sines are given. */
export function convertRotaryEmbedding(conversion: Conversion, node: OnnxNode): void {
  const [x, dims] = [conversion.input(node, 0), conversion.inputDims(node, 0)];
  const flat = dims.length === 3;
  const heads = flat ? integer(node, 'num_heads', 0) : (dims[1] ?? 1);
  const [batch = 1, length = 1] = flat ? dims : [dims[0], dims[2]];
  const size = flat ? (dims[2] ?? 1) / heads : (dims[3] ?? 1);
  const turned = integer(node, 'rotary_embedding_dim', 0) === 0 ? size : integer(node, 'rotary_embedding_dim', 0);
  if ((!flat && dims.length !== 4) || heads < 1 || !Number.isInteger(size) || turned > size || turned < 2 || turned % 2 !== 0) throw new ImportError(`${describe(node)}: ${turned} elements of [${dims.join(', ')}] in ${heads} heads`);
  const half = turned / 2;
  // Heads stand before or behind the positions; the angles broadcast over them.
  const whole = flat ? [batch, length, heads, size] : [...dims];
  const angleDims = flat ? [batch, length, 1, half] : [batch, 1, length, half];
  const value = flat ? conversion.step(node, 'heads', { kind: 'reshape', x }, whole) : x;
  const angles = (index: number, what: string): string => {
    const [table, own] = [conversion.input(node, index), conversion.inputDims(node, index)];
    const rows = conversion.hasInput(node, 3) ? conversion.step(node, `${what}.rows`, { kind: 'embedding', x: conversion.input(node, 3), table }, [...conversion.inputDims(node, 3), own.at(-1) ?? 1]) : table;
    if (conversion.dimsOf(node, rows).join() !== [batch, length, half].join()) throw new ImportError(`${describe(node)}: ${what} of [${own.join(', ')}] for ${length} positions and ${half} pairs`);
    return conversion.step(node, what, { kind: 'reshape', x: rows }, angleDims);
  };
  const [cosines, sines] = [angles(1, 'cosines'), angles(2, 'sines')];
  const interleaved = integer(node, 'interleaved', 0) !== 0;
  const pairDims = [...whole.slice(0, -1), half];
  const part = (what: string, start: number, step: number, count: number): string =>
    conversion.step(node, what, { kind: 'slice', x: value, starts: [0, 0, 0, start], steps: [1, 1, 1, step] }, [...whole.slice(0, -1), count]);
  const [first, second] = interleaved ? [part('first', 0, 2, half), part('second', 1, 2, half)] : [part('first', 0, 1, half), part('second', half, 1, half)];
  const times = (what: string, left: string, right: string): string => conversion.step(node, what, { kind: 'multiply', x: left, b: right, range: null }, pairDims, 'float');
  const real = conversion.step(node, 'real', { kind: 'operation', operation: 'subtract', x: times('real.cosine', first, cosines), b: times('real.sine', second, sines) }, pairDims, 'float');
  const imaginary = conversion.step(node, 'imaginary', { kind: 'add', x: times('imaginary.sine', first, sines), b: times('imaginary.cosine', second, cosines), range: null }, pairDims, 'float');
  const joined = (parts: readonly [string, string, ...string[]], what: string, shape: readonly number[], axis: number): string => conversion.step(node, what, { kind: 'concatenation', x: parts[0], others: parts.slice(1), axis }, shape);
  const turnedDims = [...whole.slice(0, -1), turned];
  const column = (name: string, what: string): string => conversion.step(node, what, { kind: 'reshape', x: name }, [...pairDims, 1]);
  const rotated = interleaved
    ? conversion.step(node, 'rotated', { kind: 'reshape', x: joined([column(real, 'real.column'), column(imaginary, 'imaginary.column')], 'pairs', [...pairDims, 2], 4) }, turnedDims)
    : joined([real, imaginary], 'rotated', turnedDims, 3);
  const all = turned === size ? rotated : joined([rotated, part('rest', turned, 1, size - turned)], 'all', whole, 3);
  if (flat) conversion.add(node, { kind: 'reshape', x: all }, dims);
  else conversion.alias(conversion.output(node), all);
}
