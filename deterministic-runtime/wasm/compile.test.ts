import { describe, expect, test } from 'vitest';
import { evaluateElement, evaluateTensor } from '../language/evaluate.ts';
import type { ElementType } from '../language/expression.ts';
import { i32, i8, kernel, requantization } from '../language/kernel.ts';
import type { Kernel } from '../language/kernel.ts';
import { allBits, anyBits, dot32, int32, int64, maximum, minimum, parityBits, requantize, sum } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import type { OperandBinding } from '../language/specialize.ts';
import { byteLength } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { compileKernels } from './compile.ts';
import { clearPadding, runKernel } from './testing/run-kernel.ts';

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const EDGES = [INT_MIN, INT_MIN + 1, -1, 0, 1, 2, 31, 32, 33, 62, 63, 64, 127, -128, INT_MAX - 1, INT_MAX, 0x55555555, -65536];

/** A reproducible source of bytes: a linear congruential generator's upper bits. */
function generator(seed: number): () => number {
  let state = BigInt(seed) + 0x9e3779b97f4a7c15n;
  return () => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number(state >> 32n);
  };
}

/** Random elements of which about every other is an edge case. */
function randomTensor(shape: TensorShape, next: () => number, values: readonly number[] = EDGES): Uint8Array {
  const words = new Uint8Array(byteLength(shape));
  const view = new DataView(words.buffer);
  const size = shape.element === 'i8' ? 1 : 4;
  for (let offset = 0; offset < words.length; offset += size) {
    const value = next() % 2 === 0 ? values[next() % values.length]! : next();
    if (size === 1) view.setInt8(offset, value);
    else view.setInt32(offset, value, true);
  }
  return clearPadding(shape, words);
}

interface Case {
  readonly kernel: Kernel;
  readonly output: readonly [number, number];
  /** Rows and columns of each operand; a third number makes it iterated, with so many iterations written. */
  readonly operands: readonly (readonly [number, number, number?])[];
  readonly parameters?: Readonly<Record<string, number>>;
  readonly iteration?: number;
  readonly maxIterations?: number;
  readonly latest?: 0 | -1;
  readonly values?: readonly number[];
}

/** Compares compiled code with the definition's evaluation, byte for byte. */
function check(name: string, { kernel: definition, output, operands, parameters = {}, iteration = 0, maxIterations = 0, latest = 0, values = EDGES }: Case): void {
  const shape = (element: ElementType, rows: number, columns: number): TensorShape => ({ element, rows, columns });
  const bindings = operands.map(([rows, columns, iterations], index): OperandBinding => ({
    shape: shape(definition.operands[index]!.type, rows, columns),
    kind: iterations === undefined ? 'single' : 'iterated',
    latest,
  }));
  const specialized = specialize(definition, { operands: bindings, parameters, output: shape(definition.output, ...output), maxIterations });
  const next = generator(output[0] * 1000 + output[1]);
  const tensors = bindings.map((binding, index) => Array.from({ length: operands[index]![2] ?? 1 }, () => randomTensor(binding.shape, next, values)));
  const expected = evaluateTensor(specialized.output, (row, column) =>
    evaluateElement(specialized, { row, column, iteration }, (operand, at) => (bindings[operand]!.kind === 'single' ? tensors[operand]![0] : tensors[operand]![at])));
  const actual = runKernel(specialized, { iteration, operands: tensors });
  expect(Buffer.compare(actual, expected), `${name}, ${output.join(' × ')}`).toBe(0);
}

const EVERY_WIDTH = [...Array.from({ length: 34 }, (_, index) => index + 1), 47, 48, 49, 63, 64, 65];
const SOME_WIDTHS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 20, 31, 32, 33];

function checkWidths(name: string, of: (columns: number) => Omit<Case, 'output'>, widths: readonly number[] = SOME_WIDTHS): void {
  for (const columns of widths) check(name, { output: [3, columns], ...of(columns) });
}

