import { convertAveragePool, convertConv, convertGlobalAveragePool, convertMaxPool } from './convert-image.ts';
import { convertAdd, convertBatchNormalization, convertClip, convertDiv, convertMul, convertRelu, convertSub, elementFunction } from './convert-elementwise.ts';
import { convertGemm, convertMatMul } from './convert-matrix.ts';
import { convertConstant, convertFlatten, convertIdentity, convertReshape, convertSoftmax, convertSqueeze, convertTranspose, convertUnsqueeze } from './convert-shape.ts';
import type { Conversion } from './conversion.ts';
import { float } from './attributes.ts';
import type { OnnxNode } from './graph.ts';

/** Adds what a node computes to the network. */
export type Convert = (conversion: Conversion, node: OnnxNode) => void;

/** The operators of the ONNX standard that are imported. */
export const OPERATORS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['Add', convertAdd],
  ['AveragePool', convertAveragePool],
  ['BatchNormalization', convertBatchNormalization],
  ['Clip', convertClip],
  ['Constant', convertConstant],
  ['Conv', convertConv],
  ['Div', convertDiv],
  ['Dropout', convertIdentity],
  ['Flatten', convertFlatten],
  ['Gemm', convertGemm],
  ['GlobalAveragePool', convertGlobalAveragePool],
  ['Identity', convertIdentity],
  ['LeakyRelu', elementFunction((node) => {
    const alpha = float(node, 'alpha', 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  })],
  ['MatMul', convertMatMul],
  ['MaxPool', convertMaxPool],
  ['Mul', convertMul],
  ['Relu', convertRelu],
  ['Reshape', convertReshape],
  ['Sigmoid', elementFunction(() => (x) => 1 / (1 + Math.exp(-x)))],
  ['Softmax', convertSoftmax],
  ['Squeeze', convertSqueeze],
  ['Sub', convertSub],
  ['Tanh', elementFunction(() => Math.tanh)],
  ['Transpose', convertTranspose],
  ['Unsqueeze', convertUnsqueeze],
]);
