import { LIMITS } from '../../deterministic-runtime/program/program.ts';

const WORD = 32;
const FIXED_WORDS = 3;

/** Operand kinds; any other number is like NONE. */
export const OperandKind = { NONE: 0, CONSTANT: 1, INPUT: 2, PROLOGUE: 3, BODY: 4, EPILOGUE: 5, SEED: 6 } as const;

export interface OperandDescriptor {
  readonly kind: number;
  /** Index of an operator in its section, for kinds 3 to 5. */
  readonly index: number;
  /** A constant's commitment. */
  readonly commitment: Uint8Array;
}

/** An operator's descriptor as the machine reads it. */
export interface OperatorDescriptor {
  readonly codeRoot: Uint8Array;
  /** Instructions. */
  readonly codeLength: number;
  readonly rows: number;
  readonly columns: number;
  /** Elements in a word of the output: 32 or 8. */
  readonly lanes: number;
  readonly operands: readonly OperandDescriptor[];
}

const operandCountOf = (words: Uint8Array): number => Math.min(words[2 * WORD - 10] ?? 0, LIMITS.operandsPerOperator);

/** Words of the descriptor whose first two words are given: `3 + operandCount`. */
export const descriptorLength = (firstWords: Uint8Array): number => FIXED_WORDS + operandCountOf(firstWords);

/** Reads a descriptor's words. @throws RangeError when their number does not follow from the second word. */
export function decodeDescriptor(words: Uint8Array): OperatorDescriptor {
  if (words.length < 2 * WORD || words.length !== descriptorLength(words) * WORD) {
    throw new RangeError(`a descriptor of ${operandCountOf(words)} operands has ${descriptorLength(words) * WORD} bytes, not ${words.length}`);
  }
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  return {
    codeRoot: words.slice(0, WORD),
    codeLength: view.getUint16(2 * WORD - 12),
    rows: view.getUint32(2 * WORD - 8),
    columns: view.getUint32(2 * WORD - 4),
    lanes: view.getUint8(2 * WORD - 9) === 4 ? 8 : 32,
    operands: Array.from({ length: operandCountOf(words) }, (_, operand) => {
      const packed = view.getUint32(3 * WORD - 4 - 4 * operand);
      const start = (FIXED_WORDS + operand) * WORD;
      return { kind: packed >>> 24, index: packed & 0xffffff, commitment: words.slice(start, start + WORD) };
    }),
  };
}

/** Words of a row of the output. */
export const wordsPerRow = (descriptor: OperatorDescriptor): number => Math.ceil(descriptor.columns / descriptor.lanes);

/** Words of the output. Exact up to 2^53, and never rounded to or below a limit that it passes. */
export const outputWords = (descriptor: OperatorDescriptor): number => descriptor.rows * wordsPerRow(descriptor);

/** Words of the code: leaves of the code tree. */
export const codeWords = (descriptor: OperatorDescriptor): number => Math.ceil(descriptor.codeLength / 4);

/** `ROW`, `COLUMN` and `LANES` of a word of the output. */
export interface WordCoordinates {
  readonly row: number;
  readonly column: number;
  readonly lanes: number;
}

/** The coordinates of word `word` of the output; all zero when a row has no words. */
export function wordCoordinates(descriptor: OperatorDescriptor, word: number): WordCoordinates {
  const perRow = wordsPerRow(descriptor);
  if (perRow === 0) return { row: 0, column: 0, lanes: 0 };
  const column = (word % perRow) * descriptor.lanes;
  return { row: Math.floor(word / perRow), column, lanes: Math.min(descriptor.lanes, descriptor.columns - column) };
}
