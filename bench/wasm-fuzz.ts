/**
 * Random models on the wasm executor against the kernels' definition, every slot of four runs each, on one memory, two of which are told that iterations are
 * independent: `npx tsx bench/wasm-fuzz.ts [--first n] [--count n] [--size n] [--workers n]`. Exit code 1, and how to make the model again, where they differ.
 */
import { parseArgs } from 'node:util';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { generateCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import type { RandomCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { slotCount } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { spawnWorker } from '../rollup-node/wasm-workers/spawn.ts';

const { values } = parseArgs({
  options: { first: { type: 'string', default: '0' }, count: { type: 'string', default: '1000' }, size: { type: 'string', default: '40' },
    workers: { type: 'string', default: '1' },
  },
});
const executor = createWasmExecutor({ workers: Number(values.workers), spawn: spawnWorker, leastWork: 0 });

const same = (left: Uint8Array | undefined, right: Uint8Array | undefined): boolean =>
  left === undefined || right === undefined ? left === right : Buffer.compare(left, right) === 0;

/** The first slot that differs, or null. */
async function difference({ model, program, input, otherInput, seed }: RandomCase): Promise<string | null> {
  const prepared = await executor.prepare(model);
  const inputs = [input, otherInput];
  const expectedOf = inputs.map((words) => evaluateProgram(model, words, seed));
  for (const [run, [number, independentIterations]] of ([[0, 3], [1, 100], [0, 0], [1, 0]] as const).entries()) {
    const expected = expectedOf[number]!;
    const actual = await prepared.run(inputs[number]!, { seed, keep: 'all', independentIterations });
    if (actual.iterations !== expected.iterations) return `run ${run}: ${actual.iterations} iterations, not ${expected.iterations}`;
    for (let slot = 0; slot < slotCount(program); slot += 1) {
      if (!same(actual.tensor(slot), expected.tensor(slot))) return `run ${run}: slot ${slot}`;
    }
  }
  await prepared.dispose();
  return null;
}

const first = Number(values.first);
const count = Number(values.count);
let different = 0;
for (let number = first; number < first + count; number += 1) {
  const random = generateCase(number, 1 + (number % Number(values.size)));
  const found = await difference(random);
  if (found === null) continue;
  different += 1;
  console.error(`${random.made}: ${found}`);
}
console.log(`${count} models, ${different} different`);
process.exitCode = different === 0 ? 0 : 1;