describe('element-wise kernels', () => {
  const binary = ['add', 'sub', 'mul', 'div', 'mod', 'shl', 'shr', 'shru', 'and', 'or', 'xor', 'min', 'max', 'lt', 'le', 'eq'] as const;
  test.each(binary)('%s on 32 and 64 bits, with vectors, rows and constants', (operator) => {
    const narrow = kernel('narrow', {
      operands: { a: i32, b: i32 }, output: i32,
      element: ({ row, column, operands: { a, b } }) => a.at(row, column)[operator](b.at(row, column)),
    });
    const uniform = kernel('uniform', {
      operands: { a: i32, b: i32 }, output: i32,
      element: ({ row, column, operands: { a, b } }) => a.at(row, column)[operator](b.at(row, 0)),
    });
    const wide = kernel('wide', {
      operands: { a: i32, b: i32 }, output: i32,
      element: ({ row, column, operands: { a, b } }) => {
        const left = a.at(row, column).wide().mul(int64(0x1_0000_0001n)).add(b.at(row, column).wide());
        const right = b.at(row, column).wide().shl(a.at(row, column).wide());
        const value = left[operator](right);
        return 'narrow' in value ? value.shr(17).narrow().xor(value.narrow()) : value.mul(3).add(column);
      },
    });
    checkWidths('narrow', (columns) => ({ kernel: narrow, operands: [[3, columns], [3, columns]] }), EVERY_WIDTH);
    checkWidths('uniform', (columns) => ({ kernel: uniform, operands: [[3, columns], [3, columns]] }));
    checkWidths('wide', (columns) => ({ kernel: wide, operands: [[3, columns], [3, columns]] }));
    for (const constant of EDGES) {
      const fixed = kernel('fixed', {
        operands: { a: i32 }, output: i32,
        element: ({ row, column, operands: { a } }) => {
          const value = a.at(row, column).wide()[operator](int64(constant));
          return a.at(row, column)[operator](constant).xor('narrow' in value ? value.narrow() : value);
        },
      });
      for (const columns of [2, 5, 16]) check(`fixed ${constant}`, { kernel: fixed, output: [2, columns], operands: [[2, columns]] });
    }
  });

  test('selects and booleans', () => {
    const selects = kernel('selects', {
      operands: { a: i8, b: i8 }, output: i8,
      element: ({ row, column, operands: { a, b } }) => {
        const [x, y] = [a.at(row, column), b.at(row, column)];
        const both = x.lt(y).and(y.le(100)).or(x.eq(-1));
        return both.select(x.mul(3), y).add(x.le(y)).sub(both).add(y.select(x.eq(y).mul(x), both)).add(row.select(x, y)).add(both.mul(both));
      },
    });
    checkWidths('selects', (columns) => ({ kernel: selects, operands: [[3, columns], [3, columns]] }), EVERY_WIDTH);
    const wide = kernel('wide', {
      operands: { a: i32 }, output: i32,
      element: ({ row, column, operands: { a } }) => {
        const x = a.at(row, column);
        return x.lt(column).select(x.wide().mul(x.wide()), int64(-7).sub(x.wide())).shr(30).narrow();
      },
    });
    checkWidths('wide', (columns) => ({ kernel: wide, operands: [[3, columns]] }));
  });

  test('requantise with a multiplier and shift for each column, each row, or one for all', () => {
    const perColumn = kernel('perColumn', {
      operands: { x: i32, scale: requantization }, output: i32,
      element: ({ row, column, operands: { x, scale } }) => requantize(x.at(row, column), scale.at(column)),
    });
    const perRow = kernel('perRow', {
      operands: { x: i32, scale: requantization }, output: i32,
      element: ({ row, column, operands: { x, scale } }) => requantize(x.at(row, column), scale.at(row)),
    });
    checkWidths('perColumn', (columns) => ({ kernel: perColumn, operands: [[3, columns], [2, columns]] }));
    checkWidths('perRow', (columns) => ({ kernel: perRow, operands: [[3, columns], [2, 3]] }));
    for (const shift of [0, 1, 31, 32, 62, 63, 64, -1]) {
      for (const multiplier of [INT_MIN, -1, 0, 1, 1 << 30, INT_MAX]) {
        const fixed = kernel('fixed', {
          operands: { x: i32 }, output: i8,
          element: ({ row, column, operands: { x } }) =>
            requantize(x.at(row, column), { multiplier: int32(multiplier), shift: int32(shift) }).clamp(-128, 127),
        });
        for (const columns of [3, 20]) check(`${multiplier} ${shift}`, { kernel: fixed, output: [2, columns], operands: [[2, columns]] });
      }
    }
  });
});

