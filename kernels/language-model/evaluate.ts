import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { FloatTransformer } from './float-transformer.ts';
import { encodePrompt, tokensInput } from './interface.ts';
import { operatorNamed } from './program.ts';

export interface LanguageModelEvaluation {
  /** Texts. */
  readonly samples: number;
  /** Tokens that were predicted: all but each text's first. */
  readonly tokens: number;
  /** Share of them for which the likeliest token is the float model's. */
  readonly agreement: number;
  /** Mean negative logarithm of the probability that the program gives to the token that follows. */
  readonly negativeLogLikelihood: number;
  readonly floatNegativeLogLikelihood: number;
  /** Greatest and mean magnitude of the difference between logits. */
  readonly maxError: number;
  readonly meanError: number;
}

/** Logits have 16 bits behind the point. */
const ONE = 65536;

/**
 * Compares a language model's integer program with its weights in floats on texts, as lists of tokens: each token is predicted from those before it. What a text has beyond
 * `predictableTokens` is left out. `float` gives a float model at the beginning of a text (`loadFloatTransformer`).
 *
 * @throws RangeError when a text has tokens that the models have not, no text has two tokens, or the two have other vocabularies; TypeError for a model that is no language model
 */
export async function evaluateLanguageModel(prepared: PreparedModel, float: () => FloatTransformer, texts: Iterable<readonly number[]>): Promise<LanguageModelEvaluation> {
  const { model } = prepared;
  const operator = operatorNamed(model, 'logits');
  const limit = predictableTokens(prepared);
  const total = { samples: 0, tokens: 0, same: 0, likelihood: 0, floatLikelihood: 0, greatest: 0, difference: 0, logits: 0 };
  for (const text of texts) {
    const tokens = text.slice(0, limit);
    total.samples += 1;
    if (tokens.length < 2) continue;
    const step = float();
    let predicted = 0;
    const onTensor = (iteration: number, words: Uint8Array): void => {
      const [token, following] = [tokens[iteration], tokens[iteration + 1]];
      if (token === undefined || following === undefined) return;
      const expected = step(token);
      const logits = readLogits(words, expected.length);
      predicted += 1;
      if (likeliest(logits) === likeliest(expected)) total.same += 1;
      total.likelihood += surprise(logits, following);
      total.floatLikelihood += surprise(expected, following);
      expected.forEach((value, index) => {
        const difference = Math.abs(value - (logits[index] as number));
        total.greatest = Math.max(total.greatest, difference);
        total.difference += difference;
      });
      total.logits += expected.length;
    };
    await prepared.run(inputOf(prepared, tokens), { observe: { operator, onTensor }, independentIterations: tokens.length });
    if (predicted !== tokens.length - 1) throw new RangeError(`${model.program.name} looked at ${predicted} of a text's first ${tokens.length - 1} tokens`);
    total.tokens += predicted;
  }
  if (total.tokens === 0) throw new RangeError('no text has two tokens or more, so there is nothing to predict');
  return {
    samples: total.samples,
    tokens: total.tokens,
    agreement: total.same / total.tokens,
    negativeLogLikelihood: total.likelihood / total.tokens,
    floatNegativeLogLikelihood: total.floatLikelihood / total.tokens,
    maxError: total.greatest,
    meanError: total.difference / total.logits,
  };
}

/** How many of a text's tokens a program can look at: its longest prompt. @throws TypeError for a model that is no language model */
export function predictableTokens({ model: { program } }: PreparedModel): number {
  const limits = tokensInput(program);
  if (limits !== undefined) return limits.promptLimit;
  if (program.signature.endsWith('(string)->(string)') && program.body.length > 0) return program.input.columns;
  throw new TypeError(`${program.name} is no language model`);
}

function inputOf({ model }: PreparedModel, tokens: readonly number[]): Uint8Array {
  if (tokensInput(model.program) !== undefined) return encodePrompt(model, tokens, { maximumTokens: 1 });
  const wrong = tokens.find((token) => !Number.isInteger(token) || token < 1 || token > 255);
  if (wrong !== undefined) throw new RangeError(`${wrong} is no byte that a text model can be asked about: they are 1 to 255`);
  const bytes = new Uint8Array(model.program.input.columns);
  bytes.set(tokens);
  return packTensor(model.program.input, bytes);
}

/** The tensor of logits as real numbers. @throws RangeError when there are not as many as the float model gives */
function readLogits(words: Uint8Array, count: number): Float64Array {
  const padding = words.length / 4 - count;
  if (padding < 0 || padding >= 8) throw new RangeError(`the float model has ${count} tokens, which is not the program's vocabulary`);
  const view = new DataView(words.buffer, words.byteOffset, words.byteLength);
  return Float64Array.from({ length: count }, (_, index) => view.getInt32(index * 4, true) / ONE);
}

/** The first of the greatest. */
function likeliest(logits: Float64Array): number {
  let best = 0;
  for (let index = 1; index < logits.length; index += 1) if ((logits[index] as number) > (logits[best] as number)) best = index;
  return best;
}

/** The negative natural logarithm of the probability that logits give to a token. */
function surprise(logits: Float64Array, token: number): number {
  const greatest = logits[likeliest(logits)] as number;
  const mass = logits.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0);
  return greatest + Math.log(mass) - (logits[token] ?? Number.NaN);
}
