import type { Model } from '../../deterministic-runtime/program/program.ts';
import { argmax } from '../../kernels/argmax.ts';
import { linearSums } from '../../kernels/linear.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';
import { fromUnsigned } from '../../kernels/requantize.ts';

const PIXELS = 64;
const CLASSES = 10;

/** One linear layer and an arg-max, `classify(uint8[64]) → (int32)`: some hundred steps, so that a dispute takes three levels and no time. */
export function tinyModel(seed = 1): Model {
  const builder = new ProgramBuilder({
    name: `tiny-${seed}`,
    signature: 'classify(uint8[64])->(int32)',
    input: { element: 'i8', rows: 1, columns: PIXELS },
    metadata: { input: { kind: 'tensor', type: 'uint8', shape: [PIXELS] }, output: { kind: 'class' }, seed },
  });
  const weights = Int8Array.from({ length: CLASSES * PIXELS }, (_, index) => ((index * 97 + seed * 131) % 255) - 127);
  const biases = Int32Array.from({ length: CLASSES }, (_, index) => index * 100);
  const signed = builder.append('signed', { kernel: fromUnsigned, output: { element: 'i8', rows: 1, columns: PIXELS }, operands: [builder.input] });
  const logits = builder.append('logits', {
    kernel: linearSums,
    output: { element: 'i32', rows: 1, columns: CLASSES },
    operands: [signed, builder.bytes(CLASSES, PIXELS, weights), builder.integers(1, CLASSES, biases)],
  });
  builder.append('class', { kernel: argmax, output: { element: 'i32', rows: 1, columns: 1 }, operands: [logits] });
  return builder.build();
}
