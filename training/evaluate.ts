/**
 * What the storyteller's card says of its stories: `npx tsx training/evaluate.ts [--weights <file>] [--stories 100]` has the program tell stories on
 * the WebAssembly executor and counts, and measures the loss of the integer program and of the float model on the same held-out stories.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import { packTensor, unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { operatorNamed } from '../kernels/language-model/program.ts';
import { buildStoryteller } from '../kernels/models/storyteller/program.ts';
import { floatStoryteller } from './float-storyteller.ts';
import { Random } from './random.ts';
import { drawStory, story } from './stories.ts';
import { END } from './text.ts';

const { values: options } = parseArgs({ options: { weights: { type: 'string' }, stories: { type: 'string', default: '100' } } });
const weights = readFileSync(options.weights ?? new URL('../kernels/models/storyteller/weights.bin', import.meta.url));
const count = Number(options.stories);

const prepared = await createWasmExecutor().prepare(await buildStoryteller(weights));
const { program } = prepared.model;

function inputOf(text: Uint8Array): Uint8Array {
  const elements = new Uint8Array(program.input.columns);
  elements.set(text);
  return packTensor(program.input, elements);
}

/** Both models' mean −ln p of the bytes of held-out stories behind the first, and how often their likeliest byte is the same. */
async function compareLosses(stories: number): Promise<{ readonly integers: number; readonly floats: number; readonly sameLikeliest: number; readonly bytes: number }> {
  const random = new Random(0x7e58);
  const float = await floatStoryteller(weights);
  const logitsOperator = operatorNamed(prepared.model, 'logits');
  let [integers, floats, same, bytes] = [0, 0, 0, 0];
  for (let index = 0; index < stories; index += 1) {
    const text = new TextEncoder().encode(story(random)).subarray(0, program.input.columns);
    const { tensor } = await prepared.run(inputOf(text), { keep: 'all' });
    const padded = new Uint8Array(float.architecture.context).fill(END);
    padded.set(text);
    const expected = float.allLogits(padded);
    for (let position = 0; position + 1 < text.length; position += 1) {
      const elements = unpackTensor({ element: 'i32', rows: 1, columns: 256 }, tensor(slotOf(program, 'body', logitsOperator, position)) as Uint8Array);
      const logits = Float64Array.from(new Int32Array(elements.buffer, elements.byteOffset, 256), (value) => value / 65_536);
      const floatLogits = Float64Array.from(expected.subarray(position * 256, (position + 1) * 256));
      const target = text[position + 1] as number;
      integers += surprise(logits, target);
      floats += surprise(floatLogits, target);
      if (likeliest(logits) === likeliest(floatLogits)) same += 1;
      bytes += 1;
    }
  }
  return { integers: integers / bytes, floats: floats / bytes, sameLikeliest: same / bytes, bytes };
}

const likeliest = (logits: Float64Array): number => logits.indexOf(Math.max(...logits));

function surprise(logits: Float64Array, target: number): number {
  const greatest = Math.max(...logits);
  return greatest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - greatest), 0)) - (logits[target] as number);
}

/** A story from nothing: the end byte, which begins texts, as an empty prompt. */
async function tell(seed: number): Promise<string> {
  const { output } = await prepared.run(inputOf(new Uint8Array(0)), { seed: Uint8Array.from({ length: 32 }, (_, index) => (seed >>> (8 * (index % 4))) & 255) });
  return new TextDecoder().decode(output).replace(/\0+$/, '');
}

/** All words of stories but characters' names. */
function taughtWords(): ReadonlySet<string> {
  const random = new Random(1);
  const words = new Set<string>();
  for (let index = 0; index < 5_000; index += 1) {
    const { text, hero, friend } = drawStory(random);
    for (const word of text.match(/[A-Za-z]+/g) ?? []) if (word !== hero.name && word !== friend.name) words.add(word);
  }
  return words;
}

const taught = taughtWords();
const wordsOf = (text: string): readonly string[] => text.match(/[A-Za-z]+/g) ?? [];
/** Capitalised words that are none of the taught ones. */
const namesOf = (text: string): readonly string[] => wordsOf(text).filter((word) => /^[A-Z]/.test(word) && !taught.has(word));
const told: string[] = [];
for (let seed = 1; seed <= count; seed += 1) told.push(await tell(seed));

const words = told.flatMap((text) => wordsOf(text).filter((word) => /^[a-z]/.test(word)));
const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)}%`;
const losses = await compareLosses(20);

for (const text of told.slice(0, 5)) console.log(`${text}\n`);
console.table({
  'loss of the integer program, nats a byte': losses.integers.toFixed(4),
  'loss of the float model with the same weights': losses.floats.toFixed(4),
  'likeliest byte the same': share(losses.sameLikeliest, 1),
  'words in lower case that were taught': share(words.filter((word) => taught.has(word)).length, words.length),
  'stories that end with a sentence': share(told.filter((text) => /[.!]"?$/.test(text)).length, count),
  'stories with no more than two names': share(told.filter((text) => new Set(namesOf(text)).size <= 2).length, count),
  'different stories': new Set(told).size,
  'mean length': Math.round(told.reduce((sum, text) => sum + text.length, 0) / count),
});
