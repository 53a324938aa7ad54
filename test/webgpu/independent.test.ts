import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PreparedModel, RunOptions } from '../../deterministic-runtime/executors/executor.ts';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import { prepareModel } from '../../deterministic-runtime/webgpu/prepared-model.ts';
import type { Schedule } from '../../deterministic-runtime/webgpu/schedule.ts';
import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { countingLoop, countingLoopInput } from '../models/counting-loop.ts';
import { promptLoop, promptLoopInput } from '../models/prompt-loop.ts';
import { openRecordingDevice } from './open-webgpu.ts';

const seed = Uint8Array.from({ length: 32 }, (_, index) => index * 11 + 5);
const LLAMA: Architecture = {
  family: 'llama', vocabulary: 50, width: 32, hidden: 40, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 80, normEpsilon: 1e-5,
  rotary: { base: 10_000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
};

let device: CheckedDevice;
/** What has been submitted. */
let submits: string[];
beforeAll(async () => {
  ({ device, submits } = await openRecordingDevice());
});
afterAll(() => device.dispose());

const prepare = (model: Model, schedule: Schedule = 'invocation', shardBytes = 2 ** 20): Promise<PreparedModel> => prepareModel(device, model, { schedule: () => schedule, packedDot: true, shardBytes });
const bodySubmits = async (run: () => Promise<unknown>): Promise<number> => {
  submits.length = 0;
  await run();
  return submits.filter((what) => what === 'running body').length;
};

describe('prompt tokens of a small Llama', () => {
  let model: Model;
  let prepared: PreparedModel;
  let onWasm: PreparedModel;
  beforeAll(async () => {
    model = await buildLanguageModel(randomWeights(LLAMA, 3), { promptLimit: 76, newTokenLimit: 4, sampling: false });
    prepared = await prepare(model);
    onWasm = await createWasmExecutor().prepare(model);
  });

  // 70 tokens are two parts, the second of which is not full.
  test.each([[7, 5], [70, 76]])('%i tokens, of which %i are said to be independent: every tensor is what wasm computes one by one', async (count, independentIterations) => {
    const input = encodePrompt(model, Array.from({ length: count }, (_, index) => (index * 7 + 1) % 50));
    const expected = await onWasm.run(input, { seed, keep: 'all' });
    const run = await prepared.run(input, { seed, keep: 'all', independentIterations });
    expect(run.iterations).toBe(expected.iterations);
    for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `slot ${slot}`).toEqual(expected.tensor(slot));
    const observer: RunOptions = { seed, independentIterations, observe: { operator: 3, onTensor: (iteration, words) => expect(words).toEqual(expected.tensor(slotOf(model.program, 'body', 3, iteration))) } };
    expect((await prepared.run(input, observer)).output).toEqual(expected.output);
  });

  test('they are eight a submit at least, where one after another each is its own', async () => {
    const input = encodePrompt(model, Array.from({ length: 40 }, (_, index) => index), { maximumTokens: 1 });
    expect(await bodySubmits(() => prepared.run(input, { keep: 'all', independentIterations: 40 }))).toBeLessThanOrEqual(5);
    expect(await bodySubmits(() => prepared.run(input, { keep: 'all' }))).toBe(40);
  });
});

describe('a loop whose iterations depend on each other behind its prompt', () => {
  const model = promptLoop();

  test.each([['invocation', 2 ** 20], ['workgroup', 2 ** 20], ['tile', 2 ** 20], ['invocation', 256]] as const)('%s, buffers of %i bytes: whatever is said of it, and wherever it stops', async (schedule, shardBytes) => {
    const prepared = await prepare(model, schedule, shardBytes);
    for (const [stop, prompt] of [[0, 7], [9, 5], [3, 8], [0, 12]] as const) {
      const input = promptLoopInput(stop, prompt);
      const expected = evaluateProgram(model, input, seed);
      for (const independentIterations of [prompt, 3.5, 1e9, -1, Number.NaN]) {
        const run = await prepared.run(input, { seed, keep: 'all', independentIterations });
        expect(run.iterations).toBe(expected.iterations);
        for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `stop ${stop}, prompt ${prompt}, hint ${independentIterations}, slot ${slot}`).toEqual(expected.tensor(slot));
      }
    }
    await prepared.dispose();
  });

  test('iterations that are independent share submits of eight or more; from the first that is not on, each is its own', async () => {
    const submitted = async (prompt: number, independentIterations: number): Promise<number> => {
      const prepared = await prepare(model);
      const count = await bodySubmits(() => prepared.run(promptLoopInput(0, prompt), { keep: 'all', independentIterations }));
      await prepared.dispose();
      return count;
    };
    expect(await submitted(7, 7)).toBe(1 + 5);
    expect(await submitted(12, 12)).toBe(2);
    // Iteration 7 takes what was chosen in iteration 6, which was not there.
    expect(await submitted(7, 12)).toBe(1 + 5);
  });

  test('the observer sees each iteration once, in order; the one who sees all tensors, too', async () => {
    const prepared = await prepare(model);
    const input = promptLoopInput(11, 6);
    const expected = evaluateProgram(model, input, seed);
    for (const operator of [0, 2]) {
      const seen: [number, Uint8Array][] = [];
      await prepared.run(input, { seed, independentIterations: 8, observe: { operator, onTensor: (iteration, words) => seen.push([iteration, words]) } });
      expect(seen).toEqual(Array.from({ length: 11 }, (_, iteration) => [iteration, expected.tensor(slotOf(model.program, 'body', operator, iteration))]));
    }
    const shown: [number, Uint8Array][] = [];
    await prepared.run(input, { seed, independentIterations: 8, onWritten: ({ section, iteration }, tensor) => { if (section === 'body') shown.push([iteration, tensor(1).slice()]); } });
    expect(shown).toEqual(Array.from({ length: 11 }, (_, iteration) => [iteration, expected.tensor(slotOf(model.program, 'body', 1, iteration))]));
    await prepared.dispose();
  });
});

test('a loop that reads its own results runs one by one, whatever is said', async () => {
  const model = countingLoop();
  const prepared = await prepare(model);
  const expected = evaluateProgram(model, countingLoopInput(5), seed);
  const run = await prepared.run(countingLoopInput(5), { seed, independentIterations: 4 });
  expect([run.iterations, run.output]).toEqual([5, expected.output]);
  expect(await bodySubmits(() => prepared.run(countingLoopInput(5), { keep: 'all', independentIterations: 4 }))).toBe(5);
});
