import { describe, expect, test } from 'vitest';
import { smallClassifier, smallClassifierInput } from '../../test/models/small-classifier.ts';
import { TOKEN_LOOP_ITERATIONS, tokenLoop } from '../../test/models/token-loop.ts';
import { evaluateProgram } from '../language/evaluate.ts';
import { i32, i8, kernel } from '../language/kernel.ts';
import { dot32, int32, sum } from '../language/scalar.ts';
import { generateCase } from '../language/testing/arbitrary-kernel.ts';
import { slotCount, slotOf } from '../program/program.ts';
import type { Model, Program } from '../program/program.ts';
import { packTensor } from '../program/tensor.ts';
import type { PreparedModel } from '../executors/executor.ts';
import { createWasmExecutor } from './executor.ts';

const executor = createWasmExecutor();

/** Compares every slot's tensor of one run with the definition's. */
async function compare(prepared: PreparedModel, input: Uint8Array, seed: Uint8Array, what: string): Promise<number> {
  const { model } = prepared;
  // First, since a run before with the same input would leave in memory what a wrong hint must not take for granted.
  await compareHinted(prepared, input, seed, what);
  const expected = evaluateProgram(model, input, seed);
  const run = await prepared.run(input, { seed, keep: 'all' });
  expect(run.iterations, what).toBe(expected.iterations);
  expect(run.output, what).toEqual(expected.output);
  for (let slot = 0; slot < slotCount(model.program); slot += 1) expect(run.tensor(slot), `${what}, slot ${slot}`).toEqual(expected.tensor(slot));
  const short = await prepared.run(input, { seed });
  expect(short.output, what).toEqual(expected.output);
  return run.iterations;
}

/** Compares runs that are told, rightly or wrongly, that iterations are independent. */
async function compareHinted(prepared: PreparedModel, input: Uint8Array, seed: Uint8Array, what: string): Promise<void> {
  const { model, model: { program } } = prepared;
  if (program.body.length === 0) return;
  const expected = evaluateProgram(model, input, seed);
  for (const independentIterations of [2.5, 100, 3, 2, NaN]) {
    const operator = Math.floor(independentIterations || 1) % program.body.length;
    const observed: Uint8Array[] = [];
    const observe = { operator, onTensor: (iteration: number, words: Uint8Array) => { expect(observed.push(words) - 1).toBe(iteration); } };
    const run = await prepared.run(input, { seed, keep: 'all', independentIterations, observe });
    const said = `${what}, ${independentIterations} independent iterations`;
    expect(run.iterations, said).toBe(expected.iterations);
    expect(run.output, said).toEqual(expected.output);
    for (let slot = 0; slot < slotCount(program); slot += 1) expect(run.tensor(slot), `${said}, slot ${slot}`).toEqual(expected.tensor(slot));
    expect(observed, said).toEqual(Array.from({ length: expected.iterations }, (_, iteration) => expected.tensor(slotOf(program, 'body', operator, iteration))));
    expect((await prepared.run(input, { seed, independentIterations })).output, said).toEqual(expected.output);
  }
}

describe('against the definition', () => {
  test('random models, twice on the same memory', async () => {
    for (let number = 0; number < 60; number += 1) {
      const random = generateCase(number * 31 + 5, 1 + (number % 20));
      const prepared = await executor.prepare(random.model);
      await compare(prepared, random.input, random.seed, random.made);
      await compare(prepared, random.otherInput, random.seed, `${random.made}, other input`);
      await prepared.dispose();
    }
  });

  test('a classifier', async () => {
    const prepared = await executor.prepare(smallClassifier());
    for (const salt of [1, 2, 3]) await compare(prepared, packTensor(prepared.model.program.input, smallClassifierInput(salt)), new Uint8Array(32), `input ${salt}`);
  });

  test('a body that stops earlier the second time reads zeros where the first run wrote', async () => {
    const prepared = await executor.prepare(tokenLoop());
    const bytes = (stop: number, salt: number): Uint8Array => new Uint8Array(40).map((_, index) => (index === 0 ? stop : index * salt));
    const iterations: number[] = [];
    for (const [stop, salt] of [[0, 7], [1, 7], [1, 11], [0, 13], [1, 3], [1, 1]] as const) {
      const seed = new Uint8Array(32).fill(salt);
      iterations.push(await compare(prepared, packTensor(prepared.model.program.input, bytes(stop, salt)), seed, `${stop} ${salt}`));
    }
    const shorter = iterations.findIndex((count, run) => run > 0 && count < iterations[run - 1]!);
    expect(shorter).toBeGreaterThan(0);
    expect(iterations).toContain(TOKEN_LOOP_ITERATIONS);
  });
});

