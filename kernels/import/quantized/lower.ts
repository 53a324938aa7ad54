import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { argmax } from '../../argmax.ts';
import { concatenated, reshaped, sliced } from '../../movement.ts';
import { ProgramBuilder } from '../../program-builder.ts';
import type { Tensor } from '../../program-builder.ts';
import { fromUnsigned, widen } from '../../requantize.ts';
import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { ClassOutput, TensorInput, TensorsInput } from '../network/metadata.ts';
import {
  lowerAdd, lowerClamp, lowerCompare, lowerExtreme, lowerLeaky, lowerMultiply, lowerParametric, lowerRescale, lowerSelect, lowerTable, lowerWeightedAdd,
  lowerWideTable,
} from './lower-elementwise.ts';
import { lowerConvolution, lowerDepthwise, lowerPooling, lowerTransposedConvolution } from './lower-image.ts';
import { lowerLinear } from './lower-matrix.ts';
import { copyOf, lowerBilinear, lowerConcatenate, lowerGather, lowerPad, lowerReshape, lowerSlice, lowerTake, lowerTile, lowerTranspose } from './lower-movement.ts';
import { lowerMatrixProduct, lowerReduce } from './lower-reduction.ts';
import { lowerFixedPointSoftmax, lowerLogSoftmax, lowerSoftmax, lowerWideSoftmax } from './lower-softmax.ts';
import { lowerFilterSums, lowerLstmCell, lowerLstmGates, lowerLstmOutput, lowerShiftState } from './lower-recurrent.ts';
import { QuantizedLowering } from './lowering.ts';
import type { Border, QuantizedNetwork, QuantizedOperation } from './network.ts';

