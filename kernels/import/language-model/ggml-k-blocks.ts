import { blockFormat, halfAt } from './ggml-blocks.ts';

/**
 * The k-quants of ggml: super-blocks of 256 elements, whose parts have scales that are quantised themselves. Layouts and formulas as ggml defines
 * them (llama.cpp, ggml/src/ggml-common.h and ggml-quants.c, `dequantize_row_q*_K`).
 */
const ELEMENTS = 256;

/** Two bits of element `index`: every 32 bytes hold 128 elements, in four layers of two bits. */
const twoBits = (block: Uint8Array, offset: number, index: number): number => (block[offset + 32 * (index >> 7) + (index & 31)]! >> (2 * ((index >> 5) & 3))) & 3;
/** Four bits of element `index`: every 32 bytes hold 64 elements, in two layers of four bits. */
const fourBits = (block: Uint8Array, offset: number, index: number): number => (block[offset + 32 * (index >> 6) + (index & 31)]! >> (4 * ((index >> 5) & 1))) & 15;

/** `d·scale·q − dmin·min`, parts of 16: 16 bytes (scale low nibble, min high), two-bit quants, d, dmin. */
export const Q2_K = blockFormat('Q2_K', ELEMENTS, 84, (block, values) => {
  const [scale, least] = [halfAt(block, 80), halfAt(block, 82)];
  for (let index = 0; index < ELEMENTS; index += 1) {
    const part = block[index >> 4]!;
    values[index] = scale * (part & 15) * twoBits(block, 16, index) - least * (part >> 4);
  }
});

/** `d·(scale − 32)·(q − 4)`, parts of 16: third bits, two-bit quants, 12 bytes of sixteen 6-bit scales, d. */
export const Q3_K = blockFormat('Q3_K', ELEMENTS, 110, (block, values) => {
  const [thirdBits, quants, scales] = [0, 32, 96];
  const scale = halfAt(block, 108);
  for (let index = 0; index < ELEMENTS; index += 1) {
    const part = index >> 4;
    const low = part < 8 ? block[scales + part]! & 15 : block[scales + part - 8]! >> 4;
    const high = (block[scales + 8 + (part & 3)]! >> (2 * (part >> 2))) & 3;
    const third = (block[thirdBits + (index & 31)]! >> (index >> 5)) & 1;
    values[index] = scale * (low + 16 * high - 32) * (twoBits(block, quants, index) + 4 * third - 4);
  }
});

/** The 6-bit scale and minimum of part `part` (of 8) in 12 bytes. */
function scaleAndLeast(block: Uint8Array, offset: number, part: number): readonly [number, number] {
  if (part < 4) return [block[offset + part]! & 63, block[offset + part + 4]! & 63];
  const low = block[offset + part + 4]!;
  return [(low & 15) + 16 * (block[offset + part - 4]! >> 6), (low >> 4) + 16 * (block[offset + part]! >> 6)];
}

/** `d·scale·q − dmin·min`, parts of 32: d, dmin, 12 bytes of eight scales and minima, four-bit quants. */
export const Q4_K = blockFormat('Q4_K', ELEMENTS, 144, (block, values) => {
  const [scale, least] = [halfAt(block, 0), halfAt(block, 2)];
  for (let part = 0; part < 8; part += 1) {
    const [ownScale, ownLeast] = scaleAndLeast(block, 4, part);
    for (let index = 32 * part; index < 32 * part + 32; index += 1) values[index] = scale * ownScale * fourBits(block, 16, index) - least * ownLeast;
  }
});

/** As Q4_K with fifth bits: d, dmin, 12 bytes of scales and minima, fifth bits, four-bit quants. */
export const Q5_K = blockFormat('Q5_K', ELEMENTS, 176, (block, values) => {
  const [scale, least] = [halfAt(block, 0), halfAt(block, 2)];
  for (let part = 0; part < 8; part += 1) {
    const [ownScale, ownLeast] = scaleAndLeast(block, 4, part);
    for (let index = 32 * part; index < 32 * part + 32; index += 1) {
      const fifth = (block[16 + (index & 31)]! >> part) & 1;
      values[index] = scale * ownScale * (fourBits(block, 48, index) + 16 * fifth) - least * ownLeast;
    }
  }
});

/** `d·scale·(q − 32)`, parts of 16 with signed 8-bit scales: low four bits, high two bits, scales, d. Every 64 low bytes hold 128 elements. */
export const Q6_K = blockFormat('Q6_K', ELEMENTS, 210, (block, values) => {
  const [high, scales] = [128, 192];
  const scale = halfAt(block, 208);
  for (let index = 0; index < ELEMENTS; index += 1) {
    const low = (block[64 * (index >> 7) + (index & 63)]! >> (4 * ((index >> 6) & 1))) & 15;
    const own = (block[scales + (index >> 4)]! << 24) >> 24;
    values[index] = scale * own * (low + 16 * twoBits(block, high, index) - 32);
  }
});
