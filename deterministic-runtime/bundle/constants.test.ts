import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitTensor } from '../commitment/tree.ts';
import { checkedConstants } from '../program/checked-constants.ts';
import { byteLength, packTensor, paddingIsZero } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { fileStore } from './constant-store.ts';
import { checkConstantsOf, lazyConstants, memoryFile, paddingOfPieceIsZero } from './constants.ts';
import type { WeightFile } from './constants.ts';

const SHAPES: readonly TensorShape[] = [
  { element: 'i8', rows: 3, columns: 40 }, { element: 'i32', rows: 2, columns: 5 }, { element: 'i8', rows: 1, columns: 1 }, { element: 'i32', rows: 5, columns: 8 },
];
const WORDS = SHAPES.map((shape, index) => packTensor(shape, new Uint8Array(shape.rows * shape.columns * (shape.element === 'i8' ? 1 : 4)).map((_, byte) => byte * 7 + index + 1)));
const FILE = Uint8Array.from(WORDS.flatMap((words) => [...words]));

/** A file that gives out copies, and tells what was read. */
function watched(bytes: Uint8Array): { readonly file: WeightFile; readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  return { reads, file: { size: bytes.length, read: (from, to) => { reads.push([from, to]); return bytes.slice(from, to); } } };
}

describe('constants of a file', () => {
  test.each([1, 32, 50, 96, 2 ** 20])('are hashed, committed to and checked in pieces of %i bytes', async (pieceBytes) => {
    const { file, reads } = watched(FILE);
    const { constants, keccak256, dirty } = await checkConstantsOf(SHAPES, file, { pieceBytes });
    expect(keccak256).toEqual(keccak_256(FILE));
    expect(dirty).toBeUndefined();
    expect(checkedConstants(constants)?.map(({ commitment }) => commitment)).toEqual(WORDS.map(commitTensor));
    expect(Math.max(...reads.map(([from, to]) => to - from))).toBeLessThanOrEqual(pieceBytes);
    expect(reads.reduce((sum, [from, to]) => sum + to - from, 0)).toBe(FILE.length);
    expect([...constants]).toEqual(WORDS);
  });

  test('with padding that is not zero are said to be so, and are not remembered as checked', async () => {
    const { constants, dirty } = await checkConstantsOf(SHAPES, memoryFile(FILE.with(byteLength(SHAPES[0]!) + 31, 1)));
    expect(dirty).toBe(1);
    expect(checkedConstants(constants)).toBeUndefined();
  });

  test('that is too short or too long are refused before anything is read', async () => {
    for (const size of [0, FILE.length - 1, FILE.length + 1]) {
      await expect(checkConstantsOf(SHAPES, { size, read: () => { throw new Error('nothing is to be read'); } })).rejects.toThrow(RangeError);
    }
    const huge: TensorShape = { element: 'i32', rows: 2 ** 32 - 1, columns: 2 ** 32 - 1 };
    await expect(checkConstantsOf([huge, huge], memoryFile(FILE))).rejects.toThrow(RangeError);
  });

  test('are read when they are looked at, and again when others have taken their place', () => {
    const { file, reads } = watched(FILE);
    const sizes = SHAPES.map(byteLength);
    const constants = lazyConstants(SHAPES, file, sizes[1]! + sizes[2]!);
    expect([constants.length, reads.length]).toEqual([4, 0]);
    expect(constants[1]).toEqual(WORDS[1]);
    expect(constants[2]).toEqual(WORDS[2]);
    expect([constants[1], constants[2]].map((words) => words?.length)).toEqual([sizes[1], sizes[2]]);
    expect(reads).toHaveLength(2);
    expect(constants[0]).toEqual(WORDS[0]);
    expect(constants[0]).toBe(constants[0]);
    expect(reads).toHaveLength(3);
    expect(constants[1]).toEqual(WORDS[1]);
    expect(reads).toHaveLength(4);
    expect(constants[7]).toBeUndefined();
  });

  test('the padding of a piece is that of the tensor, wherever the piece begins and ends', () => {
    const shape = fc.record({ element: fc.constantFrom('i8' as const, 'i32' as const), rows: fc.integer({ min: 1, max: 4 }), columns: fc.integer({ min: 1, max: 70 }) });
    fc.assert(fc.property(shape, fc.nat(), fc.nat(), fc.nat(), (tensor, at, cut, otherCut) => {
      const length = byteLength(tensor);
      const words = new Uint8Array(length);
      words[at % length] = 1;
      const [first, second] = [cut % (length + 1), otherCut % (length + 1)].sort((left, right) => left - right) as [number, number];
      const pieces = [[0, first], [first, second], [second, length]] as const;
      expect(pieces.every(([from, to]) => paddingOfPieceIsZero(tensor, words.subarray(from, to), from))).toBe(paddingIsZero(tensor, words));
    }), { seed: 6, numRuns: 500 });
  });
});

describe('a store in a file', () => {
  const growing = (): { bytes: Uint8Array; readonly size: number; append(part: Uint8Array): void; read(from: number, to: number): Uint8Array } => ({
    bytes: new Uint8Array(0),
    get size() { return this.bytes.length; },
    append(part) { this.bytes = Uint8Array.from([...this.bytes, ...part]); },
    read(from, to) { return this.bytes.slice(from, to); },
  });

  test('gives back what was added, with its commitments', () => {
    const file = growing();
    const store = fileStore(file);
    SHAPES.forEach((shape, index) => store.add(shape, WORDS[index]!));
    expect(file.bytes).toEqual(FILE);
    expect([...store.list()]).toEqual(WORDS);
    expect(checkedConstants(store.list())?.map(({ commitment }) => commitment)).toEqual(WORDS.map(commitTensor));
    expect(store.list()).toBe(store.list());
  });

  test('refuses what is no tensor of the shape', () => {
    const store = fileStore(growing());
    expect(() => store.add(SHAPES[0]!, new Uint8Array(32))).toThrow('constant 0 has 32 bytes, not 192');
    expect(() => store.add(SHAPES[0]!, WORDS[0]!.with(63, 1))).toThrow('padding that is not zero');
  });
});
