import { z } from 'zod';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { decodePrompt, decodeTokens, encodePrompt, nextTokenOperator, promptIterations, tokensInput } from '../kernels/language-model/interface.ts';
import type { GenerationSettings } from '../kernels/language-model/interface.ts';
import { byteTokenizer } from '../kernels/tokenizer/byte-tokenizer.ts';
import { parseTokenizer } from '../kernels/tokenizer/json.ts';
import type { TokenStream, Tokenizer } from '../kernels/tokenizer/tokenizer.ts';
import { ExitCode, UserError } from './errors.ts';

/** The attachment of a bundle that holds a token model's tokenizer. */
export const TOKENIZER_FILE = 'tokenizer.json';

const token = z.int().min(0).max(2 ** 31 - 2);
const positive = z.int().min(1).max(2 ** 31 - 2);

/** A bundle's metadata are whatever its author wrote: they are checked before anything is computed from them. */
const inputSchema = z.looseObject({
  kind: z.literal('tokens'), vocabulary: positive, context: positive, promptLimit: positive, newTokenLimit: positive, beginToken: token.optional(), endTokens: z.array(token).max(64),
});

/** True for models that take and give tokens. @throws UserError when the metadata say so and do not fit the program */
export function takesTokens({ program }: Model): boolean {
  if (tokensInput(program) === undefined) return false;
  const parsed = inputSchema.safeParse(program.metadata['input']);
  if (parsed.success && program.input.element === 'i32' && program.input.rows === 1 && program.input.columns === parsed.data.promptLimit + 4) return true;
  throw new UserError(`the model ${program.name} does not say in its metadata what tokens it takes`, { hint: 'import it with assay import, which writes that' });
}

/** A model's tokenizer; undefined where its bundle has none. @throws UserError when it is not understood */
export function tokenizerOf({ program, attachments }: Model): Tokenizer | undefined {
  const bytes = attachments?.[TOKENIZER_FILE];
  if (bytes === undefined) return undefined;
  try {
    return parseTokenizer(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw new UserError(`the tokenizer of ${program.name} cannot be used: ${(cause as Error).message}`, { exitCode: ExitCode.integrity, cause });
  }
}

/**
 * The input words of a token model for a prompt: text where the model has a tokenizer, else token ids as a list in JSON.
 * @throws UserError when it does not fit the model
 */
export function readPrompt(model: Model, bytes: Uint8Array, settings: GenerationSettings = {}): Uint8Array {
  const tokenizer = tokenizerOf(model);
  const tokens = tokenizer === undefined ? readTokenList(bytes) : tokenizer.prompt(decodeText(bytes));
  try {
    return encodePrompt(model, tokens, settings);
  } catch (cause) {
    if (cause instanceof RangeError) throw new UserError(cause.message, { cause });
    throw cause;
  }
}

/** What a token model gave: text where it has a tokenizer, else the token ids. */
export function readableTokens(model: Model, words: Uint8Array): string | readonly number[] {
  const tokens = decodeTokens(model, words);
  return tokenizerOf(model)?.decode(tokens) ?? tokens;
}

/** How an answer is followed while it is made. */
export interface AnswerStream {
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** What an executor's `observe` takes. */
  readonly observe: { readonly operator: number; readonly onTensor: (iteration: number, words: Uint8Array) => void };
  /** Gives out what is left. */
  end(): void;
}

/** Follows the answer of a language model of text, piece by piece. Undefined for other models, and for token models without a tokenizer. */
export function followAnswer(model: Model, input: Uint8Array, onText: (text: string) => void): AnswerStream | undefined {
  const operator = nextTokenOperator(model.program);
  if (operator === undefined || model.program.body[operator]?.output.element !== 'i32') return undefined;
  const isBytes = !takesTokens(model);
  const tokenizer = isBytes ? byteTokenizer({ endTokens: [0] }) : tokenizerOf(model);
  if (tokenizer === undefined) return undefined;
  const prompt = isBytes ? [...input.subarray(0, promptIterations(model, input))] : decodePrompt(model, input);
  const stream: TokenStream = tokenizer.stream(prompt);
  const first = Math.max(1, prompt.length) - 1;
  const give = (text: string): void => { if (text !== '') onText(text); };
  const onTensor = (iteration: number, words: Uint8Array): void => {
    const next = new DataView(words.buffer, words.byteOffset).getInt32(0, true);
    if (iteration >= first && next > 0 && next <= tokenizer.vocabulary) give(stream.push(next - 1));
  };
  return { promptTokens: prompt.length, observe: { operator, onTensor }, end: () => give(stream.end()) };
}

function readTokenList(bytes: Uint8Array): number[] {
  const parsed = z.array(token).safeParse(parseJson(bytes));
  if (parsed.success) return parsed.data;
  throw new UserError('this model has no tokenizer, so its input is a list of token ids in JSON, e.g. [1, 403, 407]');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeText(bytes));
  } catch {
    return undefined;
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UserError('the input is not UTF-8 text', { cause });
  }
}
