import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { argmax } from '../../argmax.ts';
import { concatenated, copied } from '../../movement.ts';
import { ProgramBuilder } from '../../program-builder.ts';
import type { Tensor } from '../../program-builder.ts';
import { fromUnsigned, widen } from '../../requantize.ts';
import { ImportError } from '../import-error.ts';
import { reorder, rowsShape, toRows, withShape } from './activation.ts';
import type { Activation } from './activation.ts';
import type { Ranges } from './calibrate.ts';
import { elementCount } from './float-tensor.ts';
import { dimsOf } from './layer.ts';
import type { Layer, Network } from './layer.ts';
import { lowerConvolution } from './lower-convolution.ts';
import { lowerDense, lowerDenseResult, lowerMatrixProduct } from './lower-dense.ts';
import { lowerBinary, lowerClamp, lowerOperation, lowerSelect } from './lower-elementwise.ts';
import { lowerFunction } from './lower-function.ts';
import { lowerConcatenation, lowerEmbedding, lowerExpand, lowerGather, lowerPad, lowerResampling, lowerReshape, lowerSlice, lowerTranspose } from './lower-movement.ts';
import { lowerPooling } from './lower-pooling.ts';
import { lowerArgument, lowerNormalization, lowerReduction, lowerSoftmax } from './lower-rows.ts';
import { Lowering } from './lowering.ts';
import type { ClassOutput, InputMetadata, OutputMetadata, TensorInput, TensorOutput } from './metadata.ts';
import type { Quantization } from './quantization.ts';

export interface LoweringOptions {
  /** End with the index of the greatest output instead of the outputs. */
  readonly classify: boolean;
  /** Further metadata: source, licence and the like. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Values that keep sixteen bits; all others have eight. */
  readonly precisions?: ReadonlyMap<string, 8 | 16>;
}

/** A quantised model, and where each of the network's values is inside it. */
export interface LoweredNetwork { readonly model: Model; readonly activations: readonly Activation[] }

/**
 * Turns a network into a program of integers of eight bits (or sixteen, where `precisions` says so), with scales from what its values ranged over. Several inputs are one
 * tensor, one after another, and so are several outputs; the metadata say where each is.
 *
 * @throws ImportError when a layer has dimensions that the kernels do not support.
 */
