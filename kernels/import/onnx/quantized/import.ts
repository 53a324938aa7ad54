import { argmax } from '../../../argmax.ts';
import { clamp } from '../../../elementwise.ts';
import { ProgramBuilder } from '../../../program-builder.ts';
import type { Tensor } from '../../../program-builder.ts';
import { fromUnsigned, widen } from '../../../requantize.ts';
import { ImportError } from '../../import-error.ts';
import { bytesShape, toRows, withShape } from '../../network/activation.ts';
import type { Activation } from '../../network/activation.ts';
import { elementCount } from '../../network/float-tensor.ts';
import type { FloatTensor } from '../../network/float-tensor.ts';
import type { ClassOutput, TensorInput, TensorOutput } from '../../network/metadata.ts';
import { describe } from '../attributes.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from '../graph.ts';
import type { ImportedModel } from '../import.ts';
import { readDims } from '../tensor-data.ts';
import { fixedInput } from './convert-dynamic.ts';
import { lowerSums } from './lower-product.ts';
import { QUANTIZED_OPERATORS } from './operators.ts';
import { QuantizedConversion } from './quantized-conversion.ts';
import { ELEMENT } from './value.ts';

/** Operators that only quantised graphs have. */
const MARKS = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'QLinearConv', 'QLinearMatMul', 'ConvInteger', 'MatMulInteger']);

/** True for a graph that is quantised already, whose arithmetic import keeps. */
export const isQuantized = (graph: OnnxGraph): boolean => graph.nodes.some(({ operator }) => MARKS.has(operator) || operator.startsWith('com.microsoft.QLinear'));

export interface QuantizedImportOptions {
  /** End with the index of the greatest output. */
  readonly classify: boolean;
  readonly name?: string;
  /** Inputs of the model, one after another; needed by models that quantise while they run, for the step of their fixed-point numbers. */
  readonly calibration?: Float32Array;
  /** Inputs that get these values for good. */
  readonly constants?: ReadonlyMap<string, FloatTensor>;
}

/** A quantised graph as a program, and where its integers are inside it. There is no float network behind it, and no choice of precisions. */
export type ImportedQuantizedModel = ImportedModel;

/**
 * Imports an ONNX graph that is quantised already: the integers of the file, and its arithmetic, bit for bit.
 *
 * @throws ImportError on operators that are not supported (all at once, with their nodes' names) and on floats that are not quantised.
 */
export function importQuantizedGraph(graph: OnnxGraph, { classify, name, calibration, constants: fixed = new Map() }: QuantizedImportOptions): ImportedQuantizedModel {
  refuseUnsupported(graph);
  const inputs = graph.inputs.filter((input) => !fixed.has(input.name));
  const [given] = inputs;
  const [result] = graph.outputs;
  if (given === undefined || inputs.length > 1) throw new ImportError(`the model has ${inputs.length} inputs; models with one are supported`);
  if (result === undefined || graph.outputs.length > 1) throw new ImportError(`the model has ${graph.outputs.length} outputs (${graph.outputs.map((value) => value.name).join(', ')}); models with one are supported`);

  const dims = inputDims(given);
  const size = elementCount(dims);
  const dynamic = given.elementType === ELEMENT.float && graph.nodes.some(({ operator }) => operator === 'DynamicQuantizeLinear');
  const description = { name: name ?? (graph.name === '' ? 'onnx-model' : graph.name), input: dynamic ? { ...bytesShape(1, size), element: 'i32' as const } : bytesShape(1, size), metadata: {}, signature: '' };
  const builder = new ProgramBuilder(description);
  const conversion = new QuantizedConversion(builder);
  const activations: Activation[] = [];
  for (const [constant, tensor] of graph.constants) conversion.define(constant, { kind: 'constant', tensor, elementType: tensor.elementType });
  for (const { name: input, elementType } of graph.inputs) {
    const tensor = fixed.get(input);
    if (tensor !== undefined) conversion.define(input, { kind: 'constant', tensor, elementType });
  }
  if (dynamic) {
    if (calibration === undefined) throw new ImportError('the model quantises while it runs, and its floats become fixed-point numbers whose step follows from their usual range: give calibration data, raw float32 inputs one after another');
    conversion.define(given.name, fixedInput(conversion, given.name, dims, calibration));
  } else {
    defineInput(conversion, given, dims);
  }
  for (const node of graph.nodes) {
    convertNamed(conversion, node);
    const value = conversion.has({ ...node, inputs: node.outputs }, 0) ? conversion.value(node.outputs[0] ?? '') : null;
    if (value?.kind === 'integers') activations.push(value.activation);
  }

  const output = appendOutput(conversion, result.name, classify);
  const { program, constants } = builder.build();
  const input = inputMetadata(conversion, given, dims);
  const metadata = {
    source: { format: 'onnx', producer: graph.producer, opset: graph.opset },
    quantization: { arithmetic: 'of the file' },
    input,
    output: output.metadata,
  };
  const signature = `${classify ? 'classify' : 'infer'}(${input.element}[${size}])->(${output.type})`;
  return {
    model: { program: { ...program, signature, metadata }, constants },
    activations,
    network: { name: program.name, inputs: [given.name], outputs: [result.name], layers: [], constants: new Map(), dims: new Map() },
    precision: { precisions: new Map(), before: new Map(), after: new Map() },
  };
}

