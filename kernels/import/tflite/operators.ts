import type { Conversion } from './conversion.ts';
import { convertAdd } from './convert-elementwise.ts';
import { convertConvolution, convertDepthwise, convertFullyConnected } from './convert-matrix.ts';
import { convertReshape } from './convert-movement.ts';
import { convertPooling } from './convert-pooling.ts';
import { convertSoftmax } from './convert-softmax.ts';
import type { TfliteOperator } from './decode.ts';

/** Adds what an operator computes to the network. */
export type Convert = (conversion: Conversion, operator: TfliteOperator) => void;

/** The operators of TensorFlow Lite that are imported. */
export const OPERATORS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['ADD', convertAdd(false)],
  ['AVERAGE_POOL_2D', convertPooling('average')],
  ['CONV_2D', convertConvolution],
  ['DEPTHWISE_CONV_2D', convertDepthwise],
  ['EXPAND_DIMS', convertReshape],
  ['FULLY_CONNECTED', convertFullyConnected],
  ['MAX_POOL_2D', convertPooling('maximum')],
  ['RESHAPE', convertReshape],
  ['SOFTMAX', convertSoftmax],
  ['SQUEEZE', convertReshape],
  ['SUB', convertAdd(true)],
]);
