import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { argmax } from '../../argmax.ts';
import { concatenated, reshaped, sliced } from '../../movement.ts';
import { ProgramBuilder } from '../../program-builder.ts';
import type { Tensor } from '../../program-builder.ts';
import { fromUnsigned, widen } from '../../requantize.ts';
import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { ClassOutput, TensorInput, TensorOutput } from '../network/metadata.ts';
import { lowerAdd, lowerClamp, lowerExtreme, lowerMultiply, lowerRescale, lowerSoftmax, lowerTable } from './lower-elementwise.ts';
import { lowerConvolution, lowerDepthwise, lowerPooling, lowerTransposedConvolution } from './lower-image.ts';
import { lowerLinear } from './lower-matrix.ts';
import { copyOf, lowerConcatenate, lowerGather, lowerPad, lowerReshape, lowerSlice, lowerTranspose } from './lower-movement.ts';
import { QuantizedLowering, elementOf } from './lowering.ts';
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
 * @throws ImportError when an operation has dimensions or types that the kernels do not support.
 */
export function lowerQuantizedNetwork(network: QuantizedNetwork, { classify, metadata }: QuantizedLoweringOptions): LoweredQuantizedNetwork {
  const { input, output } = network;
  const [given, result] = [dimsOf(network, input), dimsOf(network, output)];
  const size = elementCount(given);
  const builder = new ProgramBuilder({
    name: network.name,
    signature: `${classify ? 'classify' : 'infer'}(${signatureType(input)}[${size}])->(${classify ? 'int32' : `${signatureType(output)}[${elementCount(result)}]`})`,
    input: { element: isByte(input) ? 'i8' : 'i32', rows: 1, columns: size },
    metadata: { ...metadata, input: inputMetadata(input, given), output: classify ? classMetadata(result) : outputMetadata(network, result) },
  });
  const lowering = new QuantizedLowering(builder, network);
  const signed = input.element === 'uint8' ? builder.append('input.signed', { kernel: fromUnsigned, output: builder.input.shape, operands: [builder.input] }) : builder.input;
  lowering.define(input.value, reshaped(builder, 'input.shape', signed, lowering.shapeOf(input.value)));
  for (const operation of network.operations) lowering.define(operation.output, lowerNamed(lowering, operation));
  if (classify) appendClass(builder, lowering.tensor(output.value), result);
  else appendResult(lowering, output, elementCount(result));
  return { model: builder.build(), tensors: lowering.tensors };
}

const isByte = ({ element }: Border): boolean => element === 'int8' || element === 'uint8';

function dimsOf({ values }: QuantizedNetwork, { value }: Border): readonly number[] {
  const found = values.get(value);
  if (found === undefined) throw new ImportError(`the network has no value ${value}`);
  return found.dims;
}

/** 16-bit numbers travel as int32. */
const signatureType = ({ element }: Border): string => (element === 'int16' ? 'int32' : element);

const inputMetadata = ({ value, type, element, scale, zeroPoint }: Border, dims: readonly number[]): TensorInput =>
  ({ kind: 'tensor', name: value, type: type === 'integer' ? element : 'float32', dims, element, scale, zeroPoint });

function outputMetadata({ output, then }: QuantizedNetwork, dims: readonly number[]): TensorOutput {
  const { value, type, element, scale, zeroPoint } = output;
  return { kind: 'tensor', name: value, type: type === 'integer' ? element : 'float32', dims, element, scale, zeroPoint, ...(then === undefined ? {} : { then }) };
}

const classMetadata = (dims: readonly number[]): ClassOutput => ({ kind: 'class', classes: elementCount(dims), element: 'int32' });

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
    case 'minimum':
    case 'maximum': return lowerExtreme(lowering, operation);
    case 'table': return lowerTable(lowering, lowering.tensor(operation.x), operation);
    case 'rescale': return lowerRescale(lowering, operation);
    case 'clamp': return lowerClamp(lowering, operation);
    case 'softmax': return lowerSoftmax(lowering, lowering.tensor(operation.x), operation);
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

function appendClass(builder: ProgramBuilder, tensor: Tensor, dims: readonly number[]): void {
  const { rows, columns, element } = tensor.shape;
  if (rows !== 1) throw new ImportError(`a class needs one row of outputs; this model's are [${dims.join(', ')}]`);
  const wide = element === 'i32' ? tensor : builder.append('outputs', { kernel: widen, output: { element: 'i32', rows: 1, columns }, operands: [tensor] });
  builder.append('class', { kernel: argmax, output: { element: 'i32', rows: 1, columns: 1 }, operands: [wide] });
}

/** The result is the last operator's, in one row, and with the signs that the file has. */
function appendResult(lowering: QuantizedLowering, { value, element }: Border, size: number): void {
  const { builder } = lowering;
  const tensor = lowering.tensor(value);
  if (tensor.operand.kind !== 'prologue') throw new ImportError('the model\'s output does not depend on its input');
  const row = reshaped(builder, 'result', tensor, { element: elementOf(lowering.value(value).type), rows: 1, columns: size });
  if (element === 'uint8') builder.append('result.unsigned', { kernel: fromUnsigned, output: row.shape, operands: [row] });
  else if (row === tensor) copyIfNotLast(lowering, row);
}

/** Copies a result that other operators were appended after. */
function copyIfNotLast(lowering: QuantizedLowering, tensor: Tensor): void {
  const positions = [...lowering.tensors.values()].map(({ operand }) => (operand.kind === 'prologue' ? operand.operator : -1));
  if (tensor.operand.kind === 'prologue' && tensor.operand.operator !== Math.max(...positions)) copyOf(lowering, 'result', tensor);
}
