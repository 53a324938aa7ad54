import { ImportError } from '../import-error.ts';
import type { GgufValue } from './gguf-header.ts';

/** How a byte-pair encoding cuts texts into words first, in the terms of a tokenizer.json. */
export interface PreTokenizer {
  readonly preTokenizers: readonly unknown[];
  /** Words that are tokens are not cut, whatever the merges say. */
  readonly ignoresMerges: boolean;
  /** Where the file does not say whether prompts begin with the begin token. */
  readonly addsBegin: boolean;
}

/** GPT-2's words (openai/gpt-2, src/encoder.py), which the library has built in. */
const GPT2_WORDS = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTES_ONLY = { ...GPT2_WORDS, use_regex: false };
/** Llama 3's words (its tokenizer.json). */
const LLAMA3_WORDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const GPT2: PreTokenizer = { preTokenizers: [GPT2_WORDS], ignoresMerges: false, addsBegin: false };
const LLAMA3: PreTokenizer = { preTokenizers: [{ type: 'Split', pattern: { Regex: LLAMA3_WORDS }, behavior: 'Isolated', invert: false }, BYTES_ONLY], ignoresMerges: true, addsBegin: true };
const DIGITS_APART: PreTokenizer = { preTokenizers: [{ type: 'Digits', individual_digits: true }, GPT2_WORDS], ignoresMerges: false, addsBegin: false };

/** By the names that GGUF has for them (llama.cpp, src/llama-vocab.cpp). */
const KNOWN: ReadonlyMap<unknown, PreTokenizer> = new Map([
  ['gpt-2', GPT2], ['llama3', LLAMA3], ['llama-v3', LLAMA3], ['llama-bpe', LLAMA3], ['smollm', DIGITS_APART],
]);

/** @throws ImportError for a name that is not known */
export function preTokenizer(name: GgufValue): PreTokenizer {
  const known = KNOWN.get(name);
  if (known === undefined) throw new ImportError(`the GGUF file's tokenizer cuts words as ${JSON.stringify(name)} does; ${[...KNOWN.keys()].join(', ')} are known`);
  return known;
}
