import type { Model, Program } from '../../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { encodeText, normalizeText } from '../models/lande/text.ts';
import { softmax } from './network/evaluate.ts';
import { elementCount } from './network/float-tensor.ts';
import type { InputMetadata, OutputMetadata, TensorInput } from './network/metadata.ts';

/** What the program's metadata says of its input and output. @throws TypeError when it says nothing that is known here. */
export function modelInterface({ metadata, name }: Program): { readonly input: InputMetadata; readonly output: OutputMetadata } {
  const { input, output } = metadata as { readonly input?: Partial<InputMetadata>; readonly output?: Partial<OutputMetadata> };
  if (input?.kind !== 'text' && input?.kind !== 'tensor') throw new TypeError(`the metadata of ${name} does not say what its input is`);
  if (output?.kind !== 'text' && output?.kind !== 'tensor' && output?.kind !== 'class') throw new TypeError(`the metadata of ${name} does not say what its output is`);
  return { input: input as InputMetadata, output: output as OutputMetadata };
}

/**
 * The program's input words for the original model's input as raw bytes: UTF-8 for a text model (normalised as the model wants it), little-endian
 * row-major float32 for one that takes numbers.
 *
 * @throws RangeError when the size does not fit or a number is not finite; TypeError when text is not UTF-8.
 */
export function encodeInput(model: Model, bytes: Uint8Array): Uint8Array {
  const { input } = modelInterface(model.program);
  if (input.kind === 'text') return encodeModelText(model, decodeUtf8(bytes));
  const wanted = elementCount(input.dims) * 4;
  if (bytes.length !== wanted) throw new RangeError(`the input has ${bytes.length} bytes; this model takes ${wanted}: ${input.dims.join(' × ')} float32, little-endian`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return quantizeInput(model, Float32Array.from({ length: wanted / 4 }, (_, index) => view.getFloat32(index * 4, true)));
}

/** The input words of a text model for a text, normalised as the model wants it. @throws RangeError when it is too long or has a NUL character. */
export function encodeModelText(model: Model, text: string): Uint8Array {
  const { input } = modelInterface(model.program);
  if (input.kind !== 'text') throw new TypeError(`${model.program.name} takes numbers, not text`);
  return encodeText(input.normalization === 'lande' ? normalizeText(text) : text);
}

/**
 * The program's input words for the original model's numbers: `round(x / scale) + zeroPoint`, cut to eight bits.
 *
 * @throws RangeError when there are not as many as the model takes, or one is not finite; TypeError for a model that takes text.
 */
export function quantizeInput(model: Model, values: Float32Array): Uint8Array {
  const { input } = modelInterface(model.program);
  if (input.kind !== 'tensor') throw new TypeError(`${model.program.name} takes text, not numbers`);
  if (values.length !== elementCount(input.dims)) throw new RangeError(`the input has ${values.length} numbers; this model takes ${input.dims.join(' × ')}`);
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw new RangeError(`number ${index} of the input is ${values[index]}: this model takes finite float32 numbers`);
  return packTensor(model.program.input, Uint8Array.from(values, (value) => quantizeElement(value, input)));
}

/** The integer for a real input, as `quantizeInput` computes it, as an unsigned byte. */
function quantizeElement(value: number, { element, scale, zeroPoint }: TensorInput): number {
  const [least, greatest] = element === 'uint8' ? [0, 255] : [-128, 127];
  return Math.min(greatest, Math.max(least, Math.round(value / scale) + zeroPoint)) & 0xff;
}

/** A result in the original model's terms. */
export type DecodedOutput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'class'; readonly class: number }
  | { readonly kind: 'tensor'; readonly dims: readonly number[]; readonly values: Float32Array };

/** Reads a result. @throws RangeError when the words are not of the output's size. */
export function decodeOutput(model: Model, words: Uint8Array): DecodedOutput {
  const { output } = modelInterface(model.program);
  const last = model.program.epilogue.at(-1) ?? model.program.prologue.at(-1);
  if (last === undefined) throw new RangeError(`${model.program.name} has no operators`);
  const elements = unpackTensor(last.output, words);
  if (output.kind === 'text') return { kind: 'text', text: new TextDecoder().decode(elements) };
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  if (output.kind === 'class') return { kind: 'class', class: view.getInt32(0, true) };
  const width = output.element === 'int32' ? 4 : 1;
  const values = Float32Array.from({ length: elements.length / width }, (_, index) =>
    output.scale * ((width === 4 ? view.getInt32(index * 4, true) : view.getInt8(index)) - output.zeroPoint));
  return { kind: 'tensor', dims: output.dims, values: output.then === 'softmax' ? softmax(values, output.dims.at(-1) ?? 1) : values };
}

/** The original model's output numbers for a result. @throws TypeError when the model gives a text or a class. */
export function dequantizeOutput(model: Model, words: Uint8Array): Float32Array {
  const decoded = decodeOutput(model, words);
  if (decoded.kind !== 'tensor') throw new TypeError(`${model.program.name} gives a ${decoded.kind}, not numbers`);
  return decoded.values;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new TypeError('the input is not UTF-8 text', { cause });
  }
}
