import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { depthwiseWide, quantizedConvolution, quantizedDepthwise } from './quantized-convolution.ts';
import { coarseBytes, fineBytes, linearSplit, linearWide, quantizedLinear, quantizedLinearOffset } from './quantized-linear.ts';
import { matrixProductWide } from './quantized-product.ts';
import { FIXED, byte, scalesOf, tensorOf } from './testing/arbitraries.ts';
import { cut, referenceRequantize, runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

const short = fc.oneof(fc.integer({ min: -32768, max: 32767 }), fc.constantFrom(-32768, 32767, -1, 0, 255, 256, -256));
const row = (data: readonly number[]): TestTensor => ({ rows: 1, columns: data.length, data });
const dot = (x: TestTensor, xRow: number, w: TestTensor, wRow: number, xZero = 0, wZero = 0): bigint =>
  Array.from({ length: x.columns }, (_, k) => BigInt(x.data[xRow * x.columns + k]! - xZero) * BigInt(w.data[wRow * w.columns + k]! - wZero)).reduce((sum, product) => sum + product, 0n);
/** `(value · multiplier + 2^(shift−1)) >> shift`, exactly. */
const once = (value: bigint, multiplier: number, shift: number): number => Number((value * BigInt(multiplier) + (1n << BigInt(shift - 1))) >> BigInt(shift));

const shapes = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 4 }));

describe('bytes', () => {
  test('weights with a zero point', () => {
    fc.assert(
      fc.property(shapes.chain(([rows, inputs, outputs]) => fc.record({ x: tensorOf(rows, inputs, byte), w: tensorOf(outputs, inputs, byte), scale: scalesOf(outputs), wZero: byte, xZero: byte, zeroPoint: byte })), ({ x, w, scale, wZero, xZero, zeroPoint }) => {
        const bias = row(Array.from({ length: w.rows }, (_, o) => 17 * o - xZero * Number(dot({ ...w, data: w.data.map(() => 1) }, o, w, o)) + x.columns * xZero * wZero));
        const rowSum = { rows: x.rows, columns: 1, data: Array.from({ length: x.rows }, (_, r) => x.data.slice(r * x.columns, (r + 1) * x.columns).reduce((sum, value) => sum + value, 0)) };
        const expected = Array.from({ length: x.rows * w.rows }, (_, index) => {
          const [r, o] = [Math.floor(index / w.rows), index % w.rows];
          return cut(referenceRequantize(Number(dot(x, r, w, o, xZero, wZero)) + 17 * o, scale.data[o]!, scale.data[w.rows + o]!) + zeroPoint, -100, 90);
        });
        expect(runKernel(quantizedLinearOffset('once'), [x.rows, w.rows], [x, w, bias, scale, rowSum], { weightZero: wZero, zeroPoint, low: -100, high: 90 })).toEqual(expected);
      }),
      FIXED,
    );
  });

  test('each rounding by hand', () => {
    // 5 · 1/2 = 2.5, −5 · 1/2 = −2.5.
    const operands = (multiplier: number, shift: number): TestTensor[] => [{ rows: 2, columns: 1, data: [5, -5] }, row([1]), row([0]), { rows: 2, columns: 1, data: [multiplier, shift] }];
    const limits = { zeroPoint: 0, low: -128, high: 127 };
    expect(runKernel(quantizedLinear('once'), [2, 1], operands(2 ** 30, 31), limits)).toEqual([3, -2]);
    expect(runKernel(quantizedLinear('twice'), [2, 1], operands(2 ** 30, 31), limits)).toEqual([3, -2]);
    expect(runKernel(quantizedLinear('twice'), [2, 1], operands(2 ** 30, 32).map((tensor, index) => (index === 0 ? { ...tensor, data: [10, -10] } : tensor)), limits)).toEqual([3, -3]);
    expect(runKernel(quantizedLinear('float32'), [2, 1], operands(2 ** 23, 24), limits)).toEqual([2, -2]);
  });

  test('a convolution of one tap and a depthwise one are products', () => {
    const window = { inputHeight: 1, inputWidth: 2, outputWidth: 2, kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 0, padLeft: 0 };
    const x = { rows: 2, columns: 2, data: [1, -2, 3, 4] };
    const scale = { rows: 2, columns: 2, data: [2 ** 23, 2 ** 23, 23, 23] };
    const rest = { zeroPoint: 1, low: -128, high: 127 };
    expect(runKernel(quantizedConvolution('float32'), [2, 2], [x, { rows: 2, columns: 2, data: [10, 1, 2, 0] }, row([0, 5]), scale], { ...window, ...rest })).toEqual([9, 8, 35, 12]);
    expect(runKernel(quantizedDepthwise('float32'), [2, 2], [x, row([7, 9]), row([0, 5]), scale], { ...window, channelMultiplier: 1, weightZero: 4, ...rest })).toEqual([4, -4, 10, 26]);
  });
});