/** y = x + 1 four times, each into a tensor of five bytes, then what words hold of it. */
function chain(): Model {
  const next = kernel('next', { operands: { x: i8 }, output: i8, element: ({ column, operands: { x } }) => x.at(column).add(1) });
  const shape = { element: 'i8', rows: 1, columns: 5 } as const;
  const program: Program = {
    name: 'chain', signature: 'chain(int8[5])->(int8[5])', input: shape, kernels: [next], constants: [],
    prologue: [0, 1, 2, 3].map((index) => ({
      name: `next${index}`, kernel: 0, parameters: {}, output: shape,
      operands: [index === 0 ? { kind: 'input' } : { kind: 'prologue', operator: index - 1 }],
    })),
    body: [], epilogue: [], maxIterations: 0, metadata: {},
  };
  return { program, constants: [] };
}

const five = (value: number): Uint8Array => packTensor({ element: 'i8', rows: 1, columns: 5 }, new Uint8Array(5).fill(value));

describe('overrides', () => {
  test('replace a tensor, and what follows is computed from it', async () => {
    const prepared = await executor.prepare(chain());
    const run = await prepared.run(five(1), { keep: 'all', override: { slot: 1, words: five(50) } });
    expect([0, 1, 2, 3].map((slot) => run.tensor(slot)![4])).toEqual([2, 50, 51, 52]);
    expect((await prepared.run(five(1))).output).toEqual(five(5));
  });

  test('with bytes in the padding leave nothing behind', async () => {
    const prepared = await executor.prepare(chain());
    const run = await prepared.run(five(1), { keep: 'all', override: { slot: 1, words: new Uint8Array(32).fill(9) } });
    expect(run.tensor(1)).toEqual(new Uint8Array(32).fill(9));
    expect(run.tensor(2)).toEqual(five(10));
    expect((await prepared.run(five(1), { keep: 'all' })).tensor(1)).toEqual(five(3));
  });

  test('with bytes in the padding count in dot products as the machine counts them', async () => {
    const product = kernel('product', { operands: { x: i8, y: i8 }, output: i32, element: ({ operands: { x, y } }) => dot32(x.word(0, 0), y.word(0, 0)) });
    const { program } = chain();
    const other = { kind: 'prologue' as const, operator: 0 };
    const replaced = { kind: 'prologue' as const, operator: 1 };
    const output = { element: 'i32', rows: 1, columns: 1 } as const;
    const products = [[replaced, replaced], [replaced, other]].map((operands, index) => ({ name: `product${index}`, kernel: 1, parameters: {}, output, operands }));
    const prepared = await executor.prepare({ program: { ...program, kernels: [...program.kernels, product], prologue: [...program.prologue.slice(0, 2), ...products] }, constants: [] });
    const run = await prepared.run(five(1), { keep: 'all', override: { slot: 1, words: new Uint8Array(32).fill(9) } });
    expect([2, 3].map((slot) => new Int32Array(run.tensor(slot)!.slice().buffer)[0])).toEqual([32 * 81, 5 * 2 * 9]);
  });

  test('of the body: in one iteration only, and of the stop', async () => {
    const model = tokenLoop();
    const prepared = await executor.prepare(model);
    const input = packTensor(model.program.input, new Uint8Array(40).fill(3, 1));
    const honest = evaluateProgram(model, input);
    const token = slotOf(model.program, 'body', 0, 2);
    const changed = await prepared.run(input, { keep: 'all', override: { slot: token, words: new Uint8Array(32).fill(1) } });
    expect(changed.tensor(token - 1)).toEqual(honest.tensor(token - 1));
    expect(changed.tensor(token + 1)).not.toEqual(honest.tensor(token + 1));
    const stop = slotOf(model.program, 'body', 4, 2);
    const stopped = await prepared.run(input, { keep: 'all', override: { slot: stop, words: new Uint8Array(32).fill(1) } });
    expect(stopped.iterations).toBe(3);
    expect(stopped.tensor(slotOf(model.program, 'body', 0, 3))).toBeUndefined();
    expect(stopped.tensor(slotOf(model.program, 'body', 0, 2))).toEqual(honest.tensor(token));
    expect(stopped.output).not.toEqual(honest.output);
    expect((await prepared.run(input)).output).toEqual(honest.output);
  });

  test('that do not fit are refused', async () => {
    const prepared = await executor.prepare(chain());
    await expect(prepared.run(five(1), { override: { slot: 4, words: five(1) } })).rejects.toThrow('no slot 4');
    await expect(prepared.run(five(1), { override: { slot: 1, words: new Uint8Array(5) } })).rejects.toThrow('has 5 bytes, not 32');
  });
});

