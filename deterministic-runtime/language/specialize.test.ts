import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operand, Operator, Program, Section } from '../program/program.ts';
import type { TensorShape } from '../program/tensor.ts';
import { evaluateElement, evaluateKernelElement } from './evaluate.ts';
import type { ElementPosition, ReadTensor } from './evaluate.ts';
import { i32, i8, kernel, requantization } from './kernel.ts';
import type { Kernel } from './kernel.ts';
import { dot32, int32, maximum, sum } from './scalar.ts';
import type { I32 } from './scalar.ts';
import { bindOperator, specialize, specializeOperator } from './specialize.ts';
import type { KernelBinding, OperandBinding } from './specialize.ts';
import type { SpecializedExpression, SpecializedLoad } from './specialized.ts';
import { arbitraryCase } from './testing/arbitrary-kernel.ts';
import { countReads, violationsOf } from './testing/violation.ts';
import { Random, randomElements } from './testing/random.ts';

const bytes = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });
const integers = (rows: number, columns: number): TensorShape => ({ element: 'i32', rows, columns });
const single = (shape: TensorShape): OperandBinding => ({ shape, kind: 'single' });
const iterated = (shape: TensorShape, latest: 0 | -1): OperandBinding => ({ shape, kind: 'iterated', latest });

interface Options {
  readonly operands?: readonly OperandBinding[];
  readonly parameters?: Record<string, number>;
  readonly output?: TensorShape;
  readonly maxIterations?: number;
}
const bind = ({ operands = [], parameters = {}, output = integers(3, 10), maxIterations = 0 }: Options = {}): KernelBinding => ({ operands, parameters, output, maxIterations });
const elementOf = (definition: Kernel, options?: Options): SpecializedExpression => specialize(definition, bind(options)).element;

/** A kernel over one i32 tensor. */
const over = (element: (x: { at(row: I32 | number, column: I32 | number, options?: { iteration?: I32 }): I32; rows: I32; columns: I32 }, at: { row: I32; column: I32; iteration: I32 }) => I32): Kernel =>
  kernel('over', { operands: { x: i32 }, output: i32, element: ({ operands: { x }, row, column, iteration }) => element(x, { row, column, iteration }) });

