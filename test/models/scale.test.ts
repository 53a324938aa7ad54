import { describe, expect, test } from 'vitest';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { extrapolatedFigures } from './scale.ts';

const LLAMA: Architecture = {
  family: 'llama', vocabulary: 192, width: 64, hidden: 96, layers: 4, heads: 4, keyValueHeads: 2, headSize: 16, context: 64, normEpsilon: 1e-5,
  rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
};

describe('figures of programs that are not built', () => {
  test.each<[string, Architecture, Parameters<typeof buildLanguageModel>[1]]>([
    ['a Llama', LLAMA, { promptLimit: 7, newTokenLimit: 5 }],
    ['one with every head its own keys, 8 bits, an odd width', { ...LLAMA, width: 40, hidden: 52, heads: 5, keyValueHeads: 5, headSize: 8, layers: 3, vocabulary: 320 }, { promptLimit: 4, newTokenLimit: 9, activationBits: 8, attentionBits: 8, tokenWeightBits: 8 }],
    ['a GPT-2 that always takes the likeliest', { family: 'gpt2', vocabulary: 256, width: 48, hidden: 192, layers: 3, heads: 3, keyValueHeads: 3, headSize: 16, context: 32, normEpsilon: 1e-5, endTokens: [3] }, { promptLimit: 16, newTokenLimit: 8, sampling: false }],
  ])('%s: they are the built program\'s', async (_, architecture, options) => {
    const figures = await extrapolatedFigures(architecture, options);
    const model = await buildLanguageModel(randomWeights(architecture), options);
    const { program, constants } = model;
    const { steps, operators } = admit(model);
    expect(figures.steps).toBe(steps);
    expect(figures.weightBytes).toBe(BigInt(constants.reduce((sum, { length }) => sum + length, 0)));
    expect(figures.slots).toBe(BigInt(program.prologue.length + program.maxIterations * program.body.length + program.epilogue.length));
    expect(figures.operators).toBe(BigInt(program.body.length));
    // One word at a time, as the machine counts them.
    const last = operators.filter(({ section }) => section === 'body').reduce((sum, operator) => {
      const words = operator.operator.output.rows * Math.ceil(operator.operator.output.columns / (operator.operator.output.element === 'i8' ? 32 : 8));
      return sum + Array.from({ length: words }, (_unused, word) => operator.steps.word(program.maxIterations - 1, word)).reduce((all, count) => all + count, 0n);
    }, 0n);
    expect(figures.lastIterationSteps).toBe(last);
  });

  test('and what a run keeps, and a dispute is over', async () => {
    const options = { promptLimit: 7, newTokenLimit: 5 };
    const figures = await extrapolatedFigures(LLAMA, options);
    const model = await buildLanguageModel(randomWeights(LLAMA), options);
    const prepared = await createWasmExecutor().prepare(model);
    const input = encodePrompt(model, [1, 5, 9], { maximumTokens: 2 });
    const { tensor, iterations } = await prepared.run(input, { keep: 'all' });
    const [first, body] = [model.program.prologue.length, model.program.body.length];
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const bytes = Array.from({ length: body }, (_, index) => tensor(first + iteration * body + index)!.length).reduce((sum, length) => sum + length, 0);
      expect(BigInt(bytes)).toBe(figures.iterationBytes);
    }
    // Keys and values of every layer, and the token itself, are what later iterations read.
    expect(figures.cacheBytes).toBeGreaterThanOrEqual(BigInt(LLAMA.layers * LLAMA.keyValueHeads * LLAMA.headSize * 2));
    expect(figures.cacheBytes).toBeLessThan(figures.iterationBytes);
    const trace = await openTrace({ prepared, input });
    expect(trace.steps).toBe(figures.steps);
    await prepared.dispose();
  });

  test('a vocabulary that cannot be put together from those that are built', async () => {
    await expect(extrapolatedFigures({ ...LLAMA, vocabulary: 100 })).rejects.toThrow(/no multiple of 64/);
  });
});
