import { Tokenizer as Library } from '@huggingface/tokenizers';
import { checkToken } from './tokenizer.ts';
import type { Tokenizer, TokenStream } from './tokenizer.ts';

/** A tokenizer.json with its tokenizer_config.json, and what the model says of its special tokens. */
export interface HuggingFaceTokenizerFiles {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the model, which may have more than the tokenizer names. */
  readonly vocabulary: number;
  readonly beginToken: number | undefined;
  readonly endTokens: readonly number[];
}

const REPLACEMENT = '\ufffd';
/** A character has four bytes at most, so more tokens than these without a whole one are no UTF-8. */
const MOST_PENDING = 4;

/**
 * A tokenizer as Hugging Face's library reads it. Special tokens that stand in a text in so many letters become these tokens, as the library has it.
 * Text is not tidied after decoding, so that decoding gives back what was encoded.
 *
 * @throws TypeError when the library cannot make a tokenizer of the files
 */
export function huggingFaceTokenizer(files: HuggingFaceTokenizerFiles): Tokenizer {
  const { tokenizer, config, vocabulary, beginToken, endTokens } = files;
  for (const token of [...(beginToken === undefined ? [] : [beginToken]), ...endTokens]) checkToken(token, vocabulary);
  let library: Library;
  const encode = (text: string, special: boolean): number[] => {
    const ids: (number | undefined)[] = library.encode(text, { add_special_tokens: special }).ids;
    if (!ids.every((id) => id !== undefined && id < vocabulary)) throw new TypeError(`the tokenizer gives token ${ids.find((id) => id === undefined || id >= vocabulary)}, and the model's vocabulary has ${vocabulary}`);
    return ids as number[];
  };
  try {
    library = new Library(tokenizer, config);
    encode('a', true);
  } catch (error) {
    throw new TypeError(`the tokenizer's files are not understood: ${(error as Error).message}`, { cause: error });
  }
  const decode = (tokens: readonly number[]): string => {
    for (const token of tokens) checkToken(token, vocabulary);
    // The model's vocabulary may be padded beyond the tokenizer's: such tokens have no text.
    const known = tokens.filter((token) => library.id_to_token(token) !== undefined);
    return known.length === 0 ? '' : library.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  };
  return {
    kind: 'hugging-face', vocabulary, beginToken, endTokens, decode,
    encode: (text) => encode(text, false),
    prompt: (text) => encode(text, true),
    stream: (before = []) => windowStream(decode, before),
    toJSON: () => ({ kind: 'hugging-face', tokenizer, config, vocabulary, ...(beginToken === undefined ? {} : { beginToken }), endTokens }),
  };
}

/** Decodes each token together with those shown last, since a decoder may treat a text's beginning differently, and gives out the difference. */
function windowStream(decode: (tokens: readonly number[]) => string, before: readonly number[]): TokenStream {
  let shown = before.slice(-2 * MOST_PENDING);
  let pending: number[] = [];
  const take = (): string => {
    const text = decode([...shown, ...pending]).slice(decode(shown).length);
    // Tokens without text are no context for the next.
    shown = decode(pending) === '' ? [...shown, ...pending].slice(-2 * MOST_PENDING) : pending;
    pending = [];
    return text;
  };
  return {
    push: (token) => {
      pending.push(token);
      return decode([...shown, ...pending]).endsWith(REPLACEMENT) && pending.length < MOST_PENDING ? '' : take();
    },
    end: () => (pending.length === 0 ? '' : take()),
  };
}
