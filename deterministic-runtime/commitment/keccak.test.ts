import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { concat, keccak256 as viemKeccak, toBytes, toHex } from 'viem';
import { describe, expect, test } from 'vitest';
import { KeccakStream, hashPair, hashPairs, hashTriples, keccak256, keccakOf, keccakText } from './keccak.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('keccak', () => {
  test('known digests', () => {
    expect(toHex(keccak256(new Uint8Array(0)))).toBe('0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
    expect(toHex(keccakText('abc'))).toBe('0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45');
    expect(toHex(hashPair(new Uint8Array(32), new Uint8Array(32).fill(0, 0, 31).fill(1, 31)))).toBe(viemKeccak(toHex(1n, { size: 64 })));
  });

  test('agrees with viem on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (left, right) => {
      expect(toHex(keccakOf(left, right))).toBe(viemKeccak(concat([left, right])));
      expect(toHex(keccak256(left))).toBe(viemKeccak(left));
    }), { seed: 1 });
  });

  test('long messages agree with noble, whatever their length', () => {
    const message = new Uint8Array(3 * 1024 * 136 + 200).map((_, index) => (index * 7919) >> 5);
    const before = message.slice();
    for (const length of [8191, 8192, 8193, 61 * 136 - 1, 61 * 136, 61 * 136 + 1, 1024 * 136 - 1, 1024 * 136, 1024 * 136 + 1, 2048 * 136 + 135, message.length]) {
      expect(toHex(keccak256(message.subarray(3, 3 + length))), String(length)).toBe(toHex(keccak_256(message.subarray(3, 3 + length))));
    }
    expect(message).toEqual(before);
  });

  test('messages of three words agree with noble, one or many', () => {
    for (const count of [0, 1, 2, 7, 1024, 1025, 2049]) {
      const messages = new Uint8Array(count * 96).map((_, index) => (index * 7919 + 1) >> 3);
      const digests = hashTriples(messages);
      expect(digests.length).toBe(count * 32);
      for (let index = 0; index < count; index += 1) {
        expect(toHex(digests.subarray(index * 32, index * 32 + 32)), `${index} of ${count}`).toBe(toHex(keccak_256(messages.subarray(index * 96, index * 96 + 96))));
      }
    }
    expect(() => hashTriples(new Uint8Array(64))).toThrow('messages of 96 bytes');
  });

  test('a level of pairs agrees with one hash at a time, zero pairs giving zero', () => {
    const pair = fc.oneof(bytes(64), fc.constant(new Uint8Array(64)), fc.nat(63).map((at) => new Uint8Array(64).fill(1, at, at + 1)));
    fc.assert(fc.property(fc.array(pair, { maxLength: 70 }), (pairs) => {
      const level = new Uint8Array(pairs.length * 64);
      pairs.forEach((value, index) => level.set(value, index * 64));
      const expected = pairs.map((value) => (value.every((byte) => byte === 0) ? new Uint8Array(32) : keccak_256(value)));
      const parents = hashPairs(level);
      expect(parents.length).toBe(pairs.length * 32);
      expected.forEach((node, index) => expect(parents.subarray(index * 32, index * 32 + 32)).toEqual(node));
    }), { seed: 2 });
  });

  test('a level larger than one pass agrees too, and the input is left alone', () => {
    const level = new Uint8Array(64 * 5003).map((_, index) => (index * 7919) >> 3);
    const before = level.slice();
    const parents = hashPairs(level);
    expect(Buffer.from(level).equals(before)).toBe(true);
    for (const pair of [0, 1, 2047, 2048, 4095, 4096, 5001, 5002]) {
      expect(parents.subarray(pair * 32, pair * 32 + 32)).toEqual(keccak_256(level.subarray(pair * 64, pair * 64 + 64)));
    }
  });

  test('bytes that come in pieces agree with noble, and a digest may be asked for in between', () => {
    const sizes = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(0, 135, 136, 137, 272, 136 * 1024, 136 * 1024 + 1)), { maxLength: 6 });
    fc.assert(fc.property(sizes, fc.nat(250), (pieces, salt) => {
      const all = new Uint8Array(pieces.reduce((sum, size) => sum + size, 0)).map((_, index) => (index * 7919 + salt) >> 3);
      const [stream, other] = [new KeccakStream(), new KeccakStream()];
      let offset = 0;
      for (const size of pieces) {
        stream.update(all.subarray(offset, offset + size));
        other.update(all.subarray(0, 100));
        offset += size;
        expect(stream.digest()).toEqual(keccak_256(all.subarray(0, offset)));
      }
      expect(stream.digest()).toEqual(keccak_256(all));
    }), { seed: 4, numRuns: 10 });
  });

  test('refuses half a pair', () => {
    expect(() => hashPairs(new Uint8Array(32))).toThrow('64-byte pairs');
    expect(() => hashPairs(toBytes('0x00'))).toThrow(RangeError);
  });
});
