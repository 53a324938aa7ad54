import { coefficient, isBoolean, isComparison, isDotSum, variesWith } from './graph.ts';
import { hasVectorForm } from './vector-operators.ts';
import type { BinaryNode, LoadNode, Node, PlanesNode, RequantizeNode } from './graph.ts';

/**
 * How a value is held. The lane variable is the one that four neighbouring lanes of a vector differ in: the output's
 * column, or a reduction's index; 0 when there is none.
 * - `scalar`: one number. For a value that depends on the lane variable, that of the first lane of all.
 * - `vector`: four lanes, as one v128 of i32 or two of i64; the same in all lanes for a value that does not depend on the lane variable.
 * - `mask`: four i32 lanes, all bits set where the value is not zero.
 * - `lanes`: each lane's number by itself.
 */
export type Form = 'scalar' | 'vector' | 'mask' | 'lanes';

/** The form that a value is really held in. */
export const normalForm = (node: Node, form: Form, lane: number): Form =>
  form === 'lanes' && !variesWith(node, lane) ? 'scalar' : form;

/** True for what is pushed again wherever it is used. */
export const isImmediate = (node: Node, form: Form): boolean =>
  form === 'scalar' && (node.kind === 'constant' || node.kind === 'variable' || node.kind === 'tensor');

export type LoadMethod =
  /** Neighbouring lanes are neighbours in memory. */
  | { readonly kind: 'contiguous' }
  /** The same, but lanes outside [0, limit) must be masked. */
  | { readonly kind: 'masked'; readonly limit: number }
  /** Lanes are `distance` bytes apart. */
  | { readonly kind: 'strided'; readonly distance: number }
  /** Each lane has its own address. */
  | { readonly kind: 'gather' };

const MAX_OFFSET = 2 ** 30;

/** How a load that depends on the lane variable is done. */
export function loadMethod(node: LoadNode, lane: number): LoadMethod {
  const bytes = node.element === 'i8' ? 1 : 4;
  const distance = coefficient(node.address, lane);
  if (distance === bytes) return { kind: 'contiguous' };
  if (distance !== null && distance >= 0 && distance * 64 < MAX_OFFSET) return { kind: 'strided', distance };
  if (node.limit !== null && (node.base.free & lane) === 0 && coefficient(node.column, lane) === 1) return { kind: 'masked', limit: node.limit };
  return { kind: 'gather' };
}

/** The form of an address that `dot` reads at: with the distance between lanes if they all have the same. */
export function wordForm(address: Node, lane: number): { readonly form: Form; readonly distance: number } {
  const distance = coefficient(address, lane);
  if (distance === null || distance < 0 || distance * 64 >= MAX_OFFSET) return { form: 'lanes', distance: 0 };
  return { form: 'scalar', distance };
}

/** The addresses and bounds that a sum of dot products needs. */
export function dotDemands(node: Node, lane: number): readonly (readonly [Node, Form])[] {
  if (node.kind === 'dot') return [node.left, node.right].map((address) => [address, wordForm(address, lane).form] as const);
  if (node.kind === 'reduce') return [[node.bound, 'scalar'], ...dotDemands(node.body, lane)];
  if (node.kind === 'binary') return [...dotDemands(node.left, lane), ...dotDemands(node.right, lane)];
  return [];
}

/** The addresses that a product of planes needs. */
export const planesDemands = ({ high, low, weights }: PlanesNode, lane: number): readonly (readonly [Node, Form])[] =>
  [[high, 'scalar'], [low, 'scalar'], [weights, wordForm(weights, lane).form]];

/** The exponent of a divisor that is a power of two from 2 to 2^30; else null. */
export function powerOfTwo(divisor: Node): number | null {
  if (divisor.kind !== 'constant' || divisor.type !== 'i32' || divisor.value < 2n) return null;
  const exponent = 31 - Math.clz32(Number(divisor.value));
  return divisor.value === 1n << BigInt(exponent) ? exponent : null;
}

const isShift = (node: BinaryNode): boolean => node.operator === 'shl' || node.operator === 'shr' || node.operator === 'shru';

/** True for operators that WebAssembly has for single lanes only. */
export function worksByLane(node: BinaryNode, lane: number): boolean {
  if (isShift(node)) return variesWith(node.right, lane);
  if (node.operator === 'div' || node.operator === 'mod') return powerOfTwo(node.right) === null || node.type === 'i64';
  return !hasVectorForm(node.operator);
}

/** True for requantisations whose lanes are shifted by different amounts. */
export const shiftsByLane = (node: RequantizeNode, lane: number): boolean => variesWith(node.shift, lane);