function convertNamed(conversion: QuantizedConversion, node: OnnxNode): void {
  try {
    QUANTIZED_OPERATORS.get(node.operator)?.(conversion, node);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ImportError(`${describe(node)}: ${cause.message}`, { cause });
  }
}

function refuseUnsupported({ nodes }: OnnxGraph): void {
  const unsupported = nodes.filter(({ operator }) => !QUANTIZED_OPERATORS.has(operator));
  if (unsupported.length === 0) return;
  const named = unsupported.slice(0, 20).map(describe).join(', ');
  const more = unsupported.length > 20 ? ` and ${unsupported.length - 20} more` : '';
  const operators = [...new Set(unsupported.map(({ operator }) => operator))].join(', ');
  throw new ImportError(`the model uses operators that are not supported in quantised models (${operators}): ${named}${more}`);
}

function inputDims({ name, elementType, dims }: OnnxValue): readonly number[] {
  if (elementType !== ELEMENT.float && elementType !== ELEMENT.int8 && elementType !== ELEMENT.uint8) {
    throw new ImportError(`the model's input ${name} has element type ${elementType}; float32 (1), uint8 (2) and int8 (3) are supported`);
  }
  const open = dims.flatMap((dim, axis) => (dim === null && axis > 0 ? [axis] : []));
  if (open.length > 0) throw new ImportError(`the model's input ${name} leaves its dimensions ${open.join(', ')} open: save the model with fixed ones`);
  const fixed = readDims(dims.map((dim) => dim ?? 1), `the model's input ${name}`);
  if (fixed.some((dim) => dim < 1)) throw new ImportError(`the model's input ${name} has the dimensions [${fixed.join(', ')}]; none may be 0`);
  return fixed;
}

/** The input as one row, with images laid out as pixels by whoever needs them so. */
function defineInput(conversion: QuantizedConversion, { name, elementType }: OnnxValue, dims: readonly number[]): void {
  if (elementType === ELEMENT.float) {
    conversion.define(name, { kind: 'float-input', name, dims });
    return;
  }
  const { builder } = conversion;
  const unsigned = elementType === ELEMENT.uint8;
  const tensor = unsigned ? signed(builder) : builder.input;
  const columns = dims.at(-1) ?? 1;
  const rows = withShape(builder, `${name}.rows`, tensor, bytesShape(elementCount(dims) / columns, columns));
  conversion.define(name, { kind: 'integers', unsigned, activation: { name, tensor: rows, dims, layout: { kind: 'rows' }, quantization: { scale: 1, zeroPoint: unsigned ? -128 : 0 } } });
}

