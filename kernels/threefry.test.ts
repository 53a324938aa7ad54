import { describe, expect, test } from 'vitest';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { I64 } from '../deterministic-runtime/language/scalar.ts';
import { joined } from './wide-integers.ts';
import { runKernel } from './testing/run-kernel.ts';
import { randomBits, threefry4x64 } from './threefry.ts';

const ONES = 0xffff_ffff_ffff_ffffn;

/** Counter, key and block of Random123's file `kat_vectors` (threefry4x64, 20 rounds). */
const KNOWN = [
  { counter: [0n, 0n, 0n, 0n], key: [0n, 0n, 0n, 0n], block: [0x09218ebde6c85537n, 0x55941f5266d86105n, 0x4bd25e16282434dcn, 0xee29ec846bd2e40bn] },
  { counter: [ONES, ONES, ONES, ONES], key: [ONES, ONES, ONES, ONES], block: [0x29c24097942bba1bn, 0x0371bbfb0f6f4e11n, 0x3c231ffa33f83a1cn, 0xcd29113fde32d168n] },
  {
    counter: [0x243f6a8885a308d3n, 0x13198a2e03707344n, 0xa4093822299f31d0n, 0x082efa98ec4e6c89n],
    key: [0x452821e638d01377n, 0xbe5466cf34e90c6cn, 0xbe5466cf34e90c6cn, 0xc0ac29b7c97c50ddn],
    block: [0xa7e8fde591651bd9n, 0xbaafd0c30138319bn, 0x84a5c1a729e685b9n, 0x901d406ccebc1ba4n],
  },
];

const halves = (words: readonly bigint[]): number[] => words.flatMap((word) => [Number(BigInt.asIntN(32, word)), Number(BigInt.asIntN(32, word >> 32n))]);

describe('Threefry', () => {
  const block = kernel('block', {
    operands: { counter: i32, key: i32 },
    output: i32,
    element: ({ column, operands: { counter, key } }) => {
      const words = (x: typeof key): [I64, I64, I64, I64] => [0, 2, 4, 6].map((k) => joined(x.at(0, k), x.at(0, k + 1))) as [I64, I64, I64, I64];
      const mixed = threefry4x64(words(counter), words(key)).map((word, index) => column.shr(1).eq(index).wide().mul(word)).reduce((sum, word) => sum.add(word));
      return column.and(1).select(mixed.shru(32), mixed).narrow();
    },
  });

  test.each(KNOWN)('known answer $block.0', ({ counter, key, block: expected }) => {
    const given = [counter, key].map((words) => ({ rows: 1, columns: 8, data: halves(words) }));
    expect(runKernel(block, [1, 8], given)).toEqual(halves(expected));
  });

  test('random bits are those of the zero key in iteration 0, and others for every byte of the seed', () => {
    const bits = (seed: readonly number[]): string => runKernel(randomBits, [1, 2], [{ rows: 1, columns: 32, data: seed }]).join();
    const zero = Array.from({ length: 32 }, () => 0);
    expect(bits(zero)).toBe(halves([0x09218ebde6c85537n]).join());
    const seen = new Set(zero.map((_, index) => bits(zero.with(index, -1))));
    expect(seen.size).toBe(32);
  });
});
