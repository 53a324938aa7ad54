import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openModelFiles } from '../../rollup-node/model-files/open.ts';
import { modelFilesOrSkip } from '../../test/models/model-files.ts';
import type { GgufValue } from '../import/language-model/gguf-header.ts';
import { openLanguageModel } from '../import/language-model/open.ts';
import { memoryFiles } from '../import/language-model/testing/files.ts';
import { folderTokenizer, ggufTokenizer, llama2cTokenizer } from '../import/language-model/tokenizer-files.ts';
import type { Architecture } from '../language-model/architecture.ts';
import { byteTokenizer } from './byte-tokenizer.ts';
import { parseTokenizer } from './json.ts';
import { sentencePieceTokenizer } from './sentencepiece-tokenizer.ts';
import type { SentencePieceVocabulary } from './sentencepiece-tokenizer.ts';
import { streamedText } from './tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

type Kind = 'stories260K' | 'gpt-2' | 'llama-bpe' | 'smollm';

/** Texts, and the tokens that llama.cpp (node-llama-cpp 3.22.1) cuts them into, for stories260K and for a byte-pair encoding with these merges. */
const golden = JSON.parse(readFileSync(new URL('testing/llama-cpp.json', import.meta.url), 'utf8')) as { readonly merges: string[]; readonly texts: string[] } & Readonly<Record<Kind, number[][]>>;

const ARCHITECTURE: Architecture = { family: 'llama', vocabulary: 477, width: 8, hidden: 8, layers: 1, heads: 1, keyValueHeads: 1, headSize: 8, context: 8, normEpsilon: 0, beginToken: 476, endTokens: [476] };

/** GPT-2's characters for bytes: themselves where they can be seen, else those from U+0100 on. */
function byteCharacters(): string[] {
  let unseen = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : unseen++));
}

function bytePairMetadata(pre: string): Map<string, GgufValue> {
  const tokens = [...byteCharacters(), ...golden.merges.map((merge) => merge.replace(' ', '')), '<|endoftext|>'];
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', 'gpt2'], ['tokenizer.ggml.pre', pre], ['tokenizer.ggml.tokens', tokens], ['tokenizer.ggml.merges', golden.merges],
    ['tokenizer.ggml.token_type', tokens.map((_, id) => (id === tokens.length - 1 ? 3 : 1))],
  ]);
}

/** What holds for every tokenizer: it can be written and read, and streams what it decodes. */
function expectConsistent(tokenizer: Tokenizer, texts: readonly string[]): Tokenizer {
  const read = parseTokenizer(JSON.parse(JSON.stringify(tokenizer)));
  expect(read.vocabulary).toBe(tokenizer.vocabulary);
  expect([read.kind, read.beginToken, read.endTokens]).toEqual([tokenizer.kind, tokenizer.beginToken, tokenizer.endTokens]);
  for (const text of texts) {
    const tokens = tokenizer.encode(text);
    expect(read.encode(text)).toEqual(tokens);
    expect(read.prompt(text)).toEqual(tokenizer.prompt(text));
    expect(streamedText(read.stream(), tokens)).toBe(tokenizer.decode(tokens));
    for (const cut of [1, Math.floor(tokens.length / 2)]) {
      // What a model goes on with is the rest of the text, whether its first character is whole or not.
      const head = tokens.slice(0, cut);
      if (!tokenizer.decode(head).includes('\ufffd')) expect(tokenizer.decode(head) + streamedText(read.stream(head), tokens.slice(cut)), JSON.stringify(text)).toBe(tokenizer.decode(tokens));
    }
  }
  for (const token of [-1, 0.5, tokenizer.vocabulary]) expect(() => tokenizer.decode([token])).toThrow(RangeError);
  return read;
}

