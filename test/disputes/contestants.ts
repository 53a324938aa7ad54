import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { quantizeInput } from '../../kernels/import/model-interface.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { encodeText, normalizeText, truncateText } from '../../kernels/models/lande/text.ts';
import { encodePrompt } from '../../kernels/language-model/interface.ts';
import type { GenerationSettings } from '../../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { tokenizerOf } from '../../rollup-node/language-model.ts';
import { importModelFile } from '../../rollup-node/model-import.ts';
import { readModelInput } from '../../rollup-node/model-values.ts';
import { loadStorytellerModel } from '../../rollup-node/storyteller-files.ts';
import { importMnist, readDigits } from '../models/mnist.ts';
import { modelFiles } from '../models/model-files.ts';
import { smallClassifier, smallClassifierInput } from '../models/small-classifier.ts';
import { readParagraphs } from '../models/udhr.ts';
import type { Contestant } from './random-matches.ts';

/** The language detector, on paragraphs of the declaration. */
export async function landeContestant(): Promise<Contestant> {
  const sources = await loadLandePackage();
  const paragraphs = await readParagraphs(sources.langs);
  const text = (index: number): string => paragraphs[(index * 7919) % paragraphs.length]?.text ?? '';
  return { name: 'lande', model: buildLande(sources), input: (index) => encodeText(truncateText(normalizeText(text(index)))) };
}

/** The MNIST CNN on test digits, from the folder of models. */
export function mnistContestant(folder: string): Contestant {
  const digits = readDigits(folder);
  const { model } = importMnist(folder, digits);
  return { name: 'mnist', model, input: (index) => quantizeInput(model, Float32Array.from(digits.image((index * 7919) % digits.count))) };
}

/** A small network with random weights, which needs no files. */
export function smallContestant(): Contestant {
  const model = smallClassifier();
  return { name: 'small-classifier', model, input: (index) => packTensor(model.program.input, smallClassifierInput(index)) };
}

/** How a language model's answers are to be made in a dispute. */
export type StorySettings = Pick<GenerationSettings, 'temperature' | 'topK' | 'topP' | 'maximumTokens'>;

export const GREEDY: StorySettings = { maximumTokens: 256 };
export const SAMPLED: StorySettings = { maximumTokens: 256, temperature: 0.9, topK: 100, topP: 0.95 };

const OPENINGS = ['Once upon a time', 'One day, a little girl', 'Tom and his dog', 'There was a big', 'The cat'];

/** Lies about a language model strike in turn anywhere, where tokens are drawn, in the last token, and in what decides where the answer starts and ends. */
function strikeByTurns({ program }: Model): NonNullable<Contestant['strike']> {
  const operators = (isOne: (name: string) => boolean): number[] => program.body.flatMap(({ name }, index) => (isOne(name) ? [index] : []));
  const drawing = operators((name) => name.startsWith('sample.'));
  const deciding = operators((name) => name === 'next' || name === 'stop' || name === 'token');
  const inAll = (chosen: readonly number[], iterations: number): number[] =>
    Array.from({ length: iterations }, (_, iteration) => chosen.map((index) => slotOf(program, 'body', index, iteration))).flat();
  return (game, { tensors: { iterations } }) => {
    switch (game % 4) {
      case 1: return inAll(drawing, iterations);
      case 2: return program.body.map((_, index) => slotOf(program, 'body', index, iterations - 1));
      case 3: return [...program.prologue.keys(), ...inAll(deciding, iterations), ...program.epilogue.map((_, index) => slotOf(program, 'epilogue', index))];
      default: return undefined;
    }
  };
}

/** stories260K, from the folder of models: 256 new tokens behind a story's first words. */
export async function storiesContestant(folder: string, name: string, settings: StorySettings): Promise<Contestant> {
  const { model } = await importModelFile(join(folder, 'llm/stories260K.bin'), {});
  const tokenizer = tokenizerOf(model);
  if (tokenizer === undefined) throw new Error('tok512.bin is missing beside stories260K.bin');
  return {
    name, model,
    input: (index) => encodePrompt(model, tokenizer.prompt(OPENINGS[index % OPENINGS.length] as string), settings),
    strike: strikeByTurns(model),
  };
}

/** The embedded storyteller, which draws its bytes at random. */
export async function storytellerContestant(): Promise<Contestant> {
  const model = await loadStorytellerModel();
  return {
    name: 'storyteller', model,
    input: (index) => readModelInput(model, new TextEncoder().encode(OPENINGS[index % OPENINGS.length] as string)),
    strike: strikeByTurns(model),
  };
}

const PIXELS = 32 * 32;
const CHANNELS = 3;
/** A label, then the channels' pixels one channel after another. */
const PICTURE_BYTES = 1 + CHANNELS * PIXELS;

/** ResNet8 of MLPerf Tiny as TensorFlow Lite has it, on pictures of CIFAR-10, from the folder of models. */
export function resnetContestant(folder: string): Contestant {
  const { model } = importTflite(readFileSync(join(folder, 'tflite/mlperf_pretrainedResnet_quant.tflite')));
  const pictures = gunzipSync(readFileSync(join(folder, 'data/cifar10_test1000.bin.gz')));
  const picture = (index: number): Uint8Array => {
    const start = ((index * 7919) % (pictures.length / PICTURE_BYTES)) * PICTURE_BYTES + 1;
    return Uint8Array.from({ length: CHANNELS * PIXELS }, (_, at) => (pictures[start + (at % CHANNELS) * PIXELS + Math.floor(at / CHANNELS)] as number) - 128);
  };
  return { name: 'resnet8', model, input: (index) => packTensor(model.program.input, picture(index)) };
}

/** A language model of one layer with random weights, which needs no files and draws its tokens at random. */
export async function smallLanguageModelContestant(): Promise<Contestant> {
  const model = await buildLanguageModel(randomWeights({
    family: 'llama', vocabulary: 64, width: 32, hidden: 32, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 16, normEpsilon: 1e-5,
    rotary: { base: 10000, pairs: 'adjacent' }, beginToken: 1, endTokens: [2],
  }), { promptLimit: 6, newTokenLimit: 6 });
  return { name: 'small-language-model', model, input: (index) => encodePrompt(model, [1, 3 + (index % 60), 7], { temperature: 1.5, topK: 30 }), strike: strikeByTurns(model) };
}

const CONTESTANTS: Readonly<Record<string, (folder: string) => Promise<Contestant> | Contestant>> = {
  lande: landeContestant,
  mnist: mnistContestant,
  resnet8: resnetContestant,
  stories: (folder) => storiesContestant(folder, 'stories', GREEDY),
  'stories-sampled': (folder) => storiesContestant(folder, 'stories-sampled', SAMPLED),
  storyteller: storytellerContestant,
};
/** Those that come with the project or from npm. */
const WITHOUT_FILES = ['lande', 'storyteller'];

/** A real model by its name. @throws Error for an unknown name, and where the model's files are missing */
export async function contestantNamed(name: string): Promise<Contestant> {
  const contestant = CONTESTANTS[name];
  if (contestant === undefined) throw new Error(`there is no model ${name}: take ${Object.keys(CONTESTANTS).join(', ')}`);
  const folder = modelFiles();
  if (folder === null && !WITHOUT_FILES.includes(name)) throw new Error(`${name} needs the folder of models: put it at ../shared/models, or name it in ASSAY_MODELS`);
  return contestant(folder ?? '');
}
