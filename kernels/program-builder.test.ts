import { describe, expect, test } from 'vitest';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { int32, maximum } from '../deterministic-runtime/language/scalar.ts';
import { packTensor } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { clamp } from './elementwise.ts';
import { linearSums } from './linear.ts';
import { ProgramBuilder } from './program-builder.ts';

const shape = { element: 'i8', rows: 1, columns: 4 } as const;
const builder = (): ProgramBuilder => new ProgramBuilder({ name: 'test', signature: 'f(int8[4])->(int8[4])', input: shape, metadata: {} });

describe('program builder', () => {
  test('shares kernels, pads constants, chains operators', () => {
    const program = builder();
    const range = { low: 0, high: 5 };
    const first = program.append('first', { kernel: clamp, output: shape, operands: [program.input], parameters: range });
    program.append('second', { kernel: clamp, output: shape, operands: [first], parameters: range });
    const constant = program.integers(1, 2, Int32Array.of(1, -2));
    const model = program.build();
    expect(constant.operand).toEqual({ kind: 'constant', constant: 0 });
    expect(model.program.kernels).toEqual([clamp]);
    expect(model.program.prologue[1]?.operands).toEqual([{ kind: 'prologue', operator: 0 }]);
    expect([...model.constants[0]!.subarray(0, 8)]).toEqual([1, 0, 0, 0, 254, 255, 255, 255]);
    expect(model.constants[0]).toHaveLength(32);
  });

  test('a body reads its own earlier iterations and operators that come later', async () => {
    const one = { element: 'i32', rows: 1, columns: 1 } as const;
    const add = kernel('add-before', {
      operands: { before: i32, input: i8 },
      output: i32,
      element: ({ iteration, operands: { before, input } }) => before.at(0, 0, { iteration: iteration.sub(1) }).add(input.at(iteration)),
    });
    const copy = kernel('copy', { operands: { x: i32 }, output: i32, element: ({ operands: { x } }) => x.at(0, 0) });
    const beyond = kernel('beyond', { operands: { x: i32 }, output: i32, element: ({ operands: { x } }) => int32(5).lt(x.at(0, 0)) });
    const last = kernel('last', { operands: { x: i32 }, output: i32, element: ({ operands: { x } }) => maximum(4, (t) => x.at(0, 0, { iteration: t })) });
    const program = builder();
    program.beginBody(4);
    const total = program.forward(one);
    const sum = program.append('sum', { kernel: add, output: one, operands: [total, program.input] });
    program.append('total', { kernel: copy, output: one, operands: [sum], as: total });
    program.append('stop', { kernel: beyond, output: one, operands: [sum] });
    program.beginEpilogue();
    program.append('last', { kernel: last, output: one, operands: [total] });
    const model = program.build();
    expect(() => program.append('again', { kernel: copy, output: one, operands: [sum], as: total })).toThrow('exists already');
    const prepared = await createWasmExecutor().prepare(model);
    const { iterations, output } = await prepared.run(packTensor(shape, Uint8Array.of(1, 2, 3, 4)));
    expect([iterations, output[0]]).toEqual([3, 6]);
  });

  test('refuses sections out of order, and operators that were announced but never appended', () => {
    const program = builder();
    expect(() => program.forward(shape)).toThrow('only operators of the body');
    expect(() => program.beginEpilogue()).toThrow('behind a body');
    expect(() => program.beginBody(0)).toThrow('at least one iteration');
    program.beginBody(1);
    const announced = program.forward(shape);
    const range = { low: 0, high: 5 };
    expect(() => program.append('x', { kernel: clamp, output: { ...shape, columns: 3 }, operands: [program.input], parameters: range, as: announced })).toThrow('announced as 1 × 4 i8, appended as 1 × 3 i8');
    program.append('y', { kernel: clamp, output: shape, operands: [program.input], parameters: range });
    program.forward(shape);
    expect(() => program.build()).toThrow('announced operators were never appended');
  });

  test('refuses what the kernel does not take', () => {
    const program = builder();
    const { input } = program;
    expect(() => program.append('x', { kernel: clamp, output: shape, operands: [] })).toThrow('clamp takes 1 operands, not 0');
    expect(() => program.append('x', { kernel: clamp, output: shape, operands: [input], parameters: { low: 0 } })).toThrow('takes the parameters (high, low), not (low)');
    expect(() => program.append('x', { kernel: clamp, output: { ...shape, element: 'i32' }, operands: [input], parameters: { low: 0, high: 1 } })).toThrow('clamp writes i8');
    expect(() => program.append('x', { kernel: linearSums, output: { ...shape, element: 'i32' }, operands: [input, input, input] })).toThrow('operand bias of linear-sums is i32, not i8');
    expect(() => program.bytes(2, 2, new Int8Array(3))).toThrow('expected 4 bytes');
    expect(() => program.build()).toThrow('has no operators');
  });
});
