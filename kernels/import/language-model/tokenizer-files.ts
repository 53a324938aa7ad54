import { huggingFaceTokenizer } from '../../tokenizer/hugging-face-tokenizer.ts';
import { sentencePieceTokenizer } from '../../tokenizer/sentencepiece-tokenizer.ts';
import type { PieceKind } from '../../tokenizer/sentencepiece-tokenizer.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { Architecture } from '../../language-model/architecture.ts';
import { ImportError } from '../import-error.ts';
import type { ModelFiles } from './byte-source.ts';
import { preTokenizer } from './gguf-pre-tokenizers.ts';
import type { GgufValue } from './gguf-header.ts';
import { readJsonObject, readSmallFile } from './json-file.ts';

/** GGUF's numbers of token types (llama.h, `enum llama_token_type`). */
const KINDS: readonly (PieceKind | undefined)[] = [undefined, 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];
const SPECIAL_KINDS: readonly PieceKind[] = ['control', 'user', 'unknown'];

/** The tokenizer's part of GGUF's metadata (ggml, docs/gguf.md). @throws ImportError when it is another kind of tokenizer, or malformed */
export function ggufTokenizer(metadata: ReadonlyMap<string, GgufValue>, { vocabulary, beginToken, endTokens }: Architecture): Tokenizer {
  const get = (key: string): GgufValue | undefined => metadata.get(`tokenizer.ggml.${key}`);
  const list = <T>(key: string, isItem: (item: unknown) => item is T): T[] => {
    const values = get(key);
    if (!Array.isArray(values) || !values.every(isItem)) throw new ImportError(`the GGUF file's tokenizer.ggml.${key} is no list of what it should be`);
    return values as T[];
  };
  const isNumber = (item: unknown): item is number => typeof item === 'number';
  const isText = (item: unknown): item is string => typeof item === 'string';
  const model = get('model');
  const pieces = list('tokens', isText);
  if (pieces.length !== vocabulary) throw new ImportError(`the GGUF file's tokenizer has ${pieces.length} tokens, and its embedding ${vocabulary}`);
  const kinds: PieceKind[] = get('token_type') === undefined ? pieces.map(() => 'normal' as const) : list('token_type', isNumber).map((type) => KINDS[type] ?? 'normal');
  const flag = (key: string, absent: boolean): boolean => (typeof get(key) === 'boolean' ? (get(key) as boolean) : absent);
  if (model === 'llama') {
    return orImportError(() => sentencePieceTokenizer({ pieces, kinds, scores: list('scores', isNumber), spacePrefix: flag('add_space_prefix', true), addsBegin: flag('add_bos_token', true), beginToken, endTokens }));
  }
  if (model !== 'gpt2') throw new ImportError(`the GGUF file's tokenizer is ${JSON.stringify(model)}; llama and gpt2 are read`);
  const pre = get('pre') ?? 'gpt-2';
  const { preTokenizers, ignoresMerges, addsBegin } = preTokenizer(pre);
  const begins = flag('add_bos_token', addsBegin) && beginToken !== undefined;
  const begin = begins ? pieces[beginToken]! : '';
  return orImportError(() => huggingFaceTokenizer({
    vocabulary, beginToken, endTokens, config: {},
    tokenizer: {
      version: '1.0', normalizer: null,
      model: { type: 'BPE', vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])), merges: list('merges', isText), ignore_merges: ignoresMerges },
      added_tokens: pieces.flatMap((content, id) => (SPECIAL_KINDS.includes(kinds[id]!) ? [{ id, content, special: kinds[id] !== 'user', normalized: false, lstrip: false, rstrip: false, single_word: false }] : [])),
      pre_tokenizer: { type: 'Sequence', pretokenizers: preTokenizers },
      post_processor: begins ? { type: 'TemplateProcessing', single: [{ SpecialToken: { id: begin, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], pair: [], special_tokens: { [begin]: { id: begin, ids: [beginToken], tokens: [begin] } } } : null,
      decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    },
  }));
}

/** The tokenizer.json of a folder, with its tokenizer_config.json; undefined where there is none. @throws ImportError when it is malformed */
export async function folderTokenizer(files: ModelFiles, { vocabulary, beginToken, endTokens }: Architecture): Promise<Tokenizer | undefined> {
  if (!files.names.includes('tokenizer.json')) return undefined;
  const tokenizer = await readJsonObject(files, 'tokenizer.json');
  const config = files.names.includes('tokenizer_config.json') ? await readJsonObject(files, 'tokenizer_config.json') : {};
  return orImportError(() => huggingFaceTokenizer({ tokenizer, config, vocabulary, beginToken, endTokens }));
}

/**
 * llama2.c's tokenizer: the longest token's length, then for each token its score (f32), its length and its bytes (llama2.c, run.c, build_tokenizer).
 * Tokens 0, 1, 2 are unknown, begin and end, the next 256 are bytes.
 * @throws ImportError when the file is malformed or has another number of tokens than the model
 */
export async function llama2cTokenizer(files: ModelFiles, name: string, { vocabulary, beginToken, endTokens }: Architecture): Promise<Tokenizer> {
  const bytes = await readSmallFile(files, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const [pieces, scores]: [string[], number[]] = [[], []];
  try {
    for (let offset = 4; offset < bytes.length;) {
      const length = view.getInt32(offset + 4, true);
      if (length < 0 || length > bytes.length - offset - 8) throw new RangeError('a token reaches beyond the end');
      scores.push(view.getFloat32(offset, true));
      pieces.push(text.decode(bytes.subarray(offset + 8, offset + 8 + length)).replaceAll(' ', '\u2581'));
      offset += 8 + length;
    }
  } catch (error) {
    throw new ImportError(`${name} is no tokenizer of llama2.c: ${(error as Error).message}`, { cause: error });
  }
  if (pieces.length !== vocabulary) throw new ImportError(`${name} has ${pieces.length} tokens, and the model ${vocabulary}`);
  const kinds = pieces.map((_, id): PieceKind => (id === 0 ? 'unknown' : id < 3 ? 'control' : id < 259 ? 'byte' : 'normal'));
  return orImportError(() => sentencePieceTokenizer({ pieces, scores, kinds, spacePrefix: true, addsBegin: true, beginToken, endTokens }));
}

function orImportError(make: () => Tokenizer): Tokenizer {
  try {
    return make();
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(`the model's tokenizer cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
