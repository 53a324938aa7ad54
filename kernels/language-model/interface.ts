import type { Model, Program } from '../../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { SETTINGS } from './tokens.ts';

/** What a token model's metadata say of its input: `buildLanguageModel` writes it. */
export interface TokensInput {
  readonly kind: 'tokens';
  readonly vocabulary: number;
  /** Positions at most: the prompt and the answer together. */
  readonly context: number;
  /** Longest prompt, in tokens. */
  readonly promptLimit: number;
  readonly newTokenLimit: number;
  readonly beginToken?: number;
  readonly endTokens: readonly number[];
}

/** How an answer is to be made. */
export interface GenerationSettings {
  /** Most new tokens; the model's own limit when absent. */
  readonly maximumTokens?: number;
  /** 0 (default): always the likeliest token. */
  readonly temperature?: number;
  /** Choose among so many of the likeliest tokens; all when absent. */
  readonly topK?: number;
  /** Choose among the likeliest tokens that together have this probability, in (0, 1]; all when absent. */
  readonly topP?: number;
}

/** Settings count in units of 2^-16. */
const ONE = 65536;
const MOST_TEMPERATURE = 100;

/** What the metadata of a token model say; undefined for other models. */
export function tokensInput({ metadata }: Pick<Program, 'metadata'>): TokensInput | undefined {
  const input = metadata['input'] as Partial<TokensInput> | undefined;
  return input?.kind === 'tokens' ? (input as TokensInput) : undefined;
}

/** The body's operator whose tensor is the token chosen, plus 1; undefined where the model is no language model. */
export function nextTokenOperator({ metadata }: Pick<Program, 'metadata'>): number | undefined {
  const next = (metadata['languageModel'] as { readonly nextOperator?: unknown } | undefined)?.nextOperator;
  return typeof next === 'number' ? next : undefined;
}

/**
 * A token model's input words for a prompt.
 *
 * @throws RangeError for an empty prompt, one that is too long, tokens that the vocabulary has not, and settings that mean nothing; TypeError for a model that takes no tokens
 */
export function encodePrompt(model: Model, tokens: readonly number[], settings: GenerationSettings = {}): Uint8Array {
  const { program } = model;
  const limits = tokensInput(program);
  if (limits === undefined) throw new TypeError(`${program.name} takes no tokens`);
  const { vocabulary, promptLimit } = limits;
  if (tokens.length === 0) throw new RangeError('the prompt is empty: give at least one token');
  if (tokens.length > promptLimit) throw new RangeError(`the prompt has ${tokens.length} tokens and the model takes ${promptLimit}`);
  const wrong = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= vocabulary);
  if (wrong !== undefined) throw new RangeError(`${wrong} is no token of this model: they are 0 to ${vocabulary - 1}`);
  const numbers = new Int32Array(SETTINGS + promptLimit);
  numbers.set(encodeSettings(limits, settings));
  numbers.set(tokens.map((token) => token + 1), SETTINGS);
  const elements = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, index) => elements.setInt32(index * 4, number, true));
  return packTensor(program.input, new Uint8Array(elements.buffer));
}

/** The tokens of a prompt's input words: the inverse of `encodePrompt`. */
export function decodePrompt(model: Model, words: Uint8Array): number[] {
  return readTokens(unpackTensor(model.program.input, words).subarray(SETTINGS * 4));
}

/** How many iterations of a language model's body take their token from the prompt: what `independentIterations` is told. 0 for other models. */
export function promptIterations(model: Model, words: Uint8Array): number {
  if (nextTokenOperator(model.program) === undefined) return 0;
  if (tokensInput(model.program) !== undefined) return decodePrompt(model, words).length;
  const end = words.indexOf(0);
  return end < 0 ? words.length : end;
}

/** The tokens that a result stands for. @throws RangeError when the words are not of the output's size */
export function decodeTokens(model: Model, words: Uint8Array): number[] {
  const last = model.program.epilogue.at(-1);
  if (last === undefined) throw new RangeError(`${model.program.name} generates no tokens`);
  return readTokens(unpackTensor(last.output, words));
}

/** Numbers before the first zero, less 1. */
function readTokens(elements: Uint8Array): number[] {
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const tokens: number[] = [];
  for (let index = 0; index < Math.floor(elements.length / 4); index += 1) {
    const number = view.getInt32(index * 4, true);
    if (number === 0) break;
    tokens.push(number - 1);
  }
  return tokens;
}

function encodeSettings({ newTokenLimit }: TokensInput, { maximumTokens = 0, temperature = 0, topK = 0, topP = 1 }: GenerationSettings): Int32Array {
  if (!Number.isInteger(maximumTokens) || maximumTokens < 0 || maximumTokens > newTokenLimit) throw new RangeError(`this model generates 1 to ${newTokenLimit} tokens, not ${maximumTokens}`);
  if (!(temperature >= 0 && temperature <= MOST_TEMPERATURE)) throw new RangeError(`a temperature lies between 0 and ${MOST_TEMPERATURE}, not at ${temperature}`);
  if (!Number.isInteger(topK) || topK < 0 || topK >= 2 ** 31) throw new RangeError(`top-k is a number of tokens, not ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`top-p lies above 0 and is at most 1, not ${topP}`);
  return Int32Array.of(maximumTokens, Math.round(temperature * ONE), topK, topP === 1 ? 0 : Math.max(1, Math.round(topP * ONE)));
}
