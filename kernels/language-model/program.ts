import type { ConstantStore } from '../../deterministic-runtime/bundle/constant-store.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { argmax } from '../argmax.ts';
import { ProgramBuilder } from '../program-builder.ts';
import type { Tensor } from '../program-builder.ts';
import type { ActivationBits } from '../quantize-rows.ts';
import { appendSampling } from '../sampling.ts';
import type { Architecture, WeightSource } from './architecture.ts';
import { checkArchitecture } from './dimensions.ts';
import { loadConstants } from './constants.ts';
import { appendTransformer } from './transformer.ts';
import {
  SETTINGS, currentByte, currentToken, generatedBytes, generatedTokens, generationStops, nextToken, promptLength, settings as settingsKernel, textLength,
} from './tokens.ts';

/** How tokens are chosen where the request does not say: numbers as people write them. */
export interface SamplingSettings {
  /** 0: always the likeliest. */
  readonly temperature: number;
  /** 0: all tokens. */
  readonly topK: number;
  /** In (0, 1]; 1: all tokens. */
  readonly topP: number;
}

export interface LanguageModelOptions {
  /** The program's name; its signature does not depend on it. */
  readonly name?: string;
  /** `tokens` (default): a list of ids in and out. `bytes`: a text in and out, for models whose vocabulary is the 256 bytes. */
  readonly interface?: 'tokens' | 'bytes';
  /** Longest prompt, in tokens; 512, or the context if that is less, when absent. */
  readonly promptLimit?: number;
  /** Longest answer, in tokens; 256, or the context if that is less, when absent. */
  readonly newTokenLimit?: number;
  /** Bits of what enters matrix products: 16 by default. 8 is half the work, and less exact. */
  readonly activationBits?: ActivationBits;
  /** Bits of queries and of the cache of keys: 16 by default. */
  readonly attentionBits?: ActivationBits;
  /** Bits of the embedding's and the output layer's weights: 16 by default. */
  readonly tokenWeightBits?: ActivationBits;
  /** Bits of all other matrices: 8 by default. 16 is twice the memory and half as much work again. */
  readonly weightBits?: ActivationBits;
  /** False leaves sampling out of the program, so that every answer is the likeliest; true by default. */
  readonly sampling?: boolean;
  /** For `bytes`, whose requests carry no settings; always the likeliest byte by default. */
  readonly settings?: SamplingSettings;
  /** What else the metadata say: source, licence. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Where weights go as they are quantised: memory, if nothing is said. */
  readonly store?: ConstantStore;
}

const integers = (columns: number, rows = 1): TensorShape => ({ element: 'i32', rows, columns });
const ONE = 65536;
const MOST_COLUMNS = 2 ** 17;
const MOST_HEAD_SIZE = 512;

/**
 * A decoder-only transformer as an integer program that generates text, one iteration of its body a token (docs/numerics.md says how).
 *
 * **Tokens** (`generate(int32[])->(int32[])`). Input, i32 [1][4 + promptLimit]: how many new tokens at most (0: until an end token or the
 * program's limit), the temperature in 65,536ths (0: greedy), top-k (0: all), top-p in 65,536ths (0: all), then the prompt's ids, each plus 1, and
 * zeros. A begin token is the client's to prepend. Output, i32 [1][newTokenLimit]: the ids generated, each plus 1, and zeros; an end
 * token is the last of them. Ids above the vocabulary are taken as its last, and an empty prompt as id 0: clients refuse both.
 *
 * **Bytes** (`complete(string)->(string)`). Input, i8 [1][promptLimit]: UTF-8, and zeros. Output, i8 [1][newTokenLimit]: the bytes generated, without the end token.
 *
 * The body's last operators are, in this order, `logits` (i32 [1][vocabulary], 16 bits behind the point; sampling follows it), `next` (i32 [1][1], the
 * token chosen for the next position, plus 1) and `stop`; `operatorNamed` finds them for `observe`. Positions are at most
 * min(context, promptLimit + newTokenLimit − 1).
 *
 * **Metadata**: `input = { kind: 'tokens', vocabulary, context, promptLimit, newTokenLimit, beginToken?, endTokens }` and `output = { kind: 'tokens', maximum }`, `context` being the
 * program's positions; or, for bytes, `input = { kind: 'text', encoding: 'utf-8', maximumBytes, normalization: 'none' }` and `output = { kind: 'text', encoding: 'utf-8' }`. Both have
 * `languageModel = { architecture, nextOperator, activationBits, attentionBits, tokenWeightBits, weightBits, sampling }`; `nextOperator` is the number of `next` in the body.
 *
 * @throws RangeError for dimensions or options that no program can be made of, and for weights that are missing or not finite
 */