describe('specialize', () => {
  test('substitutes parameters and extents, and folds', () => {
    const definition = kernel('folded', {
      operands: { x: i8 }, parameters: ['p'], output: i32,
      element: ({ parameters: { p }, operands: { x }, output }) => p.mul(x.columns).add(x.words).sub(output.rows).add(x.rows),
    });
    expect(elementOf(definition, { operands: [single(bytes(4, 33))], parameters: { p: -7 } })).toEqual({ kind: 'constant', type: 'i32', value: -7n * 33n + 2n - 3n + 4n });
  });

  test('a coordinate with one value is a constant', () => {
    const definition = kernel('row', { operands: {}, output: i32, element: ({ row, column }) => row.mul(100).add(column) });
    expect(elementOf(definition, { output: integers(1, 5) })).toEqual({ kind: 'coordinate', of: 'column' });
  });

  test('equal subtrees are one object', () => {
    const definition = over((x, { row, column }) => x.at(row, column.add(1)).mul(x.at(row, column.add(1))));
    const element = elementOf(definition, { operands: [single(integers(3, 11))] });
    expect(element.kind === 'binary' && element.left === element.right).toBe(true);
  });

  const loadOf = (element: SpecializedExpression): SpecializedLoad => {
    if (element.kind === 'reduce') return loadOf(element.body);
    if (element.kind === 'binary') return loadOf(element.left);
    if (element.kind !== 'load') throw new TypeError(`expected a load, got ${element.kind}`);
    return element;
  };

  test.each([
    ['the same place', over((x, { row, column }) => x.at(row, column)), false, false],
    ['one to the right', over((x, { row, column }) => x.at(row, column.add(1))), false, true],
    ['one below', over((x, { row, column }) => x.at(row.add(1), column)), true, false],
    ['modulo', over((x, { row, column }) => x.at(row.add(1).mod(x.rows), column.mul(7).mod(x.columns))), false, false],
    ['clamped', over((x, { row, column }) => x.at(row.sub(1).max(0), column.add(1).min(x.columns.sub(1)))), false, false],
    ['a reduction over columns', over((x, { row }) => sum(x.columns, (k) => x.at(row, k))), false, false],
    ['a reduction over rows, as columns', over((x, { row }) => sum(x.rows.add(8), (k) => x.at(row, k))), false, true],
  ])('%s', (_, definition, checkRow, checkColumn) => {
    expect(loadOf(elementOf(definition, { operands: [single(integers(3, 10))] }))).toMatchObject({ checkRow, checkColumn, checkIteration: false });
  });

  test.each([
    ['its own iteration', over((x, { column }) => x.at(0, column)), 0, false],
    ['all iterations so far', over((x, { column, iteration }) => sum(iteration.add(1), (t) => x.at(0, column, { iteration: t }))), 0, false],
    ['the iterations before', over((x, { column, iteration }) => sum(iteration.add(1), (t) => x.at(0, column, { iteration: t.sub(1) }))), -1, true],
    ['backwards', over((x, { column, iteration }) => sum(iteration.add(1), (t) => x.at(0, column, { iteration: iteration.sub(t) }))), 0, true],
    ['one too many', over((x, { column, iteration }) => sum(iteration.add(2), (t) => x.at(0, column, { iteration: t }))), 0, true],
    ['never the current one', over((x, { column, iteration }) => sum(iteration.add(1), (t) => x.at(0, column, { iteration: t.sub(1).max(0) }))), -1, true],
    ['the one before', over((x, { column, iteration }) => x.at(0, column, { iteration: iteration.sub(1) })), -1, true],
  ] as const)('iterations: %s', (_, definition, latest, checkIteration) => {
    expect(loadOf(elementOf(definition, { operands: [iterated(integers(3, 10), latest)], maxIterations: 5 }))).toMatchObject({ checkIteration, latest });
  });

  test('a reduction of one round is its body, and one that does not use its index is computed once', () => {
    expect(elementOf(over((x, { row }) => sum(x.columns, (k) => x.at(row, k))), { operands: [single(integers(3, 1))] }).kind).toBe('load');
    expect(elementOf(over((x, { row, column }) => sum(6, () => x.at(row, column))), { operands: [single(integers(3, 10))] })).toMatchObject({ kind: 'binary', operator: 'mul' });
    expect(elementOf(over((x, { row, column }) => maximum(6, () => x.at(row, column))), { operands: [single(integers(3, 10))] }).kind).toBe('load');
  });

  test('a bound is a + b·iteration', () => {
    const definition = over((x, { iteration }) => sum(iteration.mul(2).add(x.rows).sub(iteration), (k) => x.at(0, k)));
    expect(elementOf(definition, { operands: [single(integers(3, 10))], maxIterations: 4 })).toMatchObject({ kind: 'reduce', bound: { base: 3, perIteration: 1 } });
  });
});

