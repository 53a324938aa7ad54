import { describe, expect, test } from 'vitest';
import { i32, i8, kernel } from '../language/kernel.ts';
import { sum } from '../language/scalar.ts';
import { admit, AdmissionError } from './admission.ts';
import type { Model, Operator, Program } from './program.ts';
import type { TensorShape } from './tensor.ts';

const copy = kernel('copy', { operands: { x: i8 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column) });
const add = kernel('add', { operands: { x: i8, y: i32 }, parameters: ['bias'], output: i32, element: ({ column, operands: { x, y }, parameters: { bias } }) => x.at(column).add(y.at(column)).add(bias) });
const grow = kernel('grow', { operands: { x: i8 }, output: i8, element: ({ iteration, operands: { x } }) => sum(iteration.mul(255).add(1), (k) => sum(iteration.mul(255).add(1), (j) => x.at(k.add(j)))) });

const i8s = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });
const operator = (changes: Partial<Operator> = {}): Operator => ({ name: 'o', kernel: 0, parameters: {}, output: i8s(1, 5), operands: [{ kind: 'input' }], ...changes });
const adder = (changes: Partial<Operator> = {}): Operator =>
  operator({ name: 'adder', kernel: 1, parameters: { bias: 3 }, output: { element: 'i32', rows: 1, columns: 3 }, operands: [{ kind: 'input' }, { kind: 'constant', constant: 0 }], ...changes });

const PROGRAM: Program = {
  name: 'p', signature: 'f()', input: i8s(1, 5), kernels: [copy, add, grow], constants: [{ element: 'i32', rows: 1, columns: 3 }],
  prologue: [operator(), adder()], body: [], epilogue: [], maxIterations: 0, metadata: {},
};
const constant = new Uint8Array(32).fill(1, 0, 12);
const model = (changes: Partial<Program> = {}, constants: readonly Uint8Array[] = [constant]): Model => ({ program: { ...PROGRAM, ...changes }, constants });
const LOOP = { body: [operator()], epilogue: [operator()], maxIterations: 3 };

describe('admission', () => {
  test('admits what is well-formed', () => {
    expect(admit(model()).operators.length).toBe(2);
    expect(admit(model(LOOP)).operators.length).toBe(4);
    expect(admit(model({ ...LOOP, body: [operator({ operands: [{ kind: 'body', operator: 0 }], kernel: 0 })], kernels: [kernel('previous', {
      operands: { x: i8 }, output: i8, element: ({ column, iteration, operands: { x } }) => x.at(0, column, { iteration: iteration.sub(1) }),
    })], prologue: [], epilogue: [operator({ operands: [{ kind: 'body', operator: 0 }] })] })).operators.length).toBe(2);
  });

  const many = Array.from({ length: 4097 }, () => operator());
  const refusals: readonly (readonly [string, Model, string])[] = [
    ['no operators', model({ prologue: [] }), 'it has no operators'],
    ['too many operators', model({ prologue: many }), 'its prologue has 4097 operators'],
    ['a body that never runs', model({ body: [operator()], epilogue: [operator()] }), 'its body has 1 operators and runs 0 times'],
    ['iterations of nothing', model({ maxIterations: 5 }), 'its body has 0 operators and runs 5 times'],
    ['half an iteration', model({ ...LOOP, maxIterations: 1.5 }), 'it has 1.5 iterations'],
    ['too many slots', model({ ...LOOP, body: [operator(), operator()], maxIterations: 2 ** 31 }), 'slots, more than 4294967296'],
    ['a body without an epilogue', model({ ...LOOP, epilogue: [] }), 'a body but no epilogue'],
    ['a stop of several words', model({ ...LOOP, body: [operator({ name: 'stop', output: i8s(2, 5) })] }), "'stop', writes 2 words"],
    ['no signature', model({ signature: '' }), 'its signature has 0 characters'],
    ['an empty tensor', model({ input: i8s(0, 5) }), 'the input has 0 × 5 elements'],
    ['a huge tensor', model({ prologue: [operator({ output: i8s(2 ** 20, 2 ** 20) })] }), 'words; a tensor has at most'],
    ['a missing constant', model({}, []), 'the program names 1 constants, but there are 0'],
    ['a short constant', model({}, [new Uint8Array(31)]), 'constant 0 has 31 bytes, not 32'],
    ['a constant with dirty padding', model({}, [new Uint8Array(32).fill(1)]), 'constant 0 has padding that is not zero'],
    ['an unknown kernel', model({ prologue: [operator({ kernel: 7 })] }), 'kernel 7'],
    ['an unknown constant', model({ prologue: [adder({ operands: [{ kind: 'input' }, { kind: 'constant', constant: 1 }] })] }), 'operand names no tensor'],
    ['a wrong element type', model({ prologue: [adder({ operands: [{ kind: 'constant', constant: 0 }, { kind: 'constant', constant: 0 }] })] }), "operand 'x' is i8"],
    ['a wrong output type', model({ prologue: [adder({ output: i8s(1, 3) })] }), 'writes i32'],
    ['too few operands', model({ prologue: [adder({ operands: [{ kind: 'input' }] })] }), 'takes 2 operands, got 1'],
    ['a missing parameter', model({ prologue: [adder({ parameters: {} })] }), "needs the parameter 'bias'"],
    ['a large parameter', model({ prologue: [adder({ parameters: { bias: 2 ** 31 } })] }), "parameter 'bias' is 2147483648"],
    ['a read of itself', model({ prologue: [operator({ operands: [{ kind: 'prologue', operator: 0 }] })] }), 'does not run before it'],
    ['a read of a later section', model({ ...LOOP, prologue: [operator({ operands: [{ kind: 'body', operator: 0 }] })] }), 'which runs later'],
    ['metadata that is not JSON', model({ metadata: { f: () => 0 } }), 'not a JSON value'],
    ['too many steps a word', model({ ...LOOP, body: [operator({ name: 'grow', kernel: 2 })], maxIterations: 100 }), 'steps a word'],
    ['too many steps', model({ ...LOOP, kernels: [copy, add, kernel('much', { operands: { x: i8 }, output: i8, element: ({ operands: { x } }) => sum(2 ** 18, (k) => x.at(k)) })], body: [operator({ kernel: 2 })], maxIterations: 2 ** 31 - 1 }), 'more than 281474976710656'],
  ];
  test.each(refusals)('refuses %s', (_, refused, message) => {
    expect(() => admit(refused)).toThrow(AdmissionError);
    expect(() => admit(refused)).toThrow(message);
  });
});
