import { describe, expect, test } from 'vitest';
import type { Model } from '../deterministic-runtime/program/program.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { importOnnx } from '../kernels/import/onnx/import.ts';
import { buildLande } from '../kernels/models/lande/program.ts';
import { calibration, floats, INPUT, linearModel, OUTPUT } from '../test/cli/models.ts';
import { loadLandePackage } from './lande-package.ts';
import { originalOutput, readableOutput, readModelInput, requestElements, resultWords } from './model-values.ts';

const linear = (classify = false): Model => importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), classify }).model;
const run = async (model: Model, input: Uint8Array): Promise<Uint8Array> => (await (await createWasmExecutor().prepare(model)).run(input)).output;
const GREATEST = OUTPUT.indexOf(Math.max(...OUTPUT));

describe('a model that takes numbers', () => {
  test('quantises its input, and a request carries the bytes', () => {
    const model = linear();
    const { scale, zeroPoint } = model.program.metadata.input as { scale: number; zeroPoint: number };
    const elements = requestElements(model, readModelInput(model, floats(...INPUT)));
    expect([...new Int8Array(elements)]).toEqual(INPUT.map((value) => Math.min(127, Math.round(value / scale) + zeroPoint)));
  });

  test('gives numbers near the float network\'s, as a list and as float32', async () => {
    const model = linear();
    const words = await run(model, readModelInput(model, floats(...INPUT)));
    const readable = readableOutput(model, words) as number[];
    readable.forEach((value, index) => expect(Math.abs(value - (OUTPUT[index] ?? 0))).toBeLessThan(0.03));
    expect([...new Float32Array(originalOutput(model, words).slice().buffer)]).toEqual(readable);
  });

  test('gives a class, as a number and as an int32', async () => {
    const model = linear(true);
    const words = await run(model, readModelInput(model, floats(...INPUT)));
    expect(readableOutput(model, words)).toBe(GREATEST);
    expect(originalOutput(model, words)).toEqual(Uint8Array.of(GREATEST, 0, 0, 0));
    expect(resultWords(model, Uint8Array.of(GREATEST, 0, 0, 0))).toEqual(words);
  });

  test.each<[string, Uint8Array, string]>([
    ['empty', new Uint8Array(), 'the input is empty'],
    ['of another size', floats(1, 2, 3), '12 bytes; this model takes 16'],
    ['infinite', floats(1, 2, Number.POSITIVE_INFINITY, 3), 'number 2 of the input is Infinity'],
  ])('refuses an input that is %s', (_, bytes, reason) => expect(() => readModelInput(linear(), bytes)).toThrow(reason));

  test('refuses a result that is too long', () => expect(() => resultWords(linear(true), new Uint8Array(5))).toThrow('the result has 5 bytes, and the model gives 4'));
});

describe('a model that takes text', async () => {
  const lande = buildLande(await loadLandePackage());

  test('normalises it, and a request carries no zeros', () => {
    const elements = requestElements(lande, readModelInput(lande, new TextEncoder().encode('Über-Menschen!  42')));
    expect(new TextDecoder().decode(elements)).toBe(' über menschen ');
  });

  test('gives text', async () => {
    const words = await run(lande, readModelInput(lande, new TextEncoder().encode('Alle Menschen sind frei und gleich an Würde und Rechten geboren.')));
    expect(readableOutput(lande, words)).toBe('deu');
    expect(resultWords(lande, originalOutput(lande, words))).toEqual(words);
  });
});

describe('metadata that say nonsense', () => {
  const withInput = (input: unknown): Model => {
    const model = linear();
    return { ...model, program: { ...model.program, metadata: { ...model.program.metadata, input } } };
  };
  const good = linear().program.metadata.input as Record<string, unknown>;
  test.each<[string, unknown]>([
    ['nothing', undefined], ['another kind', { kind: 'image' }], ['no dimensions', { ...good, dims: undefined }], ['other dimensions', { ...good, dims: [1, 5] }],
    ['a scale of zero', { ...good, scale: 0 }], ['another element', { ...good, element: 'float64' }],
  ])('%s', (_, input) => expect(() => readModelInput(withInput(input), floats(...INPUT))).toThrow('does not say in its metadata what its input is'));
});
