import { describe, expect, test } from 'vitest';
import type { Model, Operator, Program } from '../program/program.ts';
import { packTensor, unpackTensor } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { evaluateProgram } from './evaluate.ts';
import { i32, i8, kernel, requantization } from './kernel.ts';
import { dot32, requantize, sum } from './scalar.ts';

const bytes = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });
const integers = (rows: number, columns: number): TensorShape => ({ element: 'i32', rows, columns });
const int32s = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const readInt32s = (shape: TensorShape, words: Uint8Array): number[] => [...new Int32Array(unpackTensor(shape, words).slice().buffer)];
const readInt8s = (shape: TensorShape, words: Uint8Array): number[] => [...new Int8Array(unpackTensor(shape, words).slice().buffer)];

const operator = (name: string, which: number, output: TensorShape, operands: Operator['operands'], parameters = {}): Operator => ({ name, kernel: which, parameters, output, operands });
const program = (parts: Partial<Program>): Program => ({
  name: 'test', signature: 'f()->()', input: integers(1, 1), kernels: [], constants: [], prologue: [], body: [], epilogue: [], maxIterations: 0, metadata: {}, ...parts,
});

test('a linear layer, next to plain loops', () => {
  const linear = kernel('linear', {
    operands: { x: i8, w: i8, bias: i32, scale: requantization }, output: i8,
    element: ({ row, column, operands: { x, w, bias, scale } }) =>
      requantize(sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))).add(bias.at(column)), scale.at(column)),
  });
  const [x, w] = [bytes(2, 40), bytes(3, 40)];
  const xs = Int8Array.from({ length: 80 }, (_, index) => (index * 37) % 251);
  const ws = Int8Array.from({ length: 120 }, (_, index) => (index * 91) % 253);
  const [biases, multipliers, shifts] = [[1000, -5, 7], [3, -2, 1], [9, 8, 10]];
  const model: Model = {
    program: program({
      input: x, kernels: [linear], constants: [w, integers(1, 3), integers(2, 3)],
      prologue: [operator('linear', 0, bytes(2, 3), [{ kind: 'input' }, ...[0, 1, 2].map((constant) => ({ kind: 'constant', constant }) as const)])],
    }),
    constants: [packTensor(w, new Uint8Array(ws.buffer)), packTensor(integers(1, 3), int32s(...biases)), packTensor(integers(2, 3), int32s(...multipliers, ...shifts))],
  };
  const { output, iterations } = evaluateProgram(model, packTensor(x, new Uint8Array(xs.buffer)));
  const expected = [0, 1].flatMap((row) => [0, 1, 2].map((column) => {
    let total = biases[column] as number;
    for (let k = 0; k < 40; k += 1) total += (xs[row * 40 + k] as number) * (ws[column * 40 + k] as number);
    const scaled = Math.floor((total * (multipliers[column] as number)) / 2 ** (shifts[column] as number) + 0.5);
    return (scaled << 24) >> 24;
  }));
  expect(readInt8s(bytes(2, 3), output)).toEqual(expected);
  expect(iterations).toBe(0);
});

describe('iterations', () => {
  const shape = integers(1, 1);
  /** y(t) = x + t + Σ_{s<t} y(s), a "cache" of all its earlier outputs. */
  const grow = kernel('grow', {
    operands: { x: i32, own: i32 }, output: i32,
    element: ({ operands: { x, own }, iteration }) => x.at(0).add(iteration).add(sum(iteration.add(1), (t) => own.at(0, 0, { iteration: t }))),
  });
  const reached = kernel('reached', { operands: { y: i32 }, parameters: ['limit'], output: i8, element: ({ operands: { y }, parameters: { limit } }) => limit.le(y.at(0)) });
  const collect = kernel('collect', { operands: { y: i32 }, output: i32, element: ({ operands: { y }, column }) => y.at(0, 0, { iteration: column }) });
  const counting = (limit: number): Model => ({
    program: program({
      input: shape, kernels: [grow, reached, collect], maxIterations: 4,
      body: [operator('grow', 0, shape, [{ kind: 'input' }, { kind: 'body', operator: 0 }]), operator('stop', 1, bytes(1, 1), [{ kind: 'body', operator: 0 }], { limit })],
      epilogue: [operator('collect', 2, integers(1, 6), [{ kind: 'body', operator: 0 }])],
    }),
    constants: [],
  });
  const input = packTensor(shape, int32s(10));

  test('all of them: nothing is read from the present or the future', () => {
    const { output, iterations } = evaluateProgram(counting(1000), input);
    expect(iterations).toBe(4);
    expect(readInt32s(integers(1, 6), output)).toEqual([10, 21, 43, 87, 0, 0]);
  });

  test('the body stops after the iteration whose last operator wrote a non-zero word; the rest is unwritten', () => {
    const { output, iterations, tensor } = evaluateProgram(counting(21), input);
    expect(iterations).toBe(2);
    expect(readInt32s(integers(1, 6), output)).toEqual([10, 21, 0, 0, 0, 0]);
    expect(tensor(2)).toBeDefined();
    expect(tensor(4)).toBeUndefined();
  });
});

test('reads outside a tensor, and the seed', () => {
  const shifted = kernel('shifted', { operands: { x: i8, seed: i8 }, output: i32, element: ({ row, column, operands: { x, seed } }) => x.at(row.sub(1), column.sub(1)).add(seed.at(column).mul(1000)) });
  const model: Model = {
    program: program({ input: bytes(2, 2), kernels: [shifted], prologue: [operator('shifted', 0, integers(4, 4), [{ kind: 'input' }, { kind: 'seed' }])] }),
    constants: [],
  };
  const seed = new Uint8Array(32);
  seed[3] = 5;
  const { output } = evaluateProgram(model, packTensor(bytes(2, 2), Uint8Array.of(1, 2, 3, 4)), seed);
  expect(readInt32s(integers(4, 4), output)).toEqual([0, 0, 0, 5000, 0, 1, 2, 5000, 0, 3, 4, 5000, 0, 0, 0, 5000]);
});

test('an input of the wrong length or with padding is refused', () => {
  const model: Model = { program: program({ input: bytes(1, 4) }), constants: [] };
  expect(() => evaluateProgram(model, new Uint8Array(31))).toThrow(/31 bytes, expected 32/);
  expect(() => evaluateProgram(model, new Uint8Array(32).fill(1))).toThrow(/padding/);
});
