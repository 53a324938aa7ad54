import { describe, expect, test } from 'vitest';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { Architecture } from './architecture.ts';
import { evaluateLanguageModel } from './evaluate.ts';
import { loadFloatTransformer } from './float-transformer.ts';
import type { FloatTransformer } from './float-transformer.ts';
import { buildLanguageModel } from './program.ts';
import { randomWeights } from './random-weights.ts';

const ARCHITECTURE: Architecture = {
  family: 'llama', vocabulary: 40, width: 32, hidden: 48, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 12, normEpsilon: 1e-5, endTokens: [], rotary: { base: 10_000, pairs: 'adjacent' },
};
const TEXTS = [[1, 5, 9, 13, 2], [7], [3, 3, 3, 8, 21, 39, 0, 4]];
const source = randomWeights(ARCHITECTURE, 3);
const executor = createWasmExecutor();
const prepared = executor.prepare(await buildLanguageModel(source, { promptLimit: 6, newTokenLimit: 2, weightBits: 16 }));

/** A float model that gives the same logits behind every token. */
const constantly = (...logits: readonly number[]) => (): FloatTransformer => () => Float64Array.from({ length: ARCHITECTURE.vocabulary }, (_, token) => logits[token] ?? 0);

describe('a language model beside floats', () => {
  test('what is predicted, and how well', async () => {
    const evaluation = await evaluateLanguageModel(await prepared, await loadFloatTransformer(source), TEXTS);
    // 4 of the first text, none of the second, and 5 of the third's first 6 tokens.
    expect(evaluation).toMatchObject({ samples: 3, tokens: 9, agreement: 1 });
    expect(evaluation.maxError).toBeGreaterThan(0);
    expect(evaluation.maxError).toBeLessThan(3e-3);
    expect(evaluation.meanError).toBeLessThan(evaluation.maxError);
    expect(Math.abs(evaluation.negativeLogLikelihood - evaluation.floatNegativeLogLikelihood)).toBeLessThan(3e-3);
  });

  test('the likelihood of even odds is the logarithm of the vocabulary, and of sure ones zero', async () => {
    const even = await evaluateLanguageModel(await prepared, constantly(), [[1, 2, 3]]);
    expect(even.floatNegativeLogLikelihood).toBeCloseTo(Math.log(ARCHITECTURE.vocabulary), 12);
    const sure = await evaluateLanguageModel(await prepared, constantly(0, 0, 1000), [[1, 2, 2]]);
    expect(sure.floatNegativeLogLikelihood).toBeCloseTo(0, 12);
    expect(sure.maxError).toBeGreaterThan(900);
    expect(sure.agreement).toBeLessThan(1);
  });

  test('a model of bytes reads its text, however it is cut', async () => {
    const bytes = randomWeights({ ...ARCHITECTURE, vocabulary: 256, endTokens: [0] }, 4);
    const model = await buildLanguageModel(bytes, { interface: 'bytes', promptLimit: 4, newTokenLimit: 2, weightBits: 16 });
    const text = [...new TextEncoder().encode('aé…')];
    const evaluation = await evaluateLanguageModel(await executor.prepare(model), await loadFloatTransformer(bytes), [text]);
    expect(evaluation).toMatchObject({ samples: 1, tokens: 3, agreement: 1 });
    expect(evaluation.maxError).toBeLessThan(3e-3);
    await expect(evaluateLanguageModel(await executor.prepare(model), await loadFloatTransformer(bytes), [[65, 0, 65]])).rejects.toThrow(/0 is no byte/);
  });

  test('texts and models that do not fit', async () => {
    const float = await loadFloatTransformer(source);
    await expect(evaluateLanguageModel(await prepared, float, [[1], [2]])).rejects.toThrow(/nothing to predict/);
    await expect(evaluateLanguageModel(await prepared, float, [[1, 40]])).rejects.toThrow(/40 is no token of this model/);
    const other = await loadFloatTransformer(randomWeights({ ...ARCHITECTURE, vocabulary: 80 }, 3));
    await expect(evaluateLanguageModel(await prepared, other, [[1, 2]])).rejects.toThrow(/80 tokens, which is not the program's vocabulary/);
  });
});
