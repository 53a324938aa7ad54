import { byteStream, checkToken, streamedText } from './tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Which ids of a byte-level model stand for no byte. */
export interface ByteTokenizerOptions {
  /** 256 at least. */
  readonly vocabulary?: number;
  readonly beginToken?: number;
  readonly endTokens?: readonly number[];
}

const NOTHING = new Uint8Array(0);

/** A byte-level tokenizer: a token's id is its byte; ids from 256 on, and begin and end tokens, have no text. @throws RangeError for a vocabulary below 256 */
export function byteTokenizer({ vocabulary = 256, beginToken, endTokens = [] }: ByteTokenizerOptions = {}): Tokenizer {
  if (!Number.isInteger(vocabulary) || vocabulary < 256) throw new RangeError(`a byte-level vocabulary has 256 tokens at least, not ${vocabulary}`);
  const encode = (text: string): number[] => [...new TextEncoder().encode(text)];
  const bytesOf = (token: number): Uint8Array => {
    checkToken(token, vocabulary);
    return token > 255 || token === beginToken || endTokens.includes(token) ? NOTHING : Uint8Array.of(token);
  };
  const stream = () => byteStream(bytesOf);
  return {
    kind: 'bytes', vocabulary, beginToken, endTokens, encode, stream,
    prompt: (text) => [...(beginToken === undefined ? [] : [beginToken]), ...encode(text)],
    decode: (tokens) => streamedText(stream(), tokens),
    toJSON: () => ({ kind: 'bytes', vocabulary, ...(beginToken === undefined ? {} : { beginToken }), endTokens }),
  };
}