describe('refuses', () => {
  const ok = single(integers(3, 10));
  const nested = over((x) => sum(2, (a) => sum(3, (b) => sum(4, (c) => x.at(a, b.add(c))))));
  const four = over((x) => {
    const total = sum(2, (a) => x.at(0, a));
    return sum(2, (a) => sum(3, (b) => sum(4, (c) => x.at(a.add(total), b.add(c)))));
  });
  const handmade = (element: unknown): Kernel => ({ name: 'handmade', operands: [{ name: 'x', type: 'i32' }], parameters: [], output: 'i32', element: element as Kernel['element'] });
  const zero = { kind: 'constant', type: 'i32', value: 0n };

  test.each<[string, Kernel, Options, RegExp]>([
    ['too few operands', nested, { operands: [] }, /takes 1 operands, got 0/],
    ['an element type', nested, { operands: [single(bytes(3, 10))] }, /operand 'x' is i32, got a tensor of i8/],
    ['an output type', nested, { operands: [ok], output: bytes(1, 1) }, /writes i32/],
    ['an empty tensor', nested, { operands: [single(integers(0, 10))] }, /0 × 10 elements/],
    ['half a row', nested, { operands: [ok], output: integers(1.5, 2) }, /1\.5 × 2 elements/],
    ['a huge tensor', nested, { operands: [single(integers(2 ** 30, 9))] }, /words; a tensor has at most/],
    ['a missing parameter', kernel('p', { operands: {}, parameters: ['p'], output: i32, element: ({ parameters: { p } }) => p }), {}, /needs the parameter 'p'/],
    ['an unknown parameter', nested, { operands: [ok], parameters: { q: 1 } }, /has no parameter 'q'/],
    ['a fraction', kernel('p', { operands: {}, parameters: ['p'], output: i32, element: ({ parameters: { p } }) => p }), { parameters: { p: 0.5 } }, /parameter 'p' is 0.5, not a 32-bit integer/],
    ['a bound of 0', over((x) => sum(x.rows.sub(3), (k) => x.at(0, k))), { operands: [ok] }, /runs 0 \+ 0·iteration times/],
    ['a bound that falls', over((x, { iteration }) => sum(int32(9).sub(iteration), (k) => x.at(0, k))), { operands: [ok], maxIterations: 3 }, /runs 9 \+ -1·iteration/],
    ['a bound that depends on data', over((x) => sum(x.at(0, 0), (k) => x.at(0, k))), { operands: [ok] }, /not a \+ b·iteration/],
    ['a bound that depends on the place', over((x, { column }) => sum(column.add(1), (k) => x.at(0, k))), { operands: [ok] }, /not a \+ b·iteration/],
    ['a bound beyond the encoding', over((x) => sum(2 ** 22, (k) => x.at(0, k))), { operands: [ok] }, /at most 4194303/],
    ['a slope beyond the encoding', over((x, { iteration }) => sum(iteration.mul(256).add(1), (k) => x.at(0, k))), { operands: [ok], maxIterations: 3 }, /at most 4194303 \+ 255·iteration/],
    ['too many steps', over((x) => sum(4096, (a) => sum(4096, (b) => x.at(a, b)))), { operands: [ok] }, /more than 2\^24 steps a word/],
    ['four reductions', four, { operands: [ok] }, /nests reductions more than 3 deep/],
    ['an iteration of a constant', over((x, { iteration }) => x.at(0, 0, { iteration })), { operands: [ok], maxIterations: 2 }, /no body operator writes it/],
    ['no iteration of a later operator', over((x) => x.at(0, 0)), { operands: [iterated(integers(3, 10), -1)], maxIterations: 2 }, /without saying in which iteration/],
    ['an unknown operand', handmade({ kind: 'load', operand: 'y', iteration: null, row: zero, column: zero }), { operands: [ok] }, /reads 'y', which is not among its operands/],
    ['an unknown parameter name', handmade({ kind: 'parameter', name: 'q' }), { operands: [ok] }, /uses 'q'/],
    ['an index outside its reduction', handmade({ kind: 'index', level: 0 }), { operands: [ok] }, /outside that reduction/],
    ['an index of no level', handmade({ kind: 'index', level: 32 }), { operands: [ok] }, /outside that reduction/],
    ['an i64 element', handmade({ kind: 'constant', type: 'i64', value: 0n }), { operands: [ok] }, /the element is i64, not i32/],
    ['words of i32', handmade({ kind: 'dot32', left: { kind: 'word', operand: 'x', iteration: null, row: zero, index: zero }, right: { kind: 'word', operand: 'x', iteration: null, row: zero, index: zero } }), { operands: [ok] }, /a word of 'x', which is not i8/],
    ['mixed types', handmade({ kind: 'binary', operator: 'add', type: 'i32', left: zero, right: { kind: 'constant', type: 'i64', value: 0n } }), { operands: [ok] }, /right side of 'add' is i64, not i32/],
    ['a constant that does not fit', handmade({ kind: 'constant', type: 'i32', value: 2n ** 31n }), { operands: [ok] }, /does not fit i32/],
    ['nine operands', { ...handmade(zero), operands: Array.from({ length: 9 }, (_, index) => ({ name: `x${index}`, type: 'i32' as const })) }, {}, /has 9 operands/],
    ['one name twice', { ...handmade(zero), operands: [{ name: 'x', type: 'i32' }, { name: 'x', type: 'i8' }] }, {}, /two operands have one name/],
  ])('%s', (_, definition, options, message) => {
    expect(() => specialize(definition, bind(options))).toThrow(message);
  });

  test('a reduction that stands outside another is counted once, however often it is used inside', () => {
    const definition = over((x) => {
      const greatest = maximum(x.columns, (k) => x.at(0, k));
      return sum(x.columns, (k) => x.at(0, k).div(greatest));
    });
    const element = elementOf(definition, { operands: [single(integers(1, 4096))], output: integers(1, 8) });
    expect(element).toMatchObject({ kind: 'reduce', operator: 'add', body: { kind: 'binary', right: { kind: 'reduce', operator: 'max' } } });
  });

  test('three reductions are possible', () => {
    expect(elementOf(nested, { operands: [ok] }).kind).toBe('reduce');
  });

  test('a tree that shares itself exponentially is no burden', () => {
    const definition = over((x) => {
      let value = x.at(0, 0);
      for (let level = 0; level < 300; level += 1) value = value.mul(value);
      return value;
    });
    expect(elementOf(definition, { operands: [ok] }).kind).toBe('binary');
  });

  test('reductions that share work without end', () => {
    const definition = over((x) => {
      let inner = x.at(0, 0);
      for (let step = 0; step < 600; step += 1) inner = inner.xor(step);
      const middle = Array.from({ length: 600 }, (_, index) => sum(2, (k) => inner.add(k).mul(index))).reduce((a, b) => a.add(b));
      return Array.from({ length: 600 }, (_, index) => sum(2, (k) => middle.add(k).mul(index))).reduce((a, b) => a.xor(b));
    });
    expect(() => elementOf(definition, { operands: [ok] })).toThrow(/too large|deeper/);
  });
});

