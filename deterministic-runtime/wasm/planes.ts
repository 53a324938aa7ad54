import type { Emitter } from './emitter.ts';
import { planesDemands, wordForm } from './forms.ts';
import type { Local } from './function-builder.ts';
import { COLUMN, ITERATION, ROW, coefficient } from './graph.ts';
import type { DotNode, Graph, Node, PlanesNode, ReduceNode } from './graph.ts';
import { LOW_HALVES, HIGH_HALVES } from './vector-operators.ts';

/*
 * Numbers of 16 bits that are kept as two planes of bytes, x = 256 · high + low, are multiplied by bytes in two dot products, `dot(high, w) · 256 + dot(low, w)`. One
 * pass with 16-bit factors computes the same as long as every x fits 16 bits, which is looked at first: only high = −128 with low < 0 does not.
 */

/** A word adds products of four pairs to each partial sum, 2^25 at most: so many words fit 32 bits. */
const WORDS_PER_BLOCK = 63;
const MAX_BLOCKS = 16;
/** Sums of dot products over so few bytes cannot leave 32 bits, even four of them. */
const MAX_WORDS = 1024;
const WORD_BYTES = 32;

interface DotSum { readonly reduce: ReduceNode; readonly dot: DotNode; readonly words: number }
/** A sum of dot products in a 64-bit sum, times 1 or 256. */
interface Term { readonly factor: 1 | 256; readonly sum: DotSum }

/** The element with planes multiplied together, and all such products; null where there are none. */
export function mergePlanes(graph: Graph, element: Node): { readonly element: Node; readonly planes: readonly PlanesNode[] } | null {
  const planes: PlanesNode[] = [];
  const known = new Map<Node, Node>();
  const rebuild = (node: Node): Node => {
    const found = known.get(node);
    if (found !== undefined) return found;
    const made = rebuilt(node);
    known.set(node, made);
    return made;
  };
  const rebuilt = (node: Node): Node => {
    switch (node.kind) {
      case 'binary': return mergedSum(graph, node, planes) ?? graph.binary(node.operator, node.left.type, rebuild(node.left), rebuild(node.right));
      case 'select': return graph.select(rebuild(node.condition), rebuild(node.whenTrue), rebuild(node.whenFalse));
      case 'convert': return graph.convert(node.type, rebuild(node.value));
      case 'requantize': return graph.requantize(rebuild(node.accumulator), rebuild(node.multiplier), rebuild(node.shift));
      default: return node;
    }
  };
  const made = rebuild(element);
  return planes.length === 0 ? null : { element: made, planes };
}

function mergedSum(graph: Graph, node: Node, planes: PlanesNode[]): Node | null {
  const terms = termsOf(node);
  if (terms === null || terms.length > 4) return null;
  for (const upper of terms) {
    for (const lower of terms) {
      const merged = upper.factor === 256 && lower.factor === 1 ? pair(graph, upper.sum, lower.sum) : null;
      if (merged === null) continue;
      planes.push(merged);
      return terms.filter((term) => term !== upper && term !== lower).reduce<Node>((total, { factor, sum: { reduce } }) => {
        const wide = graph.convert('i64', reduce);
        return graph.binary('add', 'i64', total, factor === 1 ? wide : graph.binary('shl', 'i64', wide, graph.constant('i64', 8)));
      }, merged);
    }
  }
  return null;
}

/** A 64-bit sum of sums of dot products, or null for anything else. */
function termsOf(node: Node): readonly Term[] | null {
  const both = (left: readonly Term[] | null, right: readonly Term[] | null): readonly Term[] | null => (left === null || right === null ? null : [...left, ...right]);
  if (node.kind === 'binary' && node.type === 'i64' && node.operator === 'add') return both(termsOf(node.left), termsOf(node.right));
  if (node.kind === 'binary' && node.type === 'i64' && node.operator === 'shl' && node.right.kind === 'constant' && node.right.value === 8n) {
    const inner = termsOf(node.left);
    return inner === null || inner.some(({ factor }) => factor !== 1) ? null : inner.map((term) => ({ ...term, factor: 256 }));
  }
  if (node.kind !== 'convert' || node.type !== 'i64') return null;
  return sumsOf(node.value)?.map((sum) => ({ factor: 1, sum })) ?? null;
}