describe('byte-pair encodings of GGUF', () => {
  test.each(['gpt-2', 'llama-bpe', 'smollm'] as const)('%s: llama.cpp\'s tokens', (pre) => {
    const tokenizer = ggufTokenizer(bytePairMetadata(pre), ARCHITECTURE);
    golden.texts.forEach((text, index) => {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(golden[pre][index]);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    });
    expect(tokenizer.prompt('a')).toEqual(pre === 'llama-bpe' ? [476, 97] : [97]);
    expect(tokenizer.decode([476, 97, 476])).toBe('a');
    expectConsistent(tokenizer, golden.texts);
  });

  test('a character of four tokens is given out with its last', () => {
    const stream = ggufTokenizer(bytePairMetadata('gpt-2'), ARCHITECTURE).stream();
    expect([0xf0, 0x9f, 0xa6, 0x86, 97].map((byte) => stream.push(byte))).toEqual(['', '', '', '\u{1f986}', 'a']);
    expect(stream.push(0xf0) + stream.end()).toBe('\ufffd');
  });

  test('other kinds are refused', () => {
    expect(() => ggufTokenizer(bytePairMetadata('qwen2'), ARCHITECTURE)).toThrow(/cuts words as "qwen2"/);
    expect(() => ggufTokenizer(new Map(bytePairMetadata('gpt-2')).set('tokenizer.ggml.model', 'bert'), ARCHITECTURE)).toThrow(/tokenizer is "bert"; llama and gpt2/);
    expect(() => ggufTokenizer(bytePairMetadata('gpt-2'), { ...ARCHITECTURE, vocabulary: 478 })).toThrow(/477 tokens, and its embedding 478/);
    expect(() => ggufTokenizer(new Map(bytePairMetadata('gpt-2')).set('tokenizer.ggml.merges', [1]), ARCHITECTURE)).toThrow(/merges is no list/);
  });
});

describe('SentencePiece', () => {
  const vocabulary: SentencePieceVocabulary = {
    pieces: ['<unk>', '<s>', '</s>', '\u2581', 'a', 'b', 'c', 'ab', 'bc', 'abc', '\u2581ab', '[X]'], scores: [0, 0, 0, -9, -9, -9, -9, -2, -1, -3, -4, 0],
    kinds: ['unknown', 'control', 'control', ...new Array<'normal'>(8).fill('normal'), 'user'], spacePrefix: true, addsBegin: true, beginToken: 1, endTokens: [2],
  };
  const tokenizer = sentencePieceTokenizer(vocabulary);

  test('the highest score merges first, of equals the leftmost', () => {
    expect(tokenizer.encode('abc')).toEqual([3, 9]);
    expect(tokenizer.encode('ab')).toEqual([10]);
    expect(tokenizer.encode('ab abcb')).toEqual([10, 3, 9, 5]);
    const even = sentencePieceTokenizer({ ...vocabulary, pieces: ['<unk>', '<s>', '</s>', 'x', 'xx', 'xxx'], scores: [0, 0, 0, 0, 1, 1], kinds: ['unknown', 'control', 'control', 'normal', 'normal', 'normal'], spacePrefix: false });
    expect(even.encode('xxxxx')).toEqual([5, 4]);
  });

  test('unknown characters, control tokens as text, user-defined pieces', () => {
    expect(tokenizer.encode('z')).toEqual([3, 0]);
    expect(tokenizer.encode('<s>')).toEqual([3, 0, 0, 0]);
    expect(tokenizer.encode('a[X]b')).toEqual([3, 4, 11, 3, 5]);
    expect(tokenizer.decode([1, 3, 4, 0, 2])).toBe('a \u2047 ');
    expect(tokenizer.prompt('')).toEqual([1]);
  });

  test('is consistent', () => {
    expectConsistent(tokenizer, ['', 'abc ab', ' ab', 'cab', 'a[X]b']);
  });

  test('is not slow on a long text', () => {
    expect(tokenizer.encode('ab'.repeat(100_000)).length).toBe(100_000);
  });

  test('lists that do not fit', () => {
    expect(() => sentencePieceTokenizer({ ...vocabulary, scores: [1] })).toThrow(RangeError);
    expect(() => sentencePieceTokenizer({ ...vocabulary, endTokens: [12] })).toThrow(RangeError);
    expect(() => sentencePieceTokenizer({ ...vocabulary, scores: vocabulary.scores.map((score, id) => (id === 5 ? NaN : score)) })).toThrow(/not finite/);
    const many = Array.from({ length: 5000 }, (_, id) => `[${id}]`);
    expect(() => sentencePieceTokenizer({ ...vocabulary, pieces: many, scores: many.map(() => 0), kinds: many.map(() => 'user') })).toThrow(/5000 user-defined pieces/);
  });
});

