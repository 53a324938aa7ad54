import { Random } from '../../deterministic-runtime/language/testing/random.ts';
import type { TestModel, TestOption, TestTensor } from '../../kernels/import/testing/tflite-file.ts';

/* Models of one operator each, for comparing every operator that is imported with TensorFlow Lite's own runtime. */

type Bytes = 'int8' | 'uint8';
type Options = readonly [number, readonly TestOption[]];

const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
const random = new Random(1);
/** Whole numbers from `least` to `greatest`, always the same ones. */
const next = (least: number, greatest: number): number => random.integer(least, greatest);

/** A computed tensor; zero points are those of int8. */
const tensor = (type: Bytes | 'int16', dims: readonly number[], scale = 0.05, zero = 3): TestTensor =>
  ({ type, dims, scales: [scale], zeroPoints: [type === 'uint8' ? zero + 128 : type === 'int16' ? 0 : zero] });
const integers = (values: readonly number[], dims: readonly number[] = [values.length]): TestTensor => ({ type: 'int32', dims, data: values });
const weights = (dims: readonly number[], axis: number): TestTensor => {
  const channels = dims[axis] ?? 1;
  return { type: 'int8', dims, axis, scales: Array.from({ length: channels }, () => 0.001 + next(0, 100) / 10_000), data: Array.from({ length: size(dims) }, () => next(-127, 127)) };
};
const biases = (count: number, type: 'int32' | 'int64' = 'int32'): TestTensor => ({ type, dims: [count], scales: new Array<number>(count).fill(1e-4), data: Array.from({ length: count }, () => next(-3000, 3000)) });

/** One operator: its inputs in order (constants among them), its outputs. */
function one(operator: string, inputs: readonly (TestTensor | null)[], outputs: readonly TestTensor[], options?: Options): TestModel {
  const given = inputs.filter((input) => input !== null);
  const at = (index: number): number => inputs.slice(0, index).filter((input) => input !== null).length;
  return {
    tensors: [...given, ...outputs],
    operators: [{ operator, inputs: inputs.map((input, index) => (input === null ? -1 : at(index))), outputs: outputs.map((_, index) => given.length + index), ...(options === undefined ? {} : { options }) }],
    inputs: given.flatMap(({ data }, index) => (data === undefined ? [index] : [])),
    outputs: outputs.map((_, index) => given.length + index),
  };
}

const convolution = (batch: number, channels: number, outputs: number, kernel: number, stride: number, dilation: number, padding: number, groups = 1): TestModel => {
  const side = padding === 0 ? Math.ceil(9 / stride) : Math.floor((9 - ((kernel - 1) * dilation + 1)) / stride) + 1;
  return one('CONV_2D', [tensor('int8', [batch, 9, 9, channels], 0.05, -3), weights([outputs, kernel, kernel, channels / groups], 0), biases(outputs)], [tensor('int8', [batch, side, side, outputs], 0.1, 5)],
    [1, [['int8', padding], ['int32', stride], ['int32', stride], ['int8', 3], ['int32', dilation], ['int32', dilation]]]);
};
const depthwise = (multiplier: number, stride: number): TestModel =>
  one('DEPTHWISE_CONV_2D', [tensor('int8', [1, 8, 8, 5]), weights([1, 3, 3, 5 * multiplier], 3), biases(5 * multiplier)], [tensor('int8', [1, 8 / stride, 8 / stride, 5 * multiplier], 0.1, 5)],
    [2, [['int8', 0], ['int32', stride], ['int32', stride], ['int32', multiplier], ['int8', 1]]]);
