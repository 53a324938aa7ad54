/**
 * stories260K as an integer program: the word machine, WebAssembly and WebGPU give the same tensors while they draw tokens for a prompt, and the compiled contract, in a
 * local EVM, replays random steps of the inference: `npm run evidence:stories-steps [-- --steps n] [--prompts n] [--tokens n] [--seed n] [--executors wasm,webgpu] [--json]`.
 * Exit code 1 at a difference.
 */
import { parseArgs } from 'node:util';
import { bytesToHex } from 'viem';
import { conclude, conditions, median, progress } from '../../bench/measurement.ts';
import { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import { createWordMachineExecutor } from '../../fraud-proof/machine/executor.ts';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { executorByName } from '../../rollup-node/executors.ts';
import { modelFiles } from '../models/model-files.ts';
import { loadStories, tokenInput } from '../models/stories.ts';
import { checkRandomSteps } from './contract-steps.ts';
import type { CheckedStep } from './contract-steps.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '40' },
    prompts: { type: 'string', default: '3' },
    tokens: { type: 'string', default: '6' },
    seed: { type: 'string', default: '1' },
    executors: { type: 'string', default: 'wasm,webgpu' },
    json: { type: 'boolean', default: false },
  },
});

const folder = modelFiles();
if (folder === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');
const started = conditions();
const { weights, stories, close } = await loadStories(folder);
const model = await buildLanguageModel(weights, { promptLimit: 32, newTokenLimit: 16 });
await close();
const executors = await Promise.all(values.executors.split(',').map(executorByName));
const prepared = await Promise.all(executors.map((executor) => executor.prepare(model)));
const wordMachine = await createWordMachineExecutor().prepare(model);
const contract = await WordMachineEvm.create();
const random = new Random(Number(values.seed));
const reached = progress('prompts', Number(values.prompts));

const steps: CheckedStep[] = [];
const failures: string[] = [];
let [otherTensors, tensors] = [0, 0];
for (let number = 0; number < Number(values.prompts); number += 1) {
  reached(number);
  const prompt = random.pick(stories).slice(0, 2 + random.below(8));
  const seed = Uint8Array.from({ length: 32 }, () => random.below(256));
  const input = tokenInput(wordMachine, prompt, { newTokens: Number(values.tokens), temperature: 65536, topK: 100, topP: 62_000 });
  const reference = await wordMachine.run(input, { seed, keep: 'all' });
  for (const [position, runner] of prepared.entries()) {
    const run = await runner.run(input, { seed, keep: 'all', independentIterations: prompt.length });
    for (let slot = 0; slot < slotCount(model.program); slot += 1) {
      const expected = reference.tensor(slot);
      if (expected !== undefined) tensors += 1;
      if (bytesToHex(run.tensor(slot) ?? new Uint8Array()) === bytesToHex(expected ?? new Uint8Array())) continue;
      otherTensors += 1;
      failures.push(`prompt ${number}: slot ${slot} differs on ${executors[position]?.name}`);
    }
  }
  try {
    const trace = await openTrace({ prepared: prepared[0]!, input, seed });
    steps.push(...(await checkRandomSteps(contract, trace, Number(values.steps), random)));
  } catch (error) {
    failures.push(`prompt ${number}: ${(error as Error).message}`);
  }
}

const opcodes = new Map<string, number>();
for (const { opcode } of steps) opcodes.set(opcode, (opcodes.get(opcode) ?? 0) + 1);
conclude(
  {
    ...started,
    prompts: Number(values.prompts),
    executors: ['word-machine', ...executors.map(({ name, adapter }) => `${name} (${adapter})`)],
    tensorsCompared: tensors, differentTensors: otherTensors,
    steps: steps.length,
    slots: new Set(steps.map(({ slot }) => slot)).size,
    opcodes: Object.fromEntries([...opcodes].sort((left, right) => right[1] - left[1])),
    contractGas: { median: median(steps.map(({ gas }) => Number(gas))), greatest: Math.max(...steps.map(({ gas }) => Number(gas))) },
    proofBytes: { median: median(steps.map(({ bytes }) => bytes)), greatest: Math.max(...steps.map(({ bytes }) => bytes)) },
    failures: failures.slice(0, 20),
  },
  {
    'the word machine and all executors give the same tensors': otherTensors === 0,
    'the contract replays every step': steps.length === Number(values.prompts) * Number(values.steps),
  },
  values.json,
);
await Promise.all(prepared.map((runner) => runner.dispose()));
await Promise.all(executors.map((executor) => executor.dispose()));
