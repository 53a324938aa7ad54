import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { convolution, depthwiseConvolution } from './convolution.ts';
import { linear } from './linear.ts';
import { patches } from './patches.ts';
import { averagePooling, maxPooling } from './pooling.ts';
import { FIXED, byte, scalesOf, tensorOf } from './testing/arbitraries.ts';
import { cut, referenceRequantize, runKernel } from './testing/run-kernel.ts';
import type { TestTensor } from './testing/run-kernel.ts';

interface Geometry {
  readonly inputHeight: number; readonly inputWidth: number; readonly outputWidth: number;
  readonly kernelHeight: number; readonly kernelWidth: number; readonly strideY: number; readonly strideX: number;
  readonly dilationY: number; readonly dilationX: number; readonly padTop: number; readonly padLeft: number;
}
interface Case { readonly geometry: Geometry; readonly height: number; readonly channels: number }

const small = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** Windows over images, with strides, dilations and padding (after the image as well: the output's size is free). */
const cases = (channels: fc.Arbitrary<number>): fc.Arbitrary<Case> =>
  fc.record({
    geometry: fc.record({
      inputHeight: small(1, 5), inputWidth: small(1, 5), outputWidth: small(1, 4), kernelHeight: small(1, 3), kernelWidth: small(1, 3),
      strideY: small(1, 2), strideX: small(1, 2), dilationY: small(1, 2), dilationX: small(1, 2), padTop: small(0, 2), padLeft: small(0, 2),
    }),
    height: small(1, 3),
    channels,
  });

/** Elements that each output pixel's window sees, null outside the image: [pixel][tap][channel]. */
function windows({ geometry: g, height, channels }: Case, x: TestTensor): (number | null)[][][] {
  const pixels: (number | null)[][][] = [];
  for (let y = 0; y < height; y += 1) {
    for (let across = 0; across < g.outputWidth; across += 1) {
      const taps: (number | null)[][] = [];
      for (let ky = 0; ky < g.kernelHeight; ky += 1) {
        for (let kx = 0; kx < g.kernelWidth; kx += 1) {
          const iy = y * g.strideY + ky * g.dilationY - g.padTop;
          const ix = across * g.strideX + kx * g.dilationX - g.padLeft;
          const inside = iy >= 0 && ix >= 0 && iy < g.inputHeight && ix < g.inputWidth;
          taps.push(Array.from({ length: channels }, (_, c) => (inside ? x.data[(iy * g.inputWidth + ix) * channels + c]! : null)));
        }
      }
      pixels.push(taps);
    }
  }
  return pixels;
}

const withImage = (channels: fc.Arbitrary<number>): fc.Arbitrary<readonly [Case, TestTensor]> =>
  cases(channels).chain((item) => tensorOf(item.geometry.inputHeight * item.geometry.inputWidth, item.channels, byte).map((x) => [item, x] as const));

describe('patches', () => {
  test('are the windows, with the fill outside', () => {
    fc.assert(
      fc.property(withImage(small(1, 12)), byte, ([item, x], fill) => {
        const seen = windows(item, x);
        const columns = item.geometry.kernelHeight * item.geometry.kernelWidth * item.channels;
        expect(runKernel(patches, [seen.length, columns], [x], { ...item.geometry, fill })).toEqual(seen.flat(2).map((value) => value ?? fill));
      }),
      FIXED,
    );
  });
});

describe('convolution', () => {
  test('agrees with sums over windows, and with patches and a linear layer', () => {
    const arbitrary = withImage(fc.constantFrom(1, 3, 33)).chain(([item, x]) => {
      const taps = item.geometry.kernelHeight * item.geometry.kernelWidth;
      return fc.tuple(fc.constant(item), fc.constant(x), tensorOf(3 * taps, item.channels, byte), tensorOf(1, 3, fc.integer({ min: -9999, max: 9999 })), scalesOf(3), byte);
    });
    fc.assert(
      fc.property(arbitrary, ([item, x, w, bias, scale, zeroPoint]) => {
        const seen = windows(item, x);
        const taps = item.geometry.kernelHeight * item.geometry.kernelWidth;
        const expected = seen.flatMap((pixel) =>
          [0, 1, 2].map((o) => {
            const sum = pixel.flat().reduce<number>((total, value, index) => total + (value ?? 0) * w.data[o * taps * item.channels + index]!, bias.data[o]!);
            return cut(referenceRequantize(sum, scale.data[o]!, scale.data[3 + o]!) + zeroPoint, -128, 120);
          }));
        const range = { zeroPoint, low: -128, high: 120 };
        expect(runKernel(convolution, [seen.length, 3], [x, w, bias, scale], { ...item.geometry, ...range })).toEqual(expected);
        const columns = taps * item.channels;
        const rows = { rows: seen.length, columns, data: runKernel(patches, [seen.length, columns], [x], { ...item.geometry, fill: 0 }) };
        expect(runKernel(linear, [seen.length, 3], [rows, { rows: 3, columns, data: w.data }, bias, scale], range)).toEqual(expected);
      }),
      FIXED,
    );
  });

  test('depthwise: each channel by itself', () => {
    const arbitrary = withImage(small(1, 9)).chain(([item, x]) => {
      const taps = item.geometry.kernelHeight * item.geometry.kernelWidth;
      return fc.tuple(fc.constant(item), fc.constant(x), tensorOf(taps, item.channels, byte), tensorOf(1, item.channels, byte), scalesOf(item.channels));
    });
    fc.assert(
      fc.property(arbitrary, ([item, x, w, bias, scale]) => {
        const seen = windows(item, x);
        const { channels } = item;
        const expected = seen.flatMap((pixel) =>
          Array.from({ length: channels }, (_, c) => {
            const sum = pixel.reduce((total, tap, index) => total + (tap[c] ?? 0) * w.data[index * channels + c]!, bias.data[c]!);
            return cut(referenceRequantize(sum, scale.data[c]!, scale.data[channels + c]!) + 5, -128, 127);
          }));
        const parameters = { ...item.geometry, zeroPoint: 5, low: -128, high: 127 };
        expect(runKernel(depthwiseConvolution, [seen.length, channels], [x, w, bias, scale], parameters)).toEqual(expected);
      }),
      FIXED,
    );
  });
});

describe('pooling', () => {
  test('the greatest and the mean of what the window sees', () => {
    fc.assert(
      fc.property(withImage(small(1, 9)), fc.integer({ min: 2 ** 29, max: 2 ** 31 - 1 }), ([item, x], multiplier) => {
        const seen = windows(item, x);
        const channel = (pixel: (number | null)[][], c: number): number[] => pixel.flatMap((tap) => (tap[c] === null ? [] : [tap[c]!]));
        const each = (of: (values: number[], taps: number) => number): number[] =>
          seen.flatMap((pixel) => Array.from({ length: item.channels }, (_, c) => of(channel(pixel, c), pixel.length)));
        const shape = [seen.length, item.channels] as const;
        const mean = (values: number[], count: number): number => {
          const total = 64 * values.reduce((sum, value) => sum + value - 7, 0);
          const rounded = count === 0 ? 0 : Math.sign(total) * Math.round(Math.abs(total) / count);
          return cut(referenceRequantize(rounded, multiplier, 36) + 9, -120, 127);
        };
        const rescaled = { xZero: 7, multiplier, shift: 36, zeroPoint: 9, low: -120, high: 127 };
        expect(runKernel(maxPooling, shape, [x], { ...item.geometry })).toEqual(each((values) => Math.max(-128, ...values)));
        expect(runKernel(averagePooling, shape, [x], { ...item.geometry, ...rescaled, countPadding: 0 })).toEqual(each((values) => mean(values, values.length)));
        expect(runKernel(averagePooling, shape, [x], { ...item.geometry, ...rescaled, countPadding: 1 })).toEqual(each((values, taps) => mean(values, taps)));
      }),
      FIXED,
    );
  });
});
