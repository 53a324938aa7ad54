import fc from 'fast-check';
import { concat, keccak256, stringToBytes, toHex } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { TensorStream } from './tensor-stream.ts';

const ZERO: Hex = `0x${'00'.repeat(32)}`;
const H = (left: Hex, right: Hex): Hex => (left === ZERO && right === ZERO ? ZERO : keccak256(concat([left, right])));

/** The definition: level by level, the leaves filled up to a power of two. */
function commitmentOf(words: Uint8Array): Hex {
  const count = words.length / 32;
  let level: Hex[] = Array.from({ length: 2 ** Math.ceil(Math.log2(Math.max(1, count))) }, (_, index) => (index < count ? toHex(words.subarray(index * 32, index * 32 + 32)) : ZERO));
  while (level.length > 1) level = Array.from({ length: level.length / 2 }, (_, index) => H(level[2 * index]!, level[2 * index + 1]!));
  return keccak256(concat([keccak256(stringToBytes('assay.tensor.v1')), level[0]!, toHex(BigInt(count), { size: 32 })]));
}

/** About half of the words are zero, in runs. */
const wordsOf = (count: number, salt: number): Uint8Array => new Uint8Array(count * 32).map((_, index) => ((index >> 7) % 2 === 0 ? (index * 31 + salt) % 251 : 0));

describe('tensor stream', () => {
  test('any number of words, in pieces of any size, over subtrees of any size', () => {
    const case_ = fc.record({ words: fc.integer({ min: 1, max: 70 }), leaves: fc.constantFrom(1, 2, 4, 8, 64, 2 ** 15), piece: fc.integer({ min: 1, max: 400 }), salt: fc.nat(200) });
    fc.assert(fc.property(case_, ({ words: count, leaves, piece, salt }) => {
      const words = wordsOf(count, salt);
      const stream = new TensorStream(count, leaves);
      for (let start = 0; start < words.length; start += piece) stream.update(words.subarray(start, start + piece));
      expect(toHex(stream.digest())).toBe(commitmentOf(words));
    }), { seed: 5, numRuns: 60 });
  });

  test('more than one subtree of the usual size, the last one not full', () => {
    const words = wordsOf(2 ** 15 + 1000, 3);
    expect(toHex(new TensorStream(2 ** 15 + 1000).update(words).digest())).toBe(commitmentOf(words));
  });

  test('refuses more words than were announced, and fewer', () => {
    expect(() => new TensorStream(2).update(new Uint8Array(65))).toThrow('a tensor of 2 words has no 65 bytes');
    expect(() => new TensorStream(2).update(new Uint8Array(32)).digest()).toThrow('not complete after 32 bytes');
  });
});
