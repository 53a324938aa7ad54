import { convertAveragePool, convertConv, convertConvTranspose, convertDepthToSpace, convertLpPool, convertMaxPool, convertSpaceToDepth, globalPool } from './convert-image.ts';
import { convertAttention, convertRotaryEmbedding } from './convert-attention.ts';
import { binary, convertBatchNormalization, convertCast, convertCastLike, convertClip, convertDiv, convertPRelu, convertPow, convertRelu, convertSub, convertWhere, elementFunctions, variadic } from './convert-elementwise.ts';
import { convertIf, convertLoop } from './convert-control.ts';
import { convertEinsum } from './convert-einsum.ts';
import { convertGridSample } from './convert-grid-sample.ts';
import { convertGemm, convertMatMul } from './convert-matrix.ts';
import { convertConcat, convertConstantOfShape, convertExpand, convertGather, convertPad, convertRange, convertShape, convertSize, convertSlice, convertSplit, convertTile, convertTrilu } from './convert-movement.ts';
import { convertRecurrent } from './convert-recurrent.ts';
import { convertResize } from './convert-resize.ts';
import { argument, convertCumSum, convertInstanceNormalization, convertLogSumExp, convertLpNormalization, convertMeanVariance, convertReduce, layerNormalization, softmax } from './convert-rows.ts';
import { convertConcatFromSequence, convertSequenceAt, convertSequenceConstruct, convertSequenceEmpty, convertSequenceInsert } from './convert-sequence.ts';
import { convertGatherElements, convertGatherNd, convertHardmax, convertMod, convertOneHot } from './convert-select.ts';
import { convertConstant, convertDropout, convertFlatten, convertIdentity, convertReshape, convertSqueeze, convertTranspose, convertUnsqueeze } from './convert-shape.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** Adds what a node computes to the network. */
export type Convert = (conversion: Conversion, node: OnnxNode) => void;

/** The operators of the ONNX standard that are imported. */
export const OPERATORS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ...elementFunctions,
  ['Add', binary('add')],
  ['And', binary('and')],
  ['ArgMax', argument(false)],
  ['ArgMin', argument(true)],
  ['Attention', convertAttention],
  ['AveragePool', convertAveragePool],
  ['BatchNormalization', convertBatchNormalization],
  ['Cast', convertCast],
  ['CastLike', convertCastLike],
  ['Clip', convertClip],
  ['Concat', convertConcat],
  ['ConcatFromSequence', convertConcatFromSequence],
  ['Constant', convertConstant],
  ['ConstantOfShape', convertConstantOfShape],
  ['Conv', convertConv],
  ['ConvTranspose', convertConvTranspose],
  ['CumSum', convertCumSum],
  ['DepthToSpace', convertDepthToSpace],
  ['Div', convertDiv],
  ['Dropout', convertDropout],
  ['Einsum', convertEinsum],
  ['Equal', binary('equal')],
  ['Expand', convertExpand],
  ['Flatten', convertFlatten],
  ['Gather', convertGather],
  ['GatherElements', convertGatherElements],
  ['GatherND', convertGatherNd],
  ['Gemm', convertGemm],
  ['GlobalAveragePool', globalPool('average')],
  ['GlobalLpPool', convertLpPool],
  ['GlobalMaxPool', globalPool('maximum')],
  ['Greater', binary('less', true)],
  ['GreaterOrEqual', binary('less-or-equal', true)],
  ['GridSample', convertGridSample],
  ['GroupNormalization', convertInstanceNormalization],
  ['GRU', convertRecurrent],
  ['Hardmax', convertHardmax],
  ['Identity', convertIdentity],
  ['If', convertIf],
  ['InstanceNormalization', convertInstanceNormalization],
  ['LayerNormalization', layerNormalization(true)],
  ['Less', binary('less')],
  ['LessOrEqual', binary('less-or-equal')],
  ['LogSoftmax', softmax(true)],
  ['Loop', convertLoop],
  ['LpNormalization', convertLpNormalization],
  ['LpPool', convertLpPool],
  ['LSTM', convertRecurrent],
  ['MatMul', convertMatMul],
  ['Max', variadic('maximum')],
  ['MaxPool', convertMaxPool],
  ['Mean', variadic('add', true)],
  ['MeanVarianceNormalization', convertMeanVariance],
  ['Min', variadic('minimum')],
  ['Mod', convertMod],
  ['Mul', binary('multiply')],
  ['OneHot', convertOneHot],
  ['Or', binary('or')],
  ['Pad', convertPad],
  ['Pow', convertPow],
  ['PRelu', convertPRelu],
  ['Range', convertRange],
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceSum', 'ReduceSumSquare'].map((operator): [string, Convert] => [operator, convertReduce]),
  ['ReduceLogSumExp', convertLogSumExp],
  ['Relu', convertRelu],
  ['Reshape', convertReshape],
  ['Resize', convertResize],
  ['RMSNormalization', layerNormalization(false)],
  ['RNN', convertRecurrent],
  ['RotaryEmbedding', convertRotaryEmbedding],
  ['SequenceAt', convertSequenceAt],
  ['SequenceConstruct', convertSequenceConstruct],
  ['SequenceEmpty', convertSequenceEmpty],
  ['SequenceInsert', convertSequenceInsert],
  ['Shape', convertShape],
  ['Size', convertSize],
  ['Slice', convertSlice],
  ['Softmax', softmax(false)],
  ['SpaceToDepth', convertSpaceToDepth],
  ['Split', convertSplit],
  ['Squeeze', convertSqueeze],
  ['Sub', convertSub],
  ['Sum', variadic('add')],
  ['Tile', convertTile],
  ['Transpose', convertTranspose],
  ['Trilu', convertTrilu],
  ['Unsqueeze', convertUnsqueeze],
  ['Upsample', convertResize],
  ['Where', convertWhere],
  ['Xor', binary('xor')],
]);
