import { placeOf } from '../../deterministic-runtime/program/program.ts';
import { lanesPerWord } from '../../deterministic-runtime/program/tensor.ts';
import type { Inference } from './inference.ts';
import type { Scene } from './scene.ts';

/** Number of the state that is the last right one, by where the lie is. */
export const SPLICED: Readonly<Record<string, (inference: Inference, scene: Scene) => bigint>> = {
  'at the first step': () => 0n,
  "at the first word's last step": (inference) => endOf(inference, inference.slots[0]!, 0),
  "at the first operator's last word": (inference) => inside(inference, inference.slots[0]!, -1),
  "at the last operator's first word": (inference) => inside(inference, inference.slots.at(-1)!, 0),
  "at the last operator's last word": (inference) => inside(inference, inference.slots.at(-1)!, -1),
  "at an operator's first step": (inference, { random }) => inference.trace.startOf(random.one(inference.slots), 0),
  "at an operator's last step": (inference, { random }) => {
    const slot = random.one(inference.slots);
    return endOf(inference, slot, inference.words(slot) - 1);
  },
  'at the very last step': ({ steps }) => steps - 1n,
  'around a bound of the first split': ({ steps }, { random }) => clamp(((1n + random.big(15n)) * steps) / 16n - 1n + random.big(3n), steps),
  'anywhere': ({ steps }, { random }) => random.big(steps),
};

const clamp = (step: bigint, steps: bigint): bigint => (step >= steps ? steps - 1n : step);

/** The last step of a word: its STORE. */
function endOf({ trace }: Inference, slot: number, word: number): bigint {
  const start = trace.startOf(slot, word);
  const { operator, iteration } = trace.locate(start)!;
  return start + operator.steps.word(iteration, word) - 1n;
}

/** The second step of a word; `word` −1 is the last. */
function inside(inference: Inference, slot: number, word: number): bigint {
  const number = word < 0 ? inference.words(slot) - 1 : word;
  const end = endOf(inference, slot, number);
  const second = inference.trace.startOf(slot, number) + 1n;
  return second < end ? second : end;
}

/** True if a slot's rows end inside a word. */
export function isPadded({ trace }: Inference, slot: number): boolean {
  const { element, columns } = placeOf(trace.model.model.program, slot).operator.output;
  return columns % lanesPerWord(element) !== 0;
}
