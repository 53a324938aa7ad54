import { afterAll, expect, test } from 'vitest';
import type { Executor, SectionRun } from '../deterministic-runtime/executors/executor.ts';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { generateCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import { byteLength, packTensor } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { createWordMachineExecutor } from '../fraud-proof/machine/executor.ts';
import { tokenLoop } from './models/token-loop.ts';
import { openExecutor } from './webgpu/open-webgpu.ts';

const EXECUTORS: Readonly<Record<string, () => Promise<Executor>>> = {
  lifted: async () => createLiftedExecutor(), wasm: async () => createWasmExecutor(), 'word-machine': async () => createWordMachineExecutor(), webgpu: () => openExecutor(),
};
const opened: Executor[] = [];
afterAll(async () => { for (const executor of opened) await executor.dispose(); });

const loop = tokenLoop();
const loopInput = (stops: number): Uint8Array => packTensor(loop.program.input, new Uint8Array(40).map((_, index) => (index === 0 ? stops : index * 7)));
const CASES = [
  { made: 'a loop that stops', model: loop, input: loopInput(1), seed: new Uint8Array(32).fill(9) },
  { made: 'a loop that does not', model: loop, input: loopInput(0), seed: new Uint8Array(32).fill(9) },
  ...Array.from({ length: 8 }, (_, number) => generateCase(number * 31 + 5, 6)),
];

test.each(Object.keys(EXECUTORS))('%s shows every tensor in order, as its definition says, with and without a hint or an override', async (name) => {
  const executor = await EXECUTORS[name]!();
  opened.push(executor);
  let shown = 0;
  for (const { made, model, input, seed } of CASES) {
    const { program } = model;
    const prepared = await executor.prepare(model);
    const first = program.prologue.length;
    const slots = program.body.length === 0 ? [undefined] : [undefined, { slot: first, words: new Uint8Array(byteLength(program.body[0]!.output)) }];
    for (const override of slots) {
      const expected = evaluateProgram(model, input, seed, override);
      const runs: SectionRun[] = [];
      await prepared.run(input, {
        seed, independentIterations: 3, ...(override === undefined ? {} : { override }),
        onWritten: async (run, tensor) => {
          await Promise.resolve();
          runs.push(run);
          program[run.section].forEach((_, index) => {
            shown += 1;
            const slot = slotOf(program, run.section, index, run.iteration);
            expect(Buffer.compare(tensor(index), expected.tensor(slot)!), `${made}, slot ${slot}`).toBe(0);
          });
        },
      });
      const body: SectionRun[] = Array.from({ length: expected.iterations }, (_, iteration) => ({ section: 'body', iteration }));
      expect(runs).toEqual([{ section: 'prologue', iteration: 0 }, ...body, { section: 'epilogue', iteration: program.maxIterations }]);
    }
    await prepared.dispose();
  }
  expect(shown).toBeGreaterThan(100);
});
