import fc from 'fast-check';
import { concat, keccak256, numberToBytes, stringToBytes, toHex } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { MerkleTree, rootFromPath, treeDepth } from './merkle-tree.ts';
import { commitTensor, commitTensors, numberWord, tensorCommitment, treePath, treeRoot, wordTree } from './tree.ts';

const ZERO: Hex = `0x${'00'.repeat(32)}`;
const H = (left: Hex, right: Hex): Hex => (left === ZERO && right === ZERO ? ZERO : keccak256(concat([left, right])));

/** The definition, top down, over leaves that may be missing. */
function rootOf(leaf: (index: number) => Hex, depth: number, index = 0): Hex {
  return depth === 0 ? leaf(index) : H(rootOf(leaf, depth - 1, 2 * index), rootOf(leaf, depth - 1, 2 * index + 1));
}
const leafOf = (words: Uint8Array, length = words.length / 32) => (index: number): Hex =>
  index < length && index * 32 < words.length ? toHex(words.subarray(index * 32, index * 32 + 32)) : ZERO;

/** Words of which about a third are zero. */
function someWords(count: number, salt: number): Uint8Array {
  const words = new Uint8Array(count * 32);
  for (let word = 0; word < count; word += 1) {
    if ((word * 7 + salt) % 3 !== 0) words.fill((word * 31 + salt * 17) % 255 + 1, word * 32 + (word % 32), word * 32 + 32);
  }
  return words;
}

