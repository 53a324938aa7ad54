/**
 * What recovering the transcript of a disputed inference takes, a process a row: with all tensors kept, and with those alone that other iterations read, the rest being computed
 * again. Opening the trace, then whole games of an honest player: `npx tsx bench/transcripts.ts [--models stories,mnist,lande,…,llama-15m,llama-110m] [--executor lifted|wasm] [--games n] [--cache megabytes] [--json]`.
 * Megabytes: `before` is of the process with the model and its executor in memory; `peak` of the process, of which `more` came on top; `allowed` is what issue 4 grants on top: the tensors
 * that other iterations read, one iteration's, 64 bytes a slot and 100 MB. Exit code 1 when the states differ, or more is taken. Needs Linux's /proc.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArgs } from 'node:util';
import { createLiftedExecutor } from '../deterministic-runtime/lift/executor.ts';
import { carriedOperators, prologueReadLater } from '../deterministic-runtime/program/carried.ts';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { SECTIONS } from '../deterministic-runtime/program/program.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { byteLength } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { CALLDATA_ARITY, segmentAt, segmentCount, splitBounds } from '../fraud-proof/dispute/split.ts';
import { TraceCache } from '../fraud-proof/trace/trace-cache.ts';
import { openTrace } from '../fraud-proof/trace/trace.ts';
import type { Trace } from '../fraud-proof/trace/trace.ts';
import type { Architecture } from '../kernels/language-model/architecture.ts';
import { encodePrompt } from '../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { randomWeights } from '../kernels/language-model/random-weights.ts';
import { Random } from '../deterministic-runtime/language/testing/random.ts';
import { contestantNamed } from '../test/disputes/contestants.ts';
import { conclude, conditions, rounded } from './measurement.ts';

/** Bytes that the formula grants beside what follows from the program. */
const GRANTED = 100_000_000;
const TOKENS = 256;

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'mnist,lande,stories,llama-15m,llama-110m' }, executor: { type: 'string', default: 'lifted' }, games: { type: 'string', default: '3' },
    cache: { type: 'string', default: '100' }, side: { type: 'string' }, json: { type: 'boolean', default: false },
  },
});

/** The dimensions of llama2.c's models stories15M and stories110M, with generated weights. */
const LLAMAS: Readonly<Record<string, Pick<Architecture, 'width' | 'hidden' | 'layers' | 'heads' | 'context'>>> = {
  'llama-15m': { width: 288, hidden: 768, layers: 6, heads: 6, context: 256 },
  'llama-110m': { width: 768, hidden: 2048, layers: 12, heads: 12, context: 1024 },
};

