import { ImportError } from '../import-error.ts';
import { FlatFile } from './flat-table.ts';
import type { FlatTable } from './flat-table.ts';
import { BUILTIN_OPERATORS, ELEMENT_BYTES, FIELD, FILE_IDENTIFIER, OPTIONS_TYPES, TENSOR_TYPES } from './schema.ts';
import type { TensorType } from './schema.ts';

const MOST_TENSORS = 2 ** 14;
const MOST_OPERATORS = 2 ** 12;
const MOST_DIMENSIONS = 8;
const MOST_ELEMENTS = 2 ** 26;
const MOST_ARGUMENTS = 2 ** 10;

/** Scales and zero points of a tensor: one of each, or one for each entry of `dimension`. */
export interface TensorQuantization { readonly scales: readonly number[]; readonly zeroPoints: readonly number[]; readonly dimension: number }

export interface TfliteTensor {
  readonly index: number;
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly number[];
  /** Null where the file gives no scale. */
  readonly quantization: TensorQuantization | null;
  /** Raw little-endian elements of a constant, `dims` of them; null where the tensor is computed. Constants of four bits are read as int8. */
  readonly data: Uint8Array | null;
  /** Keeps its elements between runs: an operator's state. */
  readonly variable: boolean;
}

export interface TfliteOperator {
  readonly index: number;
  /** `BuiltinOperator`'s name, or `CUSTOM name`. */
  readonly operator: string;
  /** Tensors by number; −1 where an optional one is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The operator's own table; null where the file leaves it out. */
  readonly options: FlatTable | null;
}

/** What a file says: its first and only subgraph. */
export interface TfliteModel {
  readonly description: string;
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * Reads a TensorFlow Lite file.
 *
 * @throws ImportError when it is no such file or damaged, has several subgraphs (control flow), sparse weights or data outside the file, or is larger than is read here.
 */
export function decodeTflite(bytes: Uint8Array): TfliteModel {
  const file = new FlatFile(bytes);
  const model = file.root(FILE_IDENTIFIER);
  const codes = model.tables(FIELD.model.operatorCodes, MOST_OPERATORS, 'operator code').map(readOperatorCode);
  const subgraphs = model.tables(FIELD.model.subgraphs, 2 ** 10, 'subgraph');
  const buffers = model.tables(FIELD.model.buffers, 2 * MOST_TENSORS, 'buffer');
  const [subgraph] = subgraphs;
  if (subgraph === undefined) throw new ImportError('the model has no subgraph: it computes nothing');
  if (subgraphs.length > 1) throw new ImportError(`the model has ${subgraphs.length} subgraphs (control flow, or several signatures); models with one are supported`);

  const tensors = subgraph.tables(FIELD.subgraph.tensors, MOST_TENSORS, 'tensor').map((table, index) => readTensor(table, index, buffers));
  const reference = (index: number, what: string, optional = false): number => {
    if (!(index < tensors.length && index >= (optional ? -1 : 0))) throw new ImportError(`${what} names tensor ${index}, but the model has ${tensors.length}`);
    return index;
  };
  const operators = subgraph.tables(FIELD.subgraph.operators, MOST_OPERATORS, 'operator').map((table, index): TfliteOperator => {
    const opcode = table.uint32(FIELD.operator.opcode, 0);
    const operator = codes[opcode];
    if (operator === undefined) throw new ImportError(`operator ${index} names operator code ${opcode}, but the model has ${codes.length}`);
    const inputs = table.int32s(FIELD.operator.inputs, MOST_ARGUMENTS).map((tensor) => reference(tensor, `operator ${index} (${operator})`, true));
    const outputs = table.int32s(FIELD.operator.outputs, MOST_ARGUMENTS).map((tensor) => reference(tensor, `operator ${index} (${operator})`));
    return { index, operator, inputs, outputs, options: readOptions(table, operator, index) };
  });
  const borders = (field: number, what: string): number[] => subgraph.int32s(field, MOST_TENSORS).map((tensor) => reference(tensor, what));
  return {
    description: model.string(FIELD.model.description),
    tensors,
    operators,
    inputs: borders(FIELD.subgraph.inputs, 'the model\'s inputs'),
    outputs: borders(FIELD.subgraph.outputs, 'the model\'s outputs'),
  };
}

/** An operator's own table. Its type says which table it is, and 0 that there is none, whatever the field holds (FlatBuffers' unions). */
function readOptions(table: FlatTable, operator: string, index: number): FlatTable | null {
  const type = table.uint8(FIELD.operator.optionsType, 0);
  if (type === 0) return null;
  const wanted = OPTIONS_TYPES.get(operator) ?? type;
  if (type !== wanted) throw new ImportError(`operator ${index} (${operator}) has options of type ${type}; its own have ${wanted}`);
  return table.table(FIELD.operator.options, `the options of operator ${index}`);
}

/** Codes from 127 on are in the newer field; older files have only the older one, so the greater of both counts (schema.fbs, `OperatorCode`). */
function readOperatorCode(table: FlatTable): string {
  const number = Math.max(table.int8(FIELD.operatorCode.deprecatedBuiltinCode, 0), table.int32(FIELD.operatorCode.builtinCode, 0));
  const name = BUILTIN_OPERATORS[number] ?? `builtin operator ${number}`;
  return name === 'CUSTOM' ? `CUSTOM ${table.string(FIELD.operatorCode.customCode)}` : name;
}

function readTensor(table: FlatTable, index: number, buffers: readonly FlatTable[]): TfliteTensor {
  const name = table.string(FIELD.tensor.name);
  const what = `tensor ${index} (${name})`;
  const type = TENSOR_TYPES.get(table.int8(FIELD.tensor.type, 0) as never) ?? 'other';
  const dims = table.int32s(FIELD.tensor.shape, MOST_DIMENSIONS);
  const elements = dims.reduce((product, dim) => (dim >= 0 ? product * dim : NaN), 1);
  if (!(elements <= MOST_ELEMENTS)) throw new ImportError(`${what} has the dimensions [${dims.join(', ')}]; they are not negative, and at most ${MOST_ELEMENTS} elements in all`);
  const variable = table.boolean(FIELD.tensor.isVariable, false);
  if (table.table(FIELD.tensor.sparsity, what) !== null) throw new ImportError(`${what} is sparse: convert the model with dense weights`);
  const buffer = table.uint32(FIELD.tensor.buffer, 0);
  const stored = buffers[buffer];
  if (buffer !== 0 && stored === undefined) throw new ImportError(`${what} names buffer ${buffer}, but the model has ${buffers.length}`);
  // Buffer 0 is the empty one, by convention.
  const data = stored === undefined || buffer === 0 ? new Uint8Array() : stored.bytes(FIELD.buffer.data);
  if (stored !== undefined && stored.uint32(FIELD.buffer.offset, 0) !== 0) throw new ImportError(`${what} has its data behind the model, which is not read: convert it to a file below 2 GB`);
  const wanted = Math.ceil(elements * ELEMENT_BYTES[type]);
  if (data.length > 0 && data.length !== wanted) throw new ImportError(`${what} has ${data.length} bytes of data where its dimensions [${dims.join(', ')}] want ${wanted}`);
  if (type === 'int4' && data.length > 0) return { index, name, type: 'int8', dims, quantization: readQuantization(table, type, what, dims), data: unpackNibbles(data, elements), variable };
  return { index, name, type, dims, quantization: readQuantization(table, type, what, dims), data: data.length > 0 ? data : null, variable };
}

/** Signed numbers of four bits, two a byte, the lower ones first. */
const unpackNibbles = (packed: Uint8Array, elements: number): Uint8Array =>
  Uint8Array.from({ length: elements }, (_, index) => (((packed[index >> 1] ?? 0) >> (4 * (index & 1))) << 28) >> 28);

const ZERO_POINTS: Partial<Record<TensorType, readonly [number, number]>> = { int4: [-8, 7], int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767] };