describe('tree', () => {
  test('depth is the least power of two that holds the leaves', () => {
    expect([0, 1, 2, 3, 4, 5, 8, 9, 2 ** 28, 2 ** 32].map(treeDepth)).toEqual([0, 0, 1, 2, 2, 3, 3, 4, 28, 32]);
  });

  test('three words, by hand', () => {
    const words = concat([numberToBytes(1, { size: 32 }), numberToBytes(2, { size: 32 }), numberToBytes(3, { size: 32 })]);
    const [one, two, three] = [toHex(1n, { size: 32 }), toHex(2n, { size: 32 }), toHex(3n, { size: 32 })] as const;
    const root = keccak256(concat([keccak256(concat([one, two])), keccak256(concat([three, ZERO]))]));
    expect(toHex(treeRoot(words))).toBe(root);
    expect(treePath(words, 2).map((node) => toHex(node))).toEqual([ZERO, keccak256(concat([one, two]))]);
    const tag = keccak256(stringToBytes('assay.tensor.v1'));
    expect(toHex(commitTensor(words))).toBe(keccak256(concat([tag, root, toHex(3n, { size: 32 })])));
  });

  test('every size from 0 to 70: root, every path, every prefix with its paths', () => {
    for (let count = 0; count <= 70; count += 1) {
      const words = someWords(count, count);
      const tree = wordTree(words);
      const depth = treeDepth(count);
      expect(toHex(tree.root)).toBe(rootOf(leafOf(words), depth));
      for (let index = 0; index < 2 ** depth; index += 1) {
        expect(toHex(rootFromPath(wordOrZero(words, index), index, tree.path(index)))).toBe(toHex(tree.root));
      }
      const last = new Uint8Array(32).fill(9);
      for (const written of new Set([0, 1, count >> 1, Math.max(count - 1, 0), count])) {
        const prefix = tree.prefix(written);
        expect(toHex(prefix.root)).toBe(rootOf(leafOf(words, written), depth));
        if (written === 2 ** depth) continue;
        const replaced = tree.prefix(written, last);
        const leaf = (index: number): Hex => (index === written ? toHex(last) : leafOf(words, written)(index));
        expect(toHex(replaced.root)).toBe(rootOf(leaf, depth));
        for (let index = 0; index < 2 ** depth; index += 3) {
          const node = index === written ? last : index < written ? wordOrZero(words, index) : new Uint8Array(32);
          expect(toHex(rootFromPath(node, index, replaced.path(index)))).toBe(toHex(replaced.root));
        }
      }
    }
  });

  test('many tensors at once have the commitments that they have one by one', () => {
    for (const [words, count] of [[1, 1], [1, 5], [2, 3], [3, 4], [5, 7], [8, 2], [33, 40]] as const) {
      const tensors = Array.from({ length: count }, (_, salt) => (salt === 1 ? new Uint8Array(words * 32) : someWords(words, salt)));
      const commitments = commitTensors(tensors);
      const tag = keccak256(stringToBytes('assay.tensor.v1'));
      const expected = tensors.map((tensor) => keccak256(concat([tag, rootOf(leafOf(tensor), treeDepth(words)), toHex(BigInt(words), { size: 32 })])));
      expect(toHex(commitments)).toBe(concat(expected));
    }
    expect(commitTensors([])).toEqual(new Uint8Array(0));
    expect(() => commitTensors([new Uint8Array(32), new Uint8Array(64)])).toThrow('tensor 1 has 64 bytes, the first has 32');
    expect(() => commitTensors([new Uint8Array(33)])).toThrow('whole 32-byte words');
    expect(() => commitTensors([new Uint8Array(0)])).toThrow('whole 32-byte words');
  });

  test('runs with gaps agree with the same leaves written out', () => {
    const run = fc.tuple(fc.nat(9), fc.integer({ min: 0, max: 9 }));
    fc.assert(fc.property(fc.array(run, { maxLength: 5 }), fc.nat(9), fc.nat(60), (gaps, tail, cut) => {
      let start = 0;
      const runs = gaps.map(([gap, length], salt) => {
        start += gap;
        const nodes = someWords(length, salt);
        const placed = { start, nodes };
        start += length;
        return placed;
      });
      const leafCount = start + tail;
      const dense = new Uint8Array(leafCount * 32);
      for (const { start: at, nodes } of runs) dense.set(nodes, at * 32);
      const tree = new MerkleTree(leafCount, runs);
      const depth = treeDepth(leafCount);
      expect(toHex(tree.root)).toBe(rootOf(leafOf(dense), depth));
      const length = Math.min(cut, 2 ** depth);
      expect(toHex(tree.prefix(length).root)).toBe(rootOf(leafOf(dense, length), depth));
    }), { seed: 3 });
  });

  test('2^32 leaves with two short runs cost next to nothing', () => {
    const runs = [{ start: 5, nodes: someWords(3, 1) }, { start: 2 ** 32 - 2, nodes: someWords(2, 2) }];
    const tree = new MerkleTree(2 ** 32, runs);
    for (const { start, nodes } of runs) {
      for (let index = 0; index < nodes.length / 32; index += 1) {
        expect(rootFromPath(wordOrZero(nodes, index), start + index, tree.path(start + index))).toEqual(tree.root);
      }
    }
    const cut = tree.prefix(2 ** 32 - 1);
    expect(rootFromPath(new Uint8Array(32), 2 ** 32 - 1, cut.path(2 ** 32 - 1))).toEqual(cut.root);
    expect(rootFromPath(wordOrZero(runs[1]!.nodes, 0), 2 ** 32 - 2, cut.path(2 ** 32 - 2))).toEqual(cut.root);
  });

  test('the word count is part of the commitment', () => {
    expect(tensorCommitment(new Uint8Array(32), 1)).not.toEqual(tensorCommitment(new Uint8Array(32), 2));
    expect(toHex(numberWord(258))).toBe(toHex(258n, { size: 32 }));
  });

  test('roots do not change with the words that they were made of', () => {
    const words = new Uint8Array(32).fill(1);
    const [root, tree] = [treeRoot(words), wordTree(words.slice())];
    words.fill(2);
    expect(root).toEqual(tree.root);
  });

  test('refuses what is not a tree', () => {
    expect(() => treeRoot(new Uint8Array(33))).toThrow('whole 32-byte words');
    expect(() => treePath(new Uint8Array(96), 4)).toThrow('no leaf 4');
    expect(() => treePath(new Uint8Array(96), -1)).toThrow('no leaf -1');
    expect(() => new MerkleTree(4, [{ start: 3, nodes: new Uint8Array(64) }])).toThrow('outside a tree of 4');
    expect(() => new MerkleTree(4, [{ start: 1, nodes: new Uint8Array(64) }, { start: 2, nodes: new Uint8Array(32) }])).toThrow('overlap');
    expect(() => numberWord(-1)).toThrow(RangeError);
  });
});

const wordOrZero = (words: Uint8Array, index: number): Uint8Array =>
  index * 32 < words.length ? words.subarray(index * 32, index * 32 + 32) : new Uint8Array(32);
