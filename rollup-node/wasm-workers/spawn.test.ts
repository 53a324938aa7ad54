import { describe, expect, test } from 'vitest';
import type { Executor, PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { SpawnWorker } from '../../deterministic-runtime/wasm/executor.ts';
import { smallClassifier, smallClassifierInput } from '../../test/models/small-classifier.ts';
import { tokenLoop } from '../../test/models/token-loop.ts';
import { spawnWorker } from './spawn.ts';

/** Threads that divide all that has parts. */
const executorOf = (workers: number, spawn: SpawnWorker = spawnWorker, secondsToDeath = 60): Executor => createWasmExecutor({ workers, spawn, leastWork: 0, secondsToDeath });

async function compare(prepared: PreparedModel, input: Uint8Array, seed: Uint8Array, what: string): Promise<void> {
  const { model } = prepared;
  const expected = evaluateProgram(model, input, seed);
  for (const independentIterations of [0, 3]) {
    const run = await prepared.run(input, { seed, keep: 'all', independentIterations });
    expect(run.output, what).toEqual(expected.output);
    for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `${what}, slot ${slot}`).toEqual(expected.tensor(slot));
  }
}

describe('several threads', () => {
  test.each([2, 3, 5])('%i give the same bits as the definition', async (workers) => {
    const executor = executorOf(workers);
    expect(executor.adapter).toContain(`${workers} threads`);
    for (let number = 0; number < 6; number += 1) {
      const random = generateCase(number * 17 + workers, 5 + number);
      const prepared = await executor.prepare(random.model);
      await compare(prepared, random.input, random.seed, random.made);
      await compare(prepared, random.otherInput, random.seed, `${random.made}, other input`);
      await prepared.dispose();
    }
    for (const model of [smallClassifier(), tokenLoop()]) {
      const prepared = await executor.prepare(model);
      const elements = model.program.name === 'token-loop' ? new Uint8Array(40).fill(3, 1) : smallClassifierInput();
      for (let again = 0; again < 3; again += 1) await compare(prepared, packTensor(model.program.input, elements), new Uint8Array(32).fill(again), model.program.name);
      await prepared.dispose();
    }
  });

  test('a thread that dies is an error, not a wait without end', async () => {
    const threads: { readonly terminate: () => Promise<void> }[] = [];
    const executor = executorOf(2, (start, onEnd) => {
      const thread = spawnWorker(start, onEnd);
      threads.push(thread);
      return thread;
    }, 0.5);
    const model = smallClassifier();
    const input = packTensor(model.program.input, smallClassifierInput());
    const prepared = await executor.prepare(model);
    const { output } = await prepared.run(input);
    expect(output).toEqual(evaluateProgram(model, input).output);
    expect(threads).toHaveLength(1);
    await threads[0]!.terminate();
    await expect(prepared.run(input)).rejects.toThrow('a worker thread of the wasm executor did not answer');
    await expect(prepared.run(input)).rejects.toThrow('prepare the model again');
    await prepared.dispose();
  });

  test('a thread that cannot start is an error that says why', async () => {
    const executor = executorOf(2, (start, onEnd) => spawnWorker({ ...start, names: 3 as unknown as string[] }, onEnd));
    const model = smallClassifier();
    const prepared = await executor.prepare(model);
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    await expect(prepared.run(packTensor(model.program.input, smallClassifierInput()))).rejects.toThrow('a worker thread of the wasm executor failed');
    await prepared.dispose();
  });

  test('models with little to divide run on one', async () => {
    const executor = createWasmExecutor({ workers: 2, spawn: () => { throw new Error('no thread is needed'); } });
    const model = tokenLoop();
    const prepared = await executor.prepare(model);
    await compare(prepared, packTensor(model.program.input, new Uint8Array(40).fill(1)), new Uint8Array(32), 'one thread');
  });

  test('their number is checked', () => {
    expect(() => createWasmExecutor({ workers: 0 })).toThrow('1 to 12 threads, not 0');
    expect(() => createWasmExecutor({ workers: 2 })).toThrow('spawn');
  });
});
