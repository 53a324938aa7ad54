import fc from 'fast-check';
import type { TestTensor } from './run-kernel.ts';

/** Every property here runs on the same cases each time. */
export const FIXED = { seed: 20261122, numRuns: 25 } as const;

const edgeByte = fc.constantFrom(-128, -127, -1, 0, 1, 126, 127);

/** Bytes, with the edge values more often than chance has them. */
export const byte = fc.oneof(fc.integer({ min: -128, max: 127 }), edgeByte);
/** 32-bit integers, likewise. */
export const int32 = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -1, 0, 1), fc.integer({ min: -300, max: 300 }));

/** A tensor of these dimensions. */
export const tensorOf = (rows: number, columns: number, element: fc.Arbitrary<number>): fc.Arbitrary<TestTensor> =>
  fc.array(element, { minLength: rows * columns, maxLength: rows * columns }).map((data) => ({ rows, columns, data }));

/** Multipliers of 31 bits and shifts: a `requantization` operand whose factors lie between 2^-14 and 2. */
export const scalesOf = (columns: number): fc.Arbitrary<TestTensor> =>
  fc
    .tuple(
      fc.array(fc.integer({ min: 2 ** 30, max: 2 ** 31 - 1 }), { minLength: columns, maxLength: columns }),
      fc.array(fc.integer({ min: 30, max: 44 }), { minLength: columns, maxLength: columns }),
    )
    .map(([multipliers, shifts]) => ({ rows: 2, columns, data: [...multipliers, ...shifts] }));
