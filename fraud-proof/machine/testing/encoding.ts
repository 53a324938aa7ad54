import { bigintWord } from '../../../deterministic-runtime/program/layout.ts';
import { encodeCode } from '../../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../../deterministic-runtime/word-code/instruction.ts';

/** A header as the machine sees it, including what no program has. */
export interface RawHeader {
  readonly prologue: number;
  readonly body: number;
  readonly epilogue: number;
  readonly maxIterations: number;
  readonly operatorsRoot: Uint8Array;
  /** Content of h0 and h3 to h7, and of h1's unused bits: the machine does not look at it. */
  readonly filler?: bigint;
}

export function encodeRawHeader(header: RawHeader): Uint8Array {
  const filler = header.filler ?? 0n;
  const counts = BigInt(header.prologue) | (BigInt(header.body) << 32n) | (BigInt(header.epilogue) << 64n) | (BigInt(header.maxIterations) << 96n);
  const words = [bigintWord(filler), bigintWord(counts | (BigInt.asUintN(128, filler) << 128n)), header.operatorsRoot, ...Array.from({ length: 5 }, () => bigintWord(filler))];
  return joinWords(words);
}

/** A descriptor as the machine sees it, with any value in any field. */
export interface RawDescriptor {
  readonly codeRoot: Uint8Array;
  readonly codeLength: number;
  readonly rows: number;
  readonly columns: number;
  readonly elementBytes: number;
  readonly operandCount: number;
  /** Eight entries: kind, index, and what the commitment's word holds. */
  readonly operands: readonly { readonly kind: number; readonly index: number; readonly commitment: Uint8Array }[];
  /** Content of d1's unused bits. */
  readonly filler?: bigint;
}

export function encodeRawDescriptor(descriptor: RawDescriptor): Uint8Array {
  const { codeRoot, codeLength, rows, columns, elementBytes, operandCount, operands, filler = 0n } = descriptor;
  const shape = BigInt(columns) | (BigInt(rows) << 32n) | (BigInt(elementBytes) << 64n) | (BigInt(operandCount) << 72n) | (BigInt(codeLength) << 80n);
  const packed = operands.reduce((sum, { kind, index }, number) => sum | (BigInt(kind * 2 ** 24 + index) << BigInt(32 * number)), 0n);
  const commitments = operands.slice(0, Math.min(operandCount, 8)).map(({ commitment }) => commitment);
  return joinWords([codeRoot, bigintWord(shape | (BigInt.asUintN(160, filler) << 96n)), bigintWord(packed), ...commitments]);
}

/** A code word that holds `instruction` in place `index mod 4`, and what `others` holds elsewhere. */
export function codeWordWith(instruction: Instruction, index: number, others: Uint8Array): Uint8Array {
  const word = others.slice();
  word.set(encodeCode([instruction]).subarray(0, 8), (index % 4) * 8);
  return word;
}

/** Words, concatenated. */
export function joinWords(words: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 32);
  words.forEach((word, index) => bytes.set(word, index * 32));
  return bytes;
}
