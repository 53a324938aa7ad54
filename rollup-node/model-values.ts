import type { Program } from '../deterministic-runtime/program/program.ts';
import { placeOf, slotCount } from '../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import type { InputMetadata, OutputMetadata } from '../kernels/import/network/metadata.ts';
import { encodeText, normalizeText } from '../kernels/models/lande/text.ts';
import { UserError } from './errors.ts';
import { inputWords } from './inference/models.ts';

/**
 * What goes into a request for a value as the original model has it, as its metadata says; this is outside the proven program: the
 * input's elements, without padding. Text models: UTF-8 text, normalised as the model's package does; float models: float32, little-endian; others:
 * the elements as they are.
 *
 * @throws UserError when the value does not fit the model.
 */
export function encodeModelInput(program: Program, bytes: Uint8Array): Uint8Array {
  const metadata = inputMetadata(program);
  if (metadata?.kind === 'text') return encodeTextInput(program, bytes, metadata.normalization);
  if (metadata?.kind === 'tensor') return quantizeInput(program, bytes, metadata);
  const expected = program.input.rows * program.input.columns * (program.input.element === 'i8' ? 1 : 4);
  if (bytes.length !== expected) throw wrongSize(program, bytes.length, expected, `${program.input.rows} × ${program.input.columns} ${program.input.element}`);
  return bytes;
}

/** The same as the input tensor's padded words. */
export const modelInputWords = (program: Program, bytes: Uint8Array): Uint8Array => inputWords(program.input, encodeModelInput(program, bytes));

/** A result's padded words as a value for people: text, a class number, or real numbers. */
export function decodeModelOutput(program: Program, words: Uint8Array): string | number | readonly number[] {
  const shape = placeOf(program, slotCount(program) - 1).operator.output;
  const elements = unpackTensor(shape, words);
  const metadata = program.metadata.output as OutputMetadata | undefined;
  if (metadata?.kind === 'text') return new TextDecoder().decode(elements).replace(/\0+$/, '');
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const integers = Array.from({ length: shape.rows * shape.columns }, (_, index) => (shape.element === 'i8' ? view.getInt8(index) : view.getInt32(index * 4, true)));
  if (metadata?.kind === 'class') return integers[0] as number;
  if (metadata?.kind === 'tensor') return integers.map((integer) => Math.fround((integer - metadata.zeroPoint) * metadata.scale));
  return integers;
}

function inputMetadata({ metadata }: Program): InputMetadata | undefined {
  return metadata.input as InputMetadata | undefined;
}

function encodeTextInput(program: Program, bytes: Uint8Array, normalization: string): Uint8Array {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(`the input of ${program.name} is text, and this is not UTF-8`, { cause });
  }
  try {
    const words = encodeText(normalization === 'lande' ? normalizeText(text) : text);
    return unpackTensor(program.input, words);
  } catch (cause) {
    throw new UserError((cause as Error).message, { cause });
  }
}

function quantizeInput(program: Program, bytes: Uint8Array, { dims, element, scale, zeroPoint }: Extract<InputMetadata, { kind: 'tensor' }>): Uint8Array {
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (bytes.length !== count * 4) throw wrongSize(program, bytes.length, count * 4, `float32 [${dims.join(', ')}]`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [low, high] = element === 'uint8' ? [0, 255] : [-128, 127];
  return Uint8Array.from({ length: count }, (_, index) => {
    const value = view.getFloat32(index * 4, true);
    if (!Number.isFinite(value)) throw new UserError(`element ${index} of the input is ${value}: only finite numbers can be quantised`);
    return Math.min(high, Math.max(low, Math.round(value / scale) + zeroPoint)) & 0xff;
  });
}

const wrongSize = (program: Program, given: number, expected: number, what: string): UserError =>
  new UserError(`the input has ${given} bytes and ${program.name} takes ${expected} (${what})`, { hint: 'give the raw elements, row by row, little-endian' });