function sumsOf(node: Node): readonly DotSum[] | null {
  if (node.kind === 'binary' && node.operator === 'add') {
    const left = sumsOf(node.left);
    const right = sumsOf(node.right);
    return left === null || right === null ? null : [...left, ...right];
  }
  if (node.kind !== 'reduce' || node.operator !== 'add' || node.body.kind !== 'dot' || node.body.bytes !== WORD_BYTES || node.bound.kind !== 'constant') return null;
  const words = Number(node.bound.value);
  return words <= Math.min(MAX_WORDS, WORDS_PER_BLOCK * MAX_BLOCKS) ? [{ reduce: node, dot: node.body, words }] : null;
}

/** The product of two planes, of the columns' weights and a row that all columns share. */
function pair(graph: Graph, upper: DotSum, lower: DotSum): PlanesNode | null {
  const { variable } = upper.reduce;
  if (variable !== lower.reduce.variable || upper.words !== lower.words) return null;
  const isRow = (address: Node): boolean => (address.free & ~(variable | ROW | ITERATION)) === 0 && coefficient(address, variable) === WORD_BYTES;
  for (const [high, weights] of [[upper.dot.left, upper.dot.right], [upper.dot.right, upper.dot.left]] as const) {
    for (const [low, others] of [[lower.dot.left, lower.dot.right], [lower.dot.right, lower.dot.left]] as const) {
      if (weights !== others || high === low || (weights.free & COLUMN) === 0 || !isRow(high) || !isRow(low)) continue;
      return graph.planes({ variable, words: upper.words, high, low, weights }) as PlanesNode;
    }
  }
  return null;
}

/** Pushes 1 if all numbers of the planes in rows [from, to) fit 16 bits, else 0. */
export function emitFitsSixteenBits(emitter: Emitter, planes: readonly PlanesNode[], from: Local, to: Local): void {
  const { code } = emitter;
  const [row, index, offset, high, low, bad] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('v128')];
  code.i32x4(0, 0, 0, 0).set(bad);
  code.get(from).set(row);
  code.loop((nextRow) => {
    emitter.frame(ROW, [row], () => {
      for (const node of planes) {
        code.i32(0).set(index);
        emitter.frame(node.variable, [index], () => {
          for (const [address, local] of [[node.high, high], [node.low, low]] as const) {
            emitter.prepare(address, 'scalar');
            emitter.use(address, 'scalar');
            code.set(local);
          }
        });
        code.i32(0).set(offset);
        code.loop((next) => {
          for (const byte of [0, 16]) {
            code.get(bad);
            code.get(high).get(offset).op('i32.add').memory('v128.load', byte).i32(-128).op('i8x16.splat').op('i8x16.eq');
            code.get(low).get(offset).op('i32.add').memory('v128.load', byte).op('v128.and').op('v128.or').set(bad);
          }
          code.get(offset).i32(WORD_BYTES).op('i32.add').tee(offset).i32(node.words * WORD_BYTES).op('i32.lt_u').branchIf(next);
        });
      }
    });
    code.get(row).i32(1).op('i32.add').tee(row).get(to).op('i32.lt_s').branchIf(nextRow);
  });
  code.get(bad).op('i8x16.bitmask').op('i32.eqz');
  for (const local of [row, index, offset, high, low, bad]) code.release(local);
}

/** Words from which on one row's columns are summed one after another. */
const MANY_WORDS = 4;
/** Partial sums of one column then. */
const PARTS = 4;