export function lowerNetwork(network: Network, ranges: Ranges, options: LoweringOptions): LoweredNetwork {
  const { layers, softmax } = withoutFinalSoftmax(network);
  const results = softmax === null ? network.outputs : [softmax.x];
  const precisions = options.precisions ?? new Map<string, 8 | 16>();
  const inputs = inputParts(new Lowering(new ProgramBuilder({ name: '', signature: '', input: { element: 'i8', rows: 1, columns: 1 }, metadata: {} }), network, ranges, precisions), network, ranges);
  const wideInput = inputs.some((part) => part.element === 'int16' || part.element === 'int32');
  const element = wideInput ? 'int32' : inputs.length > 1 ? 'int8' : (inputs[0]?.element ?? 'int8');
  const size = inputs.reduce((sum, { dims }) => sum + elementCount(dims), 0);
  const plan = outputPlan(network, layers, results, options.classify);
  const input = { element: element === 'int32' ? 'i32' : 'i8', rows: 1, columns: size } as const;
  const builder = new ProgramBuilder({ name: network.name, signature: '', input, metadata: {} });
  const lowering = new Lowering(builder, network, ranges, precisions);
  let offset = 0;
  for (const part of inputs) {
    lowering.define(inputActivation(builder, part, offset, input.columns));
    offset += elementCount(part.dims);
  }
  for (const layer of layers) lowering.define(lowerNamed(lowering, layer, plan.wide && layer.output === results[0]));

  const values = results.map((name) => toRows(builder, lowering.activation(name)));
  const output = options.classify ? appendClass(builder, values[0] as Activation) : appendResults(builder, values, network, softmax !== null);
  const { program, constants } = builder.build();
  const type = output.kind === 'class' ? 'int32' : `${builder.resultElement === 'i32' ? 'int32' : 'int8'}[${values.reduce((sum, { dims }) => sum + elementCount(dims), 0)}]`;
  const signature = `${options.classify ? 'classify' : 'infer'}(${element}[${size}])->(${type})`;
  return { model: { program: { ...program, signature, metadata: { ...options.metadata, input: inputMetadata(inputs), output } }, constants }, activations: lowering.activations };
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
    case 'convolution': return lowerConvolution(lowering, layer);
    case 'dense': return wide ? lowerDenseResult(lowering, layer) : lowerDense(lowering, layer);
    case 'pooling': return lowerPooling(lowering, layer);
    case 'add':
    case 'multiply': return lowerBinary(lowering, layer);
    case 'operation': return lowerOperation(lowering, layer);
    case 'select': return lowerSelect(lowering, layer);
    case 'clamp': return lowerClamp(lowering, layer);
    case 'function': return lowerFunction(lowering, layer);
    case 'reshape': return lowerReshape(lowering, layer);
    case 'transpose': return lowerTranspose(lowering, layer);
    case 'softmax': return lowerSoftmax(lowering, layer);
    case 'matrix-product': return lowerMatrixProduct(lowering, layer);
    case 'reduction': return lowerReduction(lowering, layer);
    case 'argument': return lowerArgument(lowering, layer);
    case 'normalization': return lowerNormalization(lowering, layer);
    case 'concatenation': return lowerConcatenation(lowering, layer);
    case 'slice': return lowerSlice(lowering, layer);
    case 'expand': return lowerExpand(lowering, layer);
    case 'pad': return lowerPad(lowering, layer);
    case 'gather': return lowerGather(lowering, layer);
    case 'embedding': return lowerEmbedding(lowering, layer);
    case 'resampling': return lowerResampling(lowering, layer);
  }
}

/** A softmax that ends the network is left to whoever reads the result, who needs no proof of it. */
function withoutFinalSoftmax({ layers, outputs }: Network): { readonly layers: readonly Layer[]; readonly softmax: Layer | null } {
  const last = layers.at(-1);
  const final = last?.kind === 'softmax' && last.logarithmic !== true && outputs.length === 1 && last.output === outputs[0] && layers.length > 1;
  return final ? { layers: layers.slice(0, -1), softmax: last } : { layers, softmax: null };
}

/** Whether the one result keeps 32 bits. */
function outputPlan(network: Network, layers: readonly Layer[], results: readonly string[], classify: boolean): { readonly wide: boolean } {
  const [result = ''] = results;
  const dims = dimsOf(network, result);
  const last = layers.at(-1);
  const { rows } = rowsShape(dims);
  if (classify && (rows !== 1 || results.length > 1)) throw new ImportError(`a class needs one row of outputs; this model's are ${results.map((name) => `[${dimsOf(network, name).join(', ')}]`).join(' and ')}`);
  return { wide: results.length === 1 && last?.output === result && last.kind === 'dense' && last.range === null && rows === 1 };
}

function inputParts(lowering: Lowering, network: Network, ranges: Ranges): readonly TensorInput[] {
  const several = network.inputs.length > 1;
  // One tensor has one element type: if an input needs more than eight bits, all have more.
  const wide = network.inputs.some((name) => lowering.precision(name) !== 8);
  return network.inputs.map((name): TensorInput => {
    const range = ranges.get(name) ?? { low: 0, high: 0 };
    const precision = lowering.precision(name);
    const { quantization: { scale, zeroPoint }, element } = lowering.targetOf(name, wide && precision === 8 ? 16 : precision);
    const dims = dimsOf(network, name);
    const type = lowering.precision(name) === 'integer' ? 'int64' : 'float32';
    if (element === 'i32') return { kind: 'tensor', name, type, dims, element: type === 'int64' ? 'int32' : 'int16', scale, zeroPoint };
    const unsigned = range.low >= 0 && !several;
    return { kind: 'tensor', name, type, dims, element: unsigned ? 'uint8' : 'int8', scale, zeroPoint: unsigned ? 0 : zeroPoint };
  });
}

