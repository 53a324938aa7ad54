import { packTensor } from '../../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../../deterministic-runtime/program/tensor.ts';

/** Bytes of UTF-8 that the model reads. */
export const MAXIMUM_TEXT_BYTES = 1024;

/** The input tensor: the text's bytes, zeros after it. */
export const TEXT_SHAPE: TensorShape = { element: 'i8', rows: 1, columns: MAXIMUM_TEXT_BYTES };

/**
 * The text as the package prepares it before counting: hyphens become spaces, everything but letters, marks and white space goes, runs of
 * white space become one space, lower case, one space before and after. It is the caller's business, outside the proven program.
 */
export function normalizeText(text: string): string {
  const letters = text.replace(/-+/g, ' ').replace(/[^\p{L}\p{M}\s]/gu, '').replace(/\s{2,}/g, ' ');
  return ` ${letters.toLowerCase().trim()} `;
}

/** The longest beginning of a normalised text that fits `maximumBytes` of UTF-8, cut at a character and with its closing space. */
export function truncateText(normalized: string, maximumBytes = MAXIMUM_TEXT_BYTES): string {
  const encoder = new TextEncoder();
  if (encoder.encode(normalized).length <= maximumBytes) return normalized;
  let kept = '';
  let bytes = 1;
  for (const character of normalized) {
    bytes += encoder.encode(character).length;
    if (bytes > maximumBytes) break;
    kept += character;
  }
  return `${kept.trimEnd()} `;
}

/**
 * The input's padded words for a text, taken as it is (see `normalizeText`).
 *
 * @param shape i8 [1][N] of the model's input; lande's by default
 * @throws RangeError when the text is longer than N bytes of UTF-8 or has a NUL character, which is what the padding consists of.
 */
export function encodeText(text: string, shape: TensorShape = TEXT_SHAPE): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > shape.columns) {
    throw new RangeError(`the text has ${bytes.length} bytes of UTF-8 and the model reads ${shape.columns}: shorten it`);
  }
  if (bytes.includes(0)) throw new RangeError('the text has a NUL character, which cannot be told from its end: remove it');
  const elements = new Uint8Array(shape.columns);
  elements.set(bytes);
  return packTensor(shape, elements);
}
