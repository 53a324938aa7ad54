import { describe, expect, test } from 'vitest';
import { i32, i8, kernel } from '../language/kernel.ts';
import type { Kernel } from '../language/kernel.ts';
import { dot32, sum } from '../language/scalar.ts';
import type { I32 } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import type { SpecializedExpression, SpecializedKernel } from '../language/specialized.ts';
import type { TensorShape } from '../program/tensor.ts';
import { literal } from './wgsl-operators.ts';
import { libraryCode } from './wgsl-library.ts';
import { compileWgsl } from './wgsl.ts';

const shape = (element: 'i8' | 'i32', rows: number, columns: number): TensorShape => ({ element, rows, columns });
const bind = (definition: Kernel, operands: readonly TensorShape[], output: TensorShape, kind: 'single' | 'iterated' = 'single'): SpecializedKernel =>
  specialize(definition, { operands: operands.map((operand) => ({ shape: operand, kind })), parameters: {}, output, maxIterations: 0 });

const matrix = kernel('matrix', {
  operands: { x: i8, w: i8, bias: i32 },
  output: i32,
  element: ({ row, column, operands: { x, w, bias } }) => sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))).add(bias.at(column).mul(bias.at(column))),
});
const linear = (rows: number, columns: number, k: number): SpecializedKernel =>
  bind(matrix, [shape('i8', rows, k), shape('i8', columns, k), shape('i32', 1, columns)], shape('i32', rows, columns));

const compile = (bound: SpecializedKernel, options: Partial<Parameters<typeof compileWgsl>[1]> = {}): ReturnType<typeof compileWgsl> =>
  compileWgsl(bound, { schedule: 'invocation', packedDot: true, ...options });

