import type { Model } from '../../../deterministic-runtime/program/program.ts';
import type { Tensor } from '../../program-builder.ts';
import { ImportError } from '../import-error.ts';
import { lowerQuantizedNetwork } from '../quantized/lower.ts';
import type { Border, QuantizedNetwork, Rounding } from '../quantized/network.ts';
import { Conversion, describe } from './conversion.ts';
import type { IntegerTensor } from './conversion.ts';
import { decodeTflite } from './decode.ts';
import type { TfliteModel, TfliteOperator, TfliteTensor } from './decode.ts';
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
export function toQuantizedNetwork(given: TfliteModel, name: string, rounding: Rounding): QuantizedNetwork {
  const { file, fromFloat, toFloat } = withoutFloatBorders(given);
  refuseUnsupported(file);
  refuseHybrid(file);
  const conversion = new Conversion(file, rounding);
  const first = file.inputs.map((index) => conversion.compute(file.tensors[index] as TfliteTensor, 'the model\'s input'));
  for (const operator of file.operators) convert(conversion, operator);
  // An input that no operator reads as numbers (an output's shape, which the file says anyway) is left out.
  const inputs = first.filter(({ tensor }) => conversion.isRead(tensor.index)).map((tensor) => border(tensor, fromFloat.has(tensor.tensor.index)));
  const outputs = file.outputs.map((index) => border(conversion.result(index), toFloat.has(index)));
  return { name, inputs, outputs, values: conversion.values, operations: conversion.operations };
}

/** Converts an operator; scales that no integers follow from are the file's fault. */
function convert(conversion: Conversion, operator: TfliteOperator): void {
  try {
    OPERATORS.get(operator.operator)?.(conversion, operator);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ImportError(`${describe(operator)}: ${cause.message}`, { cause });
  }
}

/**
 * A model whose inputs are floats that it quantises first, and whose outputs are floats that it has from integers last, without these operators: the conversions are metadata.
 * `fromFloat` and `toFloat` are the tensors that are inputs and outputs instead.
 */
function withoutFloatBorders(file: TfliteModel): { readonly file: TfliteModel; readonly fromFloat: ReadonlySet<number>; readonly toFloat: ReadonlySet<number> } {
  const [fromFloat, toFloat, left] = [new Set<number>(), new Set<number>(), new Set<TfliteOperator>()];
  const isFloat = (index: number): boolean => file.tensors[index]?.type === 'float32';
  const inputs = file.inputs.map((input) => {
    const readers = isFloat(input) ? file.operators.filter((operator) => operator.inputs.includes(input)) : [];
    const [reader] = readers;
    const quantized = reader?.outputs[0];
    if (readers.length !== 1 || reader?.operator !== 'QUANTIZE' || quantized === undefined) return input;
    left.add(reader);
    fromFloat.add(quantized);
    return quantized;
  });
  const outputs = file.outputs.map((output) => {
    const writer = isFloat(output) ? file.operators.find((operator) => operator.outputs.includes(output)) : undefined;
    const integers = writer?.inputs[0];
    if (writer?.operator !== 'DEQUANTIZE' || integers === undefined) return output;
    left.add(writer);
    toFloat.add(integers);
    return integers;
  });
  return { file: { ...file, inputs, outputs, operators: file.operators.filter((operator) => !left.has(operator)) }, fromFloat, toFloat };
}

function border({ name, tensor, type, scale, zeroPoint, offset }: IntegerTensor, float: boolean): Border {
  const original = float ? 'float32' : tensor.type === 'bool' ? 'int8' : (tensor.type as Border['type']);
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

/** Weights of bytes with activations of floats are multiplied after quantising the activations while the model runs: that arithmetic is not in the file. @throws ImportError naming the operators. */
function refuseHybrid({ operators, tensors }: TfliteModel): void {
  const hybrid = operators.filter(({ inputs, outputs }) => tensors[outputs[0] ?? -1]?.type === 'float32' && inputs.some((input) => tensors[input]?.data !== null && tensors[input]?.type === 'int8'));
  if (hybrid.length === 0) return;
  throw new ImportError(`the model has weights of bytes but activations of floats (dynamic range quantisation) in ${hybrid.slice(0, 20).map(describe).join(', ')}: convert it with full integer quantisation, with a representative dataset`);
}
