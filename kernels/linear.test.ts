import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linear, linearSums } from './linear.ts';
import { FIXED, byte, int32, scalesOf, tensorOf } from './testing/arbitraries.ts';
import { cut, referenceRequantize, runKernel } from './testing/run-kernel.ts';

describe('linear', () => {
  test('a product by hand', () => {
    const x = { rows: 2, columns: 3, data: [1, 2, 3, -4, 5, -6] };
    const w = { rows: 2, columns: 3, data: [1, 0, -1, 2, 2, 2] };
    const bias = { rows: 1, columns: 2, data: [10, -100] };
    expect(runKernel(linearSums, [2, 2], [x, w, bias])).toEqual([8, -88, 12, -110]);
    const half = { rows: 2, columns: 2, data: [2 ** 30, 2 ** 30, 31, 31] };
    expect(runKernel(linear, [2, 2], [x, w, bias, half], { zeroPoint: 1, low: -50, high: 127 })).toEqual([5, -43, 7, -50]);
  });

  test('agrees with exact arithmetic', () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 5 })).chain(([rows, inputs, outputs]) =>
      fc.record({
        rows: fc.constant(rows), outputs: fc.constant(outputs),
        x: tensorOf(rows, inputs, byte), w: tensorOf(outputs, inputs, byte), bias: tensorOf(1, outputs, fc.integer({ min: -(2 ** 20), max: 2 ** 20 })),
        scale: scalesOf(outputs), zeroPoint: byte,
      }));
    fc.assert(
      fc.property(cases, ({ rows, outputs, x, w, bias, scale, zeroPoint }) => {
        const expected = Array.from({ length: rows * outputs }, (_, index) => {
          const [row, o] = [Math.floor(index / outputs), index % outputs];
          return w.data.slice(o * w.columns, (o + 1) * w.columns).reduce((sum, weight, k) => sum + weight * x.data[row * x.columns + k]!, bias.data[o]!);
        });
        expect(runKernel(linearSums, [rows, outputs], [x, w, bias])).toEqual(expected);
        const quantized = expected.map((sum, index) => cut(referenceRequantize(sum, scale.data[index % outputs]!, scale.data[outputs + (index % outputs)]!) + zeroPoint, -100, 90));
        expect(runKernel(linear, [rows, outputs], [x, w, bias, scale], { zeroPoint, low: -100, high: 90 })).toEqual(quantized);
      }),
      FIXED,
    );
  });

  test('a saturated sum does not wrap past its zero point', () => {
    const one = { rows: 1, columns: 1, data: [127] };
    const bias = { rows: 1, columns: 1, data: [2 ** 31 - 1 - 127 * 127] };
    const factor = { rows: 2, columns: 1, data: [2 ** 31 - 1, 1] };
    expect(runKernel(linear, [1, 1], [one, one, bias, factor], { zeroPoint: 100, low: -128, high: 127 })).toEqual([127]);
  });

  test('sums wrap modulo 2^32', () => {
    fc.assert(
      fc.property(tensorOf(1, 40, byte), tensorOf(1, 40, byte), int32, (x, w, bias) => {
        const exact = x.data.reduce((sum, value, k) => sum + BigInt(value * w.data[k]!), BigInt(bias));
        expect(runKernel(linearSums, [1, 1], [x, w, { rows: 1, columns: 1, data: [bias] }])).toEqual([Number(BigInt.asIntN(32, exact))]);
      }),
      FIXED,
    );
  });
});
