import { keccakOf } from '../../deterministic-runtime/commitment/keccak.ts';
import { commitTensor, NOT_WRITTEN } from '../../deterministic-runtime/commitment/tree.ts';
import { generateCase } from '../../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { slotCount } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { Random, randomElements } from '../../deterministic-runtime/language/testing/random.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { convolution } from '../../kernels/convolution.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { encodeText, normalizeText } from '../../kernels/models/lande/text.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { matrixInput, matrixProducts } from '../models/matrix-products.ts';
import { smallClassifier, smallClassifierInput } from '../models/small-classifier.ts';
import { countingLoop, countingLoopInput } from '../models/counting-loop.ts';
import { tokenLoop } from '../models/token-loop.ts';

/** A model and inputs for it, for comparing implementations. */
export interface Workload {
  readonly name: string;
  readonly model: Model;
  readonly inputs: readonly Uint8Array[];
}

/** The seed that all runs get. */
export const SEED = Uint8Array.from({ length: 32 }, (_, index) => index * 17 + 3);

/** What runs a workload's model: an executor's prepared model, or the reference evaluator. */
export type RunModel = (input: Uint8Array) => Promise<{ tensor(slot: number): Uint8Array | undefined }>;

const TEXTS = [
  'The quick brown fox jumps over the lazy dog.',
  'Falsches Üben von Xylophonmusik quält jeden größeren Zwerg.',
  '今日はとても寒いですから、家にいます。',
  'Съешь же ещё этих мягких французских булок, да выпей чаю.',
  '',
];

/** Small programs that the reference evaluator can run. */
export function smallWorkloads(): Workload[] {
  const classifier = smallClassifier();
  const images = [1, 2, 3].map((image) => packTensor(classifier.program.input, smallClassifierInput(image)));
  const loop = tokenLoop();
  const loopInputs = [4, 1, 3, 0, 2].map((index) => {
    const elements = new Uint8Array(40).map((_, position) => position * 37 + index * 11 + position * position * index);
    elements[0] = index % 4 === 0 ? 0 : 1;
    return packTensor(loop.program.input, elements);
  });
  return [{ name: 'small-classifier', model: classifier, inputs: images }, { name: 'token-loop', model: loop, inputs: loopInputs }];
}

/** Matrix products and convolutions whose shapes do not fill tiles, with reads outside their operands, of both element types. */
export function matrixWorkload(): Workload {
  return { name: 'matrix-products', model: matrixProducts(), inputs: [0, 1].map((seed) => matrixInput(seed)) };
}

/** A loop that stops at different iterations, some of them within a submit. */
export function loopWorkload(): Workload {
  return { name: 'counting-loop', model: countingLoop(), inputs: [1, 0, 2, 7, 33].map(countingLoopInput) };
}

/** A language model of random weights that samples: reductions long enough to be shared, a history of keys and values. */
export async function languageWorkload(): Promise<Workload> {
  const model = await buildLanguageModel(randomWeights({
    family: 'llama', vocabulary: 50, width: 32, hidden: 40, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 10, normEpsilon: 1e-5,
    rotary: { base: 10_000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
  }, 3), { promptLimit: 6, newTokenLimit: 6 });
  const prompts = [[1, 17, 30], [1, 9]] as const;
  return { name: 'language-model', model, inputs: prompts.map((prompt) => encodePrompt(model, prompt, { temperature: 1.5, topK: 20, topP: 0.9 })) };
}

/** A padded convolution, its output larger than a block and no multiple of one, with rows of more words than a block takes at a time. */
export function convolutionWorkload(): Workload {
  const [size, channels, filters] = [7, 170, 40];
  const random = new Random(11);
  const input = { element: 'i8', rows: size * size, columns: channels } as const;
  const builder = new ProgramBuilder({ name: 'convolutions', signature: 'convolve(int8[8330])->(int8[])', input, metadata: {} });
  const weights = builder.bytes(filters * 9, channels, randomElements(random, 'i8', filters * 9 * channels));
  const scale = builder.integers(2, filters, new Int32Array(2 * filters).fill(2 ** 30, 0, filters).fill(42, filters));
  builder.append('convolution', {
    kernel: convolution, output: { element: 'i8', rows: size * size, columns: filters },
    operands: [builder.input, weights, builder.integers(1, filters, Int32Array.from({ length: filters }, () => random.bits() >> 12)), scale],
    parameters: {
      inputHeight: size, inputWidth: size, outputWidth: size, kernelHeight: 3, kernelWidth: 3, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1,
      padTop: 1, padLeft: 1, zeroPoint: -3, low: -128, high: 127,
    },
  });
  const model = builder.build();
  return { name: 'convolutions', model, inputs: [packTensor(input, randomElements(random, 'i8', size * size * channels))] };
}

/** As many of the random models are also run in tiles, which take long to compile. */
export const TILED_RANDOM_WORKLOADS = 4;

/** Models that a generator makes up: every operation and every kind of read. */
export function randomWorkloads(count = 12): Workload[] {
  return Array.from({ length: count }, (_, index) => {
    const { made, model, input, otherInput } = generateCase(70_000 + index, 1 + ((7 * index) % 30));
    return { name: made, model, inputs: [input, otherInput] };
  });
}

/** The language detector, whose two large operators are beyond the reference evaluator. */
export async function landeWorkload(): Promise<Workload> {
  return { name: 'lande', model: buildLande(await loadLandePackage()), inputs: TEXTS.map((text) => encodeText(normalizeText(text))) };
}

/** One hash for each input: over the commitments of all slots. */
export async function runHashes({ model, inputs }: Workload, run: RunModel): Promise<string[]> {
  const hashes: string[] = [];
  for (const input of inputs) {
    const result = await run(input);
    const commitments = Array.from({ length: slotCount(model.program) }, (_, slot) => {
      const words = result.tensor(slot);
      return words === undefined ? NOT_WRITTEN : commitTensor(words);
    });
    hashes.push(Array.from(keccakOf(...commitments), (byte) => byte.toString(16).padStart(2, '0')).join(''));
  }
  return hashes;
}
