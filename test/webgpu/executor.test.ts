import { afterAll, describe, expect, test } from 'vitest';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import { evaluateKernelElement, evaluateProgram, evaluateTensor } from '../../deterministic-runtime/language/evaluate.ts';
import { i32, kernel } from '../../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';
import { bindOperator } from '../../deterministic-runtime/language/specialize.ts';
import { placeOf, slotCount, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model, Operator, Program } from '../../deterministic-runtime/program/program.ts';
import { byteLength, packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { matrixInput, matrixProducts } from '../models/matrix-products.ts';
import { smallClassifier, smallClassifierInput } from '../models/small-classifier.ts';
import { TOKEN_LOOP_ITERATIONS, tokenLoop } from '../models/token-loop.ts';
import { openExecutor } from './open-webgpu.ts';

const VARIANTS = [
  { schedule: 'invocation', packedDot: true },
  { schedule: 'invocation', packedDot: false },
  { schedule: 'workgroup', packedDot: true },
] as const;

// Opening takes a while on a software driver, so tests share executors.
const executors = new Map<string, Promise<Executor>>();
const open = (options: Parameters<typeof openExecutor>[0] = {}): Promise<Executor> => {
  const name = JSON.stringify(options);
  const executor = executors.get(name) ?? openExecutor(options);
  executors.set(name, executor);
  return executor;
};
afterAll(async () => {
  for (const executor of executors.values()) await (await executor).dispose();
});

const classifier = smallClassifier();
const classifierInput = packTensor(classifier.program.input, smallClassifierInput());

const products = matrixProducts();
const expectedProducts = evaluateProgram(products, matrixInput(0));

function loopInput(index: number): Uint8Array {
  const elements = new Uint8Array(40).map((_, position) => position * 37 + index * 11 + position * position * index);
  elements[0] = index % 4 === 0 ? 0 : 1;
  return packTensor(tokenLoop().program.input, elements);
}

const tensorsOf = (program: Program, run: { tensor(slot: number): Uint8Array | undefined }): (Uint8Array | undefined)[] =>
  Array.from({ length: slotCount(program) }, (_, slot) => run.tensor(slot));

describe.each(VARIANTS)('$schedule, packed dot $packedDot', (variant) => {
  test('every tensor of a classifier is what its definition says', async () => {
    const prepared = await (await open(variant)).prepare(classifier);
    const run = await prepared.run(classifierInput, { keep: 'all' });
    const expected = evaluateProgram(classifier, classifierInput);
    expect(tensorsOf(classifier.program, run)).toEqual(tensorsOf(classifier.program, expected));
    expect(run.output).toEqual(expected.output);
  });

  test('a loop reads its history, never the future nor what an earlier run left', async () => {
    const model = tokenLoop();
    const prepared = await (await open(variant)).prepare(model);
    const iterations = new Set<number>();
    // The buffers of one run are the next one's: whatever is not written must still read as zero.
    for (const index of [4, 1, 3, 0, 2]) {
      const seed = new Uint8Array(32).fill(index * 50);
      const run = await prepared.run(loopInput(index), { keep: 'all', seed });
      const expected = evaluateProgram(model, loopInput(index), seed);
      expect(run.iterations).toBe(expected.iterations);
      expect(tensorsOf(model.program, run)).toEqual(tensorsOf(model.program, expected));
      iterations.add(run.iterations);
    }
    expect(iterations.size).toBeGreaterThan(1);
    expect(iterations).toContain(TOKEN_LOOP_ITERATIONS);
  });
});

// Of these models, only this one has what tiles are for; software drivers compile them slowly.
test.each(['invocation', 'tile'] as const)('matrix products of shapes that fill no tile, %s', async (schedule) => {
  const prepared = await (await open({ schedule })).prepare(products);
  const run = await prepared.run(matrixInput(0), { keep: 'all' });
  expect(tensorsOf(products.program, run)).toEqual(tensorsOf(products.program, expectedProducts));
});

describe('run', () => {
  test('keeps only the result unless told otherwise', async () => {
    const prepared = await (await open()).prepare(classifier);
    const run = await prepared.run(classifierInput);
    const last = slotCount(classifier.program) - 1;
    expect(run.tensor(0)).toBeUndefined();
    expect(run.tensor(last)).toEqual(run.output);
    expect(run.output).toEqual(evaluateProgram(classifier, classifierInput).output);
  });

  test('runs that overlap do not mix', async () => {
    const model = tokenLoop();
    const prepared = await (await open()).prepare(model);
    const indices = [1, 2, 3, 4, 5, 6];
    const runs = await Promise.all(indices.map((index) => prepared.run(loopInput(index))));
    expect(runs.map(({ output }) => output)).toEqual(indices.map((index) => evaluateProgram(model, loopInput(index)).output));
  });

  test('an override replaces one tensor, and what follows is computed from it', async () => {
    const slot = 4;
    const { output } = placeOf(classifier.program, slot).operator;
    const words = packTensor(output, new Uint8Array(output.rows * output.columns).map((_, index) => index * 13));
    const prepared = await (await open()).prepare(classifier);
    const run = await prepared.run(classifierInput, { keep: 'all', override: { slot, words } });
    const honest = evaluateProgram(classifier, classifierInput);
    const expected = evaluateProgram(withConstantInPlaceOf(classifier, slot, words), classifierInput);
    expect(run.tensor(slot)).toEqual(words);
    expect(run.tensor(slot)).not.toEqual(honest.tensor(slot));
    for (let before = 0; before < slot; before += 1) expect(run.tensor(before)).toEqual(honest.tensor(before));
    for (let after = slot + 1; after < slotCount(classifier.program); after += 1) expect(run.tensor(after)).toEqual(expected.tensor(after));
    // Nothing of it is left for the next run.
    expect((await prepared.run(classifierInput)).output).toEqual(honest.output);
  });

  test('an override in an iteration reaches that iteration only', async () => {
    const model = tokenLoop();
    const { program } = model;
    const prepared = await (await open()).prepare(model);
    const honest = await prepared.run(loopInput(4), { keep: 'all' });
    const slot = slotOf(program, 'body', 0, 2);
    const words = (honest.tensor(slot) as Uint8Array).map((byte) => byte ^ 0x5a);
    const run = await prepared.run(loopInput(4), { keep: 'all', override: { slot, words } });
    expect(tensorsOf(program, run).slice(0, slot)).toEqual(tensorsOf(program, honest).slice(0, slot));
    expect(run.tensor(slot)).toEqual(words);
    const binding = bindOperator(program, 'body', 1);
    const keys = evaluateTensor(binding.output, (row, column) =>
      evaluateKernelElement(program.kernels[(program.body[1] as Operator).kernel] as Kernel, binding, { row, column, iteration: 2 }, () => words));
    expect(run.tensor(slot + 1)).toEqual(keys);
    expect(run.tensor(slot + 1)).not.toEqual(honest.tensor(slot + 1));
  });

  test('more workgroups than a dimension has are folded into two', async () => {
    const numbers = kernel('numbers', { operands: { input: i32 }, output: i32, element: ({ row, column, output, operands: { input } }) => row.mul(output.columns).add(column).xor(input.at(0)) });
    const shape = { element: 'i32', rows: 1100, columns: 4096 } as const;
    const model: Model = {
      program: {
        name: 'numbers', signature: 'numbers(int32[1])->(int32[])', input: { element: 'i32', rows: 1, columns: 1 }, kernels: [numbers], constants: [],
        prologue: [{ name: 'numbers', kernel: 0, parameters: {}, output: shape, operands: [{ kind: 'input' }] }], body: [], epilogue: [], maxIterations: 0, metadata: {},
      },
      constants: [],
    };
    const prepared = await (await open()).prepare(model);
    const input = new Uint8Array(32);
    input[1] = 0xab;
    const { output } = await prepared.run(input);
    const values = new Int32Array(output.buffer, output.byteOffset, output.length / 4);
    expect(values.findIndex((value, index) => value !== (index ^ 0xab00))).toBe(-1);
  });
});

describe('refusals', () => {
  test('inputs, seeds and overrides that do not fit', async () => {
    const prepared = await (await open()).prepare(tokenLoop());
    await expect(prepared.run(new Uint8Array(5))).rejects.toThrow(/the input has 64 bytes .* got 5/);
    await expect(prepared.run(new Uint8Array(64).fill(1))).rejects.toThrow(/the input has padding that is not zero/);
    await expect(prepared.run(loopInput(1), { seed: new Uint8Array(31) })).rejects.toThrow(/the seed has 32 bytes/);
    await expect(prepared.run(loopInput(1), { override: { slot: 0, words: new Uint8Array(1) } })).rejects.toThrow(/the override of slot 0 has 32 bytes/);
    await expect(prepared.run(loopInput(1), { override: { slot: 1e6, words: new Uint8Array(1) } })).rejects.toThrow(/no slot 1000000/);
  });

  test('constants that do not fit', async () => {
    const executor = await open();
    const model = tokenLoop();
    await expect(executor.prepare({ ...model, constants: [] })).rejects.toThrow(/1 constants, got 0/);
    await expect(executor.prepare({ ...model, constants: [new Uint8Array(32).fill(1)] })).rejects.toThrow(/constant 0 has padding/);
  });

  test('programs without a result', async () => {
    const executor = await open();
    const { program, constants } = tokenLoop();
    await expect(executor.prepare({ program: { ...program, prologue: [], body: [], epilogue: [] }, constants })).rejects.toThrow(/no operators/);
    const prepared = await executor.prepare({ program: { ...program, epilogue: [] }, constants });
    expect(evaluateProgram(tokenLoop(), loopInput(3)).iterations).toBeLessThan(TOKEN_LOOP_ITERATIONS);
    await expect(prepared.run(loopInput(3))).rejects.toThrow(/no result/);
  });

  test('an abort signal stops a run, before and within it', async () => {
    const prepared = await (await open()).prepare(tokenLoop());
    await expect(prepared.run(loopInput(4), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    const controller = new AbortController();
    const running = prepared.run(loopInput(4), { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(running).rejects.toThrow(/abort/i);
    expect((await prepared.run(loopInput(4))).iterations).toBe(TOKEN_LOOP_ITERATIONS);
  });

  test('a model that was disposed of', async () => {
    const prepared = await (await open()).prepare(tokenLoop());
    await prepared.dispose();
    await expect(prepared.run(loopInput(1))).rejects.toThrow(/disposed/);
  });
});

/** The model with a constant wherever it reads the tensor in `slot`. */
function withConstantInPlaceOf({ program, constants }: Model, slot: number, words: Uint8Array): Model {
  const { output } = placeOf(program, slot).operator;
  expect(words.length).toBe(byteLength(output));
  const constant = constants.length;
  const replace = (operator: Operator): Operator => ({
    ...operator,
    operands: operator.operands.map((operand) => (operand.kind === 'prologue' && operand.operator === slot ? { kind: 'constant' as const, constant } : operand)),
  });
  return {
    program: { ...program, constants: [...program.constants, output], prologue: program.prologue.map(replace) },
    constants: [...constants, words],
  };
}