describe('reads', () => {
  test('outside their tensor they are zero: shifted, strided, transposed, gathered', () => {
    for (const offset of [-70, -17, -5, -1, 0, 1, 3, 30, 70, INT_MIN, INT_MAX]) {
      for (const type of [i8, i32] as const) {
        const shifted = kernel('shifted', {
          operands: { x: type }, output: type,
          element: ({ row, column, operands: { x } }) => x.at(row.sub(1), column.add(offset)).add(x.at(row.add(offset), column)),
        });
        for (const columns of [1, 4, 7, 16, 33, 64]) check(`shifted ${offset}`, { kernel: shifted, output: [4, columns], operands: [[3, columns]] });
      }
    }
    const elsewhere = kernel('elsewhere', {
      operands: { x: i8, y: i32, table: i8 }, output: i32,
      element: ({ row, column, operands: { x, y, table } }) => {
        const gathered = table.at(y.at(row, column).and(3), x.at(row, column).add(128));
        return x.at(column, row).add(y.at(row, column.mul(2))).add(y.at(row, int32(9).sub(column))).add(gathered.mul(5)).add(x.at(x.at(row, column), y.at(row, column)));
      },
    });
    checkWidths('elsewhere', (columns) => ({ kernel: elsewhere, operands: [[5, columns], [4, columns], [3, 256]] }));
  });

  test('of other iterations: past ones exist, later ones are zero', () => {
    const past = kernel('past', {
      operands: { x: i32, y: i8 }, output: i32,
      element: ({ row, column, iteration, operands: { x, y } }) =>
        sum(6, (back) => x.at(row, column, { iteration: iteration.sub(back).add(2) })).add(y.at(row, column, { iteration: y.at(0, column, { iteration: int32(0) }) }).mul(7)),
    });
    for (const iteration of [0, 1, 2, 4, 5]) {
      for (const latest of [0, -1] as const) {
        for (const columns of [1, 4, 9, 17, 40]) {
          check(`past at ${iteration}`, { kernel: past, output: [2, columns], operands: [[2, columns, 5], [2, columns, 5]], iteration, maxIterations: 5, latest, values: [0, 1, 2, 3, 4, 5, -1] });
        }
      }
    }
  });
});

