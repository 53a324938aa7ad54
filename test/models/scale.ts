import { compileProgram } from '../../deterministic-runtime/program/compile.ts';
import { SECTIONS, slotCount } from '../../deterministic-runtime/program/program.ts';
import type { Program, Section } from '../../deterministic-runtime/program/program.ts';
import { specializeOperator } from '../../deterministic-runtime/language/specialize.ts';
import { bodyStepsFormula, sectionSteps } from '../../deterministic-runtime/program/steps.ts';
import type { OperatorSteps } from '../../deterministic-runtime/program/steps.ts';
import { byteLength } from '../../deterministic-runtime/program/tensor.ts';
import { layOutMemory } from '../../deterministic-runtime/wasm/memory-layout.ts';
import type { Architecture, WeightName, WeightSource } from '../../kernels/language-model/architecture.ts';
import { weightShape } from '../../kernels/language-model/dimensions.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import type { LanguageModelOptions } from '../../kernels/language-model/program.ts';

/** What a program costs, by its shapes alone. All are whole numbers. */
export interface ScaleFigures {
  /** Of the constants' padded words: what a bundle's weights and an executor's memory hold. */
  readonly weightBytes: bigint;
  /** Operators of the body. */
  readonly operators: bigint;
  readonly slots: bigint;
  /** Steps of the word machine when all iterations run: what a dispute is over. */
  readonly steps: bigint;
  /** Steps of the iteration with the longest history. */
  readonly lastIterationSteps: bigint;
  /** Bytes of all tensors that an iteration writes: a dispute keeps them for every iteration. */
  readonly iterationBytes: bigint;
  /** Of those, bytes that later iterations read: the cache of keys and values, which every run keeps. */
  readonly cacheBytes: bigint;
}

const NAMES = ['weightBytes', 'operators', 'slots', 'steps', 'lastIterationSteps', 'iterationBytes', 'cacheBytes'] as const satisfies readonly (keyof ScaleFigures)[];

/** The figures of a program. Its constants' contents are not needed, but it must fit a WebAssembly memory. */
export function programFigures(program: Program): ScaleFigures {
  const compiled = compileProgram(program);
  const stepsOf = (section: Section): OperatorSteps[] => compiled.filter((operator) => operator.section === section).map(({ steps }) => steps);
  const body = stepsOf('body');
  const kernels = Object.fromEntries(SECTIONS.map((section) => [section, program[section].map((_, index) => specializeOperator(program, section, index))])) as unknown as Parameters<typeof layOutMemory>[1];
  const { outputs } = layOutMemory(program, kernels);
  const total = (bytes: readonly number[]): bigint => bytes.reduce((sum, size) => sum + BigInt(size), 0n);
  return {
    weightBytes: total(program.constants.map(byteLength)),
    operators: BigInt(program.body.length),
    slots: BigInt(slotCount(program)),
    steps: sectionSteps(stepsOf('prologue'), 0) + bodyStepsFormula(body)(program.maxIterations) + sectionSteps(stepsOf('epilogue'), program.maxIterations),
    lastIterationSteps: sectionSteps(body, program.maxIterations - 1),
    iterationBytes: total(program.body.map(({ output }) => byteLength(output))),
    cacheBytes: total(outputs.body.filter(({ stride }) => stride > 0).map(({ bytes }) => bytes)),
  };
}

/** Rounds of 16-ary splits of a dispute over so many steps, the answer included (docs/dispute-protocol.md). */
export function disputeLevels(steps: bigint): number {
  let [levels, reach] = [0, 1n];
  while (reach < steps) [levels, reach] = [levels + 1, reach * 16n];
  return levels;
}

/** Vocabularies of the programs that are built; the real one must be a multiple of their difference. */
const [SMALL, LARGE] = [64, 128];

/**
 * The figures of a program of any size, from some that are built. Without sampling, layers and vocabulary each add the same every time, so with the real
 * width and the real number of positions `f(L, V) = f(1, 64) + (L − 1)·(f(2, 64) − f(1, 64)) + (V/64 − 1)·(f(1, 128) − f(1, 64))`. Sampling depends on the
 * vocabulary alone, so what it adds is taken from two programs of the real vocabulary and the least width.
 * @throws RangeError for a vocabulary that is no multiple of 64
 */
export async function extrapolatedFigures(architecture: Architecture, options: LanguageModelOptions = {}): Promise<ScaleFigures> {
  const { layers, vocabulary } = architecture;
  if (vocabulary % SMALL !== 0) throw new RangeError(`a vocabulary of ${vocabulary} is no multiple of ${SMALL}`);
  const figures = async (dimensions: Partial<Architecture>, sampling: boolean): Promise<ScaleFigures> =>
    programFigures((await buildLanguageModel(patternWeights({ ...architecture, ...dimensions, endTokens: [2] }), { ...options, sampling })).program);
  const base = await figures({ layers: 1, vocabulary: SMALL }, false);
  const moreLayers = await figures({ layers: 2, vocabulary: SMALL }, false);
  const moreVocabulary = await figures({ layers: 1, vocabulary: LARGE }, false);
  const narrow = { layers: 1, width: 8, hidden: 8, heads: 1, keyValueHeads: 1, headSize: 8 };
  const sampled = options.sampling ?? true;
  const [withSampling, without] = sampled ? [await figures(narrow, true), await figures(narrow, false)] : [undefined, undefined];
  const entries = NAMES.map((name) => {
    const sampling = withSampling === undefined ? 0n : withSampling[name] - without[name];
    return [name, base[name] + BigInt(layers - 1) * (moreLayers[name] - base[name]) + BigInt(vocabulary / SMALL - 1) * (moreVocabulary[name] - base[name]) + sampling] as const;
  });
  return Object.fromEntries(entries) as unknown as ScaleFigures;
}

/** Elements of the noise that all matrices are cut from. */
const NOISE = 2 ** 21;

/** Weights of any dimensions that cost next to nothing to make: every request gets the beginning of the same noise. `output` is a tensor of its own. */
export function patternWeights(architecture: Architecture): WeightSource {
  const shape = (name: WeightName) => weightShape(architecture, name);
  const scaled = new Map<number, Float32Array>();
  const noiseFor = (columns: number): Float32Array => {
    let bits = 1;
    const known = scaled.get(columns) ?? Float32Array.from({ length: NOISE }, () => {
      bits = (Math.imul(bits, 1664525) + 1013904223) | 0;
      return bits / 2 ** 31 / Math.sqrt(columns);
    });
    scaled.set(columns, known);
    return known;
  };
  return {
    architecture,
    shape,
    rows: async (name, from, to) => {
      const columns = shape(name)?.columns ?? 0;
      const length = (to - from) * columns;
      if (length > NOISE) throw new RangeError(`${length} elements were asked for at once; the pattern has ${NOISE}`);
      return name.tensor.endsWith('Norm') ? new Float32Array(length).fill(1) : noiseFor(columns).subarray(0, length);
    },
  };
}
