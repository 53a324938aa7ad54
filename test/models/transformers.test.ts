import { describe, expect, test } from 'vitest';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { packTensor, unpackTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import type { Architecture, WeightSource } from '../../kernels/language-model/architecture.ts';
import { buildLanguageModel } from '../../kernels/language-model/program.ts';
import type { LanguageModelOptions } from '../../kernels/language-model/program.ts';
import { randomWeights } from '../../kernels/language-model/random-weights.ts';
import { loadFloatTransformer } from '../../kernels/language-model/float-transformer.ts';
import { roundedWeights } from './rounded-weights.ts';
import { logitsOf, outputTokens, tokenInput } from './stories.ts';

const SIZES = { vocabulary: 70, width: 48, hidden: 100, layers: 2, heads: 6, keyValueHeads: 6, headSize: 8, context: 20, normEpsilon: 1e-5, endTokens: [] } as const;
const FAMILIES: Readonly<Record<string, Architecture>> = {
  'Llama, neighbours rotated, three heads share keys': { ...SIZES, family: 'llama', keyValueHeads: 2, rotary: { base: 10_000, pairs: 'adjacent' } },
  'Llama, halves rotated, a head size that is no power of two': { ...SIZES, family: 'llama', headSize: 10, rotary: { base: 500_000, pairs: 'halves' } },
  'Llama, rows of more than 512 columns': { ...SIZES, family: 'llama', width: 544, hidden: 560, layers: 1, heads: 2, keyValueHeads: 1, headSize: 64, rotary: { base: 10_000, pairs: 'halves' } },
  'GPT-2': { ...SIZES, family: 'gpt2' },
};
const TEXT = Array.from({ length: 16 }, (_, index) => (index * 37 + 11) % SIZES.vocabulary);

/** How far the program's logits are from the formulas', over all positions: 1 − cosine of the angle between them, and the greatest difference. */
async function distance(source: WeightSource, reference: WeightSource, options: LanguageModelOptions): Promise<{ readonly angle: number; readonly greatest: number }> {
  const model = await buildLanguageModel(source, { ...options, sampling: false });
  admit(model);
  const logits = await logitsOf(await createWasmExecutor().prepare(model), TEXT);
  const step = (await loadFloatTransformer(reference))();
  let [product, ours, theirs, greatest] = [0, 0, 0, 0];
  TEXT.forEach((token, position) => {
    step(token).forEach((value, index) => {
      const other = logits[position]![index]!;
      product += value * other;
      ours += other * other;
      theirs += value * value;
      greatest = Math.max(greatest, Math.abs(value - other));
    });
  });
  return { angle: 1 - product / Math.sqrt(ours * theirs), greatest };
}

describe.each(Object.entries(FAMILIES))('%s', (_, architecture) => {
  const source = randomWeights(architecture, 5);

  test('the arithmetic of 16 bits is the formulas\', on the weights as they were rounded', async () => {
    const { angle, greatest } = await distance(source, roundedWeights(source, 16), {});
    expect(angle).toBeLessThan(5e-7);
    expect(greatest).toBeLessThan(3e-3);
  });

  test('with 16 bits everywhere', async () => {
    const { angle, greatest } = await distance(source, source, { weightBits: 16 });
    expect(angle).toBeLessThan(5e-7);
    expect(greatest).toBeLessThan(3e-3);
  });

  test('with weights of 8 bits and 16 for tokens', async () => {
    const { angle, greatest } = await distance(source, source, {});
    expect(angle).toBeLessThan(2e-4);
    expect(greatest).toBeLessThan(0.1);
  });

  test('with 8 bits everywhere', async () => {
    const { angle, greatest } = await distance(source, source, { activationBits: 8, attentionBits: 8, tokenWeightBits: 8 });
    expect(angle).toBeLessThan(8e-4);
    expect(greatest).toBeLessThan(0.2);
  });
});

test('an output layer of its own, a norm without ε and weights of zero', async () => {
  const architecture = { ...FAMILIES['GPT-2']!, normEpsilon: 0, layers: 1 };
  const zero = randomWeights(architecture);
  const source: WeightSource = {
    ...zero,
    shape: (name) => (name.tensor === 'output' ? undefined : zero.shape(name)),
    rows: async (name, from, to) => (await zero.rows(name, from, to)).map((value) => (name.tensor === 'value' || name.tensor === 'valueBias' ? 0 : value)),
  };
  const { greatest } = await distance(source, source, {});
  expect(greatest).toBeLessThan(0.1);
});

describe('generation', () => {
  const architecture: Architecture = { ...FAMILIES['GPT-2']!, layers: 1 };
  const source = randomWeights(architecture, 9);
  const prepare = async (options: LanguageModelOptions, endTokens: readonly number[] = []): Promise<PreparedModel> =>
    createWasmExecutor().prepare(await buildLanguageModel({ ...source, architecture: { ...architecture, endTokens } }, options));

  test('stops at as many tokens as are asked for, at the program\'s limit, at the context\'s end', async () => {
    const prepared = await prepare({ newTokenLimit: 12 });
    for (const [prompt, newTokens, expected] of [[1, 5, 5], [1, 0, 12], [4, 1000, 12], [4, -3, 12], [15, 0, 6], [20, 0, 1], [20, 7, 1]] as const) {
      const { output, iterations } = await prepared.run(tokenInput(prepared, TEXT.concat(TEXT).slice(0, prompt), { newTokens }));
      expect(outputTokens(output)).toHaveLength(expected);
      expect(iterations).toBe(prompt + expected - 1);
    }
  });

  test('an end token ends the answer, and is its last; end tokens in the prompt do not', async () => {
    const free = await prepare({ newTokenLimit: 12 });
    const all = outputTokens((await free.run(tokenInput(free, [3, 5]))).output);
    const last = all.findIndex((token, index) => index > 2 && !all.slice(0, index).includes(token));
    expect(last).toBeGreaterThan(2);
    const ending = await prepare({ newTokenLimit: 12 }, [3, all[last]!, 69]);
    const run = await ending.run(tokenInput(ending, [3, 5]));
    expect(outputTokens(run.output)).toEqual(all.slice(0, last + 1));
    expect(run.iterations).toBe(2 + last);
  });

  test('has an answer for empty prompts and ids that are none, the same on both executors', async () => {
    const model = await buildLanguageModel(source, { newTokenLimit: 4 });
    const executors = await Promise.all([createWasmExecutor(), createLiftedExecutor()].map((executor) => executor.prepare(model)));
    const answers: number[][] = [];
    for (const [prompt, same] of [[[], [0]], [[70], [69]], [[2 ** 31 - 2], [69]], [[-7], [0]]] as const) {
      const outputs = await Promise.all(executors.map(async (prepared) => outputTokens((await prepared.run(tokenInput(prepared, prompt))).output)));
      expect(outputs[0]).toHaveLength(4);
      expect(outputs[1]).toEqual(outputs[0]);
      expect(outputTokens((await executors[0]!.run(tokenInput(executors[0]!, same))).output)).toEqual(outputs[0]);
      answers.push(outputs[0]!);
    }
  });

  test('samples by the seed: the same again with the same, others with others', async () => {
    const prepared = await prepare({ newTokenLimit: 12 });
    const input = tokenInput(prepared, [3], { temperature: 4 * 65536 });
    const draw = async (salt: number): Promise<string> => String(outputTokens((await prepared.run(input, { seed: new Uint8Array(32).fill(salt) })).output));
    expect(await draw(1)).toBe(await draw(1));
    expect(new Set([await draw(1), await draw(2), await draw(3)]).size).toBe(3);
  });

  test('bytes in, bytes out, until the end token', async () => {
    const bytes = randomWeights({ ...architecture, vocabulary: 256 }, 4);
    const build = (endTokens: readonly number[]): ReturnType<typeof buildLanguageModel> =>
      buildLanguageModel({ ...bytes, architecture: { ...bytes.architecture, endTokens } }, { interface: 'bytes', promptLimit: 8, newTokenLimit: 10 });
    const complete = async (endTokens: readonly number[], text: string): Promise<number[]> => {
      const model = await build(endTokens);
      const elements = new Uint8Array(8);
      elements.set(new TextEncoder().encode(text));
      const { output } = await (await createWasmExecutor().prepare(model)).run(packTensor(model.program.input, elements));
      return [...unpackTensor(model.program.epilogue.at(-1)!.output, output)];
    };
    const model = await build([]);
    expect(model.program.signature).toBe('complete(string)->(string)');
    const answer = await complete([], 'é\xff');
    const step = (await loadFloatTransformer(bytes))();
    const logits = [...new TextEncoder().encode('é\xff')].map((byte) => step(byte)).at(-1)!;
    expect(answer[0]).toBe(logits.indexOf(Math.max(...logits)));
    expect(answer).toHaveLength(10);
    const last = answer.findIndex((byte, index) => index > 0 && !answer.slice(0, index).includes(byte));
    expect(await complete([answer[last]!], 'é\xff')).toEqual([...answer.slice(0, last), ...Array.from({ length: 10 - last }, () => 0)]);
  });

  test.each([
    [{ promptLimit: 21 }, 'promptLimit is from 1 to the context\'s 20 tokens, not 21'],
    [{ newTokenLimit: 0 }, 'newTokenLimit is from 1 to the context\'s 20 tokens, not 0'],
    [{ interface: 'bytes' }, 'a model of bytes has a vocabulary of 256, not 70'],
  ] as const)('%j is refused', async (options, message) => {
    await expect(buildLanguageModel(source, options)).rejects.toThrow(message);
  });

  test('rows and heads that would overflow 32 bits are refused', async () => {
    const build = (change: Partial<Architecture>): Promise<unknown> => buildLanguageModel({ ...source, architecture: { ...architecture, ...change } });
    await expect(build({ hidden: 2 ** 17 + 1 })).rejects.toThrow('rows of a matrix have at most 131072 elements, not 131073');
    await expect(build({ headSize: 513 })).rejects.toThrow('heads have at most 512 components, not 513');
  });

  test('weights that are missing or not finite are refused', async () => {
    const without: WeightSource = { ...source, shape: (name) => (name.tensor === 'down' ? undefined : source.shape(name)) };
    await expect(buildLanguageModel(without)).rejects.toThrow('the model has no tensor \'down of layer 0\'');
    const broken: WeightSource = { ...source, rows: async (name, from, to) => (await source.rows(name, from, to)).fill(Number.NaN, 0, name.tensor === 'up' ? 1 : 0) };
    await expect(buildLanguageModel(broken)).rejects.toThrow('element 0 of up of layer 0 is NaN: weights must be finite numbers');
  });
});
