/**
 * Every kernel of kernels/ on small random tensors: the compiled contract, in a local EVM, replays every step of one word, and comes to the word that the executor
 * wrote: `npm run evidence:kernels-steps [-- --rounds n] [--seed n] [--executor wasm|webgpu|lifted|word-machine] [--only name] [--json]`. Exit code 1 at a difference.
 */
import { parseArgs } from 'node:util';
import { conclude, conditions, progress } from '../../bench/measurement.ts';
import { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import { Opcode, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { executorByName } from '../../rollup-node/executors.ts';
import { kernelCatalogue } from './kernel-catalogue.ts';
import { stepKernel } from './kernel-steps.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' }, executor: { type: 'string', default: 'wasm' },
    only: { type: 'string', default: '' }, json: { type: 'boolean', default: false },
  },
});

const started = conditions();
const executor = await executorByName(values.executor);
const contract = await WordMachineEvm.create();
const random = new Random(Number(values.seed));
const catalogue = (await kernelCatalogue()).filter(({ kernel }) => kernel.name.includes(values.only));
const reached = progress('kernels', catalogue.length);

const failures: string[] = [];
const opcodes = new Set<number>();
let [steps, words, greatest] = [0, 0, 0n];
for (const [number, { file, kernel }] of catalogue.entries()) {
  reached(number);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    try {
      const stepped = await stepKernel(contract, executor, kernel, random);
      steps += stepped.steps;
      words += 1;
      greatest = stepped.gas > greatest ? stepped.gas : greatest;
      for (const op of stepped.opcodes) opcodes.add(op);
    } catch (error) {
      failures.push(`${file}: ${(error as Error).message}`);
    }
  }
}

const name = (op: number): string => `${Object.entries(Opcode).find(([, value]) => value === op % WIDE)?.[0] ?? op}${op >= WIDE ? ' 64' : ''}`;
const defined = [...Object.values(Opcode).filter((op) => op !== Opcode.HALT), ...Array.from({ length: Opcode.MAD }, (_, index) => index + 1 + WIDE)];
conclude(
  {
    ...started, executor: `${executor.name} (${executor.adapter})`, seed: Number(values.seed), files: new Set(catalogue.map(({ file }) => file)).size, kernels: catalogue.length,
    words, steps, opcodes: opcodes.size, opcodesOfNoKernelHere: defined.filter((op) => !opcodes.has(op)).map(name), greatestGas: Number(greatest), failures: failures.slice(0, 40),
  },
  { 'the contract replays every step of a word of every kernel': failures.length === 0 && words === catalogue.length * Number(values.rounds) },
  values.json,
);
await executor.dispose();
