import { beforeAll, describe, expect, test } from 'vitest';
import { attach } from '../deterministic-runtime/bundle/attachments.ts';
import type { PreparedModel } from '../deterministic-runtime/executors/executor.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import type { Architecture } from '../kernels/language-model/architecture.ts';
import { decodePrompt, decodeTokens, encodePrompt, promptIterations } from '../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { randomWeights } from '../kernels/language-model/random-weights.ts';
import { byteTokenizer } from '../kernels/tokenizer/byte-tokenizer.ts';
import { followAnswer, TOKENIZER_FILE } from './language-model.ts';
import { originalOutput, readableOutput, readModelInput, requestElements, resultWords } from './model-values.ts';

const ARCHITECTURE: Architecture = {
  family: 'llama', vocabulary: 256, width: 32, hidden: 32, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 24,
  normEpsilon: 1e-5, rotary: { base: 10_000, pairs: 'adjacent' }, endTokens: [0],
};
const LIMITS = { promptLimit: 12, newTokenLimit: 12 };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const prepare = (model: Model): Promise<PreparedModel> => createWasmExecutor().prepare(model);

describe('a language model of tokens', () => {
  let bare: Model;
  let model: Model;
  let prepared: PreparedModel;
  beforeAll(async () => {
    bare = await buildLanguageModel(randomWeights(ARCHITECTURE, 1), LIMITS);
    model = attach(bare, { [TOKENIZER_FILE]: utf8(JSON.stringify(byteTokenizer({ beginToken: 1, endTokens: [0] }))) });
    prepared = await prepare(model);
  });

  test('takes text through its tokenizer, and list of ids without one', () => {
    expect(decodePrompt(model, readModelInput(model, utf8('für')))).toEqual([1, 102, 195, 188, 114]);
    expect(decodePrompt(bare, readModelInput(bare, utf8('[1, 102, 255]')))).toEqual([1, 102, 255]);
    expect(promptIterations(model, encodePrompt(model, [5, 6, 7]))).toBe(3);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['an empty input', () => readModelInput(bare, utf8('[]')), /the prompt is empty/],
    ['text without a tokenizer', () => readModelInput(bare, utf8('hello')), /no tokenizer, so its input is a list of token ids/],
    ['numbers that are no ids', () => readModelInput(bare, utf8('[1.5]')), /list of token ids/],
    ['ids out of range', () => readModelInput(bare, utf8('[1, 256]')), /256 is no token of this model: they are 0 to 255/],
    ['a prompt that is too long', () => readModelInput(model, utf8('twelve bytes')), /13 tokens and the model takes 12/],
    ['bytes that are no UTF-8', () => readModelInput(model, Uint8Array.of(0xff)), /not UTF-8/],
    ['too many new tokens', () => readModelInput(model, utf8('a'), { maximumTokens: 13 }), /generates 1 to 12 tokens, not 13/],
    ['a negative temperature', () => encodePrompt(model, [1], { temperature: -1 }), /temperature lies between/],
    ['a probability above 1', () => encodePrompt(model, [1], { topP: 1.5 }), /top-p/],
  ])('refuses %s', (_, attempt, reason) => expect(attempt).toThrow(reason));

  test('is followed token by token; the pieces make the answer', async () => {
    const input = readModelInput(model, utf8('hi'), { temperature: 2, maximumTokens: 9 });
    let text = '';
    const answer = followAnswer(model, input, (piece) => { text += piece; });
    const { output, iterations } = await prepared.run(input, { seed: new Uint8Array(32).fill(3), observe: answer!.observe, independentIterations: answer!.promptTokens });
    answer!.end();
    const tokens = decodeTokens(model, output);
    expect(tokens.length).toBeGreaterThan(0);
    expect(iterations).toBe(2 + tokens.length);
    expect(text).toBe(new TextDecoder().decode(Uint8Array.from(tokens.filter((token) => token > 1))));
    expect(readableOutput(model, output)).toBe(text);
    expect(readableOutput(bare, output)).toEqual(tokens);
    expect(originalOutput(bare, output)).toEqual(utf8(JSON.stringify(tokens)));
  });

  test('a request carries no zeros, and a delivered result is the output again', async () => {
    const input = readModelInput(model, utf8('hi'), { maximumTokens: 3 });
    expect([...new Int32Array(requestElements(model, input).slice().buffer)]).toEqual([3, 0, 0, 0, 2, 105, 106]);
    const { output } = await prepared.run(input);
    const elements = Int32Array.from(decodeTokens(model, output), (token) => token + 1);
    expect(resultWords(model, new Uint8Array(elements.buffer))).toEqual(output);
  });

  test('a tokenizer that is none, or metadata that do not fit, are refused', () => {
    const broken = attach(bare, { [TOKENIZER_FILE]: utf8('{"kind":"none"}') });
    expect(() => readModelInput(broken, utf8('a'))).toThrow('the tokenizer of language-model cannot be used');
    const lying = { ...bare, program: { ...bare.program, metadata: { ...bare.program.metadata, input: { kind: 'tokens', vocabulary: 256, context: 24, promptLimit: 99, newTokenLimit: 12, endTokens: [] } } } };
    expect(() => readModelInput(lying, utf8('[1]'))).toThrow('does not say in its metadata what tokens it takes');
  });
});

describe('a language model of bytes', () => {
  test('is followed byte by byte, and takes no settings', async () => {
    const model = await buildLanguageModel(randomWeights(ARCHITECTURE, 2), { ...LIMITS, interface: 'bytes', settings: { temperature: 3, topK: 0, topP: 1 } });
    const input = readModelInput(model, utf8('abc'));
    let text = '';
    const answer = followAnswer(model, input, (piece) => { text += piece; });
    expect(answer?.promptTokens).toBe(3);
    const { output } = await (await prepare(model)).run(input, { observe: answer!.observe });
    answer!.end();
    const end = output.indexOf(0);
    expect(text).toBe(new TextDecoder().decode(end < 0 ? output : output.subarray(0, end)));
    expect(() => readModelInput(model, utf8('abc'), { temperature: 1 })).toThrow('takes no settings');
  });
});
