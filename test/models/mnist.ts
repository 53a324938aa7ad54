import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import type { ImportedModel } from '../../kernels/import/onnx/import.ts';

const PIXELS = 28 * 28;

/** How many of the test digits quantisation is calibrated on: the first ones, since the training digits are not at hand. */
export const CALIBRATION_DIGITS = 128;

/** Handwritten digits as the MNIST CNN takes them. */
export interface Digits {
  readonly count: number;
  /** Pixels 0 … 255, row by row. */
  image(index: number): Uint8Array;
  label(index: number): number;
}

/** The 10,000 MNIST test digits. @throws Error when the files are not of the IDX format. */
export function readDigits(folder: string): Digits {
  const images = gunzipSync(readFileSync(join(folder, 'data/t10k-images-idx3-ubyte.gz')));
  const labels = gunzipSync(readFileSync(join(folder, 'data/t10k-labels-idx1-ubyte.gz')));
  const count = images.readUInt32BE(4);
  if (images.readUInt32BE(0) !== 0x803 || labels.readUInt32BE(0) !== 0x801 || images.length !== 16 + count * PIXELS || labels.length !== 8 + count) {
    throw new Error('the MNIST files are not of the IDX format');
  }
  return {
    count,
    image: (index) => new Uint8Array(images.subarray(16 + index * PIXELS, 16 + (index + 1) * PIXELS)),
    label: (index) => labels[8 + index] ?? -1,
  };
}

/** The MNIST CNN's file, as the ONNX model zoo has it. */
export const readMnistFile = (folder: string): Uint8Array => new Uint8Array(readFileSync(join(folder, 'onnx/mnist-conv/model.onnx')));

/** The first digits, one after another, as calibration data. */
export const calibrationDigits = (digits: Digits): Float32Array =>
  Float32Array.from(Array.from({ length: CALIBRATION_DIGITS }, (_, index) => [...digits.image(index)]).flat());

/** The MNIST CNN, imported with the first digits as calibration data. */
export const importMnist = (folder: string, digits: Digits, classify = false): ImportedModel =>
  importOnnx(readMnistFile(folder), { calibration: calibrationDigits(digits), classify, name: 'mnist' });
