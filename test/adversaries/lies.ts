import type { Adversary } from './adversary.ts';
import type { Computation, Inference } from './inference.ts';
import { Opcode, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import { isPadded, SPLICED } from './positions.ts';
import type { Scene } from './scene.ts';

const BOTH = ['asserter', 'challenger'] as const;

const spliced = (name: string, position: (inference: Inference, scene: Scene) => bigint, fits?: (inference: Inference) => boolean): Adversary => ({
  name: `lies ${name}`,
  roles: BOTH,
  ...(fits === undefined ? {} : { fits }),
  lie: (scene): Computation => scene.asked.inference.splicedLie(position(scene.asked.inference, scene), scene.random),
});

/** A run that is wrong in one place and right in what follows from it. */
const consistent = (name: string, slots: (inference: Inference) => readonly number[]): Adversary => ({
  name: `a run with a fault ${name}`,
  roles: BOTH,
  lie: ({ asked: { inference }, random }) => inference.consistentLie(random, slots(inference)),
});

const instructions: readonly Adversary[] = Object.entries(Opcode).flatMap(([name, code]) =>
  (code >= Opcode.ADD && code <= Opcode.MAD ? [{ name, code }, { name: `${name} of 64 bits`, code: code + WIDE }] : [{ name, code }]).map((kind) =>
    spliced(`at ${kind.name}`, (inference, { random }) => random.one(inference.instructions().get(kind.code)!), (inference) => inference.instructions().has(kind.code))));

/** Lies at every kind of position. */
export const LIES: readonly Adversary[] = [
  consistent('anywhere', ({ slots }) => slots),
  consistent('in the first operators', ({ slots }) => slots.slice(0, 3)),
  consistent('in the last operators', ({ slots }) => slots.slice(-3)),
  ...Object.entries(SPLICED).map(([name, position]) => spliced(name, position)),
  spliced('in the halted tail', ({ trace, steps }, { random }) => trace.finishedAfter + random.big(steps - trace.finishedAfter), ({ trace, steps }) => trace.finishedAfter < steps),
  spliced('at the last step before the halt', ({ trace }) => trace.finishedAfter - 1n),
  spliced("at a padded word's STORE", (inference, { random }) => random.one(paddedStores(inference)), (inference) => paddedStores(inference).length > 0),
  ...instructions,
  { name: 'says that the machine failed', roles: ['challenger'], lie: ({ asked: { inference }, random }) => inference.splicedLie(random.big(inference.steps), random, 'failed') },
  { name: 'says that the machine still runs', roles: ['challenger'], lie: ({ asked: { inference }, random }) => inference.splicedLie(random.big(inference.steps), random, 'running') },
];

const padded = new WeakMap<Inference, readonly bigint[]>();

/** Last steps of words that have lanes behind their row's end. */
function paddedStores(inference: Inference): readonly bigint[] {
  const known = padded.get(inference) ?? inference.slots.filter((slot) => isPadded(inference, slot)).map((slot) => {
    const [word, { trace }] = [inference.words(slot) - 1, inference];
    const start = trace.startOf(slot, word);
    const { operator, iteration } = trace.locate(start)!;
    return start + operator.steps.word(iteration, word) - 1n;
  });
  padded.set(inference, known);
  return known;
}