describe('reductions', () => {
  const reductions = { sum, minimum, maximum, parityBits, anyBits, allBits };
  test.each(Object.entries(reductions))('%s over neighbours, and over rows', (_, reduce) => {
    const across = kernel('across', {
      operands: { x: i32, y: i8 }, output: i32,
      element: ({ row, operands: { x, y } }) => reduce(x.columns, (k) => x.at(row, k).mul(y.at(row, k.sub(3)))),
    });
    const acrossWide = kernel('acrossWide', {
      operands: { x: i32 }, output: i32,
      element: ({ row, column, operands: { x } }) => reduce(x.columns, (k) => x.at(row, k).wide().mul(x.at(0, k).wide()).add(k.wide()).xor(column.wide())).shr(13).narrow(),
    });
    const down = kernel('down', {
      operands: { x: i8 }, output: i32,
      element: ({ column, operands: { x } }) => reduce(x.rows, (k) => x.at(k, column).add(k.lt(column))).add(reduce(x.rows, (k) => x.at(k, column).wide().mul(column.wide())).narrow()),
    });
    for (const length of [1, 7, 8, 9, 15, 16, 31, 32, 33, 64, 70]) {
      for (const columns of [1, 2, 5, 16]) {
        check('across', { kernel: across, output: [2, columns], operands: [[2, length], [2, length]] });
        check('acrossWide', { kernel: acrossWide, output: [2, columns], operands: [[2, length]] });
        check('down', { kernel: down, output: [2, columns], operands: [[length, columns]] });
      }
    }
  });

  test('with a bound that grows with the iteration', () => {
    const growing = kernel('growing', {
      operands: { x: i32 }, output: i32,
      element: ({ iteration, row, column, operands: { x } }) => sum(iteration.mul(3).add(2), (k) => x.at(row, k).mul(column.add(1))).add(maximum(iteration.add(1), (k) => x.at(row, k))),
    });
    for (const iteration of [0, 1, 2, 5, 9]) {
      for (const columns of [1, 6, 16]) check('growing', { kernel: growing, output: [2, columns], operands: [[2, 30]], iteration, maxIterations: 9 });
    }
  });

  test('counts of positions that hold each bucket', () => {
    const counts = kernel('counts', {
      operands: { x: i8 }, output: i32,
      element: ({ column, operands: { x } }) =>
        sum(x.columns.sub(1), (k) => x.at(0, k).and(15).mul(4).add(x.at(0, k.add(1)).and(3)).eq(column).and(x.at(0, k).le(90))),
    });
    checkWidths('counts', () => ({ kernel: counts, operands: [[1, 77]] }));
  });

  test('windows of two loops: pooling, and a convolution by elements', () => {
    const pool = kernel('pool', {
      operands: { x: i8 }, parameters: ['width'], output: i8,
      element: ({ row, column, operands: { x }, parameters: { width } }) => {
        const half = width.div(2);
        const origin = row.div(half).mul(2).mul(width).add(row.mod(half).mul(2));
        return maximum(2, (y) => maximum(2, (z) => x.at(origin.add(y.mul(width)).add(z), column)));
      },
    });
    for (const columns of EVERY_WIDTH) check('pool', { kernel: pool, output: [6, columns], operands: [[24, columns]], parameters: { width: 6 } });
    const deep = kernel('deep', {
      operands: { x: i8, w: i8 }, output: i32,
      element: ({ row, column, operands: { x, w } }) => sum(40, (a) => sum(2, (b) => sum(9, (c) => x.at(row.add(b), a.add(c)).mul(w.at(c, column)).add(b.mul(a))))),
    });
    for (const columns of [1, 5, 16]) check('deep', { kernel: deep, output: [2, columns], operands: [[3, 45], [9, columns]] });
  });
});

