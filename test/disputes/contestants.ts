import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { quantizeInput } from '../../kernels/import/model-interface.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { encodeText, normalizeText, truncateText } from '../../kernels/models/lande/text.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { importMnist, readDigits } from '../models/mnist.ts';
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
