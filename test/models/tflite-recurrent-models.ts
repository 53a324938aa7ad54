import { Random } from '../../deterministic-runtime/language/testing/random.ts';
import type { TestModel, TestTensor } from '../../kernels/import/testing/tflite-file.ts';

/* Models of operators that keep a state. */

const random = new Random(5);
const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
const constant = (type: 'int8' | 'int16' | 'int32', dims: readonly number[], most: number, scale: number): TestTensor =>
  ({ type, dims, scales: [scale], data: Array.from({ length: size(dims) }, () => random.integer(-most, most)) });

/** An LSTM of int8 over a sequence. */
export function lstmModel({ timeMajor, batch, steps, inputs, hidden, cellPower, clip, zeroPoint }: { readonly timeMajor: boolean; readonly batch: number; readonly steps: number; readonly inputs: number; readonly hidden: number; readonly cellPower: number; readonly clip: number; readonly zeroPoint: number }): TestModel {
  const shape = (columns: number): number[] => (timeMajor ? [steps, batch, columns] : [batch, steps, columns]);
  const output = { type: 'int8', scales: [1 / 120], zeroPoints: [zeroPoint] } as const;
  const tensors: TestTensor[] = [
    { type: 'int8', dims: shape(inputs), scales: [0.03], zeroPoints: [-7] },
    ...[0, 1, 2, 3].map(() => constant('int8', [hidden, inputs], 127, 0.008)),
    ...[0, 1, 2, 3].map(() => constant('int8', [hidden, hidden], 127, 0.01)),
    ...[0, 1, 2, 3].map(() => constant('int32', [hidden], 4000, 0.008 * 0.03)),
    { ...output, dims: [batch, hidden], variable: true },
    { type: 'int16', dims: [batch, hidden], scales: [2 ** cellPower], zeroPoints: [0], variable: true },
    { ...output, dims: shape(hidden) },
    ...[0, 1, 2, 3].map((): TestTensor => ({ type: 'int16', dims: [], scales: [2 ** -12] })),
    { type: 'int8', dims: [], scales: output.scales, zeroPoints: output.zeroPoints },
  ];
  const none = (count: number): number[] => new Array<number>(count).fill(-1);
  return {
    tensors,
    operators: [{
      operator: 'UNIDIRECTIONAL_SEQUENCE_LSTM', inputs: [0, 1, 2, 3, 4, 5, 6, 7, 8, ...none(3), 9, 10, 11, 12, ...none(2), 13, 14, ...none(4)], outputs: [15], intermediates: [16, 17, 18, 19, 20],
      options: [71, [['int8', 4], ['float32', clip], null, ['int8', timeMajor ? 1 : 0]]],
    }],
    inputs: [0],
    outputs: [15],
  };
}

/** Filters over time, of int8. */
export const svdfModel = ({ batch, inputs, units, rank, memory }: { readonly batch: number; readonly inputs: number; readonly units: number; readonly rank: number; readonly memory: number }): TestModel => ({
  tensors: [
    { type: 'int8', dims: [batch, inputs], scales: [0.05], zeroPoints: [-4] }, constant('int8', [units * rank, inputs], 127, 0.004), constant('int16', [units * rank, memory], 20_000, 0.00005),
    constant('int32', [units], 20_000, 1e-6), { type: 'int16', dims: [batch, units * rank * memory], scales: [0.0005], variable: true }, { type: 'int8', dims: [batch, units], scales: [0.08], zeroPoints: [-128] },
  ],
  operators: [{ operator: 'SVDF', inputs: [0, 1, 2, 3, 4], outputs: [5], options: [6, [['int32', rank], ['int8', 1]]] }],
  inputs: [0],
  outputs: [5],
});