/** What must be at hand before a value can be computed in a form (reductions aside). */
export function demands(node: Node, form: Form, lane: number): readonly (readonly [Node, Form])[] {
  if (isImmediate(node, form)) return [];
  if (form === 'lanes') return [[node, 'vector']];
  if (!variesWith(node, lane) && form !== 'scalar') return [[node, 'scalar']];
  if (form === 'mask') return maskDemands(node);
  if (form === 'scalar') return operandsOf(node).map((operand) => [operand, 'scalar'] as const);
  if (isBoolean(node)) return [[node, 'mask']];
  switch (node.kind) {
    case 'binary': return binaryDemands(node, lane);
    case 'select': return [[node.condition, 'mask'], [node.whenTrue, 'vector'], [node.whenFalse, 'vector']];
    case 'requantize':
      return [
        [node.accumulator, 'vector'], [node.multiplier, 'vector'],
        ...(shiftsByLane(node, lane) ? [[node.shift, 'lanes'] as const] : [[node.shift, 'scalar'] as const]),
      ];
    case 'load': {
      const method = loadMethod(node, lane).kind;
      if (method === 'masked') return [[node.base, 'scalar'], [node.column, 'scalar'], [node.column, 'vector']];
      return [[node.address, method === 'gather' ? 'lanes' : 'scalar']];
    }
    default: return operandsOf(node).map((operand) => [operand, 'vector'] as const);
  }
}

function maskDemands(node: Node): readonly (readonly [Node, Form])[] {
  if (node.kind !== 'binary' || !isBoolean(node)) return [[node, 'vector']];
  const form = isComparison(node.operator) ? 'vector' : 'mask';
  return [[node.left, form], [node.right, form]];
}

function binaryDemands(node: BinaryNode, lane: number): readonly (readonly [Node, Form])[] {
  if (worksByLane(node, lane)) return [[node.left, 'lanes'], [node.right, 'lanes']];
  if (isShift(node)) return [[node.left, 'vector'], [node.right, 'scalar']];
  if (powerOfTwo(node.right) !== null && (node.operator === 'div' || node.operator === 'mod')) return [[node.left, 'vector']];
  const widened = wideProduct(node);
  if (widened !== null) return [[widened[0], 'vector'], [widened[1], 'vector']];
  const masked = maskedSide(node);
  return [[node.left, masked === 'left' ? 'mask' : 'vector'], [node.right, masked === 'right' ? 'mask' : 'vector']];
}

/** The i32 factors of a 64-bit product of two widened values. */
export function wideProduct(node: BinaryNode): readonly [Node, Node] | null {
  if (node.type !== 'i64' || node.operator !== 'mul' || node.left.kind !== 'convert' || node.right.kind !== 'convert') return null;
  return [node.left.value, node.right.value];
}

/**
 * Which 0-or-1 operand is better taken as a mask: `x + b = x - mask`, `x - b = x + mask`, `x · b = x and mask`.
 */
export function maskedSide(node: BinaryNode): 'left' | 'right' | null {
  if (node.type !== 'i32' || (node.operator !== 'add' && node.operator !== 'sub' && node.operator !== 'mul')) return null;
  if (isBoolean(node.right)) return 'right';
  return isBoolean(node.left) && node.operator !== 'sub' ? 'left' : null;
}

/** The values that a value is computed from. */
export function operandsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'constant': case 'variable': case 'tensor': return [];
    case 'binary': return [node.left, node.right];
    case 'select': return [node.condition, node.whenTrue, node.whenFalse];
    case 'convert': return [node.value];
    case 'requantize': return [node.accumulator, node.multiplier, node.shift];
    case 'load': return [node.address];
    case 'dot': return [node.left, node.right];
    case 'reduce': return [node.bound, node.body];
    case 'planes': return [node.high, node.low, node.weights];
  }
}

/** True when every value of a reduction's body can be had as vectors of neighbouring rounds without lane by lane work. */
export function vectorizes(body: Node, index: number): boolean {
  const seen = new Set<Node>();
  const check = (node: Node): boolean => {
    if ((node.free & index) === 0 || seen.has(node)) return true;
    seen.add(node);
    if (node.kind === 'reduce' || node.kind === 'planes' || isDotSum(node)) return false;
    if (node.kind === 'load') {
      const method = loadMethod(node, index).kind;
      return method === 'contiguous' || (method === 'masked' && check(node.column));
    }
    if (node.kind === 'binary' && worksByLane(node, index)) return false;
    if (node.kind === 'requantize' && shiftsByLane(node, index)) return false;
    return operandsOf(node).every(check);
  };
  return (body.free & index) !== 0 && check(body);
}
