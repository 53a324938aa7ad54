/**
 * The language detector on one paragraph in each of its 50 languages: the word machine, WebAssembly and WebGPU give the same tensors, and the compiled contract,
 * in a local EVM, replays random steps of each inference: `npm run evidence:steps [-- --steps n] [--languages n] [--seed n] [--executors wasm,webgpu] [--json]`.
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
import { buildLande } from '../../kernels/models/lande/program.ts';
import { encodeText, normalizeText, truncateText } from '../../kernels/models/lande/text.ts';
import { executorByName } from '../../rollup-node/executors.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { readParagraphs } from '../models/udhr.ts';
import { checkRandomSteps } from './contract-steps.ts';
import type { CheckedStep } from './contract-steps.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '20' },
    languages: { type: 'string' },
    seed: { type: 'string', default: '1' },
    executors: { type: 'string', default: 'wasm,webgpu' },
    json: { type: 'boolean', default: false },
  },
});

const started = conditions();
const sources = await loadLandePackage();
const model = buildLande(sources);
const executors = await Promise.all(values.executors.split(',').map(executorByName));
const prepared = await Promise.all(executors.map((executor) => executor.prepare(model)));
const wordMachine = await createWordMachineExecutor().prepare(model);
const contract = await WordMachineEvm.create();
const random = new Random(Number(values.seed));
const paragraphs = await readParagraphs(sources.langs);
const languages = sources.langs.slice(0, values.languages === undefined ? sources.langs.length : Number(values.languages));
const reached = progress('languages', languages.length);

const steps: CheckedStep[] = [];
const failures: string[] = [];
let [otherTensors, wordMachineMilliseconds] = [0, 0];
for (const [number, language] of languages.entries()) {
  reached(number);
  const { text } = random.pick(paragraphs.filter((paragraph) => paragraph.language === language));
  const input = encodeText(truncateText(normalizeText(text)));
  const start = performance.now();
  const reference = await wordMachine.run(input, { keep: 'all' });
  wordMachineMilliseconds += performance.now() - start;
  for (const [position, runner] of prepared.entries()) {
    const run = await runner.run(input, { keep: 'all' });
    for (let slot = 0; slot < slotCount(model.program); slot += 1) {
      if (bytesToHex(run.tensor(slot) ?? new Uint8Array()) === bytesToHex(reference.tensor(slot) ?? new Uint8Array())) continue;
      otherTensors += 1;
      failures.push(`${language}: slot ${slot} differs on ${executors[position]?.name}`);
    }
  }
  try {
    const trace = await openTrace({ prepared: prepared[0]!, input });
    steps.push(...(await checkRandomSteps(contract, trace, Number(values.steps), random)));
  } catch (error) {
    failures.push(`${language}: ${(error as Error).message}`);
  }
}

const opcodes = new Map<string, number>();
for (const { opcode } of steps) opcodes.set(opcode, (opcodes.get(opcode) ?? 0) + 1);
conclude(
  {
    ...started,
    languages: languages.length,
    executors: ['word-machine', ...executors.map(({ name, adapter }) => `${name} (${adapter})`)],
    tensorsEach: slotCount(model.program),
    differentTensors: otherTensors,
    wordMachineMillisecondsEach: Math.round(wordMachineMilliseconds / languages.length),
    steps: steps.length,
    slots: new Set(steps.map(({ slot }) => slot)).size,
    opcodes: Object.fromEntries([...opcodes].sort((left, right) => right[1] - left[1])),
    contractGas: { median: median(steps.map(({ gas }) => Number(gas))), greatest: Math.max(...steps.map(({ gas }) => Number(gas))) },
    proofBytes: { median: median(steps.map(({ bytes }) => bytes)), greatest: Math.max(...steps.map(({ bytes }) => bytes)) },
    failures,
  },
  {
    'the word machine and all executors give the same tensors': otherTensors === 0,
    'the contract replays every step': steps.length === languages.length * Number(values.steps),
  },
  values.json,
);
await Promise.all(prepared.map((runner) => runner.dispose()));
await Promise.all(executors.map((executor) => executor.dispose()));