describe('specializeOperator', () => {
  const copy = over((x, { row, column }) => x.at(row, column));
  const earlier = over((x, { row, column, iteration }) => x.at(row, column, { iteration: iteration.sub(1) }));
  const shape = integers(3, 10);
  const operator = (operand: Operand, which = 0): Operator => ({ name: 'o', kernel: which, parameters: {}, output: shape, operands: [operand] });
  const base: Program = { name: 'p', signature: 'f()->()', input: shape, kernels: [copy, earlier], constants: [], prologue: [], body: [], epilogue: [], maxIterations: 4, metadata: {} };
  const of = (section: Section, index: number, program: Partial<Program>): SpecializedLoad => specializeOperator({ ...base, ...program }, section, index).element as SpecializedLoad;

  test('how the body and the epilogue see a body operator', () => {
    const body = [operator({ kind: 'input' }), operator({ kind: 'body', operator: 0 }), operator({ kind: 'body', operator: 1 }, 1), operator({ kind: 'body', operator: 3 }, 1)];
    expect(of('body', 1, { body })).toMatchObject({ latest: 0, checkIteration: false, iteration: { kind: 'coordinate', of: 'iteration' } });
    expect(of('body', 2, { body })).toMatchObject({ latest: 0, checkIteration: true });
    expect(of('body', 3, { body })).toMatchObject({ latest: -1, checkIteration: true });
    const epilogue = [operator({ kind: 'body', operator: 3 }, 1)];
    expect(of('epilogue', 0, { body, epilogue })).toMatchObject({ latest: -1, checkIteration: false, iteration: { kind: 'constant', value: 3n } });
  });

  test.each<[string, Section, number, Partial<Program>, RegExp]>([
    ['a missing operator', 'body', 0, {}, /no body operator 0/],
    ['a missing kernel', 'prologue', 0, { prologue: [operator({ kind: 'input' }, 9)] }, /names kernel 9/],
    ['a missing constant', 'prologue', 0, { prologue: [operator({ kind: 'constant', constant: 0 })] }, /names no tensor/],
    ['itself, in the prologue', 'prologue', 0, { prologue: [operator({ kind: 'prologue', operator: 0 })] }, /does not run before it/],
    ['a later one, in the epilogue', 'epilogue', 0, { epilogue: [operator({ kind: 'epilogue', operator: 1 }), operator({ kind: 'input' })] }, /does not run before it/],
    ['the body, from the prologue', 'prologue', 0, { prologue: [operator({ kind: 'body', operator: 0 })], body: [operator({ kind: 'input' })] }, /runs later/],
    ['the epilogue, from the body', 'body', 0, { body: [operator({ kind: 'epilogue', operator: 0 })], epilogue: [operator({ kind: 'input' })] }, /runs later/],
    ['itself in the same iteration', 'body', 0, { body: [operator({ kind: 'body', operator: 0 })] }, /operator 'o' \(body 0\): kernel 'over': reads 'x' without saying in which iteration/],
    ['the body without an iteration, from the epilogue', 'epilogue', 0, { body: [operator({ kind: 'input' })], epilogue: [operator({ kind: 'body', operator: 0 })] }, /without saying in which iteration/],
  ])('refuses %s', (_, section, index, program, message) => {
    expect(() => of(section, index, program)).toThrow(message);
  });
});