function readQuantization(tensor: FlatTable, type: TensorType, what: string, dims: readonly number[]): TensorQuantization | null {
  const table = tensor.table(FIELD.tensor.quantization, `the quantisation of ${what}`);
  if (table === null) return null;
  if (table.uint8(FIELD.quantization.detailsType, 0) !== 0) throw new ImportError(`${what} has a quantisation of its own kind; affine ones are supported`);
  const dimension = table.int32(FIELD.quantization.dimension, 0);
  const most = Math.max(1, dims[dimension] ?? 1);
  const scales = table.float32s(FIELD.quantization.scale, most);
  const zeroPoints = table.int64s(FIELD.quantization.zeroPoint, most).map(Number);
  if (scales.length === 0) return null;
  const fits = scales.length === 1 || scales.length === dims[dimension];
  if (!fits || (zeroPoints.length !== 0 && zeroPoints.length !== scales.length)) throw new ImportError(`${what} has ${scales.length} scales and ${zeroPoints.length} zero points for the dimensions [${dims.join(', ')}]`);
  const bad = scales.find((scale) => !(Number.isFinite(scale) && scale >= 0));
  if (bad !== undefined) throw new ImportError(`${what} has a scale of ${bad}`);
  const [least, greatest] = ZERO_POINTS[type] ?? [-(2 ** 16), 2 ** 16];
  const outside = zeroPoints.find((zero) => !(zero >= least && zero <= greatest));
  if (outside !== undefined) throw new ImportError(`${what} has a zero point of ${outside}, outside its type's range`);
  return { scales, zeroPoints: zeroPoints.length === 0 ? scales.map(() => 0) : zeroPoints, dimension };
}
