import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { CheckedDevice } from '../../deterministic-runtime/webgpu/device.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { prepareModel } from '../../deterministic-runtime/webgpu/prepared-model.ts';
import { COUNTING_LOOP_ITERATIONS, COUNTING_LOOP_OPERATORS, countingLoop, countingLoopInput } from '../models/counting-loop.ts';
import { openRecordingDevice } from './open-webgpu.ts';

const model = countingLoop();
const { program } = model;
const seed = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
const STOPS = [1, 40, 2, 3, 4, 8, 17, 0, 33];
const iterationsOf = (stop: number): number => (stop === 0 ? COUNTING_LOOP_ITERATIONS : stop);

let device: CheckedDevice;
/** What has been submitted. */
let submits: string[];
beforeAll(async () => {
  ({ device, submits } = await openRecordingDevice());
});
afterAll(() => device.dispose());

// 36 bytes a token are 64 padded: a history of 40 lies in 5 buffers of 512 bytes.
describe.each([{ shardBytes: 2 ** 20 }, { shardBytes: 512 }])('buffers of $shardBytes bytes', ({ shardBytes }) => {
  let prepared: PreparedModel;
  beforeAll(async () => {
    prepared = await prepareModel(device, model, { schedule: () => 'invocation', packedDot: true, shardBytes });
  });
  afterAll(() => prepared.dispose());

  test('iterations that were submitted beyond the stop have no effect', async () => {
    for (const stop of STOPS) {
      submits.length = 0;
      const expected = evaluateProgram(model, countingLoopInput(stop), seed);
      const run = await prepared.run(countingLoopInput(stop), { seed });
      expect(run.iterations).toBe(iterationsOf(stop));
      expect(run.output).toEqual(expected.output);
      expect(submits.filter((what) => what === 'running body').length).toBeLessThanOrEqual(run.iterations + 1);
    }
  });

  test('all tensors of the iterations that ran are kept, and no others', async () => {
    for (const stop of STOPS) {
      const expected = evaluateProgram(model, countingLoopInput(stop), seed);
      const run = await prepared.run(countingLoopInput(stop), { seed, keep: 'all' });
      for (let slot = 0; slot < slotCount(program); slot += 1) expect(run.tensor(slot)).toEqual(expected.tensor(slot));
    }
  });

  test.each(Object.entries(COUNTING_LOOP_OPERATORS))('the observer of %s sees each iteration once, in order', async (_, operator) => {
    for (const stop of [5, 1, 0]) {
      const seen: [number, Uint8Array][] = [];
      const run = await prepared.run(countingLoopInput(stop), { seed, observe: { operator, onTensor: (iteration, words) => seen.push([iteration, words]) } });
      const expected = evaluateProgram(model, countingLoopInput(stop), seed);
      expect(seen).toEqual(Array.from({ length: iterationsOf(stop) }, (__, iteration) => [iteration, expected.tensor(slotOf(program, 'body', operator, iteration))]));
      expect(run.output).toEqual(expected.output);
    }
  });

  test('an override reaches what comes after it, in whichever submit it is; one behind the stop reaches nothing', async () => {
    const words = new Uint8Array(64).fill(0x5a, 0, 36);
    const input = countingLoopInput(30);
    const onWasm = await createWasmExecutor().prepare(model);
    const outputs = new Set<string>();
    for (const iteration of [0, 1, 2, 6, 29]) {
      const options = { seed, override: { slot: slotOf(program, 'body', COUNTING_LOOP_OPERATORS.token, iteration), words } };
      const expected = await onWasm.run(input, options);
      const { output, iterations } = await prepared.run(input, options);
      expect(iterations).toBe(30);
      expect(output).toEqual(expected.output);
      expect((await prepared.run(input, { ...options, keep: 'all' })).output).toEqual(expected.output);
      outputs.add(output.join());
    }
    expect(outputs.size).toBe(5);
    const honest = (await prepared.run(input, { seed })).output;
    expect(outputs).not.toContain(honest.join());
    const behind = await prepared.run(input, { seed, override: { slot: slotOf(program, 'body', COUNTING_LOOP_OPERATORS.token, 30), words } });
    expect(behind.output).toEqual(honest);
  });

  test('a stop that is overridden counts', async () => {
    const stopAt = slotOf(program, 'body', 2, 9);
    const run = await prepared.run(countingLoopInput(0), { seed, override: { slot: stopAt, words: Uint8Array.from({ length: 32 }, (_, byte) => (byte === 3 ? 1 : 0)) } });
    expect(run.iterations).toBe(10);
    expect(run.output).toEqual(evaluateProgram(model, countingLoopInput(10), seed).output);
    const goesOn = await prepared.run(countingLoopInput(10), { seed, override: { slot: stopAt, words: new Uint8Array(32) } });
    expect(goesOn.iterations).toBe(COUNTING_LOOP_ITERATIONS);
  });

  test('an aborted run leaves the model usable', async () => {
    const controller = new AbortController();
    const running = prepared.run(countingLoopInput(0), { seed, signal: controller.signal, observe: { operator: 0, onTensor: (iteration) => { if (iteration === 4) controller.abort(); } } });
    await expect(running).rejects.toThrow(/abort/i);
    expect((await prepared.run(countingLoopInput(3), { seed })).output).toEqual(evaluateProgram(model, countingLoopInput(3), seed).output);
  });
});

test('an operator that is not there cannot be observed', async () => {
  const prepared = await prepareModel(device, model, { schedule: () => 'invocation', packedDot: true });
  await expect(prepared.run(countingLoopInput(1), { observe: { operator: 3, onTensor: () => {} } })).rejects.toThrow(/no operator 3 to observe/);
  await prepared.dispose();
});
