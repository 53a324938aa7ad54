import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Executor, PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { decodeTokens, encodePrompt, nextTokenOperator } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { openExecutor } from './open-webgpu.ts';

const LLAMA: Architecture = {
  family: 'llama', vocabulary: 50, width: 32, hidden: 40, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 10, normEpsilon: 1e-5,
  rotary: { base: 10_000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
};
const seed = Uint8Array.from({ length: 32 }, (_, index) => index * 11 + 5);

describe('a small Llama with sampling', () => {
  let model: Model;
  let executor: Executor;
  let prepared: PreparedModel;
  let onWasm: PreparedModel;
  beforeAll(async () => {
    model = await buildLanguageModel(randomWeights(LLAMA, 3), { promptLimit: 6, newTokenLimit: 6 });
    executor = await openExecutor();
    prepared = await executor.prepare(model);
    onWasm = await createWasmExecutor().prepare(model);
  });
  afterAll(() => executor.dispose());

  test('every tensor is what wasm computes, sampled tokens too', async () => {
    const input = encodePrompt(model, [1, 17, 30], { temperature: 1.5, topK: 20, topP: 0.9 });
    const [run, expected] = [await prepared.run(input, { seed, keep: 'all' }), await onWasm.run(input, { seed, keep: 'all' })];
    expect(run.iterations).toBe(expected.iterations);
    for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `slot ${slot}`).toEqual(expected.tensor(slot));
    expect(decodeTokens(model, run.output).length).toBeGreaterThan(1);
  });

  test('tokens are seen as they are chosen, and several runs do not mix', async () => {
    const operator = nextTokenOperator(model.program) as number;
    const answers = new Set<string>();
    for (const [index, temperature] of [0, 2, 2].entries()) {
      const input = encodePrompt(model, [1, 9 + index], { temperature, maximumTokens: 4 });
      const seen: Uint8Array[] = [];
      const run = await prepared.run(input, { seed, observe: { operator, onTensor: (_, words) => seen.push(words) } });
      const expected = await onWasm.run(input, { seed, keep: 'all' });
      expect(run.output).toEqual(expected.output);
      expect(seen).toEqual(Array.from({ length: expected.iterations }, (_, iteration) => expected.tensor(slotOf(model.program, 'body', operator, iteration))));
      answers.add(decodeTokens(model, run.output).join());
    }
    expect(answers.size).toBe(3);
  });
});
