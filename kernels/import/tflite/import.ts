import type { Model } from '../../../deterministic-runtime/program/program.ts';
import type { Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import { lowerQuantizedNetwork } from '../quantized/lower.ts';
import type { Border, QuantizedNetwork, Rounding } from '../quantized/network.ts';
import { Conversion, describe } from './conversion.ts';
import type { IntegerTensor } from './conversion.ts';
import { decodeTflite } from './decode.ts';
import type { TfliteModel, TfliteTensor } from './decode.ts';
import { OPERATORS } from './operators.ts';

export interface TfliteImportOptions {
  /** End with the index of the greatest output, for classifiers: `classify(…) → (int32)`. Otherwise the model's own outputs. */
  readonly classify?: boolean;
  /** The program's name; `tflite-model` otherwise. */
  readonly name?: string;
  /**
   * Whose sums of eight-bit products: the file does not say how they are rounded. `float32` is what TensorFlow Lite computes on CPUs (XNNPACK), `twice` its reference
   * kernels and microcontrollers (CMSIS-NN), `once` its reference kernels when they are built with single rounding. See docs/quantized-networks.md.
   */
  readonly rounding?: Rounding;
}

export interface ImportedTflite {
  readonly model: Model;
  /** The network of integers that the file describes. */
  readonly network: QuantizedNetwork;
  /** Where the network's values are in the program. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * Imports a TensorFlow Lite model that is quantised to integers: the program computes the same integers.
 *
 * @example const { model } = importTflite(bytes, { classify: true });
 * @throws ImportError on a damaged file, and on operators or forms of them that are not supported (all unsupported operators at once, with their outputs' names).
 */
export function importTflite(bytes: Uint8Array, { classify = false, name = 'tflite-model', rounding = 'float32' }: TfliteImportOptions = {}): ImportedTflite {
  const file = decodeTflite(bytes);
  const network = toQuantizedNetwork(file, name, rounding);
  const metadata = { source: { format: 'tflite', producer: file.description }, quantization: { rounding } };
  return { ...lowerQuantizedNetwork(network, { classify, metadata }), network };
}

/** A file's operators on integers. @throws ImportError as `importTflite`. */
export function toQuantizedNetwork(file: TfliteModel, name: string, rounding: Rounding): QuantizedNetwork {
  refuseUnsupported(file);
  const conversion = new Conversion(file, rounding);
  const given = file.inputs.map((index) => conversion.compute(file.tensors[index] as TfliteTensor, 'the model\'s input'));
  for (const operator of file.operators) OPERATORS.get(operator.operator)?.(conversion, operator);
  // An input that no operator reads as numbers (an output's shape, which the file says anyway) is left out.
  const inputs = given.filter(({ tensor }) => conversion.isRead(tensor.index)).map(border);
  const outputs = file.outputs.map((index) => border(conversion.result(index)));
  return { name, inputs, outputs, values: conversion.values, operations: conversion.operations };
}

function border({ name, tensor, type, scale, zeroPoint, offset }: IntegerTensor): Border {
  const original = tensor.type === 'bool' ? 'int8' : (tensor.type as Border['type']);
  return { value: name, type: original, element: offset === 128 ? 'uint8' : type, scale, zeroPoint: zeroPoint + offset };
}

function refuseUnsupported({ operators, tensors }: TfliteModel): void {
  const unsupported = operators.filter(({ operator }) => !OPERATORS.has(operator));
  if (unsupported.length === 0) return;
  const kinds = new Set(unsupported.map(({ operator }) => operator));
  const named = unsupported.slice(0, 20).map((operator) => `${describe(operator)} for ${tensors[operator.outputs[0] ?? -1]?.name ?? 'no output'}`).join(', ');
  const more = unsupported.length > 20 ? ` and ${unsupported.length - 20} more` : '';
  throw new ImportError(`the model uses operators that are not supported (${[...kinds].join(', ')}): ${named}${more}`);
}
