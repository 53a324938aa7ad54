import type { FunctionBuilder, Local } from '../wasm/assembler.ts';

/** A vector register: its first 16 bytes and its last. */
export type VectorPair = readonly [Local, Local];

const HALF_BYTES = 16;
const HALVES = ['low', 'high'] as const;

/** Numbers of a half's lanes, as a constant. */
const laneNumbers = (half: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: HALF_BYTES }, (_, byte) => (byte % bytes === 0 ? (half * HALF_BYTES + byte) / bytes : 0));

/** A shuffle that rotates 16 bytes. */
const rotation = (distance: number): number[] => Array.from({ length: HALF_BYTES }, (_, byte) => (byte + distance) % HALF_BYTES);

/** Pushes the sum of the 32 products of signed byte lanes, as an i32: at most 2^19, so it cannot overflow. */
export function emitDot(code: FunctionBuilder, left: VectorPair, right: VectorPair): void {
  const total = code.local('v128');
  left.forEach((half, number) => {
    for (const part of HALVES) {
      for (const value of [half, right[number]!]) code.get(value).op(`i16x8.extend_${part}_i8x16_s`);
      code.op('i32x4.dot_i16x8_s');
      if (number > 0 || part === 'high') code.op('i32x4.add');
    }
  });
  for (const distance of [8, 4]) {
    code.tee(total).get(total).get(total).shuffle(rotation(distance)).op('i32x4.add');
  }
  code.lane('i32x4.extract_lane', 0);
  code.release(total);
}

/** Replaces lane `lane` (taken modulo the number of lanes) of `bytes` bytes by the low bits of `value`; both push 64 bits. */
export function emitPut(code: FunctionBuilder, bytes: 1 | 4, vector: VectorPair, lane: () => unknown, value: () => unknown): void {
  const type = bytes === 1 ? 'i8x16' : 'i32x4';
  const [lanes, values] = [code.local('v128'), code.local('v128')];
  lane();
  code.op('i32.wrap_i64').i32(32 / bytes - 1).op('i32.and').op(`${type}.splat`).set(lanes);
  value();
  code.op('i32.wrap_i64').op(`${type}.splat`).set(values);
  vector.forEach((half, number) => {
    code.get(values).get(half).get(lanes).v128(laneNumbers(number, bytes)).op(`${type}.eq`).op('v128.bitselect').set(half);
  });
  code.release(lanes);
  code.release(values);
}

/** Pushes a vector's half `number` with the bytes from the vector's byte `count` on set to zero; `count` pushes an i32. */
export function emitFirstBytes(code: FunctionBuilder, half: Local, number: number, count: () => unknown): void {
  code.get(half);
  count();
  code.op('i8x16.splat').v128(laneNumbers(number, 1)).op('i8x16.gt_u').op('v128.and');
}
