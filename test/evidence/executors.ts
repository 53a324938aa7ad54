/**
 * Random models on an executor against the kernels' definition: several runs each on the same memory, with faults at random slots, whole and fractional hints of
 * independent iterations, and an observer: `npm run evidence:executors [-- --executor wasm|webgpu|lifted|word-machine] [--workers n] [--first n] [--seconds n] [--size n]`.
 * Exit code 1, and how to make the model again, where they differ.
 */
import { parseArgs } from 'node:util';
import { conditions } from '../../bench/measurement.ts';
import type { PreparedModel, RunOptions, TensorOverride } from '../../deterministic-runtime/executors/executor.ts';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import type { Evaluation } from '../../deterministic-runtime/language/evaluate.ts';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import type { RandomCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { Random, randomElements } from '../../deterministic-runtime/language/testing/random.ts';
import { placeOf, slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Program } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { executorByName } from '../../rollup-node/executors.ts';
import { spawnWorker } from '../../rollup-node/wasm-workers/spawn.ts';

const RUNS = 6;
/** What `independentIterations` is told: nothing of it may change a result. */
const HINTS = [undefined, 0, 1, 2, 3, 5, 64, 100, -4, 0.5, 1.9, 2.5, Number.NaN, Number.POSITIVE_INFINITY];

const { values } = parseArgs({
  options: {
    executor: { type: 'string', default: 'wasm' }, workers: { type: 'string', default: '1' }, first: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '60' }, size: { type: 'string', default: '20' },
  },
});
const started = conditions();
const executor = values.executor === 'wasm' ? createWasmExecutor({ workers: Number(values.workers), spawn: spawnWorker, leastWork: 0 }) : await executorByName(values.executor);

const same = (left: Uint8Array | undefined, right: Uint8Array | undefined): boolean =>
  left === undefined || right === undefined ? left === right : Buffer.compare(left, right) === 0;

/** Replaces one tensor, sometimes by zeros. */
function randomOverride(random: Random, program: Program): TensorOverride {
  const slot = random.integer(0, slotCount(program) - 1);
  const { output } = placeOf(program, slot).operator;
  const elements = randomElements(random, output.element, output.rows * output.columns);
  return { slot, words: packTensor(output, random.chance(20) ? elements.fill(0) : elements) };
}

/** What the definition says; undefined when the program writes no result. */
function definition({ model }: RandomCase, input: Uint8Array, seed: Uint8Array, override: TensorOverride | undefined): Evaluation | undefined {
  try {
    return evaluateProgram(model, input, seed, override);
  } catch (error) {
    if (error instanceof RangeError && error.message.includes('writes no result')) return undefined;
    throw error;
  }
}

/** How one run differs from the definition; null when it does not. */
async function runDifference(prepared: PreparedModel, random: Random, model: RandomCase): Promise<string | null> {
  const { program } = model;
  const input = random.chance(50) ? model.input : model.otherInput;
  const override = random.chance(40) ? randomOverride(random, program) : undefined;
  const hint = random.pick(HINTS);
  const keep = random.chance(70) ? 'all' : 'result';
  const observed = program.body.length > 0 && random.chance(50) ? random.integer(0, program.body.length - 1) : undefined;
  const seen: { readonly iteration: number; readonly words: Uint8Array }[] = [];
  const options: RunOptions = {
    seed: model.seed, keep,
    ...(hint === undefined ? {} : { independentIterations: hint }),
    ...(override === undefined ? {} : { override }),
    ...(observed === undefined ? {} : { observe: { operator: observed, onTensor: (iteration: number, words: Uint8Array) => { seen.push({ iteration, words: words.slice() }); } } }),
  };
  const expected = definition(model, input, model.seed, override);
  const where = `hint ${hint}, override ${override?.slot}, keep ${keep}, observed ${observed}`;
  if (expected === undefined) return prepared.run(input, options).then(() => `${where}: a result where there is none`, () => null);
  const actual = await prepared.run(input, options);
  if (actual.iterations !== expected.iterations) return `${where}: ${actual.iterations} iterations, not ${expected.iterations}`;
  if (!same(actual.output, expected.output)) return `${where}: the result`;
  if (keep === 'all') {
    for (let slot = 0; slot < slotCount(program); slot += 1) if (!same(actual.tensor(slot), expected.tensor(slot))) return `${where}: slot ${slot}`;
  }
  if (observed === undefined) return null;
  const inOrder = seen.length === expected.iterations && seen.every(({ iteration, words }, index) => iteration === index && same(words, expected.tensor(slotOf(program, 'body', observed, index))));
  return inOrder ? null : `${where}: the observer saw iterations ${seen.map(({ iteration }) => iteration).join(', ')}`;
}

async function difference(model: RandomCase, number: number): Promise<string | null> {
  const prepared = await executor.prepare(model.model);
  const random = new Random(number);
  try {
    for (let run = 0; run < RUNS; run += 1) {
      const found = await runDifference(prepared, random, model);
      if (found !== null) return `run ${run}: ${found}`;
    }
    return null;
  } finally {
    await prepared.dispose();
  }
}

const end = performance.now() + Number(values.seconds) * 1_000;
let models = 0;
let different = 0;
for (let number = Number(values.first); performance.now() < end; number += 1) {
  const model = generateCase(number, 1 + (number % Number(values.size)));
  models += 1;
  const found = await difference(model, number);
  if (found === null) continue;
  different += 1;
  console.error(`${model.made}: ${found}`);
}
await executor.dispose();
console.log(JSON.stringify({ ...started, executor: values.executor, workers: values.executor === 'wasm' ? Number(values.workers) : undefined, first: Number(values.first), models, runs: models * RUNS, different }));
process.exit(different === 0 ? 0 : 1);
