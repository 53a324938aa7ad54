import type { Model } from '../deterministic-runtime/program/program.ts';
import { unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import { decodeOutput, encodeInput } from '../kernels/import/model-interface.ts';
import { UserError } from './errors.ts';

/**
 * The input tensor's padded words for a value as the original model has it: text for a text model, raw float32 for one that takes numbers. What
 * happens to it here (normalising, quantising) is outside the proven program.
 * @throws UserError when the value does not fit the model
 */
export function readModelInput(model: Model, bytes: Uint8Array): Uint8Array {
  try {
    return encodeInput(model, bytes);
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) throw new UserError(cause.message, { cause });
    throw cause;
  }
}

/** What a request carries for an input: its elements without padding, and for a text without the zeros after it. */
export function requestElements(model: Model, words: Uint8Array): Uint8Array {
  const elements = unpackTensor(model.program.input, words);
  if (!/^\w+\((string|bytes)\)/.test(model.program.signature)) return elements;
  const end = elements.findLastIndex((byte) => byte !== 0) + 1;
  return elements.subarray(0, end);
}

/** A result for people: text, a class number, or real numbers. */
export function readableOutput(model: Model, words: Uint8Array): string | number | readonly number[] {
  const output = decodeOutput(model, words);
  switch (output.kind) {
    case 'text': return output.text;
    case 'class': return output.class;
    case 'tensor': return [...output.values];
  }
}