const transposedConvolution = (stride: number, padding: number, kernel: number): TestModel => {
  const side = padding === 0 ? 5 * stride : 4 * stride + kernel;
  return one('TRANSPOSE_CONV', [integers([1, side, side, 4]), weights([4, kernel, kernel, 6], 0), tensor('int8', [1, 5, 5, 6]), biases(4)], [tensor('int8', [1, side, side, 4], 0.1, 5)],
    [49, [['int8', padding], ['int32', stride], ['int32', stride]]]);
};
const pooling = (operator: string, type: Bytes, padding: number, activation: number): TestModel => {
  const side = padding === 0 ? 5 : 4;
  return one(operator, [tensor(type, [1, 9, 9, 3])], [tensor(type, [1, side, side, 3])], [5, [['int8', padding], ['int32', 2], ['int32', 2], ['int32', 3], ['int32', 2], ['int8', activation]]]);
};
const fullyConnected = (bias: boolean): TestModel =>
  one('FULLY_CONNECTED', [tensor('int8', [3, 37]), { ...weights([11, 37], 0), scales: [0.01], axis: 0 }, bias ? { ...biases(11), scales: [0.0005] } : null], [tensor('int8', [3, 11], 0.1, 5)], [8, [['int8', 1]]]);
const pair = (operator: string, union: number, type: Bytes | 'int16', other: readonly number[], scale: number, activation = 0): TestModel =>
  one(operator, [tensor(type, [3, 20, 11], 0.05, -3), tensor(type, other, 0.021, 7)], [tensor(type, [3, 20, 11], scale, 1)], [union, [['int8', activation]]]);
const alike = (operator: string, other: readonly number[]): TestModel => one(operator, [tensor('int8', [3, 20, 11]), tensor('int8', other)], [tensor('int8', [3, 20, 11])], [39, []]);
const unary = (operator: string, type: Bytes | 'int16', scale: number, zero: number, options?: Options): TestModel => one(operator, [tensor(type, [8, 64])], [tensor(type, [8, 64], scale, zero)], options);
const moved = (operator: string, union: number, options: readonly TestOption[], from: readonly number[], to: readonly number[], ...constants: readonly TestTensor[]): [string, TestModel][] =>
  (['int8', 'uint8'] as const).map((type) => [`${operator} ${type}`, one(operator, [tensor(type, from), ...constants], [tensor(type, to)], [union, options])]);
const reduced = (operator: string, axes: readonly number[], to: readonly number[], same = true): TestModel =>
  one(operator, [tensor('int8', [2, 4, 5, 6]), integers(axes)], [tensor('int8', to, same ? 0.05 : 0.031, same ? 3 : -11)], [27, [['int8', 1]]]);
const compared = (operator: string, union: number, same: boolean): TestModel =>
  one(operator, [tensor('int8', [4, 50]), tensor('int8', [50], 0.05, same ? 3 : -9)], [{ type: 'bool', dims: [4, 50] }], [union, []]);
const matrices = (transposed: boolean): TestModel =>
  one('BATCH_MATMUL', [tensor('int8', [2, 3, 20]), tensor('int8', transposed ? [2, 7, 20] : [2, 20, 7], 0.02, -7)], [tensor('int8', [2, 3, 7], 0.1, 2)], [101, [['int8', 0], ['int8', transposed ? 1 : 0]]]);
const resized = (operator: string, union: number, aligned: number, half: number, side: number): [string, TestModel][] =>
  moved(operator, union, union === 74 ? [['int8', aligned], ['int8', half]] : [null, null, ['int8', aligned], ['int8', half]], [1, 5, 7, 3], [1, side, side, 3], integers([side, side]));

/** Where the greatest elements stand chooses entries of a table along an axis. */
const chosen = (axis: number, table: readonly number[], to: readonly number[]): TestModel => ({
  tensors: [
    tensor('int8', [4, 9]), integers([1], []), { type: 'int32', dims: [4] },
    { ...tensor('int8', table), data: Array.from({ length: size(table) }, () => next(-128, 127)) }, tensor('int8', to),
  ],
  operators: [{ operator: 'ARG_MAX', inputs: [0, 1], outputs: [2], options: [40, [['int8', 2]]] }, { operator: 'GATHER', inputs: [3, 2], outputs: [4], options: [23, [['int32', axis]]] }],
  inputs: [0],
  outputs: [4],
});