describe('16 bits', () => {
  test('planes of bytes put together again', () => {
    fc.assert(fc.property(tensorOf(2, 40, short), (x) => {
      const [coarse, fine] = [runKernel(coarseBytes, [2, 40], [x]), runKernel(fineBytes, [2, 40], [x])];
      expect(coarse.map((value, index) => 256 * value + fine[index]! + 128)).toEqual(x.data);
    }), FIXED);
  });

  const wideCases = shapes.chain(([rows, inputs, outputs]) => fc.record({
    x: tensorOf(rows, inputs, short), w: tensorOf(outputs, inputs, byte), bias: fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: outputs, maxLength: outputs }),
    multiplier: fc.integer({ min: 2 ** 14, max: 2 ** 15 - 1 }), shift: fc.integer({ min: 20, max: 45 }),
  }));

  test('64-bit sums, and the same for matrices that are both computed', () => {
    fc.assert(
      fc.property(wideCases, ({ x, w, bias, multiplier, shift }) => {
        const planes = [coarseBytes, fineBytes].map((kernel) => ({ ...x, data: runKernel(kernel, [x.rows, x.columns], [x]) }));
        const offsets = bias.map((value, o) => value + 128 * w.data.slice(o * w.columns, (o + 1) * w.columns).reduce((sum, weight) => sum + weight, 0));
        const b = { rows: 2, columns: w.rows, data: [...offsets.map((value) => value | 0), ...offsets.map((value) => Math.floor(value / 2 ** 32))] };
        const scale = { rows: 2, columns: w.rows, data: [...bias.map(() => multiplier), ...bias.map(() => shift)] };
        const limits = { zeroPoint: 0, low: -32768, high: 32767 };
        const each = (value: (r: number, o: number) => bigint): number[] => Array.from({ length: x.rows * w.rows }, (_, index) => cut(once(value(Math.floor(index / w.rows), index % w.rows), multiplier, shift), -32768, 32767));
        expect(runKernel(linearWide, [x.rows, w.rows], [...planes, w, b, scale], limits)).toEqual(each((r, o) => dot(x, r, w, o) + BigInt(bias[o]!)));
        expect(runKernel(matrixProductWide, [x.rows, w.rows], [x, w], { rows: x.rows, multiplier, shift, ...limits })).toEqual(each((r, o) => dot(x, r, w, o)));
      }),
      FIXED,
    );
  });

  test('32-bit sums round twice; a depthwise one has 64', () => {
    const window = { inputHeight: 1, inputWidth: 1, outputWidth: 1, kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1, padTop: 0, padLeft: 0 };
    const [coarse, fine] = [row([-128]), row([-128])];
    // x = −32768, w = 3: −98304 · 2^-1 · 2^-2 = −12288, and with a bias of 4: −12287.5, away from zero.
    expect(runKernel(linearSplit, [1, 1], [coarse, fine, row([3]), row([4 + 384]), { rows: 2, columns: 1, data: [2 ** 30, 33] }], { zeroPoint: 0, low: -32768, high: 32767 })).toEqual([-12288]);
    const bias = { rows: 2, columns: 1, data: [-1, 255] };
    expect(runKernel(depthwiseWide, [1, 1], [row([-32768]), row([3]), bias, { rows: 2, columns: 1, data: [2 ** 14, 44] }], { ...window, channelMultiplier: 1, zeroPoint: 5, low: -32768, high: 32767 })).toEqual([1029]);
  });
});
