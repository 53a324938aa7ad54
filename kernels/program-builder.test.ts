import { describe, expect, test } from 'vitest';
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
