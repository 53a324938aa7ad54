import type { Conversion } from './conversion.ts';
import { convertFunction, convertHardSwish, convertLeakyRelu, convertParametricRelu, convertQuantize, convertRelu } from './convert-activation.ts';
import { convertAdd, convertComparison, convertExtreme, convertMultiply, convertSelect } from './convert-elementwise.ts';
import { convertConvolution, convertDepthwise, convertFullyConnected, convertTransposedConvolution } from './convert-matrix.ts';
import {
  convertBatchToSpace, convertBroadcast, convertConcatenation, convertGather, convertMirrorPad, convertPack, convertPad, convertReshape, convertReverse, convertSlice, convertSpaceDepth,
  convertSpaceToBatch, convertSplit, convertSplitSizes, convertStridedSlice, convertTile, convertTranspose, convertUnpack,
} from './convert-movement.ts';
import { convertPooling } from './convert-pooling.ts';
import { convertLstm, convertSvdf } from './convert-recurrent.ts';
import { convertArgument, convertBatchProduct, convertReduceExtreme, convertSum } from './convert-reduction.ts';
import { convertBilinear, convertNearest } from './convert-resize.ts';
import { convertLogSoftmax, convertSoftmax } from './convert-softmax.ts';
import type { TfliteOperator } from './decode.ts';

/** Adds what an operator computes to the network. */
export type Convert = (conversion: Conversion, operator: TfliteOperator) => void;

/** The operators of TensorFlow Lite that are imported. */
export const OPERATORS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['ABS', convertFunction(Math.abs)],
  ['ADD', convertAdd(false)],
  ['ARG_MAX', convertArgument('maximum')],
  ['ARG_MIN', convertArgument('minimum')],
  ['AVERAGE_POOL_2D', convertPooling('average')],
  ['BATCH_MATMUL', convertBatchProduct],
  ['BATCH_TO_SPACE_ND', convertBatchToSpace],
  ['BROADCAST_TO', convertBroadcast],
  ['CONCATENATION', convertConcatenation],
  ['CONV_2D', convertConvolution],
  ['DEPTHWISE_CONV_2D', convertDepthwise],
  ['DEPTH_TO_SPACE', convertSpaceDepth(false)],
  ['ELU', convertFunction((x) => (x < 0 ? Math.expm1(x) : x))],
  ['EQUAL', convertComparison('EQUAL')],
  ['EXP', convertFunction(Math.exp)],
  ['EXPAND_DIMS', convertReshape],
  ['FULLY_CONNECTED', convertFullyConnected],
  ['GATHER', convertGather],
  ['GREATER', convertComparison('GREATER')],
  ['GREATER_EQUAL', convertComparison('GREATER_EQUAL')],
  ['HARD_SWISH', convertHardSwish],
  ['LEAKY_RELU', convertLeakyRelu],
  ['LESS', convertComparison('LESS')],
  ['LESS_EQUAL', convertComparison('LESS_EQUAL')],
  ['LOGISTIC', convertFunction((x) => 1 / (1 + Math.exp(-x)), 'logistic')],
  ['LOG_SOFTMAX', convertLogSoftmax],
  ['MAXIMUM', convertExtreme('maximum')],
  ['MAX_POOL_2D', convertPooling('maximum')],
  ['MEAN', convertSum(true)],
  ['MINIMUM', convertExtreme('minimum')],
  ['MIRROR_PAD', convertMirrorPad],
  ['MUL', convertMultiply],
  ['NOT_EQUAL', convertComparison('NOT_EQUAL')],
  ['PACK', convertPack],
  ['PAD', convertPad],
  ['PADV2', convertPad],
  ['PRELU', convertParametricRelu],
  ['QUANTIZE', convertQuantize],
  ['REDUCE_MAX', convertReduceExtreme('maximum')],
  ['REDUCE_MIN', convertReduceExtreme('minimum')],
  ['RELU', convertRelu(1)],
  ['RELU6', convertRelu(3)],
  ['RELU_N1_TO_1', convertRelu(2)],
  ['RESHAPE', convertReshape],
  ['RESIZE_BILINEAR', convertBilinear],
  ['RESIZE_NEAREST_NEIGHBOR', convertNearest],
  ['REVERSE_V2', convertReverse],
  ['SELECT', convertSelect],
  ['SELECT_V2', convertSelect],
  ['SLICE', convertSlice],
  ['SOFTMAX', convertSoftmax],
  ['SPACE_TO_BATCH_ND', convertSpaceToBatch],
  ['SPACE_TO_DEPTH', convertSpaceDepth(true)],
  ['SPLIT', convertSplit],
  ['SPLIT_V', convertSplitSizes],
  ['SQUEEZE', convertReshape],
  ['STRIDED_SLICE', convertStridedSlice],
  ['SUB', convertAdd(true)],
  ['SUM', convertSum(false)],
  ['SVDF', convertSvdf],
  ['TANH', convertFunction(Math.tanh, 'tanh')],
  ['TILE', convertTile],
  ['TRANSPOSE', convertTranspose],
  ['TRANSPOSE_CONV', convertTransposedConvolution],
  ['UNIDIRECTIONAL_SEQUENCE_LSTM', convertLstm],
  ['UNPACK', convertUnpack],
]);