describe('runs', () => {
  test('keep only the result unless asked', async () => {
    const prepared = await executor.prepare(chain());
    const run = await prepared.run(five(0));
    expect(run.tensor(2)).toBeUndefined();
    expect(run.tensor(3)).toEqual(run.output);
  });

  test('at the same time take turns', async () => {
    const prepared = await executor.prepare(chain());
    const runs = await Promise.all([0, 10, 20].map((value) => prepared.run(five(value), { keep: 'all' })));
    expect(runs.map((run) => run.tensor(2)![0])).toEqual([3, 13, 23]);
    expect(runs.map((run) => run.output[0])).toEqual([4, 14, 24]);
  });

  test('do not see the input change under them', async () => {
    const prepared = await executor.prepare(chain());
    const input = five(1);
    const run = prepared.run(input);
    input.fill(99);
    expect((await run).output).toEqual(five(5));
  });

  test('refuse inputs and seeds that do not fit, before anything runs', async () => {
    const prepared = await executor.prepare(chain());
    await expect(prepared.run(new Uint8Array(5))).rejects.toThrow('the input has 5 bytes; the model takes 32 (padded words)');
    await expect(prepared.run(new Uint8Array(32).fill(1))).rejects.toThrow('zero in its padding');
    await expect(prepared.run(five(0), { seed: new Uint8Array(31) })).rejects.toThrow('the seed has 31 bytes, not 32');
  });

  test('stop at the next operator when they are aborted, and the model stays usable', async () => {
    const slow = kernel('slow', {
      operands: { x: i8 }, output: i32,
      element: ({ row, column, operands: { x } }) => sum(200, (a) => sum(200, (b) => x.at(a.mul(row).add(b).and(31)).div(column.add(1)).add(a).xor(b))),
    });
    const shape = { element: 'i32', rows: 400, columns: 8 } as const;
    const program: Program = {
      name: 'slow', signature: 'slow(int8[32])->(int32[8])', input: { element: 'i8', rows: 1, columns: 32 }, kernels: [slow], constants: [],
      prologue: Array.from({ length: 50 }, (_, index) => ({ name: `slow${index}`, kernel: 0, parameters: {}, output: shape, operands: [{ kind: 'input' as const }] })),
      body: [], epilogue: [], maxIterations: 0, metadata: {},
    };
    const prepared = await executor.prepare({ program, constants: [] });
    const controller = new AbortController();
    const run = prepared.run(new Uint8Array(32), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    await expect(prepared.run(new Uint8Array(32), { signal: AbortSignal.timeout(80) })).rejects.toThrow(/timeout|aborted/);
    await prepared.dispose();
    await expect(prepared.run(new Uint8Array(32))).rejects.toThrow('disposed');
  });
});

describe('preparing', () => {
  const table = kernel('table', { operands: { x: i8, table: i8 }, output: i8, element: ({ column, operands: { x, table: values } }) => values.at(x.at(column)) });
  const model = (constants: readonly Uint8Array[], columns = 40): Model => ({
    program: {
      name: 'table', signature: '', input: { element: 'i8', rows: 1, columns: 3 }, kernels: [table], constants: [{ element: 'i8', rows: 1, columns }],
      prologue: [{ name: 'table', kernel: 0, parameters: {}, output: { element: 'i8', rows: 1, columns: 3 }, operands: [{ kind: 'input' }, { kind: 'constant', constant: 0 }] }],
      body: [], epilogue: [], maxIterations: 0, metadata: {},
    },
    constants,
  });

  test('refuses constants that do not fit the program', async () => {
    await expect(executor.prepare(model([]))).rejects.toThrow('has 0 constants; its program names 1');
    await expect(executor.prepare(model([new Uint8Array(32)]))).rejects.toThrow('constant 0 of model \'table\' has 32 bytes, not 64');
    await expect(executor.prepare(model([new Uint8Array(64).fill(1)]))).rejects.toThrow('zero in its padding');
  });

  test('refuses models that need more than 4 GiB', async () => {
    const huge: Model = { program: { ...model([]).program, constants: Array.from({ length: 3 }, () => ({ element: 'i8' as const, rows: 2 ** 26, columns: 32 })) }, constants: [] };
    await expect(executor.prepare(huge)).rejects.toThrow(/needs 6\.0 GiB of memory.*4: run it with the webgpu executor/);
  });

  test('many operators of one kernel share a function', async () => {
    const many = kernel('many', { operands: { x: i8 }, output: i8, element: ({ column, operands: { x } }) => x.at(column).add(int32(1)) });
    const shape = { element: 'i8', rows: 1, columns: 5 } as const;
    const program: Program = {
      ...chain().program, kernels: [many],
      prologue: Array.from({ length: 1000 }, (_, index) => ({ name: `${index}`, kernel: 0, parameters: {}, output: shape, operands: [index === 0 ? { kind: 'input' as const } : { kind: 'prologue' as const, operator: index - 1 }] })),
    };
    const prepared = await executor.prepare({ program, constants: [] });
    expect((await prepared.run(five(0))).output).toEqual(five(1000 & 255));
  });
});
