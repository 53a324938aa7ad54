import { KeccakStream } from '../commitment/keccak.ts';
import { TensorStream } from '../commitment/tensor-stream.ts';
import { rememberChecked } from '../program/checked-constants.ts';
import type { CheckedConstant } from '../program/checked-constants.ts';
import { byteLength, elementBytes, WORD_BYTES, wordCount, wordsPerRow } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';

/**
 * The bytes of a file, read when they are asked for. Reading does not wait for anything else, since executors, trees and proofs take their tensors as they
 * are: a file of the operating system, a `FileSystemSyncAccessHandle` of a browser's worker, or memory.
 */
export interface WeightFile {
  readonly size: number;
  /** Bytes [from, to), which nobody else changes. @throws Error when they cannot be read, or the file has changed */
  read(from: number, to: number): Uint8Array;
}

/** Bytes read at a time while constants are checked. */
const PIECE_BYTES = 2 ** 20;
/** Bytes of constants that are kept besides the one that was asked for last. */
const CACHE_BYTES = 2 ** 28;
/** How long checking keeps the thread before it lets others have a turn. */
const MILLISECONDS_PER_TURN = 50;

/** Bytes in memory as a file. */
export const memoryFile = (bytes: Uint8Array): WeightFile => ({ size: bytes.length, read: (from, to) => bytes.subarray(from, to) });

/**
 * Constants that lie in a file one after another, as a list like any other whose elements are read when they are looked at. Those looked at last stay in
 * memory, up to `cacheBytes`; the words that are given out must not be changed.
 */
export function lazyConstants(shapes: readonly TensorShape[], file: WeightFile, cacheBytes = CACHE_BYTES): readonly Uint8Array[] {
  const cache = new Map<number, Uint8Array>();
  let cached = 0;
  const read = (index: number, from: number, bytes: number): Uint8Array => {
    const known = cache.get(index);
    // While there is room, nobody asks which was looked at last.
    if (known !== undefined && cached <= cacheBytes / 2) return known;
    const words = known ?? file.read(from, from + bytes);
    if (known === undefined) cached += bytes;
    // The order of a Map is that of insertion: what was looked at last goes to the end.
    cache.delete(index);
    cache.set(index, words);
    for (const [oldest, { length }] of cache) {
      if (cached <= cacheBytes || oldest === index) break;
      cache.delete(oldest);
      cached -= length;
    }
    return words;
  };
  const constants: Uint8Array[] = [];
  let offset = 0;
  shapes.forEach((shape, index) => {
    const [from, bytes] = [offset, byteLength(shape)];
    Object.defineProperty(constants, index, { enumerable: true, get: () => read(index, from, bytes) });
    offset += bytes;
  });
  return constants;
}

/** What a pass over a file of constants found. */
export interface ConstantsOfFile {
  readonly constants: readonly Uint8Array[];
  /** Of the whole file. */
  readonly keccak256: Uint8Array;
  /** First constant with padding that is not zero. */
  readonly dirty: number | undefined;
}

/**
 * Reads a file of constants once, a megabyte at a time: hashes it, commits to each constant and looks at its padding. Where that is clean, admission and
 * encoding of a model with these constants do not read them again.
 * @throws RangeError when the file is not as long as its constants
 */
export async function checkConstantsOf(shapes: readonly TensorShape[], file: WeightFile, { pieceBytes = PIECE_BYTES, cacheBytes = CACHE_BYTES } = {}): Promise<ConstantsOfFile> {
  const total = shapes.reduce((sum, shape) => sum + byteLength(shape), 0);
  if (total !== file.size) throw new RangeError(`the constants have ${total} bytes, their file ${file.size}`);
  const hash = new KeccakStream();
  const list: CheckedConstant[] = [];
  let dirty: number | undefined;
  let offset = 0;
  let turnEnds = performance.now() + MILLISECONDS_PER_TURN;
  for (const [index, shape] of shapes.entries()) {
    const stream = new TensorStream(wordCount(shape));
    const end = offset + byteLength(shape);
    const start = offset;
    while (offset < end) {
      const piece = file.read(offset, Math.min(end, offset + pieceBytes));
      hash.update(piece);
      stream.update(piece);
      if (dirty === undefined && !paddingOfPieceIsZero(shape, piece, offset - start)) dirty = index;
      offset += piece.length;
      if (performance.now() < turnEnds) continue;
      await new Promise((resolve) => { setTimeout(resolve); });
      turnEnds = performance.now() + MILLISECONDS_PER_TURN;
    }
    list.push({ shape, commitment: stream.digest() });
  }
  const constants = lazyConstants(shapes, file, cacheBytes);
  if (dirty === undefined) rememberChecked(constants, list);
  return { constants, keccak256: hash.digest(), dirty };
}

/** True when the padding in a piece of a tensor, which starts at byte `offset` of it, is zero. */
export function paddingOfPieceIsZero(shape: TensorShape, piece: Uint8Array, offset: number): boolean {
  const elements = shape.columns * elementBytes(shape.element);
  const stride = wordsPerRow(shape) * WORD_BYTES;
  if (elements === stride) return true;
  for (let row = Math.floor(offset / stride) * stride - offset; row < piece.length; row += stride) {
    for (let byte = Math.max(0, row + elements); byte < Math.min(piece.length, row + stride); byte += 1) if (piece[byte] !== 0) return false;
  }
  return true;
}
