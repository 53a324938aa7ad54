import { halfToNumber } from './element-format.ts';
import type { ElementFormat } from './element-format.ts';

/**
 * Block formats of ggml with one scale for 32 elements. Layouts and formulas as ggml defines them (llama.cpp, ggml/src/ggml-common.h and
 * ggml-quants.c, `dequantize_row_*`). Scales have 11 significant bits and integers few, so one rounding to binary32 at the end gives ggml's own bits.
 */
const ELEMENTS = 32;

/** A little-endian binary16. */
export const halfAt = (bytes: Uint8Array, offset: number): number => halfToNumber(bytes[offset]! | (bytes[offset + 1]! << 8));

/** A format whose blocks are decoded one by one. */
export function blockFormat(name: string, elements: number, bytes: number, decodeBlock: (block: Uint8Array, values: Float32Array) => void): ElementFormat {
  return {
    name, elements, bytes,
    decode: (data, values) => {
      for (let block = 0; block * elements < values.length; block += 1) {
        decodeBlock(data.subarray(block * bytes, (block + 1) * bytes), values.subarray(block * elements, (block + 1) * elements));
      }
    },
  };
}

/** Element `index` of 32 nibbles: the low ones of 16 bytes, then the high ones. */
const nibble = (block: Uint8Array, offset: number, index: number): number => (index < 16 ? block[offset + index]! & 15 : block[offset + index - 16]! >> 4);
/** Bit `index` of 32. */
const bit = (block: Uint8Array, offset: number, index: number): number => (block[offset + (index >> 3)]! >> (index & 7)) & 1;

/** `d·(q − 8)`: d, 16 bytes of nibbles. */
export const Q4_0 = blockFormat('Q4_0', ELEMENTS, 18, (block, values) => {
  const scale = halfAt(block, 0);
  for (let index = 0; index < ELEMENTS; index += 1) values[index] = scale * (nibble(block, 2, index) - 8);
});

/** `d·q + m`: d, m, 16 bytes of nibbles. */
export const Q4_1 = blockFormat('Q4_1', ELEMENTS, 20, (block, values) => {
  const [scale, least] = [halfAt(block, 0), halfAt(block, 2)];
  for (let index = 0; index < ELEMENTS; index += 1) values[index] = scale * nibble(block, 4, index) + least;
});

/** `d·(q − 16)`: d, 32 fifth bits, 16 bytes of nibbles. */
export const Q5_0 = blockFormat('Q5_0', ELEMENTS, 22, (block, values) => {
  const scale = halfAt(block, 0);
  for (let index = 0; index < ELEMENTS; index += 1) values[index] = scale * (nibble(block, 6, index) + 16 * bit(block, 2, index) - 16);
});

/** `d·q + m`: d, m, 32 fifth bits, 16 bytes of nibbles. */
export const Q5_1 = blockFormat('Q5_1', ELEMENTS, 24, (block, values) => {
  const [scale, least] = [halfAt(block, 0), halfAt(block, 2)];
  for (let index = 0; index < ELEMENTS; index += 1) values[index] = scale * (nibble(block, 8, index) + 16 * bit(block, 4, index)) + least;
});

/** `d·q`: d, 32 signed bytes. */
export const Q8_0 = blockFormat('Q8_0', ELEMENTS, 34, (block, values) => {
  const scale = halfAt(block, 0);
  for (let index = 0; index < ELEMENTS; index += 1) values[index] = scale * ((block[2 + index]! << 24) >> 24);
});