describe('random kernels', () => {
  /** All operators of a random program, with tensors that are there, or are missing, at random. */
  const operators = arbitraryCase().map(({ program, made }) => {
    const random = new Random(made.length);
    return (['prologue', 'body', 'epilogue'] as const).flatMap((section) => program[section].map((operator, index) => {
      const binding = bindOperator(program, section, index);
      const definition = program.kernels[operator.kernel] as Kernel;
      const tensors = binding.operands.map(({ shape }) => randomElements(random, 'i8', shape.rows * Math.ceil(shape.columns / (shape.element === 'i8' ? 32 : 8)) * 32));
      const read: ReadTensor = (operand) => tensors[operand];
      const { least, greatest } = binding.iterations as { least: number; greatest: number };
      const positions: ElementPosition[] = Array.from({ length: 6 }, () => ({
        row: random.integer(0, operator.output.rows - 1), column: random.integer(0, operator.output.columns - 1), iteration: random.integer(least, greatest),
      }));
      return { definition, binding, specialized: specializeOperator(program, section, index), read, positions };
    }));
  });

  test('mean the same after specialisation', () => {
    fc.assert(fc.property(operators, (list) => {
      for (const { definition, binding, specialized, read, positions } of list) {
        for (const position of positions) {
          expect(evaluateElement(specialized, position, read)).toBe(evaluateKernelElement(definition, binding, position, read));
        }
      }
    }), { seed: 5, numRuns: 60 });
  });

  test('never read out of range where no check is made', () => {
    let unchecked = 0;
    fc.assert(fc.property(operators, (list) => {
      for (const { specialized, read, positions } of list) {
        unchecked += countReads(specialized).unchecked;
        const violations = violationsOf(specialized);
        for (const position of positions) expect(evaluateElement(violations, position, read)).toBe(0n);
      }
    }), { seed: 6, numRuns: 60 });
    expect(unchecked).toBeGreaterThan(50);
  });
});

describe('rewriting by constants', () => {
  const OPERATORS = ['add', 'sub', 'mul', 'div', 'mod', 'shl', 'shr', 'shru', 'and', 'or', 'xor', 'min', 'max', 'lt', 'le', 'eq'] as const;
  const CONSTANTS = [0, 1, -1, 2, -2, 3, 8, 31, 32, 64, 255, 1024, 2 ** 31 - 1, -(2 ** 31)];
  const values = [-(2 ** 31), 1 - 2 ** 31, -1025, -9, -8, -1, 0, 1, 5, 8, 2 ** 31 - 1];
  const tensor = new Uint8Array(64);
  values.forEach((value, index) => new DataView(tensor.buffer).setInt32(index * 4, value, true));

  test.each(OPERATORS)('%s keeps its meaning', (operator) => {
    for (const value of CONSTANTS) {
      for (const definition of [
        over((x, { column }) => x.at(0, column)[operator](value)),
        over((x, { column }) => int32(value)[operator](x.at(0, column))),
        over((x, { column }) => x.at(0, column)[operator](value)[operator](7)),
        over((x, { column }) => x.at(0, column).and(15)[operator](value)),
        over((x, { column }) => x.at(0, column)[operator](x.at(0, column))),
      ]) {
        const binding = bind({ operands: [single(integers(1, values.length))], output: integers(1, values.length) });
        const specialized = specialize(definition, binding);
        for (const column of values.keys()) {
          const position = { row: 0, column, iteration: 0 };
          expect(evaluateElement(specialized, position, () => tensor)).toBe(evaluateKernelElement(definition, binding, position, () => tensor));
        }
      }
    }
  });
});

test('words are checked by word', () => {
  const definition = kernel('dot', { operands: { x: i8, s: requantization }, output: i32, element: ({ operands: { x }, row }) => sum(x.words, (k) => dot32(x.word(row, k), x.word(row, k.add(1)))) });
  const { element } = specialize(definition, bind({ operands: [single(bytes(3, 70)), single(integers(2, 4))] }));
  expect(element).toMatchObject({ kind: 'reduce', body: { kind: 'dot32', left: { checkColumn: false }, right: { checkColumn: true } } });
});