export async function buildLanguageModel(source: WeightSource, options: LanguageModelOptions = {}): Promise<Model> {
  const plan = planOf(source.architecture, options);
  const { architecture, isText, promptLimit, newTokenLimit, positions, sampling } = plan;
  const metadata = { ...options.metadata, ...descriptionOf(plan) };
  const builder = new ProgramBuilder({
    name: options.name ?? 'language-model',
    signature: isText ? 'complete(string)->(string)' : 'generate(int32[])->(int32[])',
    input: isText ? { element: 'i8', rows: 1, columns: promptLimit } : integers(SETTINGS + promptLimit),
    metadata,
  }, options.store);
  const length = builder.append('prompt.length', { kernel: isText ? textLength : promptLength, output: integers(1), operands: [builder.input] });
  const wanted = isText
    ? builder.integers(1, SETTINGS, fixedSettings(options.settings))
    : builder.append('settings', { kernel: settingsKernel, output: integers(SETTINGS), operands: [builder.input] });
  const ends = builder.integers(1, Math.max(1, architecture.endTokens.length), Int32Array.from(architecture.endTokens.length === 0 ? [-1] : architecture.endTokens, (token) => token + 1));
  const constants = await loadConstants(builder, source, plan);

  builder.beginBody(positions);
  const next = builder.forward(integers(1));
  const token = builder.append('token', {
    kernel: isText ? currentByte : currentToken, output: integers(1), operands: [builder.input, length, next], parameters: { vocabulary: architecture.vocabulary },
  });
  const logits = appendTransformer(builder, plan, constants, token);
  const chosen: Tensor = sampling
    ? appendSampling(builder, { logits, settings: wanted, seed: builder.seed })
    : builder.append('likeliest', { kernel: argmax, output: integers(1), operands: [logits] });
  builder.append('next', { kernel: nextToken, output: integers(1), operands: [chosen], as: next });
  builder.append('stop', { kernel: generationStops, output: integers(1), operands: [next, length, wanted, ends], parameters: { limit: newTokenLimit } });

  builder.beginEpilogue();
  if (isText) builder.append('text', { kernel: generatedBytes, output: { element: 'i8', rows: 1, columns: newTokenLimit }, operands: [next, length, ends] });
  else builder.append('tokens', { kernel: generatedTokens, output: integers(newTokenLimit), operands: [next, length] });
  const model = builder.build();
  // The numbers of operators are known only now.
  const languageModel = { ...(metadata['languageModel'] as object), nextOperator: operatorNamed(model, 'next') };
  return { ...model, program: { ...model.program, metadata: { ...metadata, languageModel } } };
}

/** Number of the body's operator of this name: what `observe` takes. @throws RangeError when there is none */
export function operatorNamed({ program }: Model, name: string): number {
  const index = program.body.findIndex((operator) => operator.name === name);
  if (index < 0) throw new RangeError(`the body of ${program.name} has no operator '${name}'`);
  return index;
}

interface Plan {
  readonly architecture: Architecture;
  readonly isText: boolean;
  readonly promptLimit: number;
  readonly newTokenLimit: number;
  readonly positions: number;
  readonly activationBits: ActivationBits;
  readonly attentionBits: ActivationBits;
  readonly tokenWeightBits: ActivationBits;
  readonly weightBits: ActivationBits;
  readonly sampling: boolean;
}

function planOf(architecture: Architecture, options: LanguageModelOptions): Plan {
  checkArchitecture(architecture);
  const { vocabulary, context } = architecture;
  const isText = options.interface === 'bytes';
  if (isText && vocabulary !== 256) throw new RangeError(`a model of bytes has a vocabulary of 256, not ${vocabulary}`);
  const promptLimit = options.promptLimit ?? Math.min(512, context);
  const newTokenLimit = options.newTokenLimit ?? Math.min(256, context);
  const { width, hidden, heads, headSize } = architecture;
  // So that dot products of bytes stay in 32 bits.
  if (Math.max(width, hidden, heads * headSize) > MOST_COLUMNS) throw new RangeError(`rows of a matrix have at most ${MOST_COLUMNS} elements, not ${Math.max(width, hidden, heads * headSize)}`);
  if (headSize > MOST_HEAD_SIZE) throw new RangeError(`heads have at most ${MOST_HEAD_SIZE} components, not ${headSize}`);
  for (const [name, value] of Object.entries({ promptLimit, newTokenLimit })) {
    if (!Number.isInteger(value) || value < 1 || value > context) throw new RangeError(`${name} is from 1 to the context's ${context} tokens, not ${value}`);
  }
  return {
    architecture, isText, promptLimit, newTokenLimit,
    positions: Math.min(context, promptLimit + newTokenLimit - 1),
    activationBits: options.activationBits ?? 16,
    attentionBits: options.attentionBits ?? 16,
    tokenWeightBits: options.tokenWeightBits ?? 16,
    weightBits: options.weightBits ?? 8,
    sampling: options.sampling ?? true,
  };
}

function descriptionOf({ architecture, isText, promptLimit, newTokenLimit, positions, activationBits, attentionBits, tokenWeightBits, weightBits, sampling }: Plan): Record<string, unknown> {
  const { vocabulary, beginToken, endTokens } = architecture;
  return {
    input: isText
      ? { kind: 'text', encoding: 'utf-8', maximumBytes: promptLimit, normalization: 'none' }
      : { kind: 'tokens', vocabulary, context: positions, promptLimit, newTokenLimit, ...(beginToken === undefined ? {} : { beginToken }), endTokens },
    output: isText ? { kind: 'text', encoding: 'utf-8' } : { kind: 'tokens', maximum: newTokenLimit },
    languageModel: { architecture, activationBits, attentionBits, tokenWeightBits, weightBits, sampling },
  };
}

/** Settings as the program has them. @throws RangeError for settings that mean nothing */
function fixedSettings({ temperature, topK, topP }: SamplingSettings = { temperature: 0, topK: 0, topP: 1 }): Int32Array {
  if (!(temperature >= 0 && temperature <= 1000)) throw new RangeError(`a temperature lies between 0 and 1000, not ${temperature}`);
  if (!Number.isInteger(topK) || topK < 0) throw new RangeError(`top-k is a number of tokens, or 0 for all, not ${topK}`);
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`top-p lies above 0 and is at most 1, not ${topP}`);
  return Int32Array.of(0, Math.round(temperature * ONE), Math.min(topK, 2 ** 31 - 1), topP === 1 ? 0 : Math.max(1, Math.round(topP * ONE)));
}