function inputMetadata(parts: readonly TensorInput[]): InputMetadata {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'tensors', parts };
}

function inputActivation(builder: ProgramBuilder, { name, type, dims, element, scale, zeroPoint }: TensorInput, offset: number, whole: number): Activation {
  const unsigned = element === 'uint8';
  const given = builder.input;
  const size = elementCount(dims);
  const shape = { ...given.shape, columns: size };
  const own: Tensor = size === whole ? given : copied(builder, `input.${name}`, given, shape, [{ size, step: 1 }], offset);
  const signed = unsigned ? builder.append('input.signed', { kernel: fromUnsigned, output: shape, operands: [own] }) : own;
  const quantization: Quantization = { scale, zeroPoint: unsigned ? zeroPoint - 128 : zeroPoint };
  const base = { name, dims, quantization, ...(type === 'int64' ? { wide: true } : {}) };
  if (dims.length === 4 && dims[0] === 1) {
    const [, channels = 1, height = 1, width = 1] = dims;
    const pixels = height * width;
    return { ...base, tensor: reorder(builder, 'input.image', signed, { ...shape, rows: pixels, columns: channels }, [pixels, channels], [1, pixels]), layout: { kind: 'image' } };
  }
  return { ...base, tensor: withShape(builder, `input.${name}.rows`, signed, rowsShape(dims, shape.element)), layout: { kind: 'rows' } };
}

function appendClass(builder: ProgramBuilder, value: Activation): ClassOutput {
  const { tensor } = value;
  const { columns } = tensor.shape;
  const wide = tensor.shape.element === 'i32' ? tensor : builder.append('outputs', { kernel: widen, output: { element: 'i32', rows: 1, columns }, operands: [tensor] });
  builder.append('class', { kernel: argmax, output: { element: 'i32', rows: 1, columns: 1 }, operands: [wide] });
  return { kind: 'class', classes: columns, element: 'int32' };
}

function appendResults(builder: ProgramBuilder, values: readonly Activation[], network: Network, softmax: boolean): OutputMetadata {
  const [only] = values;
  const several = values.length > 1;
  const element = several && values.some(({ tensor }) => tensor.shape.element === 'i32') ? 'i32' : (only?.tensor.shape.element ?? 'i8');
  const lines = values.map((value, index) => {
    const columns = elementCount(value.dims);
    const own = value.tensor.shape.element;
    const line = withShape(builder, several ? `outputs.${index}` : 'outputs', value.tensor, { element: own, rows: 1, columns });
    return own === element ? line : builder.append(`outputs.${index}.wide`, { kernel: widen, output: { element, rows: 1, columns }, operands: [line] });
  });
  if (several) concatenated(builder, 'outputs', lines.map((tensor) => ({ tensor, dims: [1, tensor.shape.columns] })), 1);
  else if (!builder.isLast(lines[0] as Tensor)) copyLast(builder, lines[0] as Tensor);
  const parts = values.map(({ name, dims, quantization }): TensorOutput => ({
    kind: 'tensor', name, type: network.integers?.has(name) === true ? 'int64' : 'float32', dims, element: element === 'i32' ? 'int32' : 'int8', ...quantization, ...(softmax ? { then: 'softmax' as const } : {}),
  }));
  return several ? { kind: 'tensors', parts } : (parts[0] as TensorOutput);
}

/** A copy, so that the result is the last operator's. */
function copyLast(builder: ProgramBuilder, tensor: Tensor): Tensor {
  const wider = copied(builder, 'outputs.wider', tensor, { ...tensor.shape, columns: tensor.shape.columns + 1 }, [{ size: tensor.shape.columns + 1, step: 1, high: tensor.shape.columns }]);
  return copied(builder, 'outputs', wider, tensor.shape, [{ size: tensor.shape.columns, step: 1 }]);
}
