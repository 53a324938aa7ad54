import type { Architecture } from '../../kernels/language-model/architecture.ts';
import { TRACE_CACHE_BYTES } from '../../fraud-proof/trace/trace-cache.ts';
import { weightShape } from '../../kernels/language-model/dimensions.ts';
import { levels } from '../../fraud-proof/dispute/split.ts';
import type { ScaleFigures } from './scale.ts';

/** A whole model with a program of the default limits, and one of its whole context. */
export interface ModelFigures {
  readonly name: string;
  readonly architecture: Architecture;
  readonly short: ScaleFigures;
  readonly full: ScaleFigures;
}

/** What was measured on the program that was built. */
export interface Measured {
  readonly layers: number;
  /** Steps of the run that was timed. */
  readonly steps: number;
  /** Of processor time, as all rates are. */
  readonly secondsAToken: number;
  readonly hashedBytesASecond: number;
  readonly quantisedBytesASecond: number;
}

export interface MeasuringConditions { readonly date: string; readonly commit: string; readonly processor: string; readonly load: number; readonly peakMemoryGB: number }

/** Gas of stories260K's disputes of eight levels, and of one more move (docs/benchmarks.md, "What a dispute costs"). */
const GAS = { levels: 8, total: 642_178, move: 58_456 };
/** Bytes of a hash, and of a tree's inner nodes for each leaf. */
const HASH_BYTES = 32;
/** Positions of a program with the default limits: 512 tokens of a prompt and 256 new ones. */
const SHORT = 512 + 256 - 1;

const thousands = (value: bigint | number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
const scientific = (value: bigint): string => `${(Number(value) / 10 ** (String(value).length - 1)).toFixed(2)}·10^${String(value).length - 1}`;

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toPrecision(3)} s`;
  if (seconds < 7200) return `${(seconds / 60).toPrecision(3)} min`;
  return `${(seconds / 3600).toPrecision(3)} h`;
}

/** Numbers in the float model. */
export function parameterCount(architecture: Architecture): number {
  const size = (tensor: Parameters<typeof weightShape>[1]['tensor']): number => {
    const shape = weightShape(architecture, { tensor, layer: 0 } as Parameters<typeof weightShape>[1]);
    return shape === undefined ? 0 : shape.rows * shape.columns;
  };
  const layer = (['attentionNorm', 'query', 'key', 'value', 'attentionOutput', 'feedForwardNorm', 'gate', 'up', 'down'] as const).reduce((sum, tensor) => sum + size(tensor), 0);
  return size('embedding') + size('output') + size('finalNorm') + architecture.layers * layer;
}

/** Two tables in Markdown: the programs, and what each side needs. */
export function scaleTables(models: readonly ModelFigures[], measured: Measured, conditions: MeasuringConditions): string {
  const row = (name: string, of: (model: ModelFigures) => string): string => `| ${name} | ${models.map(of).join(' | ')} |`;
  const head = [`| | ${models.map(({ name }) => name).join(' | ')} |`, `|---|${models.map(() => '---|').join('')}`];
  const positions = (model: ModelFigures, full: boolean): number => (full ? model.architecture.context : SHORT);
  const gas = (steps: bigint): string => thousands(GAS.total + (levels(steps) - GAS.levels) * GAS.move);
  const secondsAStep = measured.secondsAToken / measured.steps;
  const token = ({ short }: ModelFigures): number => Number(short.lastIterationSteps) * secondsAStep;
  const running = ({ short }: ModelFigures, count: number): number => Number(short.weightBytes) + Number(short.cacheBytes) * count + Number(short.iterationBytes);
  const kept = (figures: ScaleFigures, count: number): number => Number(figures.iterationBytes) * count;
  const commitments = (figures: ScaleFigures): number => Number(figures.slots) * 2 * HASH_BYTES;
  const dispute = (figures: ScaleFigures, count: number): number => Number(figures.cacheBytes) * count + Number(figures.iterationBytes) + commitments(figures) + TRACE_CACHE_BYTES;
  return [
    `Written ${conditions.date} at \`${conditions.commit}\` on ${conditions.processor} (load ${conditions.load}). Measured, in seconds of one thread's processor time, on Llama-2-7B's dimensions with`,
    `${measured.layers} of 32 layers: a token in ${measured.secondsAToken.toPrecision(3)} s (${scientific(BigInt(measured.steps))} steps); admission, which is above all hashing, of ${(measured.hashedBytesASecond / 1e6).toFixed(0)} MB/s; generating and quantising`,
    `weights, ${(measured.quantisedBytesASecond / 1e6).toFixed(0)} MB/s. The process took ${conditions.peakMemoryGB} GB of memory at most.`,
    '',
    `**The programs** (prompts of 512 tokens and 256 new ones, ${SHORT} positions, where it does not say "whole context")`,
    '',
    ...head,
    row('dimensions: layers, width, hidden, heads/of keys', ({ architecture: a }) => `${a.layers}, ${thousands(a.width)}, ${thousands(a.hidden)}, ${a.heads}/${a.keyValueHeads}`),
    row('parameters', ({ architecture }) => thousands(parameterCount(architecture))),
    row('weights, bytes', ({ short }) => thousands(short.weightBytes)),
    row('operators an iteration', ({ short }) => thousands(short.operators)),
    row('slots', ({ short }) => thousands(short.slots)),
    row('steps of the last iteration', ({ short }) => scientific(short.lastIterationSteps)),
    row('steps in all', ({ short }) => scientific(short.steps)),
    row('levels (16-ary, up to 32 in the last)', ({ short }) => String(levels(short.steps))),
    row('gas of a dispute', ({ short }) => gas(short.steps)),
    row('whole context: positions', (model) => thousands(positions(model, true))),
    row('whole context: steps in all', ({ full }) => scientific(full.steps)),
    row('whole context: levels, gas', ({ full }) => `${levels(full.steps)}, ${gas(full.steps)}`),
    '',
    '**What each side needs**',
    '',
    ...head,
    row('computing (sequencer, watcher): weights, cache, one iteration', (model) => gigabytes(running(model, SHORT))),
    row('the same with WebAssembly, when the model is in memory besides (one from a bundle is not)', (model) => (running(model, SHORT) > 2 ** 32 ? 'more than its 4 GiB' : gigabytes(running(model, SHORT) + Number(model.short.weightBytes)))),
    row('the same, whole context', (model) => gigabytes(Number(model.full.weightBytes) + Number(model.full.cacheBytes) * positions(model, true) + Number(model.full.iterationBytes))),
    row('in a dispute, besides: the cache once more, one iteration, 64 bytes a slot, 100 MB', ({ short }) => gigabytes(dispute(short, SHORT))),
    row('the same, whole context', (model) => gigabytes(dispute(model.full, positions(model, true)))),
    row('were all tensors of all iterations kept', ({ short }) => gigabytes(kept(short, SHORT) + commitments(short))),
    row('the same, whole context', (model) => gigabytes(kept(model.full, positions(model, true)) + commitments(model.full))),
    row('one token behind 766, one thread of WebAssembly', (model) => duration(token(model))),
    row(`a re-run of all ${SHORT} positions`, (model) => duration(token(model) * SHORT)),
    row('committing to all its tensors', ({ short }) => duration(kept(short, SHORT) / measured.hashedBytesASecond)),
    row('admission, once: committing to the weights', ({ short }) => duration(Number(short.weightBytes) / measured.hashedBytesASecond)),
  ].join('\n');
}
