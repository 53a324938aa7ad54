import type { Model, Program } from '../../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { encodeText, normalizeText } from '../models/lande/text.ts';
import { softmax } from './network/evaluate.ts';
import { elementCount } from './network/float-tensor.ts';
import type { InputMetadata, OutputMetadata, TensorInput, TensorOutput } from './network/metadata.ts';

/** What the program's metadata says of its input and output. @throws TypeError when it says nothing that is known here. */
export function modelInterface({ metadata, name }: Program): { readonly input: InputMetadata; readonly output: OutputMetadata } {
  const { input, output } = metadata as { readonly input?: Partial<InputMetadata>; readonly output?: Partial<OutputMetadata> };
  if (!['text', 'tensor', 'tensors'].includes(input?.kind ?? '')) throw new TypeError(`the metadata of ${name} does not say what its input is`);
  if (!['text', 'tensor', 'tensors', 'class'].includes(output?.kind ?? '')) throw new TypeError(`the metadata of ${name} does not say what its output is`);
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
  const parts = tensorParts(input);
  const wanted = parts.reduce((sum, { dims }) => sum + elementCount(dims), 0) * 4;
  if (bytes.length !== wanted) throw new RangeError(`the input has ${bytes.length} bytes; this model takes ${wanted}: ${parts.map(({ dims }) => dims.join(' × ')).join(' and ')} float32, little-endian`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return quantizeInput(model, Float32Array.from({ length: wanted / 4 }, (_, index) => view.getFloat32(index * 4, true)));
}

/** The input words of a text model for a text, normalised as the model wants it. @throws RangeError when it is too long or has a NUL character. */
export function encodeModelText(model: Model, text: string): Uint8Array {
  const { input } = modelInterface(model.program);
  if (input.kind !== 'text') throw new TypeError(`${model.program.name} takes numbers, not text`);
  return encodeText(input.normalization === 'lande' ? normalizeText(text) : text, model.program.input);
}

/** The tensors that an input or output is made of: one, or several. */
const tensorParts = <T extends TensorInput | TensorOutput>(described: T | { readonly kind: 'tensors'; readonly parts: readonly T[] }): readonly T[] => (described.kind === 'tensors' ? described.parts : [described]);

/**
 * The program's input words for the original model's numbers (of all inputs, one after another): `round(x / scale) + zeroPoint`, cut to the element's bits.
 *
 * @throws RangeError when there are not as many as the model takes, or one is not finite; TypeError for a model that takes text.
 */
export function quantizeInput(model: Model, values: Float32Array): Uint8Array {
  const { input } = modelInterface(model.program);
  if (input.kind === 'text') throw new TypeError(`${model.program.name} takes text, not numbers`);
  const parts = tensorParts(input);
  if (values.length !== parts.reduce((sum, { dims }) => sum + elementCount(dims), 0)) throw new RangeError(`the input has ${values.length} numbers; this model takes ${parts.map(({ dims }) => dims.join(' × ')).join(' and ')}`);
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw new RangeError(`number ${index} of the input is ${values[index]}: this model takes finite float32 numbers`);
  const integers = new Int32Array(values.length);
  let at = 0;
  for (const part of parts) {
    for (const end = at + elementCount(part.dims); at < end; at += 1) integers[at] = quantizeElement(values[at] ?? 0, part);
  }
  if (model.program.input.element === 'i8') return packTensor(model.program.input, Uint8Array.from(integers, (integer) => integer & 0xff));
  const bytes = new Uint8Array(integers.length * 4);
  const view = new DataView(bytes.buffer);
  integers.forEach((integer, place) => view.setInt32(place * 4, integer, true));
  return packTensor(model.program.input, bytes);
}

const LIMITS = { uint8: [0, 255], int8: [-128, 127], int16: [-(2 ** 15), 2 ** 15 - 1], int32: [-(2 ** 31), 2 ** 31 - 1] } as const;

/** The integer for a real input, as `quantizeInput` computes it. */
function quantizeElement(value: number, { element, scale, zeroPoint }: TensorInput): number {
  const [least, greatest] = LIMITS[element];
  return Math.min(greatest, Math.max(least, Math.round(value / scale) + zeroPoint));
}

/** A result in the original model's terms. */
export type DecodedOutput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'class'; readonly class: number }
  /** The numbers of all outputs, one after another; `parts` names them where there are several. */
  | { readonly kind: 'tensor'; readonly dims: readonly number[]; readonly values: Float32Array; readonly parts?: readonly { readonly name: string; readonly dims: readonly number[] }[] };

/** Reads a result. @throws RangeError when the words are not of the output's size. */
export function decodeOutput(model: Model, words: Uint8Array): DecodedOutput {
  const { output } = modelInterface(model.program);
  const last = model.program.epilogue.at(-1) ?? model.program.prologue.at(-1);
  if (last === undefined) throw new RangeError(`${model.program.name} has no operators`);
  const elements = unpackTensor(last.output, words);
  if (output.kind === 'text') return { kind: 'text', text: new TextDecoder().decode(elements) };
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  if (output.kind === 'class') return { kind: 'class', class: view.getInt32(0, true) };
  const values = new Float32Array(last.output.rows * last.output.columns);
  let at = 0;
  for (const part of tensorParts(output)) {
    const integer = (index: number): number => (last.output.element === 'i32' ? view.getInt32(index * 4, true) : part.element === 'uint8' ? view.getUint8(index) : view.getInt8(index));
    const start = at;
    for (const end = Math.min(values.length, at + elementCount(part.dims)); at < end; at += 1) values[at] = part.scale * (integer(at) - part.zeroPoint);
    if (part.then === 'softmax') values.set(softmax(values.subarray(start, at), part.dims.at(-1) ?? 1), start);
  }
  if (output.kind === 'tensor') return { kind: 'tensor', dims: output.dims, values };
  return { kind: 'tensor', dims: [values.length], values, parts: output.parts.map(({ name, dims }) => ({ name, dims })) };
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