/** The models, by what is special about them. */
export const OPERATOR_MODELS: readonly (readonly [string, TestModel])[] = [
  ['CONV_2D', convolution(1, 5, 7, 3, 1, 1, 0)], ['CONV_2D stride 2, 40 channels', convolution(1, 40, 9, 3, 2, 1, 1)], ['CONV_2D dilated', convolution(1, 34, 3, 3, 1, 2, 0)],
  ['CONV_2D 1×1', convolution(1, 8, 5, 1, 1, 1, 0)], ['CONV_2D of two images', convolution(2, 8, 5, 3, 2, 1, 0)],
  ['CONV_2D int16', one('CONV_2D', [tensor('int16', [1, 9, 9, 5], 0.001), weights([7, 3, 3, 5], 0), biases(7, 'int64')], [tensor('int16', [1, 9, 9, 7], 0.003)], [1, [['int8', 0], ['int32', 1], ['int32', 1], ['int8', 1]]])],
  ['DEPTHWISE_CONV_2D', depthwise(1, 1)], ['DEPTHWISE_CONV_2D multiplier 3', depthwise(3, 2)], ['FULLY_CONNECTED', fullyConnected(true)], ['FULLY_CONNECTED without bias', fullyConnected(false)],
  ['TRANSPOSE_CONV', transposedConvolution(2, 0, 3)], ['TRANSPOSE_CONV valid', transposedConvolution(3, 1, 2)], ['BATCH_MATMUL', matrices(false)], ['BATCH_MATMUL transposed', matrices(true)],
  ['AVERAGE_POOL_2D', pooling('AVERAGE_POOL_2D', 'int8', 0, 0)], ['AVERAGE_POOL_2D uint8', pooling('AVERAGE_POOL_2D', 'uint8', 0, 3)], ['MAX_POOL_2D', pooling('MAX_POOL_2D', 'int8', 1, 1)],
  ...([['ADD', 11, 0.06], ['SUB', 28, 0.06], ['MUL', 21, 0.02]] as const).flatMap(([operator, union, scale]): (readonly [string, TestModel])[] => [
    [operator, pair(operator, union, 'int8', [3, 20, 11], scale)], [`${operator} cut`, pair(operator, union, 'int8', [3, 20, 11], scale, 1)], [`${operator} broadcast`, pair(operator, union, 'int8', [20, 1], scale)],
    [`${operator} uint8`, pair(operator, union, 'uint8', [3, 20, 11], scale)], [`${operator} int16`, pair(operator, union, 'int16', [3, 20, 11], operator === 'MUL' ? 40 : scale)],
  ]),
  ['MAXIMUM', alike('MAXIMUM', [20, 1])], ['MINIMUM', alike('MINIMUM', [11])],
  ...(['int8', 'uint8'] as const).flatMap((type): [string, TestModel][] => [
    [`LOGISTIC ${type}`, unary('LOGISTIC', type, 1 / 256, -128)], [`TANH ${type}`, unary('TANH', type, 1 / 128, 0)], [`HARD_SWISH ${type}`, unary('HARD_SWISH', type, 0.04, -110)],
    [`LEAKY_RELU ${type}`, unary('LEAKY_RELU', type, 0.045, 6, [75, [['float32', 0.2]]])],
  ]),
  ['LEAKY_RELU int16', unary('LEAKY_RELU', 'int16', 0.045, 0, [75, [['float32', 0.2]]])], ['ELU', unary('ELU', 'int8', 0.055, -10)], ['ABS', unary('ABS', 'int8', 0.055, -128)],
  ['RELU', unary('RELU', 'int8', 0.035, -120)], ['RELU same scale', unary('RELU', 'int8', 0.05, 3)], ['RELU6', unary('RELU6', 'int8', 6 / 255, -128)], ['RELU_N1_TO_1', unary('RELU_N1_TO_1', 'int8', 0.01, 0)],
  ['QUANTIZE', unary('QUANTIZE', 'int8', 0.068, -12, [89, []])], ['QUANTIZE finer', unary('QUANTIZE', 'int8', 0.021, -12, [89, []])],
  ['QUANTIZE int16 to int8', one('QUANTIZE', [tensor('int16', [8, 64], 0.0005)], [tensor('int8', [8, 64], 0.07, 4)], [89, []])],
  ['QUANTIZE uint8 to int8', one('QUANTIZE', [tensor('uint8', [8, 64])], [tensor('int8', [8, 64], 0.07, 11)], [89, []])],
  ['PRELU', one('PRELU', [tensor('int8', [1, 6, 7, 5]), { type: 'int8', dims: [1, 1, 5], scales: [0.002], data: [-120, 30, 99, 5, 127] }], [tensor('int8', [1, 6, 7, 5], 0.06, 2)])],
  ['SOFTMAX', one('SOFTMAX', [tensor('int8', [5, 40], 0.2)], [tensor('int8', [5, 40], 1 / 256, -128)], [9, [['float32', 1]]])],
  ['SOFTMAX uint8', one('SOFTMAX', [tensor('uint8', [5, 40], 0.1)], [tensor('uint8', [5, 40], 1 / 256, -128)], [9, [['float32', 1]]])],
  ['SOFTMAX int16', one('SOFTMAX', [tensor('int16', [5, 40], 0.0005)], [tensor('int16', [5, 40], 1 / 32768)], [9, [['float32', 1]]])],
  ['SOFTMAX int16, one scale in 1000', one('SOFTMAX', [tensor('int16', [5, 7], 0.00003)], [tensor('int16', [5, 7], 1 / 32768)], [9, [['float32', 1]]])],
  ...[0.02, 0.1, 0.3].map((scale): [string, TestModel] => [`LOG_SOFTMAX ${scale}`, one('LOG_SOFTMAX', [tensor('int8', [5, 40], scale)], [tensor('int8', [5, 40], 1 / 16, 127)], [36, []])]),
  ...(['LOGISTIC', 'TANH'] as const).flatMap((operator) => [1 / 4096, 1 / 2048, 0.0003, 0.00007].map((scale): [string, TestModel] => [`${operator} int16 ${scale}`, one(operator, [tensor('int16', [16, 64], scale)], [tensor('int16', [16, 64], 1 / 32768)])])),
  ['MEAN of pixels', reduced('MEAN', [1, 2], [2, 1, 1, 6])], ['MEAN of pixels, another scale', reduced('MEAN', [1, 2], [2, 1, 1, 6], false)],
  ['REDUCE_MAX', reduced('REDUCE_MAX', [2, 3], [2, 4, 1, 1])], ['REDUCE_MIN', reduced('REDUCE_MIN', [1], [2, 1, 5, 6])],
  ...([['EQUAL', 53], ['NOT_EQUAL', 54], ['LESS', 41], ['LESS_EQUAL', 46], ['GREATER', 44], ['GREATER_EQUAL', 45]] as const).flatMap(([operator, union]): [string, TestModel][] =>
    [[operator, compared(operator, union, true)], [`${operator}, another zero point`, compared(operator, union, false)]]),
  ...([['ARG_MAX', 40], ['ARG_MIN', 57]] as const).map(([operator, union]): [string, TestModel] => [operator, one(operator, [tensor('int8', [3, 4, 9]), integers([1], [])], [{ type: 'int32', dims: [3, 9] }], [union, [['int8', 2]]])]),
  ...moved('TRANSPOSE', 26, [], [2, 3, 4, 5], [5, 2, 4, 3], integers([3, 0, 2, 1])), ...moved('PAD', 22, [], [1, 3, 4, 5], [1, 6, 5, 7], integers([0, 0, 1, 2, 1, 0, 2, 0], [4, 2])),
  ...moved('MIRROR_PAD', 77, [['int8', 0]], [1, 3, 4, 5], [1, 6, 5, 9], integers([0, 0, 1, 2, 1, 0, 2, 2], [4, 2])), ...moved('MIRROR_PAD', 77, [['int8', 1]], [1, 3, 4, 5], [1, 6, 5, 9], integers([0, 0, 1, 2, 1, 0, 2, 2], [4, 2])),
  ...moved('STRIDED_SLICE', 32, [['int32', 5], ['int32', 2], null, null, ['int32', 4]], [2, 6, 7], [2, 3], integers([0, 1, 3]), integers([2, 6, 4]), integers([1, 2, 1])),
  ...moved('STRIDED_SLICE', 32, [null, ['int32', 4]], [2, 6, 7], [2, 6, 7], integers([0, 0, -1]), integers([2, 6, 0]), integers([1, 1, -1])),
  ...moved('SLICE', 48, [], [2, 6, 7], [1, 6, 3], integers([1, 0, 2]), integers([1, -1, 3])), ...moved('GATHER', 23, [['int32', 2]], [2, 6, 7], [2, 6, 2, 2], integers([5, 0, 0, 3], [2, 2])),
  ['GATHER computed', chosen(0, [9, 5], [4, 5])], ['GATHER computed, axis 1', chosen(1, [2, 9, 3], [2, 4, 3])], ['GATHER computed, last axis', chosen(2, [3, 2, 9], [3, 2, 4])],
  ...moved('TILE', 51, [], [2, 3, 4], [4, 3, 12], integers([2, 1, 3])), ...moved('REVERSE_V2', 81, [], [2, 6, 7], [2, 6, 7], integers([1])),
  ...moved('SPACE_TO_DEPTH', 19, [['int32', 2]], [1, 4, 6, 3], [1, 2, 3, 12]), ...moved('DEPTH_TO_SPACE', 94, [['int32', 2]], [1, 2, 3, 12], [1, 4, 6, 3]),
  ...moved('SPACE_TO_BATCH_ND', 25, [], [1, 4, 6, 3], [4, 3, 3, 3], integers([2, 2]), integers([1, 1, 0, 0], [2, 2])), ...moved('BATCH_TO_SPACE_ND', 24, [], [4, 3, 3, 3], [1, 4, 6, 3], integers([2, 2]), integers([1, 1, 0, 0], [2, 2])),
  ...([[0, 0], [1, 0], [0, 1]] as const).flatMap(([aligned, half]) => [9, 3].flatMap((side) => [...resized('RESIZE_NEAREST_NEIGHBOR', 74, aligned, half, side), ...resized('RESIZE_BILINEAR', 15, aligned, half, side)])),
  ['CONCATENATION', one('CONCATENATION', [tensor('int8', [2, 3, 4]), tensor('int8', [2, 1, 4]), tensor('int8', [2, 5, 4])], [tensor('int8', [2, 9, 4])], [10, [['int32', 1]]])],
  ['PACK', one('PACK', [tensor('int8', [2, 4]), tensor('int8', [2, 4])], [tensor('int8', [2, 2, 4])], [59, [['int32', 2], ['int32', 1]]])],
  ['UNPACK', one('UNPACK', [tensor('int8', [2, 3, 4])], [0, 1, 2].map(() => tensor('int8', [2, 4])), [64, [['int32', 3], ['int32', 1]]])],
  ['SPLIT', one('SPLIT', [integers([2], []), tensor('int8', [2, 3, 6])], [0, 1, 2].map(() => tensor('int8', [2, 3, 2])), [35, [['int32', 3]]])],
  ['SPLIT_V', one('SPLIT_V', [tensor('int8', [2, 3, 6]), integers([2, 4]), integers([2], [])], [tensor('int8', [2, 3, 2]), tensor('int8', [2, 3, 4])], [79, [['int32', 2]]])],
];
