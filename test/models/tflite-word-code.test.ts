import { expect, test } from 'vitest';
import { createLiftedExecutor } from '../../deterministic-runtime/lift/executor.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { tfliteFile } from '../../kernels/import/testing/tflite-file.ts';
import type { TestModel } from '../../kernels/import/testing/tflite-file.ts';
import { goldenGenerator, packIntegers, resultIntegers } from './tflite-comparison.ts';
import { OPERATOR_MODELS } from './tflite-operator-models.ts';
import { openTfliteOracle } from './tflite-oracle.ts';
import { lstmModel, svdfModel } from './tflite-recurrent-models.ts';

const MODELS: readonly (readonly [string, TestModel])[] = [
  ...OPERATOR_MODELS,
  ['LSTM', lstmModel({ timeMajor: false, batch: 1, steps: 3, inputs: 12, hidden: 10, cellPower: -11, clip: 0, zeroPoint: 0 })],
  ['SVDF', svdfModel({ batch: 2, inputs: 40, units: 6, rank: 2, memory: 5 })],
];

/** Models with a kernel that none before them has. */
const seen = new Set<string>();
const first = MODELS.flatMap(([name, model]) => {
  const bytes = tfliteFile(model);
  const own = importTflite(bytes).model;
  const added = own.program.kernels.filter((kernel) => !seen.has(kernel.name));
  for (const { name: kernel } of added) seen.add(kernel);
  return added.length === 0 ? [] : [[name, bytes, own] as const];
});

test.each(first)('word-machine code gives the runtime\'s integers: %s', async (_, bytes, model) => {
  const oracle = await openTfliteOracle(bytes);
  const next = goldenGenerator(19);
  const inputs = oracle.inputs.map(({ type, dims }) =>
    Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => (type === 'int16' ? next() * 256 + next() - 32768 : type === 'uint8' ? next() : next() - 128)));
  const prepared = await createLiftedExecutor().prepare(model);
  const { output } = await prepared.run(packIntegers(model.program.input, inputs.flat()));
  expect(resultIntegers(model, output)).toEqual(oracle.run(...inputs));
  await prepared.dispose();
});

test.each(['twice', 'once'] as const)('every operator has word-machine code with the rounding %s too', async (rounding) => {
  for (const [name, model] of MODELS.filter(([own]) => /SOFTMAX|LOGISTIC|TANH|LSTM/.test(own))) {
    const prepared = createLiftedExecutor().prepare(importTflite(tfliteFile(model), { rounding }).model);
    await expect(prepared, name).resolves.toBeDefined();
    await (await prepared).dispose();
  }
});
