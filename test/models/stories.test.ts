import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { createWordMachineExecutor } from '../../fraud-proof/machine/executor.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { loadFloatTransformer } from '../../kernels/language-model/float-transformer.ts';
import type { FloatTransformer } from '../../kernels/language-model/float-transformer.ts';
import { modelFilesOrSkip } from './model-files.ts';
import { loadStories, logitsOf, negativeLogLikelihood, outputTokens, tokenInput } from './stories.ts';
import type { Stories } from './stories.ts';

const folder = modelFilesOrSkip('stories260K');
/** Every so many stories, of so many tokens; `npm run evidence:stories` takes all of them. */
const STRIDE = 25;
const TOKENS = 120;
/** So many of the float model's greedy tokens must come, in the same order. */
const SAME_TOKENS = 100;

describe.skipIf(folder === null)('stories260K', () => {
  let stories: Stories;
  let float: () => FloatTransformer;
  let greedy: PreparedModel;

  beforeAll(async () => {
    stories = await loadStories(folder!);
    float = await loadFloatTransformer(stories.weights);
    greedy = await createWasmExecutor().prepare(await buildLanguageModel(stories.weights, { sampling: false }));
  });
  afterAll(async () => {
    await greedy.dispose();
    await stories.close();
  });

  test('the tokenizer\'s text of the golden tokens is a story', () => {
    expect(stories.tokenizer.decode(stories.golden)).toMatch(/^ ?Once upon a time, there was a little girl named Lily\./);
  });

  test('is admissible, and a dispute about all of its context takes 8 levels of 16', () => {
    expect(Number(admit(greedy.model).steps)).toBeLessThan(16 ** 8);
  });

  test('gives stories the likelihood that the float model gives them', async () => {
    const chosen = stories.stories.filter((_, index) => index % STRIDE === 3).map((tokens) => tokens.slice(0, TOKENS));
    let [program, reference, count] = [0, 0, 0];
    for (const tokens of chosen) {
      const share = negativeLogLikelihood(await logitsOf(greedy, tokens), tokens);
      const step = float();
      program += share.sum;
      reference += negativeLogLikelihood(tokens.map((token) => step(token)), tokens).sum;
      count += share.count;
    }
    expect(count).toBeGreaterThan(300);
    expect(Math.abs(program - reference) / count).toBeLessThan(0.006);
  });

  test('continues a text as the float model does', async () => {
    const { output } = await greedy.run(tokenInput(greedy, [stories.beginToken]));
    expect(outputTokens(output).slice(0, SAME_TOKENS)).toEqual(stories.golden.slice(1, SAME_TOKENS + 1));
  });

  test('a prompt gives the same as its tokens one by one', async () => {
    const prompt = stories.golden.slice(0, 40);
    const { output, iterations } = await greedy.run(tokenInput(greedy, prompt, { newTokens: 20 }), { independentIterations: prompt.length });
    expect(outputTokens(output)).toEqual(stories.golden.slice(40, 60));
    expect(iterations).toBe(59);
  });

  // WebGPU takes a while to compile it: npm run evidence:stories-steps, and a smaller model in test/webgpu.
  test('gives the same bits on wasm, lifted from its word code, and on the word machine', async () => {
    const model = await buildLanguageModel(stories.weights, { promptLimit: 8, newTokenLimit: 4 });
    const seed = new Uint8Array(32).fill(7);
    const prompt = stories.golden.slice(0, 2);
    const prepared = await createWasmExecutor().prepare(model);
    const input = tokenInput(prepared, prompt, { newTokens: 2, temperature: 65536, topK: 40, topP: 60000 });
    const expected = await prepared.run(input, { seed, keep: 'all' });
    expect(expected.iterations).toBe(3);
    for (const executor of [createLiftedExecutor(), createWordMachineExecutor()]) {
      const run = await (await executor.prepare(model)).run(input, { seed, keep: 'all' });
      const differing = Array.from({ length: slotCount(model.program) }, (_, slot) => slot)
        .filter((slot) => Buffer.compare(run.tensor(slot) ?? Buffer.of(), expected.tensor(slot) ?? Buffer.of()) !== 0);
      expect(differing, executor.name).toEqual([]);
      await executor.dispose();
    }
  }, 60_000);
});
