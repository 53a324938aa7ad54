import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argmax } from './argmax.ts';
import { FIXED, int32, tensorOf } from './testing/arbitraries.ts';
import { runKernel } from './testing/run-kernel.ts';

test('argmax is the first index of each row\'s greatest value', () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 })).chain(([rows, columns]) => tensorOf(rows, columns, fc.oneof(int32, fc.constantFrom(5, 6))));
  fc.assert(
    fc.property(cases, (x) => {
      const expected = Array.from({ length: x.rows }, (_, row) => {
        const values = x.data.slice(row * x.columns, (row + 1) * x.columns);
        return values.indexOf(Math.max(...values));
      });
      expect(runKernel(argmax, [x.rows, 1], [x])).toEqual(expected);
    }),
    { ...FIXED, numRuns: 60 },
  );
});