async function modelNamed(name: string): Promise<{ readonly model: Model; readonly input: Uint8Array }> {
  const dimensions = LLAMAS[name];
  if (dimensions === undefined) {
    const { model, input } = await contestantNamed(name);
    return { model, input: input(1) };
  }
  const model = await buildLanguageModel(randomWeights({
    family: 'llama', vocabulary: 32_000, ...dimensions, keyValueHeads: dimensions.heads, headSize: dimensions.width / dimensions.heads,
    normEpsilon: 1e-5, rotary: { base: 10_000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
  }), { promptLimit: 16, newTokenLimit: TOKENS });
  return { model, input: encodePrompt(model, [1, 300, 700], { maximumTokens: TOKENS }) };
}

interface Side {
  readonly iterations: number;
  readonly slots: number;
  readonly openSeconds: number;
  /** Of processor time, which depends less on what else the machine does. */
  readonly openProcessorSeconds: number;
  readonly gameProcessorSeconds: number;
  readonly traceMegabytes: number;
  readonly beforeMegabytes: number;
  readonly peakMegabytes: number;
  readonly allowedMegabytes: number;
  readonly states: string;
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;

/** Kilobytes of the process, as the kernel counts them. */
const kernelFigure = (name: 'VmHWM' | 'VmRSS'): number => 1024 * Number(new RegExp(`${name}:\\s*(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

/** Sends what is no longer used back to the system, as far as it goes. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** An honest player's part of a game that ends at a random step. */
async function playGame(trace: Trace, random: Random): Promise<string[]> {
  const claimed: string[] = [await trace.finalOpening()];
  let segment = { start: 0n, length: trace.steps };
  while (segment.length > 1n) {
    claimed.push(...(await trace.stateAt(splitBounds(segment, CALLDATA_ARITY))));
    segment = segmentAt(segment, random.integer(0, segmentCount(segment.length, CALLDATA_ARITY) - 1), CALLDATA_ARITY);
  }
  claimed.push(await trace.proofAt(segment.start));
  return claimed;
}

/** What the formula grants on top of the model: tensors that other iterations read, one iteration's, 64 bytes a slot, 100 MB. */
function allowed({ model: { program }, operators }: Trace['model'], trace: Trace): number {
  const bytes = (section: 'prologue' | 'body' | 'epilogue', isCounted: (index: number) => boolean): number =>
    program[section].reduce((sum, { output }, index) => sum + (isCounted(index) ? byteLength(output) : 0), 0);
  const [carried, read] = [carriedOperators(operators), prologueReadLater(operators)];
  const kept = bytes('prologue', (index) => read.has(index)) + trace.tensors.iterations * bytes('body', (index) => carried.has(index));
  const slots = program.prologue.length + trace.tensors.iterations * program.body.length + program.epilogue.length;
  return kept + Math.max(...SECTIONS.map((section) => bytes(section, () => true))) + 64 * slots + GRANTED;
}

async function measureSide(name: string, keepsAll: boolean): Promise<Side> {
  const { model, input } = await modelNamed(name);
  const encoded = encodeModel(model);
  const prepared = await (values.executor === 'wasm' ? createWasmExecutor() : createLiftedExecutor()).prepare(model);
  await collect();
  const before = kernelFigure('VmRSS');
  writeFileSync('/proc/self/clear_refs', '5');
  const processorSeconds = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
  const [opened, processorOpened] = [performance.now(), processorSeconds()];
  const trace = await openTrace({ prepared, input, ...(keepsAll ? { keep: 'all' } : {}), cache: new TraceCache(1e6 * Number(values.cache)) });
  const openSeconds = (performance.now() - opened) / 1_000;
  const openProcessorSeconds = processorSeconds() - processorOpened;
  const random = new Random(7);
  const claimed: string[] = [];
  const played = processorSeconds();
  for (let game = 0; game < Number(values.games); game += 1) claimed.push(...(await playGame(trace, random)));
  const gameProcessorSeconds = (processorSeconds() - played) / Number(values.games);
  const { iterations } = trace.tensors;
  const { prologue, body, epilogue } = model.program;
  return {
    iterations, slots: prologue.length + iterations * body.length + epilogue.length, openSeconds: rounded(openSeconds), openProcessorSeconds: rounded(openProcessorSeconds), gameProcessorSeconds: rounded(gameProcessorSeconds),
    traceMegabytes: megabytes(trace.tensors.byteLength), beforeMegabytes: megabytes(before), peakMegabytes: megabytes(kernelFigure('VmHWM')),
    allowedMegabytes: megabytes(allowed(encoded, trace)), states: claimed.join(),
  };
}

function sideOf(name: string, mode: string): Side {
  const root = new URL('..', import.meta.url);
  const words = ['--import', 'tsx', 'bench/transcripts.ts', '--models', name, '--side', mode, '--executor', values.executor, '--games', values.games, '--cache', values.cache];
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8', cwd: root, maxBuffer: 2 ** 30 })) as Side;
}

if (values.side !== undefined) {
  process.stdout.write(JSON.stringify(await measureSide(values.models, values.side === 'all')));
} else {
  const results: Record<string, object> = {};
  const claims: Record<string, boolean> = {};
  for (const name of values.models.split(',')) {
    const sides = { all: sideOf(name, 'all'), needed: sideOf(name, 'needed') };
    for (const [mode, { states, ...figures }] of Object.entries(sides)) {
      const more = Math.round(10 * (figures.peakMegabytes - figures.beforeMegabytes)) / 10;
      results[`${name}, ${mode === 'all' ? 'all tensors kept' : 'computed again'}`] = { ...figures, moreMegabytes: more, stateBytes: states.length };
      if (mode === 'needed') claims[`${name}: no more memory than the formula grants`] = more <= figures.allowedMegabytes;
    }
    claims[`${name}: the same states, proofs and openings`] = sides.all.states === sides.needed.states;
  }
  conclude({ ...conditions(), executor: values.executor, cacheMegabytes: Number(values.cache), games: Number(values.games), ...results }, claims, values.json);
}
