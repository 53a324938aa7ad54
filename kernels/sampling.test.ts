import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { admit } from '../deterministic-runtime/program/admission.ts';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { ProgramBuilder } from './program-builder.ts';
import { LARGEST_VOCABULARY, appendSampling } from './sampling.ts';
import { FIXED } from './testing/arbitraries.ts';
import { samplingInput, samplingModel } from './testing/sampling.ts';
import { threefryReference } from './testing/threefry-reference.ts';

const ONE = 65_536;
const integers = (words: Uint8Array, length: number): number[] => [...new Int32Array(words.slice().buffer, 0, length)];
const seedOf = (number: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => (number >>> (index % 4) * 8) + 37 * index);
const slotNamed = ({ program }: Model, name: string): number => slotOf(program, 'body', program.body.findIndex((operator) => operator.name === name), 0);

interface Case { readonly logits: readonly number[]; readonly temperature: number; readonly topK: number; readonly topP: number }

const inputOf = ({ logits, temperature, topK, topP }: Case): Uint8Array => samplingInput(logits, temperature, topK, topP);

/** Tokens that may be drawn, by sorting. Ties with the last one stay. */
function survivors(weights: readonly number[], topK: number, topP: number): boolean[] {
  const sorted = [...weights].sort((a, b) => b - a);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let least = 0;
  if (topK > 0 && topK <= sorted.length) least = Math.max(least, sorted[topK - 1]!);
  if (topP > 0 && topP < ONE) {
    let mass = 0;
    least = Math.max(least, sorted.find((weight) => (mass += weight) * ONE >= topP * total)!);
  }
  return weights.map((weight) => weight >= least);
}

/** The token of a draw, from the weights. */
function reference({ logits, temperature, topK, topP }: Case, weights: readonly number[], seed: Uint8Array, iteration: number): number {
  if (temperature <= 0) return logits.indexOf(Math.max(...logits));
  const kept = survivors(weights, topK, topP);
  const masses = weights.map((weight, token) => (kept[token] ? BigInt(weight) : 0n));
  const target = (threefryReference(seed, iteration) * masses.reduce((sum, mass) => sum + mass, 0n)) >> 64n;
  let sum = 0n;
  return masses.findIndex((mass) => (sum += mass) > target);
}