describe('sums of word dot products', () => {
  const linear = kernel('linear', {
    operands: { x: i8, w: i8, bias: i32, scale: requantization }, output: i8,
    element: ({ row, column, operands: { x, w, bias, scale } }) =>
      requantize(sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))).add(bias.at(column)), scale.at(column)).clamp(-128, 127),
  });
  const small = [0, 1, -1, 127, -128, INT_MAX, INT_MIN, 1 << 30, 8, 20, 31, 38, 62, 63];

  test('linear, every width, odd and even rows', () => {
    for (const columns of EVERY_WIDTH) {
      for (const [rows, depth] of [[1, 32], [2, 70], [3, 40]] as const) {
        check('linear', { kernel: linear, output: [rows, columns], operands: [[rows, depth], [columns, depth], [1, columns], [2, columns]], values: small });
      }
    }
  });

  test('both sides by column, neither, checked rows and words, sums of sums, no sum at all', () => {
    const odd = kernel('odd', {
      operands: { x: i8, w: i8 }, output: i32,
      element: ({ row, column, operands: { x, w } }) => {
        const byColumn = sum(w.words, (k) => dot32(w.word(column, k), w.word(column.add(2), k)));
        const byRow = sum(x.words, (k) => dot32(x.word(row, k), x.word(row.sub(1), k)));
        const beyond = sum(x.words.add(2), (k) => dot32(x.word(row.add(k), k), w.word(column.sub(row), k.sub(1))));
        const backwards = sum(3, (y) => sum(x.words, (k) => dot32(w.word(int32(20).sub(column), k), x.word(row.add(y), k))));
        const greatest = maximum(x.words, (k) => dot32(x.word(row, k), w.word(column.and(3), k)));
        const twice = dot32(x.word(row, 0), w.word(column, 0));
        return byColumn.add(byRow).mul(3).add(beyond).add(backwards.mul(5)).add(greatest).add(twice.add(twice));
      },
    });
    for (const columns of [1, 3, 4, 5, 8, 17, 33]) {
      for (const rows of [1, 2, 5]) check('odd', { kernel: odd, output: [rows, columns], operands: [[rows, 90], [columns, 90]] });
    }
  });

  test('convolution with zero padding', () => {
    const convolution = kernel('convolution', {
      operands: { x: i8, w: i8 }, parameters: ['width', 'height'], output: i32,
      element: ({ row, column, operands: { x, w }, parameters: { width, height } }) =>
        sum(3, (ky) => sum(3, (kx) => {
          const y = row.div(width).add(ky).sub(1);
          const z = row.mod(width).add(kx).sub(1);
          const inside = int32(0).le(y).and(y.lt(height)).and(int32(0).le(z)).and(z.lt(width));
          const source = inside.select(y.mul(width).add(z), -1);
          return sum(x.words, (k) => dot32(x.word(source, k), w.word(column, ky.mul(3).add(kx).mul(x.words).add(k))));
        })),
    });
    for (const columns of [1, 4, 6, 9]) {
      for (const channels of [5, 33]) {
        check('convolution', { kernel: convolution, output: [12, columns], operands: [[12, channels], [columns, 9 * 32 * Math.ceil(channels / 32)]], parameters: { width: 4, height: 3 } });
      }
    }
  });

  test('of a key cache: rows are iterations', () => {
    const attention = kernel('attention', {
      operands: { q: i8, keys: i8 }, output: i32,
      element: ({ row, column, operands: { q, keys } }) => sum(q.words, (k) => dot32(q.word(row, k), keys.word(row, k, { iteration: column }))),
    });
    for (const iteration of [0, 3, 6]) check('attention', { kernel: attention, output: [2, 7], operands: [[2, 40, 7], [2, 40, 7]].map(([r, c, n], i) => (i === 0 ? [r!, c!] : [r!, c!, n!])), iteration, maxIterations: 7 });
  });
});

test('only the rows that are asked for are written', () => {
  const ones = kernel('ones', { operands: {}, output: i8, element: ({ row }) => row.add(1) });
  const specialized = specialize(ones, { operands: [], parameters: {}, output: { element: 'i8', rows: 5, columns: 32 }, maxIterations: 0 });
  const output = runKernel(specialized, { iteration: 0, operands: [], rows: [1, 3] });
  expect([0, 1, 2, 3, 4].map((row) => output[row * 32 + 31])).toEqual([0x55, 2, 3, 0x55, 0x55]);
  expect([...runKernel(specialized, { iteration: 0, operands: [], rows: [3, 3] })].every((byte) => byte === 0x55)).toBe(true);
});

test('sums of dot products are computed for two rows by four columns at a time', () => {
  const linear = kernel('linear', {
    operands: { x: i8, w: i8 }, output: i32,
    element: ({ row, column, operands: { x, w } }) => requantize(sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))), { multiplier: column.add(1), shift: int32(3) }),
  });
  const specialized = specialize(linear, {
    operands: [{ shape: { element: 'i8', rows: 8, columns: 64 }, kind: 'single' }, { shape: { element: 'i8', rows: 8, columns: 64 }, kind: 'single' }],
    parameters: {}, output: { element: 'i32', rows: 8, columns: 8 }, maxIterations: 0,
  });
  const code = Buffer.from(compileKernels([{ name: 'linear', kernel: specialized, strides: [] }]));
  const dotInstruction = Buffer.from([0xfd, 0xba, 0x01]);
  // A word has four steps of eight bytes: eight dot products each for two rows, and four each for a last single row.
  expect(code.toString('latin1').split(dotInstruction.toString('latin1')).length - 1).toBe(4 * 8 + 4 * 4);
});
