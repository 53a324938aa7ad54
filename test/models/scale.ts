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
  /** Bytes of all tensors that an iteration writes: a dispute computes them again, an iteration at a time. */
  readonly iterationBytes: bigint;
  /** Of those, bytes that later iterations read: the cache of keys and values, which every run keeps. */
  readonly cacheBytes: bigint;
}

const NAMES = ['weightBytes', 'operators', 'slots', 'steps', 'lastIterationSteps', 'iterationBytes', 'cacheBytes'] as const satisfies readonly (keyof ScaleFigures)[];

/** The figures of a program. Its constants' contents are not needed, but it must fit a WebAssembly memory. */
export const programFigures = (program: Program): ScaleFigures => figuresOf(program, () => true, program.constants.map((_, constant) => constant));

/** What the operators of the body that `counts` names add, with these constants; with all of them, the whole program's figures. */
function figuresOf(program: Program, counts: (name: string) => boolean, constants: readonly number[]): ScaleFigures {
  const { body, maxIterations } = program;
  const whole = body.every(({ name }) => counts(name));
  const compiled = compileProgram(program);
  const stepsOf = (section: Section): OperatorSteps[] => compiled.filter((operator) => operator.section === section && (section !== 'body' || counts(operator.operator.name))).map(({ steps }) => steps);
  const bodySteps = stepsOf('body');
  const kernels = Object.fromEntries(SECTIONS.map((section) => [section, program[section].map((_, index) => specializeOperator(program, section, index))])) as unknown as Parameters<typeof layOutMemory>[1];
  const { outputs } = layOutMemory(program, kernels);
  const total = (bytes: readonly number[]): bigint => bytes.reduce((sum, size) => sum + BigInt(size), 0n);
  const counted = body.filter(({ name }) => counts(name));
  const once = whole ? sectionSteps(stepsOf('prologue'), 0) + sectionSteps(stepsOf('epilogue'), maxIterations) : 0n;
  return {
    weightBytes: total(constants.map((constant) => byteLength(program.constants[constant]!))),
    operators: BigInt(counted.length),
    slots: whole ? BigInt(slotCount(program)) : BigInt(counted.length) * BigInt(maxIterations),
    steps: once + bodyStepsFormula(bodySteps)(maxIterations),
    lastIterationSteps: sectionSteps(bodySteps, maxIterations - 1),
    iterationBytes: total(counted.map(({ output }) => byteLength(output))),
    cacheBytes: total(outputs.body.filter(({ stride }, index) => stride > 0 && counts(body[index]!.name)).map(({ bytes }) => bytes)),
  };
}

const FIRST_LAYER = 'layer.0.';

/** The constants of a program's first layer, by operator and operand. */
const layerConstants = ({ body }: Program, prefix: string): Map<string, number> =>
  new Map(body.filter(({ name }) => name.startsWith(prefix)).flatMap(({ name, operands }) =>
    operands.flatMap((operand, position) => (operand.kind === 'constant' ? [[`${name.slice(prefix.length)}:${position}`, operand.constant] as const] : []))));

/** What the first layer adds. `ofTwo` is any program of two layers: constants that its layers share, like tables, count for none. */
function layerFigures(program: Program, ofTwo: Program): ScaleFigures {
  const [first, second] = [layerConstants(ofTwo, FIRST_LAYER), layerConstants(ofTwo, 'layer.1.')];
  const own = [...layerConstants(program, FIRST_LAYER)].filter(([place]) => first.get(place) !== second.get(place)).map(([, constant]) => constant);
  return figuresOf(program, (name) => name.startsWith(FIRST_LAYER), [...new Set(own)]);
}

/** Vocabularies of the programs that are built; the real one must be a multiple of their difference. */
const [SMALL, LARGE] = [64, 128];
/** The least that a layer can be; what it is does not matter where it is subtracted again. */
const LEAST_LAYER = { layers: 1, hidden: 8, heads: 1, keyValueHeads: 1, headSize: 8 } as const;

/**
 * The figures of a program of any size, from some that are built, all with the real number of positions:
 *
 * - every layer adds what the layer adds in a program of one, with the real width and a vocabulary of 64;
 * - every 64 tokens of the vocabulary add what 64 more add to a program of the real width and the least layer;
 * - sampling depends on the vocabulary alone, in a way of its own, so it adds what it adds to a program of the real vocabulary and the least width.
 *
 * @throws RangeError for a vocabulary that is no multiple of 64
 */
export async function extrapolatedFigures(architecture: Architecture, options: LanguageModelOptions = {}): Promise<ScaleFigures> {
  const { layers, vocabulary } = architecture;
  if (vocabulary % SMALL !== 0) throw new RangeError(`a vocabulary of ${vocabulary} is no multiple of ${SMALL}`);
  const build = async (dimensions: Partial<Architecture>, sampling = false): Promise<Program> =>
    (await buildLanguageModel(patternWeights({ ...architecture, ...dimensions, endTokens: [2] }), { ...options, sampling })).program;
  const oneLayer = await build({ layers: 1, vocabulary: SMALL });
  const narrow = { ...LEAST_LAYER, width: 8 };
  const [base, layer] = [programFigures(oneLayer), layerFigures(oneLayer, await build({ ...narrow, layers: 2, vocabulary: SMALL }))];
  const [small, large] = [programFigures(await build({ ...LEAST_LAYER, vocabulary: SMALL })), programFigures(await build({ ...LEAST_LAYER, vocabulary: LARGE }))];
  const sampling = options.sampling === false ? undefined : { without: programFigures(await build(narrow)), with: programFigures(await build(narrow, true)) };
  const entries = NAMES.map((name) => {
    const added = sampling === undefined ? 0n : sampling.with[name] - sampling.without[name];
    return [name, base[name] + BigInt(layers - 1) * layer[name] + BigInt(vocabulary / SMALL - 1) * (large[name] - small[name]) + added] as const;
  });
  return Object.fromEntries(entries) as unknown as ScaleFigures;
}

/** Weights of any dimensions that cost next to nothing to make: every request gets the beginning of the same noise. `output` is a tensor of its own. */
export function patternWeights(architecture: Architecture): WeightSource {
  const shape = (name: WeightName) => weightShape(architecture, name);
  const noise = new Map<number, Float32Array>();
  const noiseOf = (columns: number, length: number): Float32Array => {
    const known = noise.get(columns);
    if (known !== undefined && known.length >= length) return known.subarray(0, length);
    let bits = 1;
    const made = Float32Array.from({ length }, () => {
      bits = (Math.imul(bits, 1664525) + 1013904223) | 0;
      return bits / 2 ** 31 / Math.sqrt(columns);
    });
    noise.set(columns, made);
    return made;
  };
  return {
    architecture,
    shape,
    rows: async (name, from, to) => {
      const columns = shape(name)?.columns ?? 0;
      const length = (to - from) * columns;
      return name.tensor.endsWith('Norm') ? new Float32Array(length).fill(1) : noiseOf(columns, length);
    },
  };
}
