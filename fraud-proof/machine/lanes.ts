import { WORD_BYTES } from '../../deterministic-runtime/program/tensor.ts';

const view = (word: Uint8Array): DataView => new DataView(word.buffer, word.byteOffset, word.byteLength);

/** Byte lane `lane` (0 to 31) of a word, sign-extended. */
export const byteLane = (word: Uint8Array, lane: number): bigint => BigInt(view(word).getInt8(lane));

/** 32-bit lane `lane` (0 to 7) of a word, little-endian, sign-extended. */
export const int32Lane = (word: Uint8Array, lane: number): bigint => BigInt(view(word).getInt32(4 * lane, true));

/** The word with byte lane `lane` replaced by the low eight bits of `value`. */
export function withByteLane(word: Uint8Array, lane: number, value: bigint): Uint8Array {
  const result = word.slice();
  view(result).setUint8(lane, Number(BigInt.asUintN(8, value)));
  return result;
}

/** The word with 32-bit lane `lane` replaced by the low 32 bits of `value`. */
export function withInt32Lane(word: Uint8Array, lane: number, value: bigint): Uint8Array {
  const result = word.slice();
  view(result).setUint32(4 * lane, Number(BigInt.asUintN(32, value)), true);
  return result;
}

/** The word with all lanes from `count` on set to zero; `lanes` (32 or 8) is how many the word has. */
export function withFirstLanes(word: Uint8Array, count: number, lanes: number): Uint8Array {
  const result = word.slice();
  result.fill(0, (count * WORD_BYTES) / lanes);
  return result;
}

/** Signed dot product of 32 byte lanes; at most 2^19 in magnitude. */
export function dotProduct(left: Uint8Array, right: Uint8Array): bigint {
  let sum = 0;
  const [a, b] = [view(left), view(right)];
  for (let lane = 0; lane < WORD_BYTES; lane += 1) sum += a.getInt8(lane) * b.getInt8(lane);
  return BigInt(sum);
}