const signed = (builder: ProgramBuilder): Tensor => builder.append('input.signed', { kernel: fromUnsigned, output: builder.input.shape, operands: [builder.input] });

function inputMetadata(conversion: QuantizedConversion, { name, elementType }: OnnxValue, dims: readonly number[]): TensorInput {
  const base = { kind: 'tensor', name, type: 'float32', dims } as const;
  const fixed = conversion.value(name);
  if (fixed.kind === 'fixed') return { ...base, element: 'int32', scale: fixed.activation.quantization.scale, zeroPoint: 0 };
  if (elementType !== ELEMENT.float) return { ...base, element: elementType === ELEMENT.uint8 ? 'uint8' : 'int8', scale: 1, zeroPoint: 0 };
  const quantization = conversion.inputQuantization;
  if (quantization === null) throw new ImportError(`the model does not quantise its input ${name}`);
  return { ...base, element: 'int8', scale: quantization.scale, zeroPoint: quantization.zeroPoint };
}

interface Output { readonly metadata: TensorOutput | ClassOutput; readonly type: string }

function appendOutput(conversion: QuantizedConversion, name: string, classify: boolean): Output {
  const { builder } = conversion;
  const value = conversion.value(name);
  const finish = (activation: Activation, element: 'int8' | 'int32', scale: number, zeroPoint: number): Output => {
    const rows = toRows(builder, activation);
    const count = elementCount(rows.dims);
    if (classify) return { metadata: appendClass(builder, rows.tensor, count), type: 'int32' };
    const bytes = element === 'int8' ? withShape(builder, 'outputs', rows.tensor, bytesShape(1, count)) : null;
    // A model of quantisations alone still has to have an operator that writes its result.
    if (bytes?.operand.kind === 'input' || bytes?.operand.kind === 'constant') builder.append('outputs', { kernel: clamp, output: bytes.shape, operands: [bytes], parameters: { low: -128, high: 127 } });
    const then = value.kind === 'softmax' ? { then: 'softmax' as const } : {};
    return { metadata: { kind: 'tensor', name, type: 'float32', dims: rows.dims, element, scale, zeroPoint, ...then }, type: `${element}[${count}]` };
  };
  if (value.kind === 'integers') return finish(value.activation, 'int8', 1, value.unsigned ? -128 : 0);
  if (value.kind === 'dequantized' || value.kind === 'softmax') {
    const { activation } = value.kind === 'softmax' ? value.x : value;
    return finish(activation, 'int8', activation.quantization.scale, activation.quantization.zeroPoint);
  }
  if (value.kind === 'fixed') return finish(value.activation, 'int32', value.activation.quantization.scale, 0);
  if (value.kind === 'dynamic') return finish(value.bytes, 'int8', 1, -128);
  if (value.kind === 'product' && value.scales.every((scale) => scale === value.scales[0])) {
    const scale = value.x.quantization.scale * (value.scales[0] ?? 1);
    return finish({ name, dims: value.dims, quantization: { scale, zeroPoint: 0 }, ...lowerSums(conversion, value) }, 'int32', scale, 0);
  }
  throw new ImportError(`the model's output ${name} is a ${value.kind} in float that is not quantised: quantise the whole model`);
}

function appendClass(builder: ProgramBuilder, tensor: Tensor, classes: number): ClassOutput {
  const row = tensor.shape.element === 'i8' ? withShape(builder, 'outputs.row', tensor, bytesShape(1, classes)) : tensor;
  if (row.shape.rows !== 1) throw new ImportError('a class needs one row of outputs');
  const wide = row.shape.element === 'i32' ? row : builder.append('outputs', { kernel: widen, output: { element: 'i32', rows: 1, columns: classes }, operands: [row] });
  builder.append('class', { kernel: argmax, output: { element: 'i32', rows: 1, columns: 1 }, operands: [wide] });
  return { kind: 'class', classes, element: 'int32' };
}
