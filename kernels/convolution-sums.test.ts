import { describe, expect, test } from 'vitest';
import { addSums } from './add-sums.ts';
import { convolutionSums, depthwiseConvolutionSums } from './convolution-sums.ts';
import { lookupPairs } from './lookup-pairs.ts';
import { runKernel } from './testing/run-kernel.ts';
import { windowSums } from './window-sums.ts';

const [HEIGHT, WIDTH, CHANNELS, OUTPUTS] = [5, 4, 33, 3];
const window = { inputHeight: HEIGHT, inputWidth: WIDTH, outputWidth: 3, kernelHeight: 2, kernelWidth: 3, strideY: 2, strideX: 1, dilationY: 2, dilationX: 1, padTop: 1, padLeft: 1 };
const ROWS = 2;
const bytes = (length: number, salt: number): number[] => Array.from({ length }, (_, index) => ((index * 37 + salt * 91 + (index >> 3)) % 256) - 128);

/** x[y][x][c], 0 outside of the image. */
const image = bytes(HEIGHT * WIDTH * CHANNELS, 1);
const pixel = (y: number, x: number, channel: number): number | null => (y < 0 || x < 0 || y >= HEIGHT || x >= WIDTH ? null : (image[(y * WIDTH + x) * CHANNELS + channel] ?? 0));

/** Sum over the window of output pixel (oy, ox). */
function over(oy: number, ox: number, term: (ky: number, kx: number, y: number, x: number) => number): number {
  let total = 0;
  for (let ky = 0; ky < window.kernelHeight; ky += 1) for (let kx = 0; kx < window.kernelWidth; kx += 1) total += term(ky, kx, oy * window.strideY - window.padTop + ky * window.dilationY, ox * window.strideX - window.padLeft + kx * window.dilationX);
  return total;
}
const pixels = Array.from({ length: ROWS * window.outputWidth }, (_, index) => [Math.floor(index / window.outputWidth), index % window.outputWidth] as const);
const x = { rows: HEIGHT * WIDTH, columns: CHANNELS, data: image };

describe('sums over windows, against loops', () => {
  test('convolution', () => {
    const weights = bytes(OUTPUTS * 6 * CHANNELS, 2);
    const bias = [5, -70000, 2 ** 30];
    const expected = pixels.flatMap(([oy, ox]) => bias.map((start, output) => start + over(oy, ox, (ky, kx, y, across) => {
      let dot = 0;
      for (let channel = 0; channel < CHANNELS; channel += 1) dot += (pixel(y, across, channel) ?? 0) * (weights[((output * 2 + ky) * 3 + kx) * CHANNELS + channel] ?? 0);
      return dot;
    })));
    expect(runKernel(convolutionSums, [pixels.length, OUTPUTS], [x, { rows: OUTPUTS * 6, columns: CHANNELS, data: weights }, { rows: 1, columns: OUTPUTS, data: bias }], window)).toEqual(expected);
  });

  test('depthwise convolution', () => {
    const weights = bytes(6 * CHANNELS, 3);
    const bias = bytes(CHANNELS, 4);
    const expected = pixels.flatMap(([oy, ox]) => bias.map((start, channel) => start + over(oy, ox, (ky, kx, y, across) => (pixel(y, across, channel) ?? 0) * (weights[(ky * 3 + kx) * CHANNELS + channel] ?? 0))));
    expect(runKernel(depthwiseConvolutionSums, [pixels.length, CHANNELS], [x, { rows: 6, columns: CHANNELS, data: weights }, { rows: 1, columns: CHANNELS, data: bias }], window)).toEqual(expected);
  });

  test('sums of pixels, those outside left out', () => {
    const expected = pixels.flatMap(([oy, ox]) => Array.from({ length: CHANNELS }, (_, channel) => over(oy, ox, (_ky, _kx, y, across) => {
      const value = pixel(y, across, channel);
      return value === null ? 0 : value + 128;
    })));
    expect(runKernel(windowSums, [pixels.length, CHANNELS], [x], { ...window, xZero: -128 })).toEqual(expected);
  });
});

test('sums of sums wrap', () => {
  expect(runKernel(addSums, [1, 3], [{ rows: 1, columns: 3, data: [2 ** 31 - 1, -5, 7] }, { rows: 1, columns: 3, data: [1, -6, 0] }])).toEqual([-(2 ** 31), -11, 7]);
});

test('a table of pairs, with rows and columns repeated', () => {
  const table = { rows: 256, columns: 256, data: Array.from({ length: 65536 }, (_, index) => (((index >> 8) * 3 + (index & 255) * 5) % 256) - 128) };
  const value = (a: number, b: number): number => (((a + 128) * 3 + (b + 128) * 5) % 256) - 128;
  const a = [-128, 127, 0, -1, 5, 77];
  for (const { rows, columns, data } of [{ rows: 2, columns: 3, data: [1, 2, 3, 4, 5, 6] }, { rows: 1, columns: 3, data: [-128, 127, 0] }, { rows: 2, columns: 1, data: [-7, 7] }, { rows: 1, columns: 1, data: [9] }]) {
    const expected = a.map((left, index) => value(left, data[(rows === 1 ? 0 : Math.floor(index / 3)) * columns + (columns === 1 ? 0 : index % 3)] ?? 0));
    expect(runKernel(lookupPairs, [2, 3], [{ rows: 2, columns: 3, data: a }, { rows, columns, data }, table])).toEqual(expected);
  }
});
