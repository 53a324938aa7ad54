import type { Model } from '../../../deterministic-runtime/program/program.ts';
import type { TensorShape } from '../../../deterministic-runtime/program/tensor.ts';
import { argmax } from '../../argmax.ts';
import { joinDigits, splitDigits } from '../../digits.ts';
import { requantizationRows } from '../../import/requantization.ts';
import { linearSums } from '../../linear.ts';
import { gatherRows } from '../../lookup.ts';
import { characterClasses, ngramCounts, ngramFrequencies, ngramWindows, utf16Length } from '../../ngrams.ts';
import { ProgramBuilder } from '../../program-builder.ts';
import type { Tensor } from '../../program-builder.ts';
import { characterTable, packNgrams } from './character-table.ts';
import { denseLayers, vocabulary } from './network.ts';
import type { DenseLayer, LandeSources } from './network.ts';
import { MAXIMUM_TEXT_BYTES, TEXT_SHAPE } from './text.ts';

/** Activations have fourteen bits, two digits of seven: with eight bits one first answer in a hundred differs from the package's. */
const ACTIVATION_BITS = 14;
const DIGITS = 2;
const LARGEST_ACTIVATION = 2 ** ACTIVATION_BITS - 1;
/** Steps in 1: frequencies lie in [0, 1], hidden activations of real text below 6, and 16 is where they saturate. */
const FREQUENCY_STEPS = 2 ** ACTIVATION_BITS;
const HIDDEN_STEPS = 2 ** 10;
const LOGIT_STEPS = 2 ** 16;

const integers = (columns: number, rows = 1): TensorShape => ({ element: 'i32', rows, columns });
const bytes = (columns: number, rows = 1): TensorShape => ({ element: 'i8', rows, columns });

/**
 * The language detector `lande` (npm, MIT) as a program `detect(string) → (string)`: from UTF-8 bytes to a three-letter code. Decoding, counting
 * n-grams and dividing by their number are operators like the two layers; the weights are the package's own 8-bit ones.
 *
 * @throws Error when the sources are not of the form that the package has.
 */
export function buildLande(sources: LandeSources): Model {
  const { langs } = sources;
  if (langs.length === 0 || langs.some((code) => !/^[a-z]{3}$/.test(code))) throw new Error('language codes are three letters each');
  const [first, second] = denseLayers(sources);
  const builder = new ProgramBuilder({
    name: 'lande',
    signature: 'detect(string)->(string)',
    input: TEXT_SHAPE,
    metadata: {
      source: 'https://www.npmjs.com/package/lande',
      license: 'MIT',
      input: { kind: 'text', encoding: 'utf-8', maximumBytes: MAXIMUM_TEXT_BYTES, normalization: 'lande' },
      output: { kind: 'text', encoding: 'utf-8' },
      labels: langs,
    },
  });
  const frequencies = ngramShares(builder, vocabulary(sources.ngrams));
  const hidden = dense(builder, 'hidden', frequencies, first, FREQUENCY_STEPS, HIDDEN_STEPS, [0, LARGEST_ACTIVATION]);
  const logits = dense(builder, 'logits', hidden, second, HIDDEN_STEPS, LOGIT_STEPS, [-(2 ** 31), 2 ** 31 - 1]);
  const language = builder.append('best', { kernel: argmax, output: integers(1), operands: [logits] });
  const codes = builder.bytes(langs.length, 3, new TextEncoder().encode(langs.join('')));
  builder.append('language', { kernel: gatherRows, output: bytes(3), operands: [language, codes] });
  return builder.build();
}

/** The share of each n-gram among those of its length: i32 [1][n-grams], in 1/FREQUENCY_STEPS. */
function ngramShares(builder: ProgramBuilder, ngrams: readonly string[]): Tensor {
  const table = characterTable(ngrams);
  const pages = builder.bytes(1, table.pages.length, table.pages);
  const rows = builder.bytes(table.rows.length, 256, Uint8Array.from(table.rows.flatMap((row) => [...row])));
  const packed = builder.integers(2, ngrams.length, packNgrams(ngrams, table.classes));
  const lengths = builder.bytes(1, ngrams.length, Int8Array.from(ngrams, (ngram) => ngram.length));

  const text = builder.input;
  const { columns } = text.shape;
  const classes = builder.append('classes', { kernel: characterClasses, output: bytes(columns), operands: [text, pages, rows] });
  const windows = builder.append('windows', { kernel: ngramWindows, output: integers(columns), operands: [text, classes] });
  const length = builder.append('length', { kernel: utf16Length, output: integers(1), operands: [text] });
  const counts = builder.append('counts', { kernel: ngramCounts, output: integers(ngrams.length), operands: [windows, packed] });
  return builder.append('frequencies', {
    kernel: ngramFrequencies,
    output: integers(ngrams.length),
    operands: [counts, length, lengths],
    parameters: { bits: ACTIVATION_BITS },
  });
}

/** `clamp(W·x + b)`: x i32 [1][K] in 1/inputSteps, the result i32 [1][C] in 1/outputSteps. */
function dense(
  builder: ProgramBuilder,
  name: string,
  x: Tensor,
  { weights, biases }: DenseLayer,
  inputSteps: number,
  outputSteps: number,
  [low, high]: readonly [number, number],
): Tensor {
  const inputs = x.shape.columns;
  const outputs = weights.length;
  const w = builder.bytes(outputs, inputs, Int8Array.from(weights.flatMap(({ values }) => [...values])));
  const none = builder.integers(1, outputs, new Int32Array(outputs));
  const bias = Int32Array.from(weights, ({ scale }, output) => Math.round(((biases.values[output] ?? 0) / biases.scale) * scale * inputSteps));
  const scales = requantizationRows(weights.map(({ scale }) => outputSteps / (scale * inputSteps)));

  const digits = builder.append(`${name}.digits`, { kernel: splitDigits, output: bytes(inputs, DIGITS), operands: [x] });
  const sums = builder.append(`${name}.sums`, { kernel: linearSums, output: integers(outputs, DIGITS), operands: [digits, w, none] });
  return builder.append(name, {
    kernel: joinDigits,
    output: integers(outputs),
    operands: [sums, builder.integers(1, outputs, bias), builder.integers(2, outputs, scales)],
    parameters: { low, high },
  });
}
