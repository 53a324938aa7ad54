import { expect, test } from 'vitest';
import { evaluateProgram } from '../../deterministic-runtime/language/evaluate.ts';
import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import { dot32, int32, sum } from '../../deterministic-runtime/language/scalar.ts';
import type { Model, Program } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { createWordMachineExecutor } from './executor.ts';

const multiply = kernel('multiply', {
  operands: { x: i8, w: i8 },
  output: i32,
  element: ({ row, column, operands: { x, w } }) => sum(x.words, (word) => dot32(x.word(row, word), w.word(column, word))),
});
/** What the iteration before had, plus the prologue's element, plus the seed's first byte. */
const accumulate = kernel('accumulate', {
  operands: { before: i32, x: i32, seed: i8 },
  output: i32,
  element: ({ row, column, iteration, operands: { before, x, seed } }) =>
    before.at(row, column, { iteration: iteration.sub(1) }).add(x.at(row, column)).add(seed.at(0, 0)),
});
const isLarge = kernel('is-large', {
  operands: { x: i32 }, parameters: ['limit'],
  output: i8,
  element: ({ operands: { x }, parameters: { limit } }) => limit.le(x.at(0, 0)),
});
const latest = kernel('latest', {
  operands: { x: i32 }, parameters: ['count'],
  output: i32,
  element: ({ row, column, operands: { x }, parameters: { count } }) => sum(count, (index) => x.at(row, column, { iteration: index })).add(int32(1)),
});

const x = { element: 'i8', rows: 2, columns: 40 } as const;
const sums = { element: 'i32', rows: 2, columns: 9 } as const;
const program: Program = {
  name: 'test', signature: 'f(bytes)->(bytes)', input: x, metadata: {}, maxIterations: 6,
  kernels: [multiply, accumulate, isLarge, latest],
  constants: [{ element: 'i8', rows: 9, columns: 40 }],
  prologue: [{ name: 'product', kernel: 0, parameters: {}, output: sums, operands: [{ kind: 'input' }, { kind: 'constant', constant: 0 }] }],
  body: [
    { name: 'sum', kernel: 1, parameters: {}, output: sums, operands: [{ kind: 'body', operator: 0 }, { kind: 'prologue', operator: 0 }, { kind: 'seed' }] },
    { name: 'stop', kernel: 2, parameters: { limit: 100 }, output: { element: 'i8', rows: 1, columns: 1 }, operands: [{ kind: 'body', operator: 0 }] },
  ],
  epilogue: [{ name: 'latest', kernel: 3, parameters: { count: 6 }, output: sums, operands: [{ kind: 'body', operator: 0 }] }],
};
const constant = packTensor({ element: 'i8', rows: 9, columns: 40 }, Uint8Array.from({ length: 360 }, (_, index) => (index % 40 === 0 ? 1 + Math.floor(index / 40) : 0)));
const model: Model = { program, constants: [constant] };
/** The first row starts with 20, the second with −3; everything else is zero, so products are 20·w and −3·w. */
const input = packTensor(x, Uint8Array.from({ length: 80 }, (_, index) => (index === 0 ? 20 : index === 40 ? 253 : 0)));
const seed = new Uint8Array(32);
seed[0] = 10;

const numbers = (words: Uint8Array): number[] => [...new Int32Array(words.slice().buffer)];

test('a model with a prologue, a body that stops, an epilogue: by hand, and as the reference evaluator has it', async () => {
  const prepared = await createWordMachineExecutor().prepare(model);
  const result = await prepared.run(input, { seed, keep: 'all' });
  // Iterations have 30, 60, 90, 120 in their first place: the fourth passes 100.
  expect(result.iterations).toBe(4);
  expect(numbers(result.tensor(0) as Uint8Array).slice(0, 9)).toEqual([20, 40, 60, 80, 100, 120, 140, 160, 180]);
  expect([1, 3, 5, 7].map((slot) => numbers(result.tensor(slot) as Uint8Array)[0])).toEqual([30, 60, 90, 120]);
  expect(result.tensor(9)).toBeUndefined();
  expect(numbers(result.output)[0]).toBe(301);
  // The second row: −3·9 + 10 = −17 in its last place, times 1 + 2 + 3 + 4, plus 1.
  expect(numbers(result.output)[16 + 8]).toBe(-169);
  const reference = evaluateProgram(model, input, seed);
  for (let slot = 0; slot < 14; slot += 1) expect(result.tensor(slot)).toEqual(reference.tensor(slot));
});

test('only the result is kept unless asked', async () => {
  const prepared = await createWordMachineExecutor().prepare(model);
  const result = await prepared.run(input);
  expect(result.tensor(0)).toBeUndefined();
  expect(result.tensor(13)).toEqual(result.output);
});

test('an override replaces a tensor, and what follows is computed from it', async () => {
  const prepared = await createWordMachineExecutor().prepare(model);
  const lie = new Uint8Array(2 * 2 * 32);
  new DataView(lie.buffer).setInt32(0, 1000, true);
  const result = await prepared.run(input, { seed, keep: 'all', override: { slot: 1, words: lie } });
  expect(result.iterations).toBe(1);
  expect(result.tensor(1)).toEqual(lie);
  expect(numbers(result.output)[0]).toBe(1001);
  await expect(prepared.run(input, { override: { slot: 1, words: new Uint8Array(32) } })).rejects.toThrow("the override of 'sum' has 32 bytes, not 128");
});

test('the observer sees an operator once an iteration, in order', async () => {
  const prepared = await createWordMachineExecutor().prepare(model);
  const seen: [number, number | undefined][] = [];
  await prepared.run(input, { seed, observe: { operator: 0, onTensor: (iteration, words) => { seen.push([iteration, numbers(words)[0]]); } } });
  expect(seen).toEqual([[0, 30], [1, 60], [2, 90], [3, 120]]);
  await expect(prepared.run(input, { observe: { operator: 2, onTensor: () => {} } })).rejects.toThrow('the body has no operator 2 to observe');
});

test('refuses what does not fit the program', async () => {
  const executor = createWordMachineExecutor();
  const prepared = await executor.prepare(model);
  await expect(prepared.run(new Uint8Array(3))).rejects.toThrow('the input has 128 bytes (padded words), got 3');
  await expect(prepared.run(new Uint8Array(128).fill(1))).rejects.toThrow('the input has padding that is not zero');
  await expect(prepared.run(input, { seed: new Uint8Array(31) })).rejects.toThrow('the seed has 32 bytes (padded words), got 31');
  await expect(executor.prepare({ program, constants: [] })).rejects.toThrow('the program has 1 constants, got 0');
  await expect(prepared.run(input, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});