describe('compileWgsl', () => {
  test('counts workgroups by 32-bit units of the padded output', () => {
    // 3 rows of 40 i32 are 3 · 40 units; 3 rows of 40 i8 are 3 · 2 words of 8 units.
    expect(compile(linear(3, 40, 64)).workgroups).toBe(2);
    const bytes = kernel('bytes', { operands: { x: i8 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column) });
    expect(compile(bind(bytes, [shape('i8', 3, 40)], shape('i8', 3, 40))).workgroups).toBe(1);
    expect(compile(bind(bytes, [shape('i8', 9, 40)], shape('i8', 9, 40))).workgroups).toBe(3);
  });

  test('shares long reductions within a workgroup, and only those', () => {
    // 128 words: 64 slices of a tile of one row; an output of 40 i32 is 40 tiles of one, one of 400 is 100 of four.
    expect(compile(linear(1, 40, 4096), { schedule: 'workgroup' })).toMatchObject({ schedule: 'workgroup', workgroups: 40 });
    expect(compile(linear(1, 400, 4096), { schedule: 'workgroup' })).toMatchObject({ schedule: 'workgroup', workgroups: 100 });
    expect(compile(linear(1, 400, 1024), { schedule: 'workgroup' })).toMatchObject({ schedule: 'workgroup', workgroups: 100 / 4 });
    expect(compile(linear(1, 40, 64), { schedule: 'workgroup' })).toMatchObject({ schedule: 'invocation' });
    expect(compile(linear(1, 40, 64), { schedule: 'workgroup', shareFrom: 2 })).toMatchObject({ schedule: 'workgroup' });
  });

  test('a row of weights is read by neighbouring invocations, the activations once for four rows', () => {
    const { code } = compile(linear(1, 400, 4096), { schedule: 'workgroup' });
    expect(code).toContain('let slice = local % 64u;');
    const loop = code.slice(code.indexOf('for (var k0'), code.indexOf('partial_i32[0u'));
    expect(loop.match(/fetch_0\(/g)).toHaveLength(1);
    expect(loop.match(/fetch_1\(/g)).toHaveLength(4);
  });

  test('columns beside each other are read by neighbouring invocations where rows are summed', () => {
    const mix = kernel('mix', { operands: { x: i8 }, output: i32, element: ({ column, operands: { x } }) => sum(x.rows, (k) => x.at(k, column)) });
    const { code, schedule } = compile(bind(mix, [shape('i8', 200, 128)], shape('i32', 1, 128)), { schedule: 'workgroup' });
    expect(schedule).toBe('workgroup');
    expect(code).toContain('let slice = local / 32u;');
  });

  test('reductions that do not need each other share a loop, and what they read', () => {
    const planes = kernel('planes', {
      operands: { x: i8, w: i8 }, output: i32,
      element: ({ column, operands: { x, w } }) => {
        const dot = (row: number): I32 => sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k)));
        return dot(0).mul(256).add(dot(1)).add(sum(x.words, (k) => dot32(x.word(0, k), w.word(dot(0).and(1), k))));
      },
    });
    const { code } = compile(bind(planes, [shape('i8', 2, 64), shape('i8', 8, 64)], shape('i32', 1, 8)));
    // The sum that the third one needs stands before it, as a loop of its own.
    const [before, loop] = [code.indexOf('for (var k1'), code.indexOf('for (var k0')];
    expect(code.match(/for \(var k/g)).toHaveLength(2);
    expect(before).toBeLessThan(loop);
    expect(code.slice(loop).match(/= fetch_0\(/g)).toHaveLength(2);
    expect(code.slice(loop).match(/= fetch_1\(/g)).toHaveLength(2);
  });

  test('tiles what is read for several rows or columns, and nothing else', () => {
    // 5 rows of 40 i32: tiles of 4 × 4.
    expect(compile(linear(5, 40, 64), { schedule: 'tile' })).toMatchObject({ schedule: 'tile', workgroups: 1 });
    expect(compile(linear(100, 400, 64), { schedule: 'tile' })).toMatchObject({ schedule: 'tile', workgroups: Math.ceil((25 * 100) / 64) });
    const mixed = kernel('mixed', { operands: { x: i8 }, output: i32, element: ({ row, column, operands: { x } }) => sum(x.words, (k) => dot32(x.word(row.add(column), k), x.word(column.mul(row), k))) });
    expect(compile(bind(mixed, [shape('i8', 9, 64)], shape('i32', 4, 4)), { schedule: 'tile' })).toMatchObject({ schedule: 'invocation' });
  });

  test('blocks of matrix products bring each word to workgroup memory once', () => {
    const { code, schedule, workgroups } = compile(linear(100, 400, 4096), { schedule: 'block' });
    expect({ schedule, workgroups }).toEqual({ schedule: 'block', workgroups: 4 * 13 });
    // Two words of each side an invocation.
    expect(code.match(/= fetch_0c\(/g)).toHaveLength(2);
    expect(code.match(/= fetch_1c\(/g)).toHaveLength(2);
    expect(compile(linear(1, 40, 64), { schedule: 'block', packedDot: false }).schedule).toBe('block');
    const copy = kernel('copy', { operands: { x: i8 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column) });
    expect(compile(bind(copy, [shape('i8', 64, 64)], shape('i8', 64, 64)), { schedule: 'block' }).schedule).toBe('invocation');
  });

  test('computes what a loop does not change before it', () => {
    const { code } = compile(linear(2, 40, 4096));
    const loop = code.indexOf('for (var k0');
    expect(loop).toBeGreaterThan(0);
    // The bias is added after the loop, but does not depend on it.
    expect(code.slice(loop, code.indexOf('}', loop))).not.toContain('load_2');
  });

  test('reads proven in range have no check; others do', () => {
    expect(compile(linear(2, 40, 4096)).code).not.toContain('return 0i; }');
    const beside = kernel('beside', { operands: { x: i8 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column.add(1)) });
    const { code } = compile(bind(beside, [shape('i8', 3, 40)], shape('i8', 3, 40)));
    expect(code).toContain('if ((u32(column) >= 40u)) { return 0i; }');
    expect(code).not.toContain('u32(row) >=');
  });

  test('binds what is read, once', () => {
    const second = kernel('second', { operands: { unused: i8, x: i8 }, output: i32, element: ({ column, operands: { x } }) => x.at(column).add(x.at(column.add(1))) });
    const { code, operands } = compile(bind(second, [shape('i8', 1, 40), shape('i8', 1, 40)], shape('i32', 1, 40)));
    expect(operands).toEqual([1]);
    expect(code.match(/@binding/g)).toHaveLength(3);
  });

  test('an operand that lies in the output has no binding of its own', () => {
    const x = bind(kernel('x', { operands: { x: i8 }, output: i8, element: ({ row, column, operands }) => operands.x.at(row, column, {}) }), [shape('i8', 1, 40)], shape('i8', 1, 40), 'iterated');
    const { code, operands } = compile(x, { storage: [{ inOutput: true, iterationStride: 16, shards: 1 }], outputStride: 16 });
    expect(operands).toEqual([]);
    expect(code).toContain('u32(iteration) * 16u');
    expect(code).toContain('result[run.iteration * 16u + unit]');
  });

  test('needs the packed dot product only where it is used', () => {
    expect(compile(linear(1, 8, 64)).code).toContain('requires packed_4x8_integer_dot_product;');
    expect(compile(linear(1, 8, 64), { packedDot: false }).code).not.toContain('dot4I8Packed');
    const none = bind(kernel('none', { operands: { x: i8 }, output: i8, element: ({ column, operands: { x } }) => x.at(column) }), [shape('i8', 1, 8)], shape('i8', 1, 8));
    expect(compile(none).code).not.toContain('requires');
  });

  test('constants never meet in an operation that could overflow', () => {
    const constant = (value: bigint): SpecializedExpression => ({ kind: 'constant', type: 'i32', value });
    const element: SpecializedExpression = { kind: 'binary', operator: 'add', type: 'i32', left: constant(2n ** 31n - 1n), right: constant(1n) };
    const { code } = compile({ name: 'overflow', operands: [], output: shape('i32', 1, 1), maxIterations: 0, element });
    expect(code).toContain('i32_identity(2147483647i) + 1i');
  });

  test('refuses an empty output and operands that are not there', () => {
    const good = linear(1, 8, 64);
    expect(() => compile({ ...good, output: shape('i8', 0, 8) })).toThrow(/kernel matrix has an empty output \(0 × 8\)/);
    expect(() => compile({ ...good, operands: good.operands.slice(0, 1) })).toThrow(/kernel matrix reads operand 1, which it does not have/);
  });
});

describe('libraryCode', () => {
  test('includes callees before callers, each once', () => {
    const code = libraryCode(['i64_div', 'i64_mod', 'requantize']);
    const names = [...code.matchAll(/^fn (\w+)/gm)].map((match) => match[1]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.indexOf('u64_divide')).toBeLessThan(names.indexOf('i64_div'));
    expect(names).toContain('i32_mul_wide');
  });

  test('knows its functions', () => {
    expect(() => libraryCode(['f32_add'])).toThrow(/no function f32_add/);
  });
});

test('literals', () => {
  expect(literal('i32', -(2n ** 31n))).toBe('i32(-2147483648)');
  expect(literal('i32', -5n)).toBe('(-5i)');
  expect(literal('i64', -1n)).toBe('vec2<u32>(4294967295u, 4294967295u)');
  expect(literal('i64', 2n ** 32n + 7n)).toBe('vec2<u32>(7u, 1u)');
});
