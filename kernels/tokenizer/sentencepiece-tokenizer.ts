import { MergeQueue } from './merge-queue.ts';
import { byteStream, checkToken, streamedText } from './tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

/** What a token of SentencePiece is (sentencepiece_model.proto, `ModelProto.SentencePiece.Type`). */
export type PieceKind = 'normal' | 'unknown' | 'control' | 'user' | 'unused' | 'byte';

export interface SentencePieceVocabulary {
  /** A token's text, with U+2581 for a space; `<0x0A>` for a byte. */
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
  readonly kinds: readonly PieceKind[];
  /** Texts begin with a space that is not theirs. */
  readonly spacePrefix: boolean;
  /** Prompts begin with the begin token. */
  readonly addsBegin: boolean;
  readonly beginToken: number | undefined;
  readonly endTokens: readonly number[];
}

const SPACE = '\u2581';
const BYTE = /^<0x([0-9A-Fa-f]{2})>$/;
/** What SentencePiece decodes an unknown token to. */
const UNKNOWN = ' \u2047 ';
const NOTHING = new Uint8Array(0);
/** Each place of a text is compared with all user-defined pieces. */
const MOST_USER_DEFINED = 4096;

/**
 * SentencePiece's byte-pair encoding: neighbouring symbols are merged, those first whose merged piece has the highest score, and of equal ones the leftmost;
 * characters that are no piece become their bytes' tokens, or the unknown token (arXiv 1808.06226; google/sentencepiece, bpe_model.cc). Pieces that the
 * vocabulary calls user-defined are cut out first, the longest before the others; control tokens are never found in a text. Unused pieces count as
 * normal ones, as in llama.cpp.
 *
 * @throws RangeError when the lists differ in length, scores are not finite, special tokens lie outside the vocabulary, or user-defined pieces are more than 4,096
 */
export function sentencePieceTokenizer(model: SentencePieceVocabulary): Tokenizer {
  const { pieces, scores, kinds, spacePrefix, addsBegin, beginToken, endTokens } = model;
  const vocabulary = pieces.length;
  if (scores.length !== vocabulary || kinds.length !== vocabulary) throw new RangeError(`a vocabulary of ${vocabulary} pieces has ${scores.length} scores and ${kinds.length} kinds`);
  if (!scores.every(Number.isFinite)) throw new RangeError('a vocabulary has scores that are not finite');
  for (const token of [...(beginToken === undefined ? [] : [beginToken]), ...endTokens]) checkToken(token, vocabulary);
  const ids = new Map<string, number>();
  const bytes = new Map<number, number>();
  const cutOut: string[] = [];
  pieces.forEach((piece, id) => {
    const kind = kinds[id]!;
    const [, hex] = kind === 'byte' ? (BYTE.exec(piece) ?? []) : [];
    if (hex !== undefined) bytes.set(Number.parseInt(hex, 16), id);
    else if (kind === 'normal' || kind === 'unused' || kind === 'user') ids.set(piece, id);
    if (kind === 'user' && piece.length > 0) cutOut.push(piece.replaceAll(SPACE, ' '));
  });
  if (cutOut.length > MOST_USER_DEFINED) throw new RangeError(`a vocabulary has ${cutOut.length} user-defined pieces, more than ${MOST_USER_DEFINED}`);
  const unknown = kinds.indexOf('unknown');
  const userDefined = cutOut.length === 0 ? undefined : new RegExp(`(${cutOut.sort((a, b) => b.length - a.length).map((piece) => piece.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})`, 'u');

  const encodePart = (text: string, tokens: number[]): void => {
    const symbols = mergedSymbols(Array.from(text), ids, scores);
    for (const symbol of symbols) {
      const id = ids.get(symbol);
      if (id !== undefined) {
        tokens.push(id);
        continue;
      }
      const encoded = [...new TextEncoder().encode(symbol)].map((byte) => bytes.get(byte));
      if (encoded.every((token) => token !== undefined)) tokens.push(...encoded);
      else if (unknown >= 0) tokens.push(unknown);
    }
  };
  const encode = (text: string): number[] => {
    const tokens: number[] = [];
    let prefix = spacePrefix;
    (userDefined === undefined ? [text] : text.split(userDefined)).forEach((part, index) => {
      if (part.length === 0) return;
      if (index % 2 === 1) {
        tokens.push(ids.get(part.replaceAll(' ', SPACE)) ?? unknown);
        prefix = spacePrefix;
      } else {
        encodePart((prefix ? SPACE : '') + part.replaceAll(' ', SPACE), tokens);
        prefix = false;
      }
    });
    return tokens;
  };
  const bytesOf = (token: number): Uint8Array => {
    checkToken(token, vocabulary);
    const [piece, kind] = [pieces[token]!, kinds[token]!];
    const [, hex] = kind === 'byte' ? (BYTE.exec(piece) ?? []) : [];
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
    if (kind === 'control') return NOTHING;
    return new TextEncoder().encode(kind === 'unknown' ? UNKNOWN : piece.replaceAll(SPACE, ' '));
  };
  const stream = (before: readonly number[] = []) => {
    let atStart = spacePrefix && before.every((token) => bytesOf(token).length === 0);
    return byteStream((token) => {
      const text = bytesOf(token);
      const cut = atStart && text[0] === 0x20 ? 1 : 0;
      atStart &&= text.length === 0;
      return text.subarray(cut);
    });
  };
  return {
    kind: 'sentencepiece', vocabulary, beginToken, endTokens, encode, stream,
    prompt: (text) => [...(addsBegin && beginToken !== undefined ? [beginToken] : []), ...encode(text)],
    decode: (tokens) => streamedText(stream(), tokens),
    toJSON: () => ({ kind: 'sentencepiece', pieces, scores, kinds, spacePrefix, addsBegin, ...(beginToken === undefined ? {} : { beginToken }), endTokens }),
  };
}

/** Merges a text's characters until no two neighbours are a piece. Takes time n·log n. */
function mergedSymbols(characters: readonly string[], ids: ReadonlyMap<string, number>, scores: readonly number[]): string[] {
  const symbols: (string | undefined)[] = [...characters];
  const next = symbols.map((_, index) => (index + 1 < symbols.length ? index + 1 : -1));
  const previous = symbols.map((_, index) => index - 1);
  const queue = new MergeQueue();
  const offer = (left: number, right: number): void => {
    if (left < 0 || right < 0) return;
    const merged = symbols[left]! + symbols[right]!;
    const id = ids.get(merged);
    if (id !== undefined) queue.push({ score: scores[id]!, left, right, length: merged.length });
  };
  for (let index = 0; index + 1 < symbols.length; index += 1) offer(index, index + 1);
  for (let merge = queue.pop(); merge !== undefined; merge = queue.pop()) {
    const { left, right, length } = merge;
    const [first, second] = [symbols[left], symbols[right]];
    if (first === undefined || second === undefined || first.length + second.length !== length) continue;
    symbols[left] = first + second;
    symbols[right] = undefined;
    const after = next[right]!;
    next[left] = after;
    if (after >= 0) previous[after] = left;
    offer(previous[left]!, left);
    offer(left, after);
  }
  return symbols.filter((symbol) => symbol !== undefined);
}
