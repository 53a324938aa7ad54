import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../../deterministic-runtime/language/evaluate.ts';
import { admit } from '../../../deterministic-runtime/program/admission.ts';
import { characterTable, packNgrams } from './character-table.ts';
import { decodeQuantized, denseLayers, vocabulary } from './network.ts';
import type { LandeSources } from './network.ts';
import { buildLande } from './program.ts';
import { encodeText, normalizeText } from './text.ts';

const folder = dirname(createRequire(import.meta.url).resolve('lande'));
const read = async (path: string): Promise<unknown> => ((await import(pathToFileURL(path).href)) as { default: unknown }).default;

describe('lande', () => {
  let sources: LandeSources;
  let decodeByPackage: (text: string) => Float32Array;

  beforeAll(async () => {
    const [langs, ngrams, options] = await Promise.all(['langs', 'ngrams', 'options'].map((name) => read(join(folder, `t50-${name}.js`))));
    sources = { langs, ngrams, options } as LandeSources;
    const library = dirname(createRequire(join(folder, 't50.js')).resolve('toygrad'));
    decodeByPackage = ((await read(join(library, 'encoder.js'))) as { decode: (text: string) => Float32Array }).decode;
  });

  test('weights are those that the package decodes', () => {
    const [first, second] = denseLayers(sources);
    const layers = [sources.options.layers[1], sources.options.layers[3]];
    [first, second].forEach(({ weights, biases }, index) => {
      const encoded = [...(layers[index]?._filters ?? []), layers[index]?._biases ?? ''];
      [...weights, biases].forEach(({ scale, values }, row) => {
        expect(Float32Array.from(values, (value) => value / scale)).toEqual(Float32Array.from(decodeByPackage(encoded[row] ?? '')));
      });
    });
    expect([first.weights.length, second.weights.length]).toEqual([120, 50]);
  });

  test('is an admitted program of bounded length', () => {
    const model = buildLande(sources);
    expect(model.program.signature).toBe('detect(string)->(string)');
    expect(model.program.input).toEqual({ element: 'i8', rows: 1, columns: 1024 });
    expect(model.program.prologue.at(-1)?.output).toEqual({ element: 'i8', rows: 1, columns: 3 });
    expect(Number(admit(model).steps)).toBeLessThan(2 ** 22);
    expect(admit(buildLande(sources)).modelId).toEqual(admit(model).modelId);
  });

  test('every n-gram of the vocabulary is told from every other', () => {
    const ngrams = vocabulary(sources.ngrams);
    const table = characterTable(ngrams);
    expect(table.classes.size).toBe(199);
    const packed = [...packNgrams(ngrams, table.classes)];
    const keys = new Set(ngrams.map((_, index) => `${packed[index]} ${packed[ngrams.length + index]}`));
    expect(keys.size).toBe(620);
  });

  test('counts n-grams and their frequencies as the definition says', () => {
    const small = { ...sources, ngrams: { unigrams: ['a', 'é'], bigrams: [' a', 'aé'], trigrams: ['aéa'], quadgrams: ['aaaa'] } };
    const dense = (outputs: number, inputs: number): Pick<LandeSources['options']['layers'][number], '_filters' | '_biases'> => ({
      _filters: Array.from({ length: outputs }, (_, row) => `110|${btoa(String.fromCharCode(...Array.from({ length: inputs }, (_, k) => 127 + ((row * 7 + k * 5) % 11))))}`),
      _biases: `110|${btoa(String.fromCharCode(...Array.from({ length: outputs }, (_, row) => 127 + row)))}`,
    });
    const layers = [{ type: 'input' }, { type: 'dense', ...dense(3, 6) }, { type: 'relu' }, { type: 'dense', ...dense(2, 3) }, { type: 'softmax' }];
    const model = buildLande({ langs: ['aaa', 'bbb'], ngrams: small.ngrams, options: { layers } });
    const names = model.program.prologue.map(({ name }) => name);
    const run = evaluateProgram(model, encodeText(normalizeText('aéa aé')));
    const integers = (name: string): number[] => {
      const words = run.tensor(names.indexOf(name)) ?? new Uint8Array();
      return [...new Int32Array(words.slice().buffer)].slice(0, model.program.prologue[names.indexOf(name)]?.output.columns);
    };
    expect(integers('length')).toEqual([8]);
    expect(integers('counts')).toEqual([3, 2, 2, 2, 1, 0]);
    expect(integers('frequencies')).toEqual([3 / 8, 2 / 8, 2 / 7, 2 / 7, 1 / 6, 0].map((share) => Math.round(share * 2 ** 14)));
    const hidden = [0, 1, 2].map((row) =>
      Math.max(0, [3 / 8, 2 / 8, 2 / 7, 2 / 7, 1 / 6, 0].reduce((sum, share, k) => sum + (share * ((row * 7 + k * 5) % 11)) / 10, row / 10)));
    integers('hidden').forEach((value, row) => expect(Math.abs(value / 2 ** 10 - (hidden[row] ?? NaN))).toBeLessThan(0.002));
    const logits = [0, 1].map((row) => hidden.reduce((sum, value, k) => sum + (value * ((row * 7 + k * 5) % 11)) / 10, row / 10));
    integers('logits').forEach((value, row) => expect(Math.abs(value / 2 ** 16 - (logits[row] ?? NaN))).toBeLessThan(0.003));
    expect(new TextDecoder().decode(run.output.subarray(0, 3))).toBe((logits[0] ?? 0) >= (logits[1] ?? 0) ? 'aaa' : 'bbb');
  });

  test('sources of another form are refused', () => {
    expect(() => buildLande({ ...sources, langs: ['english'] })).toThrow('three letters');
    expect(() => buildLande({ ...sources, langs: sources.langs.slice(1) })).toThrow('expected a layer of 49 outputs, got 50');
    expect(() => buildLande({ ...sources, options: { layers: sources.options.layers.slice(0, 4) } })).toThrow('expected the layers input, dense, relu, dense, softmax');
    expect(() => buildLande({ ...sources, ngrams: { ...sources.ngrams, unigrams: ['a'] } })).toThrow('expected 501 weights');
    expect(() => decodeQuantized('2AAAA', 2)).toThrow('8-bit encoding');
    expect(() => decodeQuantized('10|AAAA', 3)).toThrow('positive scale');
    expect(() => decodeQuantized('11|////', 3)).toThrow('outside the 8-bit grid');
    expect(() => characterTable(['😀'])).toThrow('beyond the basic multilingual plane');
  });
});
