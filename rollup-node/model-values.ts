import { z } from 'zod';
import { placeOf, slotCount } from '../deterministic-runtime/program/program.ts';
import type { Model, Operator } from '../deterministic-runtime/program/program.ts';
import { elementBytes, packTensor, unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { decodeOutput, encodeInput } from '../kernels/import/model-interface.ts';
import type { DecodedOutput } from '../kernels/import/model-interface.ts';
import type { GenerationSettings } from '../kernels/language-model/interface.ts';
import { UserError } from './errors.ts';
import { readableTokens, readPrompt, takesTokens } from './language-model.ts';

const dims = z.array(z.int().min(1).max(2 ** 32)).max(64);
const scale = z.number().positive();
const zeroPoint = z.int();

/** A bundle's metadata are whatever its author wrote: they are checked before anything is computed from them. */
const tensor = z.looseObject({ kind: z.literal('tensor'), dims, element: z.enum(['uint8', 'int8', 'int16', 'int32']), scale, zeroPoint });
const tensors = z.looseObject({ kind: z.literal('tensors'), parts: z.array(tensor).min(1).max(256) });
const inputSchema = z.discriminatedUnion('kind', [z.looseObject({ kind: z.literal('text') }), tensor, tensors]);
const outputSchema = z.discriminatedUnion('kind', [z.looseObject({ kind: z.literal('text') }), z.looseObject({ kind: z.literal('class') }), tensor, tensors]);

/**
 * The input tensor's padded words for a value as the original model has it: text for a text model, a prompt for a token model, raw float32 for one
 * that takes numbers. What happens to it here (normalising, tokenising, quantising) is outside the proven program.
 * @throws UserError when the value does not fit the model
 */
export function readModelInput(model: Model, bytes: Uint8Array, settings?: GenerationSettings): Uint8Array {
  if (takesTokens(model)) return readPrompt(model, bytes, settings);
  if (settings !== undefined) throw new UserError(`${model.program.name} takes no settings of how its answer is made`, { hint: 'they are for language models that take tokens' });
  const input = described(model, 'input', inputSchema, model.program.input);
  if (bytes.length === 0) throw new UserError('the input is empty', { hint: input.kind === 'text' ? 'this model takes UTF-8 text' : `this model takes ${partsOf(input).map((part) => part.dims.join(' × ')).join(' and ')} float32 numbers` });
  try {
    return encodeInput(model, bytes);
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) throw new UserError(cause.message, { cause });
    throw cause;
  }
}

/** What a request carries for an input: its elements without padding, and for a text or a list without the zeros after it. */
export function requestElements(model: Model, words: Uint8Array): Uint8Array {
  const { signature, input } = model.program;
  const elements = unpackTensor(input, words);
  if (!/^\w+\((string|bytes|int32\[\])\)/.test(signature)) return elements;
  const width = elementBytes(input.element);
  return elements.subarray(0, Math.ceil((elements.findLastIndex((byte) => byte !== 0) + 1) / width) * width);
}

/** The result's padded words for its elements; a text's are filled with zeros. @throws UserError when they do not fit */
export function resultWords(model: Model, elements: Uint8Array): Uint8Array {
  const { output } = lastOperator(model);
  const padded = new Uint8Array(output.rows * output.columns * elementBytes(output.element));
  if (elements.length > padded.length) throw new UserError(`the result has ${elements.length} bytes, and the model gives ${padded.length}`);
  padded.set(elements);
  return packTensor(output, padded);
}

/** A result for people: text, a class number, token ids, or real numbers. @throws UserError when the model does not say how to read it */
export function readableOutput(model: Model, words: Uint8Array): string | number | readonly number[] {
  if (takesTokens(model)) return readableTokens(model, words);
  const output = readOutput(model, words);
  switch (output.kind) {
    case 'text': return output.text;
    case 'class': return output.class;
    case 'tensor': return [...output.values];
  }
}

/** A result as the original model's bytes: UTF-8 text, token ids in JSON, one int32 for a class, or float32 numbers in row-major order, little-endian. */
export function originalOutput(model: Model, words: Uint8Array): Uint8Array {
  if (takesTokens(model)) {
    const tokens = readableTokens(model, words);
    return new TextEncoder().encode(typeof tokens === 'string' ? tokens : JSON.stringify(tokens));
  }
  const output = readOutput(model, words);
  if (output.kind === 'text') return new TextEncoder().encode(output.text);
  const values = output.kind === 'class' ? [output.class] : output.values;
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => (output.kind === 'class' ? view.setInt32(index * 4, value, true) : view.setFloat32(index * 4, value, true)));
  return new Uint8Array(view.buffer);
}

function readOutput(model: Model, words: Uint8Array): DecodedOutput {
  described(model, 'output', outputSchema, lastOperator(model).output);
  return decodeOutput(model, words);
}

const lastOperator = ({ program }: Model): Operator => placeOf(program, slotCount(program) - 1).operator;

/** What the metadata say of the input or the output, once it is known to fit the tensor. @throws UserError */
function described<T extends z.ZodType<Described>>({ program }: Model, side: 'input' | 'output', schema: T, shape: TensorShape): z.infer<T> {
  const parsed = schema.safeParse(program.metadata[side]);
  if (parsed.success && fits(parsed.data, shape)) return parsed.data;
  throw new UserError(`the model ${program.name} does not say in its metadata what its ${side} is`, { hint: 'import it with assay import, which writes that' });
}

/** What of a side's metadata the size of its tensor follows from. */
interface Described { readonly kind: string; readonly dims?: readonly number[]; readonly parts?: readonly { readonly dims: readonly number[] }[] }

/** The tensors of an input or output: one, or several one after another; none for text and classes. */
const partsOf = ({ dims: own, parts }: Pick<Described, 'dims' | 'parts'>): readonly { readonly dims: readonly number[] }[] => parts ?? (own === undefined ? [] : [{ dims: own }]);

function fits(side: Described, { rows, columns }: TensorShape): boolean {
  const parts = partsOf(side);
  return parts.length === 0 || parts.reduce((sum, { dims: sizes }) => sum + sizes.reduce((product, size) => product * size, 1), 0) === rows * columns;
}
