import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import type { Model } from '../deterministic-runtime/program/program.ts';
import type { PreparedModel } from '../deterministic-runtime/executors/executor.ts';
import { packTensor, unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { operatorNamed } from '../kernels/language-model/program.ts';
import { STORYTELLER } from '../kernels/models/storyteller/architecture.ts';
import { buildStoryteller } from '../kernels/models/storyteller/program.ts';
import { floatStoryteller } from './float-storyteller.ts';
import { Random } from './random.ts';
import { story } from './stories.ts';
import { drawStretch } from './text.ts';
import type { Transformer } from './transformer.ts';

const weights = readFileSync(new URL('../kernels/models/storyteller/weights.bin', import.meta.url));
const greedy = { temperature: 0, topK: 0, topP: 1 };
const input = ({ program }: Model, text: string): Uint8Array => {
  const elements = new Uint8Array(program.input.columns);
  elements.set(new TextEncoder().encode(text));
  return packTensor(program.input, elements);
};
const textOf = (output: Uint8Array): string => new TextDecoder().decode(output).replace(/\0+$/, '');

const indexOfGreatest = (values: ArrayLike<number>): number => Array.prototype.indexOf.call(values, Math.max(...Array.from(values)));

describe('the storyteller', () => {
  let float: Transformer;
  let model: Model;
  let prepared: PreparedModel;
  beforeAll(async () => {
    float = await floatStoryteller(weights);
    model = await buildStoryteller(weights, { settings: greedy });
    prepared = await createWasmExecutor().prepare(model);
  });

  test('knows held-out stories as well as its card says', () => {
    const random = new Random(0x7e57);
    const losses = Array.from({ length: 8 }, () => drawStretch(random, STORYTELLER.context)).map(({ inputs, targets }) => float.loss(inputs, targets, 0));
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeLessThan(0.24);
  });

  test('predicts the same next byte in integers as in floats, over held-out stories', async () => {
    const random = new Random(77);
    const logitsOperator = operatorNamed(model, 'logits');
    let [same, all, error] = [0, 0, 0];
    for (let index = 0; index < 2; index += 1) {
      const text = story(random).slice(0, model.program.input.columns);
      const { tensor } = await prepared.run(input(model, text), { keep: 'all' });
      const bytes = new Uint8Array(STORYTELLER.context);
      bytes.set(new TextEncoder().encode(text));
      const expected = float.allLogits(bytes);
      for (let position = 0; position < text.length; position += 1) {
        const shape = { element: 'i32', rows: 1, columns: 256 } as const;
        const elements = unpackTensor(shape, tensor(slotOf(model.program, 'body', logitsOperator, position))!);
        const logits = Float64Array.from(new Int32Array(elements.buffer, elements.byteOffset, 256), (value) => value / 65_536);
        const floats = expected.subarray(position * 256, (position + 1) * 256);
        if (indexOfGreatest(logits) === indexOfGreatest(floats)) same += 1;
        logits.forEach((logit, token) => { error = Math.max(error, Math.abs(logit - floats[token]!)); });
        all += 1;
      }
    }
    expect(same / all).toBeGreaterThanOrEqual(0.98);
    expect(error).toBeLessThan(0.1);
  });

  test.each(['Once upon a time there was a', 'There was once a small fox named Zotu.', ''])('continues "%s" greedily as the float model does', async (prompt) => {
    const generated = textOf((await prepared.run(input(model, prompt))).output);
    const short = await floatStoryteller(weights, 104);
    const bytes = new Uint8Array(104);
    bytes.set(new TextEncoder().encode(prompt));
    let expected = '';
    for (let count = Math.max(1, prompt.length); expected.length < 60; count += 1) {
      const next = indexOfGreatest(short.logits(bytes, count));
      bytes[count] = next;
      expected += String.fromCharCode(next);
    }
    expect(generated.slice(0, 60)).toBe(expected);
    expect(generated).toMatch(/[.!"]$/);
  });

  test('tells other stories for other seeds, of words that it was taught', async () => {
    const random = new Random(5);
    const words = new Set(Array.from({ length: 3_000 }, () => story(random)).flatMap((text) => text.match(/(?<![A-Za-z])[a-z]+/g) ?? []));
    const sampling = await createWasmExecutor().prepare(await buildStoryteller(weights));
    const stories: string[] = [];
    for (let seed = 1; seed <= 4; seed += 1) {
      const { output } = await sampling.run(input(sampling.model, 'Once upon a time there was a'), { seed: new Uint8Array(32).fill(seed) });
      stories.push(textOf(output));
    }
    expect(new Set(stories).size).toBe(4);
    const told = stories.flatMap((text) => text.match(/(?<![A-Za-z])[a-z]+/g) ?? []);
    expect(told.filter((word) => words.has(word)).length / told.length).toBeGreaterThan(0.95);
  });
});
