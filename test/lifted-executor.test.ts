import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { generateCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { slotCount, slotOf } from '../deterministic-runtime/program/program.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { packTensor } from '../deterministic-runtime/program/tensor.ts';
import { smallClassifier, smallClassifierInput } from './models/small-classifier.ts';
import { tokenLoop } from './models/token-loop.ts';

/** Whole programs, lifted, against the reference evaluator: every tensor of every slot. */

async function compareAll(model: Model, inputs: readonly (readonly [Uint8Array, Uint8Array?])[]): Promise<number[]> {
  const prepared = await createLiftedExecutor().prepare(model);
  const iterations: number[] = [];
  for (const [elements, seed] of inputs) {
    const input = packTensor(model.program.input, elements);
    const expected = evaluateProgram(model, input, seed);
    const run = await prepared.run(input, { keep: 'all', ...(seed === undefined ? {} : { seed }) });
    expect(run.iterations).toBe(expected.iterations);
    expect(run.output).toEqual(expected.output);
    for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `slot ${slot}`).toEqual(expected.tensor(slot));
    iterations.push(run.iterations);
  }
  return iterations;
}

describe('lifted executor', () => {
  test('random models, twice on the same memory', async () => {
    for (let number = 0; number < 50; number += 1) {
      const { model, input, otherInput, seed, made } = generateCase(number * 17 + 3, 1 + (number % 30));
      const prepared = await createLiftedExecutor().prepare(model);
      for (const words of [input, otherInput]) {
        const expected = evaluateProgram(model, words, seed);
        const run = await prepared.run(words, { seed, keep: 'all' });
        expect(run.iterations, made).toBe(expected.iterations);
        for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `${made}, slot ${slot}`).toEqual(expected.tensor(slot));
      }
    }
  });

  test('a classifier', async () => {
    await compareAll(smallClassifier(), [[smallClassifierInput(1)], [smallClassifierInput(2)]]);
  });

  test('a body with a stop that depends on data, over memory that earlier runs left dirty', async () => {
    const bytes = (stop: number, salt: number): Uint8Array => new Uint8Array(40).map((_, index) => (index === 0 ? stop : index * salt));
    const seed = (salt: number): Uint8Array => new Uint8Array(32).map((_, index) => index * salt + 3);
    const iterations = await compareAll(tokenLoop(), [
      [bytes(0, 7)], [bytes(1, 7)], [bytes(1, 11), seed(3)], [bytes(0, 13), seed(9)], [bytes(1, 3), seed(5)], [bytes(1, 1), seed(7)],
    ]);
    expect(new Set(iterations).size).toBeGreaterThan(1);
  });

  test('the observer sees an operator once an iteration, in order', async () => {
    const model = tokenLoop();
    const prepared = await createLiftedExecutor().prepare(model);
    const input = packTensor(model.program.input, new Uint8Array(40).fill(3, 1));
    const expected = evaluateProgram(model, input);
    for (const operator of model.program.body.keys()) {
      const seen: (readonly [number, Uint8Array])[] = [];
      await prepared.run(input, { observe: { operator, onTensor: (iteration, words) => { seen.push([iteration, words]); } } });
      expect(seen).toEqual(Array.from({ length: expected.iterations }, (_, iteration) => [iteration, expected.tensor(slotOf(model.program, 'body', operator, iteration))]));
    }
    await expect(prepared.run(input, { observe: { operator: 99, onTensor: () => {} } })).rejects.toThrow('the body has no operator 99 to observe');
  });

  test('keeps tensors of one run while another goes on', async () => {
    const model = tokenLoop();
    const prepared = await createLiftedExecutor().prepare(model);
    const input = packTensor(model.program.input, new Uint8Array(40).fill(3, 1));
    const [first, second] = await Promise.all([prepared.run(input, { keep: 'all' }), prepared.run(input, { seed: new Uint8Array(32).fill(1) })]);
    expect(first!.tensor(1)).toEqual(evaluateProgram(model, input).tensor(1));
    expect(second!.output).toEqual(evaluateProgram(model, input, new Uint8Array(32).fill(1)).output);
    expect(second!.tensor(1)).toBeUndefined();
  });

  test('an override changes everything after it and nothing before', async () => {
    const model = smallClassifier();
    const prepared = await createLiftedExecutor().prepare(model);
    const input = packTensor(model.program.input, smallClassifierInput(1));
    const honest = await prepared.run(input, { keep: 'all' });
    const slot = slotOf(model.program, 'prologue', 4);
    const words = honest.tensor(slot)!.map((byte) => byte ^ 0x15);
    const lie = await prepared.run(input, { keep: 'all', override: { slot, words } });
    expect(lie.tensor(slot - 1)).toEqual(honest.tensor(slot - 1));
    expect(lie.tensor(slot)).toEqual(words);
    expect(lie.tensor(slot + 1)).not.toEqual(honest.tensor(slot + 1));
  });

  test('refuses wrong inputs', async () => {
    const model = tokenLoop();
    const prepared = await createLiftedExecutor().prepare(model);
    await expect(prepared.run(new Uint8Array(32))).rejects.toThrow('the input has 32 bytes; the model takes 64');
    await expect(prepared.run(new Uint8Array(64).fill(1, 63))).rejects.toThrow('padding must be zero');
    await expect(prepared.run(new Uint8Array(64), { seed: new Uint8Array(3) })).rejects.toThrow('a seed has 32 bytes');
    await expect(prepared.run(new Uint8Array(64), { signal: AbortSignal.abort() })).rejects.toThrow('abort');
  });
});
