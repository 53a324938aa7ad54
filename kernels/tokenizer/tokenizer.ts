/** Turns tokens into text as they come: a character is given out when its last byte is there. */
export interface TokenStream {
  /** The text that is certain after this token; often empty. */
  push(token: number): string;
  /** What is left; bytes that are no UTF-8 become U+FFFD. */
  end(): string;
}

/** Between text and token ids. Runs in the client, outside the proven program. */
export interface Tokenizer {
  readonly kind: 'bytes' | 'sentencepiece' | 'hugging-face';
  /** Ids lie below it. */
  readonly vocabulary: number;
  readonly beginToken: number | undefined;
  readonly endTokens: readonly number[];
  /** The text's tokens, without a begin token. */
  encode(text: string): number[];
  /** What a model that continues `text` is given: `encode(text)`, behind the begin token where the model's texts have one. */
  prompt(text: string): number[];
  /** The text of tokens; begin and end tokens have none. Bytes that are no UTF-8 become U+FFFD. @throws RangeError for ids outside the vocabulary */
  decode(tokens: readonly number[]): string;
  /** Decodes piece by piece; `before` are tokens that stand before the first (a prompt's), whose text is not given out. */
  stream(before?: readonly number[]): TokenStream;
  /** Everything that `parseTokenizer` needs, as JSON. */
  toJSON(): unknown;
}

/** Throws for ids that are none. */
export function checkToken(token: number, vocabulary: number): void {
  if (!Number.isInteger(token) || token < 0 || token >= vocabulary) throw new RangeError(`token ${token} is not in a vocabulary of ${vocabulary}`);
}

/** A stream's whole text. */
export const streamedText = (stream: TokenStream, tokens: readonly number[]): string => tokens.map((token) => stream.push(token)).join('') + stream.end();

/** A stream over tokens that each stand for bytes. */
export function byteStream(bytesOf: (token: number) => Uint8Array): TokenStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return { push: (token) => decoder.decode(bytesOf(token), { stream: true }), end: () => decoder.decode() };
}
