/**
 * Trains the embedded model: `npx tsx training/train.ts --out <folder> [--seed 1] [--steps 3000] [--minutes 50]`, on one core. Writes
 * `weights.bin`, which `kernels/models/storyteller` reads, and `report.json` at each checkpoint and at the end. `--from <weights.bin>` goes on from
 * weights that are there already, with a new optimizer; give another seed then, for other stories.
 * `--positions` shortens the stretches; of a hundred of them `--names` are lists of names, from which attention learns to copy.
 *
 * The same seed and number of steps give the same weights on machines whose engine computes `Math.exp`, `Math.sin` and `Math.cos` alike; a limit of
 * time ends the schedule early, so that the weights depend on it. The committed file is what counts.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeStoryteller } from '../kernels/models/storyteller/format.ts';
import { STORYTELLER } from '../kernels/models/storyteller/architecture.ts';
import { floatStoryteller } from './float-storyteller.ts';
import { Optimizer } from './optimizer.ts';
import { initialParameters } from './parameters.ts';
import { Random } from './random.ts';
import { drawNames, drawStretch } from './text.ts';
import { Transformer } from './transformer.ts';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '3000' },
    minutes: { type: 'string', default: '50' },
    batch: { type: 'string', default: '4' },
    rate: { type: 'string', default: '0.003' },
    from: { type: 'string' },
    positions: { type: 'string', default: String(STORYTELLER.context) },
    names: { type: 'string', default: '0' },
  },
});
const number = (name: 'seed' | 'steps' | 'minutes' | 'batch' | 'rate' | 'positions' | 'names'): number => Number(options[name]);
const [seed, steps, minutes, batch, rate, positions, names] = [number('seed'), number('steps'), number('minutes'), number('batch'), number('rate'), number('positions'), number('names')];
if (options.out === undefined || ![seed, steps, minutes, batch, rate, positions].every((value) => value > 0) || !(names >= 0)) {
  console.error('usage: train.ts --out <folder> [--seed 1] [--steps 3000] [--minutes 50] [--batch 4] [--rate 0.003] [--from <weights.bin>] [--positions 320] [--names 0]');
  process.exit(2);
}
const folder = options.out;
mkdirSync(folder, { recursive: true });

/** Seeds of their own, so that the texts held out are not among those trained on but by chance. */
const HELD_OUT_SEED = 0x7e57;
const HELD_OUT_STRETCHES = 32;
const WARM_UP_STEPS = 100;

const model = options.from === undefined ? new Transformer(STORYTELLER, positions) : await floatStoryteller(readFileSync(options.from), positions);
if (options.from === undefined) model.values.set(initialParameters(model.layout, new Random(seed)));
const optimizer = new Optimizer(model.layout);
const texts = new Random(seed + 0x1000);
const started = performance.now();
const elapsed = (): number => (performance.now() - started) / 60_000;

function heldOutLoss(): number {
  const random = new Random(HELD_OUT_SEED);
  let sum = 0;
  for (let index = 0; index < HELD_OUT_STRETCHES; index += 1) {
    const { inputs, targets } = drawStretch(random, positions);
    sum += model.loss(inputs, targets, 0);
  }
  return sum / HELD_OUT_STRETCHES;
}

/** The rate falls along a cosine to a tenth, over the steps or the minutes, whichever end first. */
function rateAt(step: number): number {
  const done = Math.min(1, Math.max(step / steps, elapsed() / minutes));
  return rate * Math.min(1, (step + 1) / WARM_UP_STEPS) * (0.1 + 0.45 * (1 + Math.cos(Math.PI * done)));
}

function save(step: number, trainingLoss: number): void {
  const heldOut = heldOutLoss();
  writeFileSync(join(folder, 'weights.bin'), encodeStoryteller(model.layout.all.map(({ name, rows, columns, start }) => ({ name, rows, columns, values: model.values.subarray(start, start + rows * columns) }))));
  const report = { seed, from: options.from === undefined ? null : createHash('sha256').update(readFileSync(options.from)).digest('hex'), steps: step, batch, positions, names, bytes: step * batch * positions, rate, minutes: Number(elapsed().toFixed(1)), trainingLoss, heldOutLoss: heldOut, parameters: model.layout.size };
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`checkpoint: ${step} steps, held-out loss ${heldOut.toFixed(4)} nats a byte`);
}

let recent = Number.NaN;
let step = 0;
for (; step < steps && elapsed() < minutes; step += 1) {
  model.gradients.fill(0);
  let loss = 0;
  for (let index = 0; index < batch; index += 1) {
    const { inputs, targets } = texts.chance(names) ? drawNames(texts, positions) : drawStretch(texts, positions);
    loss += model.loss(inputs, targets, 1 / batch) / batch;
  }
  const norm = optimizer.step(model.values, model.gradients, rateAt(step));
  if (!Number.isFinite(loss)) throw new Error(`the loss is no number after ${step} steps: try a lower rate`);
  recent = Number.isNaN(recent) ? loss : 0.98 * recent + 0.02 * loss;
  if (step % 20 === 0) console.log(`step ${step} loss ${loss.toFixed(4)} mean ${recent.toFixed(4)} gradient ${norm.toFixed(2)} ${Math.round(((step + 1) * batch * positions) / (elapsed() * 60))} bytes/s ${elapsed().toFixed(1)} min`);
  if (step % 500 === 499) save(step + 1, recent);
}
save(step, recent);