/** Computes a product of planes into `results`: for each row of the jam, the lanes of four columns in two vectors of i64. */
export function emitPlanes(emitter: Emitter, node: PlanesNode, results: readonly Local[]): void {
  const { code } = emitter;
  const rows = results.length / 2 / emitter.vectors;
  const lanes = Array.from({ length: 4 * emitter.vectors }, (_, lane) => lane);
  const sums = Array.from({ length: rows }, () => lanes.map(() => code.local('v128')));
  const index = code.local('i32');
  for (const result of results) code.i32x4(0, 0, 0, 0).set(result);
  const blocks = Math.ceil(node.words / WORDS_PER_BLOCK);
  const step = Math.ceil(node.words / blocks);
  for (let first = 0; first < node.words; first += step) {
    const block = (targets: readonly (readonly Local[])[], of: readonly number[]): void => {
      for (const sum of targets.flat()) code.i32x4(0, 0, 0, 0).set(sum);
      code.i32(first).set(index);
      emitter.loop(node.variable, index, 1, () => code.i32(Math.min(node.words, first + step)), () => {
        for (const [address, form] of planesDemands(node, emitter.lane)) emitter.prepare(address, form);
        multiplyWord(emitter, node, targets, of);
      });
    };
    if (rows === 1 && node.words >= MANY_WORDS) {
      // As in dot-sums.ts. All parts of a sum fit 32 bits together, as the sum itself does.
      const parts = Array.from({ length: PARTS }, () => code.local('v128'));
      for (const lane of lanes) {
        block([parts], [lane]);
        code.get(parts[0]!);
        for (const part of parts.slice(1)) code.get(part).op('i32x4.add');
        code.set(sums[0]![lane]!);
      }
      for (const part of parts) code.release(part);
    } else {
      block(sums, lanes);
    }
    results.forEach((result, number) => {
      const [left, right] = sums.flat().slice(2 * number, 2 * number + 2) as [Local, Local];
      for (const sum of [left, right]) code.get(sum).op('i64x2.extend_low_i32x4_s').get(sum).op('i64x2.extend_high_i32x4_s').op('i64x2.add').set(sum);
      code.get(result).get(left).get(right).shuffle(LOW_HALVES).op('i64x2.add').get(left).get(right).shuffle(HIGH_HALVES).op('i64x2.add').set(result);
    });
  }
  for (const local of [...sums.flat(), index]) code.release(local);
}

/** Adds the products of a word: to a sum a row and lane, or, of one row and lane, to several sums in turn. */
function multiplyWord(emitter: Emitter, { high, low, weights }: PlanesNode, sums: readonly (readonly Local[])[], lanes: readonly number[]): void {
  const { code } = emitter;
  const { form, distance } = wordForm(weights, emitter.lane);
  const values = Array.from({ length: (high.free | low.free) & ROW ? sums.length : 1 }, () => code.local('v128'));
  const weight = code.local('v128');
  // Weights are mostly the same for all rows.
  const weightRows = (weights.free & ROW) === 0 ? [0] : sums.map((_, row) => row);
  for (let offset = 0; offset < WORD_BYTES; offset += 8) {
    values.forEach((value, row) => {
      emitter.use(high, 'scalar', row);
      code.memory('v128.load8x8_s', offset, 3).i32(8).op('i16x8.shl');
      emitter.use(low, 'scalar', row);
      code.memory('v128.load8x8_s', offset, 3).op('i16x8.add').set(value);
    });
    for (const weightRow of weightRows) {
      lanes.forEach((lane, position) => {
        emitter.use(weights, form, weightRow, lane);
        code.memory('v128.load8x8_s', offset + (form === 'scalar' ? lane * distance : 0), 3).set(weight);
        sums.forEach((columns, row) => {
          if (weightRows.length > 1 && row !== weightRow) return;
          const sum = columns[lanes.length === 1 ? (offset / 8) % columns.length : position]!;
          code.get(sum).get(values[values.length === 1 ? 0 : row]!).get(weight).op('i32x4.dot_i16x8_s').op('i32x4.add').set(sum);
        });
      });
    }
  }
  for (const local of [...values, weight]) code.release(local);
}
