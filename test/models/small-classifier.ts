import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { argmax } from '../../kernels/argmax.ts';
import { convolution } from '../../kernels/convolution.ts';
import { add, multiply } from '../../kernels/elementwise.ts';
import { reshape } from '../../kernels/layout.ts';
import { linear, linearSums } from '../../kernels/linear.ts';
import { lookup } from '../../kernels/lookup.ts';
import { patches } from '../../kernels/patches.ts';
import { averagePooling, maxPooling } from '../../kernels/pooling.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';
import { fromUnsigned } from '../../kernels/requantize.ts';

const CHANNELS = 40;
const CLASSES = 5;

const i8 = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });
const i32 = (rows: number, columns: number): TensorShape => ({ element: 'i32', rows, columns });

/** Numbers that depend on the seed alone: a linear congruential generator with the constants of Numerical Recipes. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const window = (input: number, output: number, kernel: number, stride: number, padding: number): Record<string, number> => ({
  inputHeight: input, inputWidth: input, outputWidth: output, kernelHeight: kernel, kernelWidth: kernel,
  strideY: stride, strideX: stride, dilationY: 1, dilationX: 1, padTop: padding, padLeft: padding,
});

/**
 * A small residual network with random weights, `classify(uint8[64]) → (int32)`: an 8 × 8 image through patches, a linear layer, pooling, a
 * direct convolution of 40 channels, a table, a residual sum, a gate, a mean and an arg-max. For tests that want a real program which runs in no time.
 */
export function smallClassifier(seed = 1): Model {
  const random = generator(seed);
  const weights = (count: number): Int8Array => Int8Array.from({ length: count }, () => random(255) - 127);
  const biases = (count: number): Int32Array => Int32Array.from({ length: count }, () => random(4001) - 2000);
  const scales = (count: number): Int32Array => Int32Array.from({ length: 2 * count }, (_, index) => (index < count ? 2 ** 30 + random(2 ** 29) : 39));
  const range = { low: -128, high: 127 };

  const builder = new ProgramBuilder({
    name: 'small-classifier',
    signature: 'classify(uint8[64])->(int32)',
    input: i8(1, 64),
    metadata: { input: { kind: 'tensor', type: 'uint8', shape: [64] }, output: { kind: 'class' }, seed },
  });
  const signed = builder.append('signed', { kernel: fromUnsigned, output: i8(1, 64), operands: [builder.input] });
  const image = builder.append('image', { kernel: reshape, output: i8(64, 1), operands: [signed] });
  const taps = builder.append('taps', { kernel: patches, output: i8(64, 9), operands: [image], parameters: { ...window(8, 8, 3, 1, 1), fill: -128 } });
  const first = builder.append('first', {
    kernel: linear,
    output: i8(64, CHANNELS),
    operands: [taps, builder.bytes(CHANNELS, 9, weights(CHANNELS * 9)), builder.integers(1, CHANNELS, biases(CHANNELS)), builder.integers(2, CHANNELS, scales(CHANNELS))],
    parameters: { zeroPoint: 0, ...range, low: 0 },
  });
  const pooled = builder.append('pooled', { kernel: maxPooling, output: i8(16, CHANNELS), operands: [first], parameters: window(8, 4, 2, 2, 0) });
  const second = builder.append('second', {
    kernel: convolution,
    output: i8(16, CHANNELS),
    operands: [
      pooled,
      builder.bytes(CHANNELS * 9, CHANNELS, weights(CHANNELS * 9 * CHANNELS)),
      builder.integers(1, CHANNELS, biases(CHANNELS)),
      builder.integers(2, CHANNELS, scales(CHANNELS)),
    ],
    parameters: { ...window(4, 4, 3, 1, 1), zeroPoint: 3, ...range },
  });
  const table = builder.bytes(1, 256, weights(256));
  const bent = builder.append('bent', { kernel: lookup, output: i8(16, CHANNELS), operands: [second, table] });
  const residual = builder.append('residual', {
    kernel: add,
    output: i8(16, CHANNELS),
    operands: [bent, pooled],
    parameters: { aZero: 5, bZero: 0, aMultiplier: 700_000, bMultiplier: 500_000, shift: 20, zeroPoint: -7, ...range },
  });
  const gate = builder.bytes(1, CHANNELS, weights(CHANNELS));
  const gated = builder.append('gated', {
    kernel: multiply,
    output: i8(16, CHANNELS),
    operands: [residual, gate],
    parameters: { aZero: -7, bZero: 0, multiplier: 2 ** 30 + 12345, shift: 36, zeroPoint: 0, ...range },
  });
  const mean = builder.append('mean', {
    kernel: averagePooling,
    output: i8(1, CHANNELS),
    operands: [gated],
    parameters: { ...window(4, 1, 4, 1, 0), countPadding: 0, xZero: 0, multiplier: 2 ** 30, shift: 35, zeroPoint: -1, ...range },
  });
  const logits = builder.append('logits', {
    kernel: linearSums,
    output: i32(1, CLASSES),
    operands: [mean, builder.bytes(CLASSES, CHANNELS, weights(CLASSES * CHANNELS)), builder.integers(1, CLASSES, biases(CLASSES))],
  });
  builder.append('class', { kernel: argmax, output: i32(1, 1), operands: [logits] });
  return builder.build();
}

/** An image for it. */
export function smallClassifierInput(seed = 1): Uint8Array {
  const random = generator(seed + 0x9e3779b9);
  return Uint8Array.from({ length: 64 }, () => random(256));
}
