import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BF16, F16, F32, halfToNumber } from './element-format.ts';
import { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from './ggml-blocks.ts';
import { Q2_K, Q3_K, Q4_K, Q5_K, Q6_K } from './ggml-k-blocks.ts';

/** Random blocks and what ggml's own `dequantize_row_*` (libggml-base of llama.cpp, called from outside) makes of them. */
const golden = JSON.parse(readFileSync(new URL('testing/ggml-blocks.json', import.meta.url), 'utf8')) as Record<string, { blocks: string; values: string }>;

describe('block formats', () => {
  test.each([Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K])('$name gives ggml\'s own bits', (format) => {
    const { blocks, values } = golden[format.name]!;
    const bytes = new Uint8Array(Buffer.from(blocks, 'base64'));
    const expected = new Float32Array(new Uint8Array(Buffer.from(values, 'base64')).buffer);
    expect(expected.length).toBe((bytes.length / format.bytes) * format.elements);
    const decoded = new Float32Array(expected.length);
    format.decode(bytes, decoded);
    expect(new Uint32Array(decoded.buffer)).toEqual(new Uint32Array(expected.buffer));
  });

  test('halves: known numbers, and the order of all', () => {
    const known: readonly (readonly [number, number])[] = [[0x3c00, 1], [0xc000, -2], [0x7bff, 65504], [0x0001, 2 ** -24], [0x0400, 2 ** -14], [0x3555, 0.333251953125], [0x8000, -0], [0x7c00, Infinity], [0xfc00, -Infinity]];
    for (const [half, number] of known) expect(halfToNumber(half)).toBe(number);
    expect(halfToNumber(0x7e00)).toBeNaN();
    // Halves in order of their bits are numbers in order.
    const disordered = Array.from({ length: 0x7bff }, (_, index) => index + 1).filter((half) => !(halfToNumber(half) > halfToNumber(half - 1)) || halfToNumber(half | 0x8000) !== -halfToNumber(half));
    expect(disordered).toEqual([]);
  });

  test('F32, F16 and BF16 are little-endian', () => {
    const decode = (format: typeof F32, bytes: number[], count: number): number[] => {
      const values = new Float32Array(count);
      format.decode(Uint8Array.from(bytes), values);
      return [...values];
    };
    expect(decode(F32, [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1], 2)).toEqual([1, -10]);
    expect(decode(F16, [0x00, 0x3c, 0x00, 0xc9], 2)).toEqual([1, -10]);
    expect(decode(BF16, [0x80, 0x3f, 0x20, 0xc1], 2)).toEqual([1, -10]);
  });
});
