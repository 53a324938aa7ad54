import { expect, test } from 'vitest';
import { evaluateProgram } from '../language/evaluate.ts';
import { slotCount, slotOf } from '../program/program.ts';
import { byteLength } from '../program/tensor.ts';
import { createWasmExecutor } from './executor.ts';
import { promptLoop, promptLoopInput } from '../../test/models/prompt-loop.ts';

const seed = new Uint8Array(32).fill(3);

test('all tensors are what the definition says, however iterations were run, and stay so when the memory is used again', async () => {
  const model = promptLoop();
  const prepared = await createWasmExecutor().prepare(model);
  const runs = [];
  for (const [stop, prompt] of [[0, 7], [9, 5], [3, 8], [1, 0], [0, 12]] as const) {
    for (const independentIterations of [0, prompt, 12]) {
      const input = promptLoopInput(stop, prompt);
      runs.push({ input, run: await prepared.run(input, { seed, keep: 'all', independentIterations }), what: `stop ${stop}, prompt ${prompt}, hint ${independentIterations}` });
    }
  }
  for (const { input, run, what } of runs) {
    const expected = evaluateProgram(model, input, seed);
    expect(run.iterations).toBe(expected.iterations);
    for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `${what}, slot ${slot}`).toEqual(expected.tensor(slot));
    expect([run.tensor(-1), run.tensor(slotCount(model.program))]).toEqual([undefined, undefined]);
  }
});

test('an override is kept as it is', async () => {
  const model = promptLoop();
  const prepared = await createWasmExecutor().prepare(model);
  for (const index of [0, 3]) {
    const slot = slotOf(model.program, 'body', index, 4);
    const words = new Uint8Array(byteLength(model.program.body[index]!.output));
    words.fill(7, 0, 8);
    const run = await prepared.run(promptLoopInput(0, 6), { seed, keep: 'all', override: { slot, words } });
    expect(run.tensor(slot)).toEqual(words);
    expect(run.tensor(slot - model.program.body.length)).toEqual(evaluateProgram(model, promptLoopInput(0, 6), seed).tensor(slot - model.program.body.length));
  }
});
