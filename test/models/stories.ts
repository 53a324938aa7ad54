import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { openLanguageModel } from '../../kernels/import/language-model/open.ts';
import type { WeightSource } from '../../kernels/language-model/architecture.ts';
import { operatorNamed } from '../../kernels/language-model/program.ts';
import type { Tokenizer } from '../../kernels/tokenizer/tokenizer.ts';
import { openModelFiles } from '../../rollup-node/model-files/open.ts';

/** stories260K (llama2.c, MIT), the stories that it is measured on, and what it continues in 32-bit floats. */
export interface Stories {
  readonly weights: WeightSource;
  readonly tokenizer: Tokenizer;
  /** Tokens of each story behind the begin token, as many as the context holds. */
  readonly stories: readonly (readonly number[])[];
  /** Tokens of the float model, greedily from the begin token. */
  readonly golden: readonly number[];
  readonly beginToken: number;
  close(): Promise<void>;
}

/** Reads them from the folder of models; `close` when the weights are not needed any more. */
export async function loadStories(folder: string): Promise<Stories> {
  const files = await openModelFiles(join(folder, 'llm/stories260K.bin'));
  const file = await openLanguageModel(files);
  const tokenizer = await file.tokenizer();
  if (tokenizer === undefined) throw new Error('tok512.bin is missing beside stories260K.bin');
  const { weights } = file;
  const texts = JSON.parse(readFileSync(join(folder, 'data/tinystories_eval100.json'), 'utf8')) as string[];
  const { tokens } = JSON.parse(readFileSync(join(folder, 'golden/stories260K_greedy.json'), 'utf8')) as { tokens: number[] };
  return {
    weights, tokenizer, golden: tokens,
    beginToken: weights.architecture.beginToken!,
    close: () => files.close(),
    stories: texts.map((text) => tokenizer.prompt(text).slice(0, weights.architecture.context)),
  };
}

/** The input of a token model, as padded words. */
export function tokenInput({ model: { program } }: PreparedModel, prompt: readonly number[], { newTokens = 0, temperature = 0, topK = 0, topP = 0 } = {}): Uint8Array {
  const elements = new Int32Array(program.input.columns);
  elements.set([newTokens, temperature, topK, topP, ...prompt.map((token) => token + 1)]);
  return packTensor(program.input, new Uint8Array(elements.buffer));
}

/** The tokens of a token model's output. */
export function outputTokens(output: Uint8Array): number[] {
  const numbers = [...new Int32Array(output.slice().buffer)];
  const end = numbers.indexOf(0);
  return numbers.slice(0, end < 0 ? numbers.length : end).map((number) => number - 1);
}

/** Logits after each of a prompt's tokens, as real numbers. */
export async function logitsOf(prepared: PreparedModel, prompt: readonly number[]): Promise<number[][]> {
  const logits: number[][] = [];
  const { vocabulary } = prepared.model.program.metadata['input'] as { vocabulary: number };
  const onTensor = (iteration: number, words: Uint8Array): void => {
    logits[iteration] = Array.from(new Int32Array(words.slice().buffer, 0, vocabulary), (number) => number / 65536);
  };
  await prepared.run(tokenInput(prepared, prompt, { newTokens: 1 }), {
    observe: { operator: operatorNamed(prepared.model, 'logits'), onTensor }, independentIterations: prompt.length,
  });
  return logits;
}

/** Sum of the negative logarithms of the probabilities that logits give to the tokens that follow, and how many there are. */
export function negativeLogLikelihood(logits: readonly ArrayLike<number>[], tokens: readonly number[]): { readonly sum: number; readonly count: number } {
  let sum = 0;
  for (let position = 0; position + 1 < tokens.length; position += 1) {
    const row = Array.from(logits[position]!);
    const greatest = row.reduce((most, value) => Math.max(most, value), -Infinity);
    const total = row.reduce((mass, value) => mass + Math.exp(value - greatest), 0);
    sum += greatest + Math.log(total) - row[tokens[position + 1]!]!;
  }
  return { sum, count: tokens.length - 1 };
}
