import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';
import { dot32, sum } from '../../deterministic-runtime/language/scalar.ts';
import { Random, randomElements } from '../../deterministic-runtime/language/testing/random.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';

const bytes = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });

const INPUT = bytes(6, 70);

/** A matrix product as it is mostly written: by row on the left, by column on the right. */
const plain = kernel('plain', {
  operands: { x: i8, w: i8 }, output: i32,
  element: ({ row, column, operands: { x, w } }) => sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k))).add(row).mul(column.add(3)),
});

/** The same into bytes, and with the sides exchanged. */
const exchanged = kernel('exchanged', {
  operands: { x: i8, w: i8 }, output: i8,
  element: ({ row, column, operands: { x, w } }) => sum(x.words, (k) => dot32(w.word(column, k), x.word(row, k))).shr(9).xor(row),
});

/** Rows and words outside the operands count as zero. */
const outside = kernel('outside', {
  operands: { x: i8, w: i8 }, output: i32,
  element: ({ row, column, operands: { x, w } }) => sum(4, (k) => dot32(x.word(row.sub(1), k.sub(1)), w.word(column.mul(2), k.sub(1)))),
});

/** Two sums, of which a tile computes one; and a sum in which neither side is free of the other's coordinate. */
const several = kernel('several', {
  operands: { x: i8, w: i8 }, output: i32,
  element: ({ row, column, operands: { x, w } }) => {
    const first = sum(x.words, (k) => dot32(x.word(row, k), w.word(column, k)));
    const second = sum(2, (j) => sum(x.words, (k) => dot32(x.word(row.add(j), k), w.word(column.add(j), k))));
    const mixed = sum(x.words, (k) => dot32(x.word(row.add(column), k), w.word(column, k)));
    return first.sub(second).add(mixed.mul(5));
  },
});

/** One operand on both sides, and a row that is read as elements too. */
const gram = kernel('gram', {
  operands: { x: i8 }, output: i32,
  element: ({ row, column, operands: { x } }) => sum(x.words, (k) => dot32(x.word(row, k), x.word(column, k))).add(x.at(row, 0)).sub(x.at(column, 1)),
});

/** One product of matrices of every kind, for an output of one row and for one of several. */
export function matrixProducts(): Model {
  const random = new Random(20);
  const builder = new ProgramBuilder({ name: 'matrix-products', signature: 'multiply(int8[420])->(int32[])', input: INPUT, metadata: {} });
  const append = (definition: Kernel, rows: number, columns: number): void => {
    const output = { element: definition.output, rows, columns };
    const w = builder.bytes(columns, INPUT.columns, randomElements(random, 'i8', columns * INPUT.columns));
    builder.append(`${definition.name} ${rows} × ${columns}`, { kernel: definition, output, operands: definition.operands.length === 1 ? [builder.input] : [builder.input, w] });
  };
  for (const definition of [plain, exchanged, outside, several, gram]) append(definition, 1, 9);
  for (const definition of [exchanged, outside]) append(definition, 5, 33);
  return builder.build();
}

/** An input for it, the edges of i8 over-represented. */
export const matrixInput = (seed: number): Uint8Array => packTensor(INPUT, randomElements(new Random(seed), 'i8', INPUT.rows * INPUT.columns));
