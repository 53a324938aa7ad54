import { describe, expect, test } from 'vitest';
import { i32, i8, kernel, requantization } from '../language/kernel.ts';
import type { Kernel } from '../language/kernel.ts';
import { dot32, maximum, requantize, sum } from '../language/scalar.ts';
import type { I32 } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import type { OperandBinding } from '../language/specialize.ts';
import { countWordSteps, parseStructure } from './structure.ts';
import type { TensorShape } from '../program/tensor.ts';
import { compileWordCode } from './compile.ts';
import { Opcode, SCALAR_REGISTERS, WIDE } from './instruction.ts';
import type { Instruction } from './instruction.ts';

const bytes = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });
const integers = (rows: number, columns: number): TensorShape => ({ element: 'i32', rows, columns });
const compile = (definition: Kernel, shapes: readonly TensorShape[], output: TensorShape, maxIterations = 0): Instruction[] =>
  compileWordCode(specialize(definition, { operands: shapes.map((shape): OperandBinding => ({ shape, kind: 'single' })), parameters: {}, output, maxIterations }));
const opcodes = (code: readonly Instruction[]): number[] => code.map(({ op }) => op);

const linear = kernel('linear', {
  operands: { x: i8, w: i8, bias: i32, scale: requantization }, output: i8,
  element: ({ row, column, operands: { x, w, bias, scale } }) =>
    requantize(sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))).add(bias.at(column)), scale.at(column)),
});

describe('a linear layer', () => {
  const shapes = (rows: number, words: number): TensorShape[] => [bytes(rows, words * 32), bytes(100, words * 32), integers(1, 100), integers(2, 100)];

  test.each([[1, 2], [1, 32], [5, 32]])('of %d rows and %d words takes 1 + L(8 + 5K) steps a word, 6K with several rows', (rows, words) => {
    const code = parseStructure(compile(linear, shapes(rows, words), bytes(rows, 100)));
    for (const lanes of [32, 4]) expect(countWordSteps(code, 0, lanes)).toBe(BigInt(1 + lanes * (8 + (rows === 1 ? 5 : 6) * words)));
  });

  test('its inner loop', () => {
    const code = opcodes(compile(linear, shapes(1, 32), bytes(1, 100)));
    const { LOADWORD, MAD, DOT, LOOP } = Opcode;
    expect(code.slice(2, 7)).toEqual([LOADWORD, MAD, LOADWORD, DOT, LOOP]);
  });
});

test('the code ends with its only STORE', () => {
  const code = opcodes(compile(linear, [bytes(1, 64), bytes(9, 64), integers(1, 9), integers(2, 9)], bytes(1, 9)));
  expect(code.indexOf(Opcode.STORE)).toBe(code.length - 1);
});

test('what does not vary with the lane is computed once a word', () => {
  const definition = kernel('row-maximum', { operands: { x: i32 }, output: i32, element: ({ row, operands: { x } }) => maximum(x.columns, (k) => x.at(row, k)) });
  const code = parseStructure(compile(definition, [integers(4, 50)], integers(4, 8)));
  const steps = (lanes: number): bigint => countWordSteps(code, 0, lanes);
  expect(steps(8) - steps(1)).toBe(7n * 2n);
});

test('sixty-four bits only where they are needed: products into MAD, narrowing for nothing', () => {
  const definition = kernel('wide', { operands: { x: i32 }, output: i32, element: ({ column, operands: { x } }) => x.at(column).wide().mul(3).add(x.at(column).wide()).narrow().add(1) });
  const code = opcodes(compile(definition, [integers(1, 8)], integers(1, 8)));
  expect(code).toEqual([Opcode.LOAD32, Opcode.MAD + WIDE, Opcode.ADD, Opcode.PUT32, Opcode.LOOP, Opcode.STORE]);
});

describe('refuses', () => {
  test('a kernel that keeps too many values', () => {
    // All loads feed all later ones, in both directions, so they have to be kept.
    const definition = kernel('wide', {
      operands: { x: i32 }, output: i32,
      element: ({ column, operands: { x } }) => {
        const values = Array.from({ length: SCALAR_REGISTERS + 6 }, (_, index) => x.at(0, column.mul(index + 2)).mul(x.at(1, column)));
        const forward = values.reduce((a, b) => a.xor(b).mul(a));
        return values.reduceRight((a, b) => a.sub(b).mul(forward));
      },
    });
    expect(() => compile(definition, [integers(2, 200)], integers(1, 8))).toThrow(/kernel 'wide': keeps more values at a time than the machine has registers: split it/);
  });

  test('a kernel of too many instructions', () => {
    const definition = kernel('long', {
      operands: { x: i32 }, output: i32,
      element: ({ column, operands: { x } }) => {
        const terms: I32[] = Array.from({ length: 400 }, (_, index) => x.at(0, column.mul(index)).xor(index).mul(index + 1));
        return terms.reduce((a, b) => a.add(b));
      },
    });
    expect(() => compile(definition, [integers(1, 4000)], integers(1, 8))).toThrow(/instructions, at most 1024 are possible/);
  });

  test('a kernel of too many steps', () => {
    const definition = kernel('slow', {
      operands: { x: i32 }, output: i32,
      element: ({ operands: { x }, column }) => sum(1000, (a) => sum(2000, (b) => x.at(a, b.add(column)))),
    });
    expect(() => compile(definition, [integers(1000, 2000)], integers(1, 8))).toThrow(/steps a word, at most 16777216 are possible/);
  });
});
