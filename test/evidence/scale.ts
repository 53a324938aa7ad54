/**
 * Builds a program with Llama-2-7B's dimensions, generated weights and as many layers as fit, computes one token with it, commits to everything, and proves
 * random steps; then tells what whole models of 1, 7 and 70 billion parameters would take: `npx tsx test/evidence/scale.ts [--layers 14] [--write]`.
 * Needs about 0.5 GB and another 0.45 GB a layer. `--write` puts the tables into docs/scale.md. Exit code 1 when a figure that was
 * extrapolated differs from the built program's, or a proof is not accepted.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { bytesToHex } from 'viem';
import { Random } from '../../deterministic-runtime/language/testing/random.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import type { LanguageModelOptions } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { hashState } from '../../fraud-proof/machine/state.ts';
import { verifyStep } from '../../fraud-proof/machine/verify.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { conclude, conditions, rounded } from '../../bench/measurement.ts';
import { levels } from '../../fraud-proof/dispute/split.ts';
import { extrapolatedFigures } from '../models/scale.ts';
import { scaleTables } from '../models/scale-tables.ts';
import type { Measured, ModelFigures } from '../models/scale-tables.ts';

const DOCUMENT = new URL('../../docs/scale.md', import.meta.url);
const TABLES = /(<!-- tables: .*? -->\n)[\s\S]*?(<!-- end of tables -->)/;
const PROOFS = 12;

const llama = (layers: number, width: number, hidden: number, heads: number, keyValueHeads: number, context: number): Architecture => ({
  family: 'llama', vocabulary: 32000, width, hidden, layers, heads, keyValueHeads, headSize: width / heads, context, normEpsilon: 1e-5,
  rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
});
const LLAMA_7B = llama(32, 4096, 11008, 32, 32, 4096);
/** TinyLlama-1.1B, Llama-2-7B, Llama-2-70B. */
const MODELS: readonly (readonly [string, Architecture])[] = [['1.1B', llama(22, 2048, 5632, 32, 4, 2048)], ['7B', LLAMA_7B], ['70B', llama(80, 8192, 28672, 64, 8, 4096)]];

const option = (name: string): string | undefined => {
  const index = process.argv.indexOf(name);
  return index < 0 ? undefined : process.argv[index + 1];
};

interface Timed<T> {
  readonly value: T;
  readonly seconds: number;
  /** Of processor time, which depends less on what else the machine does. */
  readonly processorSeconds: number;
}

async function timed<T>(what: string, run: () => Promise<T>): Promise<Timed<T>> {
  const [start, processor] = [performance.now(), process.cpuUsage()];
  const value = await run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(processor);
  const processorSeconds = (user + system) / 1e6;
  console.error(`${what}: ${seconds.toFixed(2)} s, ${processorSeconds.toFixed(2)} s of processor time`);
  return { value, seconds, processorSeconds };
}

/** Builds, runs, commits, proves. */
async function measure(layers: number): Promise<{ readonly measured: Measured; readonly results: Record<string, unknown>; readonly claims: Record<string, boolean> }> {
  const architecture = { ...LLAMA_7B, layers };
  const options: LanguageModelOptions = { promptLimit: 16, newTokenLimit: 16 };
  const expected = await extrapolatedFigures(architecture, options);
  const built = await timed('weights generated, quantised, streamed into a program', () => buildLanguageModel(randomWeights(architecture), options));
  const model = built.value;
  const admitted = await timed('all weights committed to, and admitted', async () => admit(model));
  const prepared = await timed('compiled, and placed in WebAssembly\'s memory', () => createWasmExecutor().prepare(model));
  const input = encodePrompt(model, [1], { maximumTokens: 1 });
  const first = await timed('one token', () => prepared.value.run(input));
  const again = await timed('the same again', () => prepared.value.run(input));
  const trace = await timed('run again, all of its tensors committed to', () => openTrace({ prepared: prepared.value, input }));
  const random = new Random(7);
  const proofs = await timed(`${PROOFS} random steps proven and checked`, async () => {
    let accepted = 0;
    for (let proof = 0; proof < PROOFS; proof += 1) {
      const step = (BigInt(random.bits() >>> 0) * trace.value.finishedAfter) >> 32n;
      const [before, after] = trace.value.states([step, step + 1n]);
      const { proof: bytes } = trace.value.prove(step);
      if (bytesToHex(verifyStep(hashState(before!), bytes)) === bytesToHex(hashState(after!))) accepted += 1;
    }
    return accepted;
  });
  const weightBytes = model.constants.reduce((sum, { length }) => sum + length, 0);
  const { slots, steps } = expected;
  await prepared.value.dispose();
  const times = (of: (timing: Timed<unknown>) => number): Record<string, number> =>
    Object.fromEntries(Object.entries({ build: built, admit: admitted, prepare: prepared, firstToken: first, nextRun: again, trace, proofs }).map(([name, timing]) => [name, rounded(of(timing))]));
  return {
    measured: { layers, steps: Number(trace.value.finishedAfter), secondsAToken: again.processorSeconds, hashedBytesASecond: weightBytes / admitted.processorSeconds, quantisedBytesASecond: weightBytes / built.processorSeconds },
    results: {
      layers, weightBytes, slots: Number(slots), stepsOfAllIterations: Number(steps), levels: levels(steps), stepsOfOneToken: Number(trace.value.finishedAfter),
      seconds: times(({ seconds }) => seconds),
      processorSeconds: times(({ processorSeconds }) => processorSeconds),
      peakMemoryGB: rounded(process.resourceUsage().maxRSS / 1e6),
    },
    claims: {
      'steps are as extrapolated': admitted.value.steps === steps,
      'bytes are as extrapolated': BigInt(weightBytes) === expected.weightBytes,
      'both runs give the same result': Buffer.compare(first.value.output, again.value.output) === 0 && Buffer.compare(trace.value.output, again.value.output) === 0,
      'every proof is accepted': proofs.value === PROOFS,
    },
  };
}

const started = conditions();
const { measured, results, claims } = await measure(Number(option('--layers') ?? 14));
const figures: ModelFigures[] = [];
for (const [name, architecture] of MODELS) {
  const whole = await timed(`figures of ${name}`, async () => ({
    name, architecture,
    short: await extrapolatedFigures(architecture), full: await extrapolatedFigures(architecture, { promptLimit: architecture.context, newTokenLimit: 256 }),
  }));
  figures.push(whole.value);
}
const tables = scaleTables(figures, measured, { ...started, peakMemoryGB: Number(results['peakMemoryGB']) });
if (process.argv.includes('--write')) {
  const text = readFileSync(DOCUMENT, 'utf8');
  if (!TABLES.test(text)) throw new Error('docs/scale.md has no place for tables');
  writeFileSync(DOCUMENT, text.replace(TABLES, (_, begin: string, end: string) => `${begin}\n${tables}\n\n${end}`));
} else console.log(tables);
conclude({ ...started, ...results }, claims, process.argv.includes('--json'));