describe('bytes', () => {
  test('ids are bytes, and texts come back', () => {
    expect(byteTokenizer().encode('aé')).toEqual([97, 0xc3, 0xa9]);
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const tokenizer = byteTokenizer({ vocabulary: 258, beginToken: 256, endTokens: [257, 0] });
      expect(tokenizer.decode([...tokenizer.prompt(text), 257])).toBe(text.replaceAll('\0', ''));
      expect(tokenizer.prompt(text)[0]).toBe(256);
    }), { seed: 2, numRuns: 100 });
  });

  test('is consistent', () => {
    expectConsistent(byteTokenizer({ vocabulary: 300, beginToken: 256, endTokens: [257] }), golden.texts);
    expect(() => byteTokenizer({ vocabulary: 255 })).toThrow(RangeError);
  });
});

describe('files', () => {
  test('a tokenizer.json, with its begin token', async () => {
    const fromGguf = ggufTokenizer(bytePairMetadata('llama-bpe'), ARCHITECTURE).toJSON() as { readonly tokenizer: unknown };
    const files = memoryFiles({ 'tokenizer.json': new TextEncoder().encode(JSON.stringify(fromGguf.tokenizer)), 'tokenizer_config.json': new TextEncoder().encode('{"clean_up_tokenization_spaces":true}') });
    const tokenizer = (await folderTokenizer(files, ARCHITECTURE))!;
    golden.texts.forEach((text, index) => expect(tokenizer.encode(text)).toEqual(golden['llama-bpe'][index]));
    expect(tokenizer.prompt('a')).toEqual([476, 97]);
    expect(tokenizer.decode(tokenizer.encode('what \'s this ?'))).toBe('what \'s this ?');
    expect(await folderTokenizer(memoryFiles({}), ARCHITECTURE)).toBeUndefined();
  });

  test('files that are none', async () => {
    for (const json of ['{}', '[]', '{"model":{"type":"Unheard"}}', '{"model":null,"decoder":null,"post_processor":null,"pre_tokenizer":null,"normalizer":null,"added_tokens":3}', '{']) {
      await expect(folderTokenizer(memoryFiles({ 'tokenizer.json': new TextEncoder().encode(json) }), ARCHITECTURE)).rejects.toThrow(/tokenizer/);
    }
    for (const bytes of [new Uint8Array(9), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 127), Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 255)]) {
      await expect(llama2cTokenizer(memoryFiles({ 't.bin': bytes }), 't.bin', ARCHITECTURE)).rejects.toThrow(/no tokenizer of llama2\.c/);
    }
    await expect(llama2cTokenizer(memoryFiles({ 't.bin': new Uint8Array(4) }), 't.bin', ARCHITECTURE)).rejects.toThrow(/0 tokens, and the model 477/);
    for (const value of [null, 3, {}, { kind: 'bytes' }, { kind: 'sentencepiece', pieces: ['a'], scores: [0], kinds: ['x'], spacePrefix: true, addsBegin: true, endTokens: [] }]) expect(() => parseTokenizer(value)).toThrow(TypeError);
  });
});

const found = modelFilesOrSkip('the tokenizer of stories260K');

describe.skipIf(found === null)('stories260K', () => {
  test.each(['stories260K-f32.gguf', 'stories260K.bin'])('%s: llama.cpp\'s tokens, and the golden text', async (name) => {
    const files = await openModelFiles(`${found}/llm/${name}`);
    const tokenizer = (await (await openLanguageModel(files)).tokenizer())!;
    await files.close();
    golden.texts.forEach((text, index) => {
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(golden.stories260K[index]);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.replaceAll('\u2581', ' '));
    });
    const story = JSON.parse(readFileSync(`${found}/golden/stories260K_greedy.json`, 'utf8')) as { readonly prompt: string; readonly tokens: number[]; readonly text: string };
    expect(tokenizer.prompt(story.prompt)).toEqual(story.tokens.slice(0, 1));
    expect(tokenizer.decode(story.tokens)).toBe(story.text);
    expect(tokenizer.decode(tokenizer.encode(story.text))).toBe(story.text);
    expectConsistent(tokenizer, golden.texts);
  });
});