export interface QuantizedLoweringOptions {
  /** End with the index of the greatest output instead of the outputs. */
  readonly classify: boolean;
  /** Further metadata: source, licence and the like. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A model, and where each of the network's values is inside it. */
export interface LoweredQuantizedNetwork { readonly model: Model; readonly tensors: ReadonlyMap<string, Tensor> }

/**
 * Turns a network that is quantised already into a program with the same integers.
 *
 * @throws ImportError when an operation has dimensions or types that the kernels do not support, and when inputs (or outputs) do not have one element type.
 */
export function lowerQuantizedNetwork(network: QuantizedNetwork, { classify, metadata }: QuantizedLoweringOptions): LoweredQuantizedNetwork {
  const [inputs, outputs] = [partsOf(network, network.inputs, 'inputs'), partsOf(network, network.outputs, 'outputs')];
  const total = inputs.reduce((sum, { size }) => sum + size, 0);
  const [given, result] = [inputs[0]?.border.element ?? 'int8', outputs[0]?.border.element ?? 'int8'];
  const builder = new ProgramBuilder({
    name: network.name,
    signature: `${classify ? 'classify' : 'infer'}(${signatureType(given)}[${total}])->(${classify ? 'int32' : `${signatureType(result)}[${outputs.reduce((sum, { size }) => sum + size, 0)}]`})`,
    input: { element: given.endsWith('int8') ? 'i8' : 'i32', rows: 1, columns: total },
    metadata: { ...metadata, input: tensorMetadata(inputs), output: classify ? classMetadata(outputs) : tensorMetadata(outputs) },
  });
  const lowering = new QuantizedLowering(builder, network);
  defineInputs(lowering, inputs, given);
  for (const operation of network.operations) lowering.define(operation.output, lowerNamed(lowering, operation));
  if (classify) appendClass(lowering, outputs);
  else appendResult(lowering, outputs, result);
  return { model: builder.build(), tensors: lowering.tensors };
}

/** An input or an output with its dimensions. */
interface Part { readonly border: Border; readonly dims: readonly number[]; readonly size: number }

function partsOf({ values }: QuantizedNetwork, borders: readonly Border[], what: string): readonly Part[] {
  const elements = new Set(borders.map(({ element }) => element));
  if (elements.size !== 1) throw new ImportError(elements.size === 0 ? `the model has no ${what} that it reads or computes` : `the model's ${what} have several element types (${[...elements].join(', ')}); one is supported`);
  return borders.map((border) => {
    const dims = values.get(border.value)?.dims;
    if (dims === undefined) throw new ImportError(`the network has no value ${border.value}`);
    return { border, dims, size: elementCount(dims) };
  });
}

/** 16-bit numbers travel as int32. */
const signatureType = (element: Border['element']): string => (element === 'int16' ? 'int32' : element);

function tensorMetadata(parts: readonly Part[]): TensorInput | TensorsInput {
  const described = parts.map(({ border: { value, type, element, scale, zeroPoint }, dims }): TensorInput => ({ kind: 'tensor', name: value, type, dims, element, scale, zeroPoint }));
  return described.length === 1 ? described[0] as TensorInput : { kind: 'tensors', parts: described };
}

const classMetadata = ([first]: readonly Part[]): ClassOutput => ({ kind: 'class', classes: first?.size ?? 0, element: 'int32' });

/** The inputs' tensors: parts of the program's one. */
function defineInputs(lowering: QuantizedLowering, inputs: readonly Part[], element: Border['element']): void {
  const { builder } = lowering;
  const given = builder.input;
  const signed = element === 'uint8' ? builder.append('input.signed', { kernel: fromUnsigned, output: given.shape, operands: [given] }) : given;
  let at = 0;
  for (const { border: { value }, size } of inputs) {
    const own = inputs.length === 1 ? signed : sliced(builder, `input.${value}`, signed, [given.shape.columns], [at], [size]);
    lowering.define(value, reshaped(builder, `input.${value}.shape`, own, lowering.shapeOf(value)));
    at += size;
  }
}

/** As `lowerOperation`; numbers that fit no kernel are the file's fault. */
function lowerNamed(lowering: QuantizedLowering, operation: QuantizedOperation): Tensor {
  try {
    return lowerOperation(lowering, operation);
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw new ImportError(`${operation.name}: ${cause.message}`, { cause });
  }
}

function lowerOperation(lowering: QuantizedLowering, operation: QuantizedOperation): Tensor {
  switch (operation.kind) {
    case 'linear': return lowerLinear(lowering, operation);
    case 'convolution': return eachImage(lowering, operation, (x) => lowerConvolution(lowering, operation, x));
    case 'depthwise': return eachImage(lowering, operation, (x) => lowerDepthwise(lowering, operation, x));
    case 'transposed-convolution': return eachImage(lowering, operation, (x) => lowerTransposedConvolution(lowering, operation, x));
    case 'pooling': return eachImage(lowering, operation, (x) => lowerPooling(lowering, operation, x));
    case 'add': return lowerAdd(lowering, operation);
    case 'multiply': return lowerMultiply(lowering, operation);
    case 'weighted-add': return lowerWeightedAdd(lowering, operation);
    case 'leaky': return lowerLeaky(lowering, operation);
    case 'parametric': return lowerParametric(lowering, operation);
    case 'compare': return lowerCompare(lowering, operation);
    case 'select': return lowerSelect(lowering, operation);
    case 'reduce-sum':
    case 'reduce-extreme':
    case 'argument': return lowerReduce(lowering, operation);
    case 'matrix-product': return lowerMatrixProduct(lowering, operation);
    case 'bilinear': return eachImage(lowering, operation, (x) => lowerBilinear(lowering, operation, x, lowering.value(operation.x).dims[2] ?? 1));
    case 'tile': return lowerTile(lowering, operation);
    case 'minimum':
    case 'maximum': return lowerExtreme(lowering, operation);
    case 'table': return lowerTable(lowering, lowering.tensor(operation.x), operation);
    case 'rescale': return lowerRescale(lowering, operation);
    case 'clamp': return lowerClamp(lowering, operation);
    case 'softmax': return lowerSoftmax(lowering, lowering.tensor(operation.x), operation);
    case 'fixed-point-softmax': return lowerFixedPointSoftmax(lowering, operation);
    case 'wide-softmax': return lowerWideSoftmax(lowering, operation);
    case 'log-softmax': return lowerLogSoftmax(lowering, operation);
    case 'wide-table': return lowerWideTable(lowering, operation);
    case 'take': return lowerTake(lowering, operation);
    case 'lstm-gates': return lowerLstmGates(lowering, operation);
    case 'lstm-cell': return lowerLstmCell(lowering, operation);
    case 'lstm-output': return lowerLstmOutput(lowering, operation);
    case 'shift-state': return lowerShiftState(lowering, operation);
    case 'filter-sums': return lowerFilterSums(lowering, operation);
    case 'reshape': return lowerReshape(lowering, operation);
    case 'transpose': return lowerTranspose(lowering, operation);
    case 'slice': return lowerSlice(lowering, operation);
    case 'pad': return lowerPad(lowering, operation);
    case 'concatenate': return lowerConcatenate(lowering, operation);
    case 'gather': return lowerGather(lowering, operation);
  }
}

/** An image operation on each image of a batch. */
function eachImage(lowering: QuantizedLowering, { name, x, output }: { readonly name: string; readonly x: string; readonly output: string }, lower: (x: Tensor) => Tensor): Tensor {
  const { builder } = lowering;
  const [batch = 1, height = 1, width = 1, channels = 1] = lowering.value(x).dims;
  const tensor = lowering.tensor(x);
  if (batch === 1) return lower(tensor);
  const images = Array.from({ length: batch }, (_, image) => {
    const one = sliced(builder, `${name}.image${image}`, tensor, [batch, height, width, channels], [image, 0, 0, 0], [1, height, width, channels]);
    return { tensor: lower(one), dims: [1, ...lowering.value(output).dims.slice(1)] };
  });
  return concatenated(builder, `${name}.images`, images, 0);
}

function appendClass(lowering: QuantizedLowering, outputs: readonly Part[]): void {
  const { builder } = lowering;
  const [{ border, dims }] = outputs as readonly [Part];
  const tensor = lowering.tensor(border.value);
  const { rows, columns, element } = tensor.shape;
  if (outputs.length > 1 || rows !== 1) throw new ImportError(`a class needs one output of one row; this model's are ${outputs.map((output) => `[${output.dims.join(', ')}]`).join(', ')}`);
  if (tensor.operand.kind === 'input') throw new ImportError(`the model passes its input [${dims.join(', ')}] through and computes nothing`);
  const wide = element === 'i32' ? tensor : builder.append('outputs', { kernel: widen, output: { element: 'i32', rows: 1, columns }, operands: [tensor] });
  builder.append('class', { kernel: argmax, output: { element: 'i32', rows: 1, columns: 1 }, operands: [wide] });
}

/** The result is the last operator's: the outputs in one row, with the signs that the file has. */
function appendResult(lowering: QuantizedLowering, outputs: readonly Part[], element: Border['element']): void {
  const { builder } = lowering;
  const rows = outputs.map(({ border: { value }, size }) => {
    const tensor = lowering.tensor(value);
    const row = reshaped(builder, `result.${value}`, tensor, { ...tensor.shape, rows: 1, columns: size });
    return { tensor: row, dims: [size], last: row !== tensor };
  });
  const joined = concatenated(builder, 'result', rows, 0);
  if (element === 'uint8') builder.append('result.unsigned', { kernel: fromUnsigned, output: joined.shape, operands: [joined] });
  else if (rows.length === 1 && rows[0]?.last === false) copyIfNotLast(lowering, joined);
}

/** Copies a result that other operators were appended after, or that is an input or a constant. */
function copyIfNotLast(lowering: QuantizedLowering, tensor: Tensor): void {
  const positions = [...lowering.tensors.values()].map(({ operand }) => (operand.kind === 'prologue' ? operand.operator : -1));
  if (tensor.operand.kind !== 'prologue' || tensor.operand.operator !== Math.max(...positions)) copyOf(lowering, 'result', tensor);
}
