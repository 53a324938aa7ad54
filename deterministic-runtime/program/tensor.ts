import type { ElementType } from '../language/expression.ts';

/** Bytes in a word: what a Merkle leaf is, and what the word machine loads. */
export const WORD_BYTES = 32;

/** A dense, row-major tensor; leading dimensions are folded into `rows`. Rows are padded with zeros to whole words. */
export interface TensorShape {
  readonly element: ElementType;
  readonly rows: number;
  readonly columns: number;
}

/** Elements in a word: 32 for i8, 8 for i32. */
export const lanesPerWord = (element: ElementType): number => (element === 'i8' ? 32 : 8);
/** Bytes of one element. */
export const elementBytes = (element: ElementType): number => (element === 'i8' ? 1 : 4);
/** Words in one row. */
export const wordsPerRow = (shape: TensorShape): number => Math.ceil(shape.columns / lanesPerWord(shape.element));
/** Words in the tensor. */
export const wordCount = (shape: TensorShape): number => shape.rows * wordsPerRow(shape);
/** Bytes of the padded tensor. */
export const byteLength = (shape: TensorShape): number => wordCount(shape) * WORD_BYTES;

/** True when both have the same elements, rows and columns. */
export const sameShape = (left: TensorShape, right: TensorShape): boolean => left.element === right.element && left.rows === right.rows && left.columns === right.columns;

/**
 * Pads dense row-major elements (little-endian) to whole words a row.
 * @throws RangeError when `elements` does not have exactly `rows · columns` elements.
 */
export function packTensor(shape: TensorShape, elements: Uint8Array): Uint8Array {
  const rowBytes = shape.columns * elementBytes(shape.element);
  if (elements.length !== rowBytes * shape.rows) {
    throw new RangeError(`expected ${rowBytes * shape.rows} bytes (${shape.rows} × ${shape.columns} ${shape.element}), got ${elements.length}`);
  }
  const paddedRow = wordsPerRow(shape) * WORD_BYTES;
  const words = new Uint8Array(paddedRow * shape.rows);
  for (let row = 0; row < shape.rows; row += 1) words.set(elements.subarray(row * rowBytes, (row + 1) * rowBytes), row * paddedRow);
  return words;
}

/** The elements without their padding: the inverse of `packTensor`. */
export function unpackTensor(shape: TensorShape, words: Uint8Array): Uint8Array {
  if (words.length !== byteLength(shape)) throw new RangeError(`expected ${byteLength(shape)} bytes of padded words, got ${words.length}`);
  const rowBytes = shape.columns * elementBytes(shape.element);
  const paddedRow = wordsPerRow(shape) * WORD_BYTES;
  const elements = new Uint8Array(rowBytes * shape.rows);
  for (let row = 0; row < shape.rows; row += 1) elements.set(words.subarray(row * paddedRow, row * paddedRow + rowBytes), row * rowBytes);
  return elements;
}

/** True when every padding lane is zero: the rule that inputs, constants and stored words keep. */
export function paddingIsZero(shape: TensorShape, words: Uint8Array): boolean {
  const rowBytes = shape.columns * elementBytes(shape.element);
  const paddedRow = wordsPerRow(shape) * WORD_BYTES;
  for (let row = 0; row < shape.rows; row += 1) {
    for (let byte = rowBytes; byte < paddedRow; byte += 1) if (words[row * paddedRow + byte] !== 0) return false;
  }
  return true;
}
