import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { argmax } from '../../argmax.ts';
import { ProgramBuilder } from '../../program-builder.ts';
import { fromUnsigned, widen } from '../../requantize.ts';
import { ImportError } from '../import-error.ts';
import { bytesShape, reorder, rowsShape, toRows, withShape } from './activation.ts';
import type { Activation } from './activation.ts';
import type { Ranges } from './calibrate.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { Layer, Network } from './layer.ts';
import { lowerConvolution, lowerPooling } from './lower-convolution.ts';
import { lowerDense, lowerDenseResult } from './lower-dense.ts';
import { lowerBinary, lowerClamp, lowerFunction, lowerReshape, lowerTranspose } from './lower-elementwise.ts';
import { Lowering } from './lowering.ts';
import type { ClassOutput, TensorInput, TensorOutput } from './metadata.ts';
import { activationQuantization } from './quantization.ts';
import type { Quantization } from './quantization.ts';

export interface LoweringOptions {
  /** End with the index of the greatest output instead of the outputs. */
  readonly classify: boolean;
  /** Further metadata: source, licence and the like. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A quantised model, and where each of the network's values is inside it. */
export interface LoweredNetwork { readonly model: Model; readonly activations: readonly Activation[] }

/**
 * Turns a network into a program of eight-bit integers, with scales from what its values ranged over.
 *
 * @throws ImportError when a layer has dimensions that the kernels do not support.
 */
export function lowerNetwork(network: Network, ranges: Ranges, options: LoweringOptions): LoweredNetwork {
  const { layers, softmax } = withoutFinalSoftmax(network.layers, network.output);
  const result = softmax === null ? network.output : softmax.x;
  const input = inputMetadata(network, ranges);
  const plan = outputPlan(network, layers, result, options.classify);
  const size = elementCount(input.dims);
  const description = {
    name: network.name,
    signature: `${options.classify ? 'classify' : 'infer'}(${input.element}[${size}])->(${plan.type})`,
    input: bytesShape(1, size),
  };

  // The result's scale is known only once it is lowered, so the builder's metadata is filled in at the end.
  const builder = new ProgramBuilder({ ...description, metadata: {} });
  const lowering = new Lowering(builder, network, ranges);
  lowering.define(inputActivation(builder, network, input));
  for (const layer of layers) lowering.define(lowerNamed(lowering, layer, layer.output === result && plan.wide));

  const value = toRows(builder, lowering.activation(result));
  if (value.tensor.operand.kind === 'input') throw new ImportError('the model passes its input through and computes nothing');
  const output = options.classify ? appendClass(builder, value) : appendResult(builder, value, softmax !== null);
  const { program, constants } = builder.build();
  return { model: { program: { ...program, metadata: { ...options.metadata, input, output } }, constants }, activations: lowering.activations };
}

/** As `lowerLayer`; numbers that fit no integers are the file's fault. */
function lowerNamed(lowering: Lowering, layer: Layer, wide: boolean): Activation {
  try {
    return lowerLayer(lowering, layer, wide);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ImportError(`${layer.name}: ${cause.message}`, { cause });
  }
}

function lowerLayer(lowering: Lowering, layer: Layer, wide: boolean): Activation {
  switch (layer.kind) {
    case 'convolution':
      return lowerConvolution(lowering, layer);
    case 'dense':
      return wide ? lowerDenseResult(lowering, layer) : lowerDense(lowering, layer);
    case 'pooling':
      return lowerPooling(lowering, layer);
    case 'add':
    case 'multiply':
      return lowerBinary(lowering, layer);
    case 'clamp':
      return lowerClamp(lowering, layer);
    case 'function':
      return lowerFunction(lowering, layer);
    case 'reshape':
      return lowerReshape(lowering, layer);
    case 'transpose':
      return lowerTranspose(lowering, layer);
    case 'softmax':
      throw new ImportError(`${layer.name}: a softmax is supported as the model's last layer only`);
  }
}

function withoutFinalSoftmax(layers: readonly Layer[], output: string): { readonly layers: readonly Layer[]; readonly softmax: Layer | null } {
  const last = layers.at(-1);
  return last?.kind === 'softmax' && last.output === output ? { layers: layers.slice(0, -1), softmax: last } : { layers, softmax: null };
}

/** Whether the result keeps 32 bits, and its type in the signature. */
function outputPlan(network: Network, layers: readonly Layer[], result: string, classify: boolean): { readonly wide: boolean; readonly type: string } {
  const dims = dimsOf(network, result);
  const last = layers.at(-1);
  const rows = rowsShape(dims).rows;
  if (classify && rows !== 1) throw new ImportError(`a class needs one row of outputs; this model's are [${dims.join(', ')}]`);
  const wide = last?.output === result && last.kind === 'dense' && last.range === null && rows === 1;
  if (classify) return { wide, type: 'int32' };
  return { wide, type: `${wide ? 'int32' : 'int8'}[${elementCount(dims)}]` };
}

function inputMetadata(network: Network, ranges: Ranges): TensorInput {
  const range = ranges.get(network.input) ?? { low: 0, high: 0 };
  const { scale, zeroPoint } = activationQuantization(range);
  const unsigned = range.low >= 0;
  const dims = dimsOf(network, network.input);
  return { kind: 'tensor', name: network.input, type: 'float32', dims, element: unsigned ? 'uint8' : 'int8', scale, zeroPoint: unsigned ? 0 : zeroPoint };
}

function inputActivation(builder: ProgramBuilder, network: Network, { dims, element, scale, zeroPoint }: TensorInput): Activation {
  const unsigned = element === 'uint8';
  const given = builder.input;
  const signed = unsigned ? builder.append('input.signed', { kernel: fromUnsigned, output: given.shape, operands: [given] }) : given;
  const quantization: Quantization = { scale, zeroPoint: unsigned ? zeroPoint - 128 : zeroPoint };
  const base = { name: network.input, dims, quantization };
  if (dims.length === 4 && dims[0] === 1) {
    const [, channels = 1, height = 1, width = 1] = dims;
    const pixels = height * width;
    return { ...base, tensor: reorder(builder, 'input.image', signed, bytesShape(pixels, channels), [pixels, channels], [1, pixels]), layout: { kind: 'image' } };
  }
  return { ...base, tensor: withShape(builder, 'input.rows', signed, rowsShape(dims)), layout: { kind: 'rows' } };
}

function appendClass(builder: ProgramBuilder, value: Activation): ClassOutput {
  const { tensor } = value;
  const { columns } = tensor.shape;
  const wide = tensor.shape.element === 'i32' ? tensor : builder.append('outputs', { kernel: widen, output: { element: 'i32', rows: 1, columns }, operands: [tensor] });
  builder.append('class', { kernel: argmax, output: { element: 'i32', rows: 1, columns: 1 }, operands: [wide] });
  return { kind: 'class', classes: columns, element: 'int32' };
}

function appendResult(builder: ProgramBuilder, { name, tensor, dims, quantization }: Activation, softmax: boolean): TensorOutput {
  if (tensor.shape.element === 'i8') withShape(builder, 'outputs', tensor, bytesShape(1, elementCount(dims)));
  const element = tensor.shape.element === 'i32' ? 'int32' : 'int8';
  return { kind: 'tensor', name, type: 'float32', dims, element, ...quantization, ...(softmax ? { then: 'softmax' as const } : {}) };
}
