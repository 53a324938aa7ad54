import type { FunctionBuilder, Local } from './function-builder.ts';
import type { GraphOperator } from './graph.ts';
import type { Push } from './scalar-operators.ts';

/** The even 32-bit lanes of two vectors: narrows two pairs of i64 to four i32. */
export const EVEN_LANES = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
/** The odd ones. */
export const ODD_LANES = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];
/** The first halves of two vectors. */
export const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
/** The second halves. */
export const HIGH_HALVES = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

const I32X4 = {
  add: 'i32x4.add', sub: 'i32x4.sub', mul: 'i32x4.mul', and: 'v128.and', or: 'v128.or', xor: 'v128.xor', min: 'i32x4.min_s', max: 'i32x4.max_s',
  lt: 'i32x4.lt_s', le: 'i32x4.le_s', eq: 'i32x4.eq', ltu: 'i32x4.lt_u', shl: 'i32x4.shl', shr: 'i32x4.shr_s', shru: 'i32x4.shr_u',
} as const;
const I64X2 = {
  add: 'i64x2.add', sub: 'i64x2.sub', mul: 'i64x2.mul', and: 'v128.and', or: 'v128.or', xor: 'v128.xor',
  lt: 'i64x2.lt_s', le: 'i64x2.le_s', eq: 'i64x2.eq', shl: 'i64x2.shl', shr: 'i64x2.shr_s', shru: 'i64x2.shr_u',
} as const;

/** Operators that work on vectors lane by lane; shifts take one scalar amount for all lanes. */
export const hasVectorForm = (operator: GraphOperator): boolean => operator in I32X4;

/** Pushes four i32 lanes. Comparisons give masks: all bits set where they hold. */
export function pushI32x4(code: FunctionBuilder, operator: GraphOperator, left: Push, right: Push): void {
  left();
  right();
  code.op(I32X4[operator as keyof typeof I32X4]);
}

/** Pushes two i64 lanes, or the mask of a comparison. */
export function pushI64x2(code: FunctionBuilder, operator: GraphOperator, left: Push, right: Push): void {
  left();
  right();
  if (operator === 'min' || operator === 'max') {
    left();
    right();
    code.op(operator === 'min' ? 'i64x2.lt_s' : 'i64x2.gt_s').op('v128.bitselect');
  } else {
    code.op(I64X2[operator as keyof typeof I64X2]);
  }
}

/** Pushes `left / 2^exponent`, or the remainder, towards zero, for four i32 lanes. `exponent` is in [1, 30]. */
export function pushPowerOfTwoDivision(code: FunctionBuilder, operator: 'div' | 'mod', left: Push, exponent: number): void {
  const pushRounded = (): void => {
    left();
    left();
    code.i32(31).op('i32x4.shr_s').i32(32 - exponent).op('i32x4.shr_u').op('i32x4.add');
  };
  if (operator === 'div') {
    pushRounded();
    code.i32(exponent).op('i32x4.shr_s');
    return;
  }
  const mask = -(2 ** exponent);
  left();
  pushRounded();
  code.i32x4(mask, mask, mask, mask).op('v128.and').op('i32x4.sub');
}

/** Pushes the sum of a vector's four lanes. */
export function pushLaneSum(code: FunctionBuilder, vector: Local): void {
  const half = code.local('v128');
  code.get(vector).get(vector).get(vector).shuffle(HIGH_HALVES).op('i32x4.add').tee(half);
  code.lane('i32x4.extract_lane', 0).get(half).lane('i32x4.extract_lane', 1).op('i32.add');
  code.release(half);
}

/** Pushes a vector whose lane `j` is the sum of `vectors[j]`'s lanes. */
export function pushLaneSums(code: FunctionBuilder, vectors: readonly [Local, Local, Local, Local]): void {
  const pairs = [code.local('v128'), code.local('v128')] as const;
  pairs.forEach((pair, index) => {
    const first = vectors[index * 2]!;
    const second = vectors[index * 2 + 1]!;
    code.get(first).get(second).shuffle(LOW_HALVES).get(first).get(second).shuffle(HIGH_HALVES).op('i32x4.add').set(pair);
  });
  code.get(pairs[0]).get(pairs[1]).shuffle(EVEN_LANES).get(pairs[0]).get(pairs[1]).shuffle(ODD_LANES).op('i32x4.add');
  for (const pair of pairs) code.release(pair);
}

/** Pushes one vector of the low bytes of one, two or four vectors of four i32 lanes, in order from byte 0. */
export function pushLowBytes(code: FunctionBuilder, vectors: readonly Local[]): void {
  const first = vectors[0]!;
  const low = (vector: Local): void => { code.get(vector).i32x4(255, 255, 255, 255).op('v128.and'); };
  const pair = (index: number): void => {
    low(vectors[index] ?? first);
    low(vectors[index + 1] ?? first);
    code.op('i16x8.narrow_i32x4_u');
  };
  pair(0);
  pair(vectors.length > 2 ? 2 : 0);
  code.op('i8x16.narrow_i16x8_u');
}