const logit = fc.oneof(fc.integer({ min: -8 * ONE, max: 8 * ONE }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0, 1, ONE), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const setting = fc.oneof(fc.constantFrom(0, 1, -1, ONE, ONE - 1, 2 ** 31 - 1, -(2 ** 31)), fc.integer({ min: 0, max: 2 * ONE }));
const topK = fc.oneof(fc.integer({ min: 0, max: 12 }), setting);
const caseOf = (tokens: number): fc.Arbitrary<Case> =>
  fc.record({ logits: fc.array(logit, { minLength: tokens, maxLength: tokens }), temperature: setting, topK, topP: setting });

describe('sampling', () => {
  test('chooses what sorting and summing choose, in every executor; extreme logits and settings included', async () => {
    const draws = 3;
    for (const tokens of [1, 2, 9, 70]) {
      const model = samplingModel(tokens, draws);
      const executors = await Promise.all([createWasmExecutor(), createLiftedExecutor()].map((executor) => executor.prepare(model)));
      await fc.assert(
        fc.asyncProperty(caseOf(tokens), fc.integer({ min: 0, max: 2 ** 32 - 1 }), async (given, number) => {
          const seed = seedOf(number);
          const runs = await Promise.all(executors.map((executor) => executor.run(inputOf(given), { seed, keep: 'all' })));
          const weights = integers(runs[0]!.tensor(slotNamed(model, 'sample.weights'))!, tokens);
          const expected = Array.from({ length: draws }, (_, iteration) => reference(given, weights, seed, iteration));
          for (const { output } of runs) expect(integers(output, draws)).toEqual(expected);
          if (tokens < 10) expect(integers(evaluateProgram(model, inputOf(given), seed).output, draws)).toEqual(expected);
        }),
        { ...FIXED, numRuns: tokens < 10 ? 15 : 60 },
      );
      await Promise.all(executors.map((executor) => executor.dispose()));
    }
  });

  test('weights are exponentials of the logits, rounded, off by one at most', async () => {
    const tokens = 2_000;
    const model = samplingModel(tokens, 1);
    const executor = await createWasmExecutor().prepare(model);
    for (const [temperature, spread] of [[1, 12], [0.1, 2], [0.75, 15], [5, 100], [30_000, 60_000]] as const) {
      const logits = Array.from({ length: tokens }, (_, token) => Math.round(-((token / tokens) ** 3) * spread * ONE) + 2 ** 31 - 1);
      const { tensor } = await executor.run(samplingInput(logits, Math.round(temperature * ONE), 0, 0), { keep: 'all' });
      const weights = integers(tensor(slotNamed(model, 'sample.weights'))!, tokens);
      const exact = logits.map((x) => (2 ** 24 - 1) * Math.exp((x - logits[0]!) / Math.round(temperature * ONE)));
      expect(Math.max(...weights.map((weight, token) => Math.abs(weight - exact[token]!)))).toBeLessThan(1);
      expect(weights[0]).toBe(2 ** 24 - 1);
      expect(weights.every((weight, token) => token === 0 || weight <= weights[token - 1]!)).toBe(true);
    }
  });

  test.each([
    { topK: 0, topP: 0 },
    { topK: 6, topP: 0 },
    { topK: 0, topP: 52_429 },
  ])('20,000 draws have the distribution of a softmax: top-k $topK, top-p $topP', async ({ topK: k, topP: p }) => {
    const draws = 4_000;
    const logits = [0.3, -1.2, 2.1, 0.9, 1.6, -0.4, 0, 1.1, 0.3, -2.2, 0.7, 1.9].map((x) => Math.round(x * ONE));
    const temperature = Math.round(0.9 * ONE);
    const executor = await createWasmExecutor().prepare(samplingModel(logits.length, draws));
    const observed = logits.map(() => 0);
    for (let seed = 0; seed < 5; seed += 1) {
      const { output } = await executor.run(samplingInput(logits, temperature, k, p), { seed: seedOf(seed * 7919) });
      for (const token of integers(output, draws)) observed[token]! += 1;
    }
    const exact = logits.map((x) => Math.exp(x / temperature));
    const kept = survivors(exact, k, p);
    const total = exact.reduce((sum, weight, token) => sum + (kept[token] ? weight : 0), 0);
    let chiSquare = 0;
    exact.forEach((weight, token) => {
      if (!kept[token]) expect(observed[token]).toBe(0);
      else chiSquare += (observed[token]! - 20_000 * weight / total) ** 2 / (20_000 * weight / total);
    });
    const freedom = kept.filter(Boolean).length - 1;
    // Wilson and Hilferty's approximation of the quantile at 99.9%.
    expect(chiSquare).toBeLessThan(freedom * (1 - 2 / (9 * freedom) + 3.09 * Math.sqrt(2 / (9 * freedom))) ** 3);
  });

  test('ties stay together; greedy takes the first', async () => {
    const draws = 200;
    const executor = await createWasmExecutor().prepare(samplingModel(6, draws));
    const drawn = async (temperature: number, k: number, p: number): Promise<number[]> => {
      const { output } = await executor.run(samplingInput([1, 5, 9, 5, 9, 5].map((x) => x * ONE), temperature, k, p), { seed: seedOf(5) });
      return [...new Set(integers(output, draws))].sort();
    };
    expect(await drawn(0, 0, 0)).toEqual([2]);
    expect(await drawn(-1, 3, 5)).toEqual([2]);
    expect(await drawn(8 * ONE, 1, 0)).toEqual([2, 4]);
    expect(await drawn(8 * ONE, 3, 0)).toEqual([1, 2, 3, 4, 5]);
    expect(await drawn(8 * ONE, 0, 1)).toEqual([2, 4]);
    expect(await drawn(8 * ONE, 5, 0.9 * ONE)).toEqual([1, 2, 3, 4, 5]);
    expect(await drawn(8 * ONE, 0, 0.99 * ONE)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('a vocabulary of 128,256 tokens is admitted, and its last token can be drawn', async () => {
    const tokens = 128_256;
    const model = samplingModel(tokens, 1);
    expect(Number(admit(model).steps)).toBeLessThan(2 ** 26);
    const logits = Array.from({ length: tokens }, (_, token) => (token === tokens - 1 ? 20 * ONE : -token));
    const executor = await createWasmExecutor().prepare(model);
    expect(integers((await executor.run(samplingInput(logits, ONE, 0, 0))).output, 1)).toEqual([tokens - 1]);
  });

  test('refuses more tokens than it can count, and wrong shapes', () => {
    const input = { element: 'i32', rows: 1, columns: LARGEST_VOCABULARY + 1 } as const;
    const builder = new ProgramBuilder({ name: 'x', signature: 'x()->()', input, metadata: {} });
    builder.beginBody(1);
    const settings = builder.integers(1, 4, new Int32Array(4));
    expect(() => appendSampling(builder, { logits: builder.input, settings, seed: builder.seed })).toThrow('at most 524287 tokens, not 524288');
    expect(() => appendSampling(builder, { logits: settings, settings: builder.input, seed: builder.seed })).toThrow('sampling takes settings as i32 [1][4]');
    expect(() => appendSampling(builder, { logits: settings, settings, seed: settings })).toThrow('sampling takes the seed as i8 [1][32]');
  });
});
