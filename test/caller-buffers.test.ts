import { expect, test } from 'vitest';
import type { Executor } from '../deterministic-runtime/executors/executor.ts';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { slotCount, slotOf } from '../deterministic-runtime/program/program.ts';
import { byteLength } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { createWordMachineExecutor } from '../fraud-proof/machine/executor.ts';
import { countingLoop, countingLoopInput } from './models/counting-loop.ts';
import { openExecutor } from './webgpu/open-webgpu.ts';

const executors: readonly (readonly [string, () => Promise<Executor> | Executor])[] = [
  ['lifted', createLiftedExecutor], ['word-machine', createWordMachineExecutor], ['wasm', () => createWasmExecutor()], ['webgpu', () => openExecutor()],
];

test.each(executors)('%s: what the caller does with his buffers once a run has begun does not matter', async (_, create) => {
  const model = countingLoop();
  const { program } = model;
  const executor = await create();
  const prepared = await executor.prepare(model);
  const slot = slotOf(program, 'body', 0, 3);
  const [ownInput, ownSeed, ownWords] = [countingLoopInput(6), new Uint8Array(32).fill(5), new Uint8Array(byteLength(program.body[0]!.output)).fill(9, 0, 36)];
  const [input, seed, words] = [ownInput.slice(), ownSeed.slice(), ownWords.slice()];
  // The second run waits for the first, so that its buffers change before it begins.
  const runs = [prepared.run(input, { seed, keep: 'all' }), prepared.run(input, { seed, keep: 'all', override: { slot, words } })];
  for (const buffer of [input, seed, words]) buffer.fill(1);
  const [honest, overridden] = await Promise.all(runs);
  const expected = evaluateProgram(model, ownInput, ownSeed);
  for (let index = 0; index < slotCount(program); index += 1) expect(honest!.tensor(index), `slot ${index}`).toEqual(expected.tensor(index));
  expect([honest!.iterations, overridden!.iterations]).toEqual([6, 6]);
  expect(overridden!.tensor(slot)).toEqual(ownWords);
  expect(overridden!.tensor(slot - program.body.length)).toEqual(expected.tensor(slot - program.body.length));
  await prepared.dispose();
  await executor.dispose();
});
