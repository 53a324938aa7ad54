import { packTensor } from '../deterministic-runtime/program/tensor.ts';
import { linear } from '../kernels/linear.ts';
import { ProgramBuilder } from '../kernels/program-builder.ts';
import { Random } from '../fraud-proof/machine/testing/random.ts';
import type { Contestant } from '../test/disputes/random-matches.ts';

const WIDTH = 4096;
const LAYERS = 16;

/** Sixteen fully connected layers, 4,096 wide, that share random weights: a model whose inference takes milliseconds, while its input is still small. */
export function linearLayers(): Contestant {
  const random = new Random(1);
  const shape = { element: 'i8', rows: 1, columns: WIDTH } as const;
  const builder = new ProgramBuilder({ name: 'linear-layers', signature: `infer(int8[${WIDTH}])->(int8[${WIDTH}])`, input: shape, metadata: {} });
  const weights = builder.bytes(WIDTH, WIDTH, random.bytes(WIDTH * WIDTH));
  const bias = builder.integers(1, WIDTH, new Int32Array(WIDTH));
  const scale = builder.integers(2, WIDTH, new Int32Array(2 * WIDTH).fill(2 ** 30, 0, WIDTH).fill(42, WIDTH));
  let values = builder.input;
  for (let layer = 0; layer < LAYERS; layer += 1) {
    values = builder.append(`layer ${layer}`, { kernel: linear, output: shape, operands: [values, weights, bias, scale], parameters: { zeroPoint: 0, low: -128, high: 127 } });
  }
  return { name: 'linear-layers', model: builder.build(), input: (index) => packTensor(shape, new Random(index).bytes(WIDTH)) };
}
