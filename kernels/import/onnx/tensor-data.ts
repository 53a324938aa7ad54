import type { onnx } from 'onnx-proto';
import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import type { OnnxTensor } from './graph.ts';

/** Elements that a tensor of a model file may have. */
const MAXIMUM_ELEMENTS = 2 ** 28;
const MAXIMUM_RANK = 8;

/** ONNX `TensorProto.DataType` of what is read here. */
const TYPES: Readonly<Record<number, { readonly name: string; readonly bytes: number; readonly range?: readonly [number, number]; readonly read: (view: DataView, offset: number) => number }>> = {
  1: { name: 'float', bytes: 4, read: (view, offset) => view.getFloat32(offset, true) },
  2: { name: 'uint8', bytes: 1, range: [0, 255], read: (view, offset) => view.getUint8(offset) },
  3: { name: 'int8', bytes: 1, range: [-128, 127], read: (view, offset) => view.getInt8(offset) },
  4: { name: 'uint16', bytes: 2, range: [0, 65535], read: (view, offset) => view.getUint16(offset, true) },
  5: { name: 'int16', bytes: 2, range: [-32768, 32767], read: (view, offset) => view.getInt16(offset, true) },
  6: { name: 'int32', bytes: 4, read: (view, offset) => view.getInt32(offset, true) },
  7: { name: 'int64', bytes: 8, read: (view, offset) => Number(view.getBigInt64(offset, true)) },
  9: { name: 'bool', bytes: 1, range: [0, 1], read: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1) },
  10: { name: 'float16', bytes: 2, read: (view, offset) => fromHalf(view.getUint16(offset, true)) },
  11: { name: 'double', bytes: 8, read: (view, offset) => view.getFloat64(offset, true) },
  12: { name: 'uint32', bytes: 4, read: (view, offset) => view.getUint32(offset, true) },
  13: { name: 'uint64', bytes: 8, read: (view, offset) => Number(view.getBigUint64(offset, true)) },
  16: { name: 'bfloat16', bytes: 2, read: (view, offset) => fromBrainFloat(view.getUint16(offset, true)) },
};

/** IEEE 754 binary16: sign, five bits of exponent, ten of fraction. */
export function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The upper half of an IEEE 754 binary32. */
function fromBrainFloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

/** A protobuf integer of 64 bits, as protobufjs gives it. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  const { low, high } = value as { readonly low: number; readonly high: number };
  return Number((BigInt(high) << 32n) | BigInt(low >>> 0));
}

/**
 * The numbers in an ONNX tensor.
 *
 * @throws ImportError on external data, types that are not read here, hostile dimensions, a length that is not theirs, and numbers that are not finite.
 */
export function readTensor(tensor: onnx.ITensorProto, what: string): OnnxTensor {
  if (tensor.dataLocation === 1 || (tensor.externalData?.length ?? 0) > 0) {
    throw new ImportError(`${what} is stored outside the file: save the model with its weights inside`);
  }
  if (tensor.segment != null) throw new ImportError(`${what} is stored in segments, which this importer does not read`);
  const dims = readDims((tensor.dims ?? []).map(toNumber), what);
  const type = TYPES[tensor.dataType ?? 0];
  if (type === undefined) {
    throw new ImportError(`${what} has element type ${tensor.dataType ?? 0}; read are ${Object.values(TYPES).map(({ name }) => name).join(', ')}`);
  }
  const elements = (tensor.rawData?.length ?? 0) > 0 ? fromRaw(tensor.rawData as Uint8Array, type) : fromLists(tensor);
  const wanted = elementCount(dims);
  if (elements.count !== wanted) throw new ImportError(`${what} has ${elements.count} elements where its dimensions [${dims.join(', ')}] want ${wanted}`);
  const data = ['float', 'float16', 'bfloat16', 'double'].includes(type.name) ? new Float32Array(wanted) : new Float64Array(wanted);
  for (let index = 0; index < wanted; index += 1) data[index] = elements.at(index);
  // Infinities, which masks have, become the greatest finite numbers.
  const greatest = 3.4028234663852886e38;
  for (let index = 0; index < wanted; index += 1) {
    const element = data[index] as number;
    if (Number.isNaN(element)) throw new ImportError(`${what} has elements that are not finite numbers or infinities`);
    // Lists hold small integers as 32 bits.
    if (type.range !== undefined && !(element >= type.range[0] && element <= type.range[1])) throw new ImportError(`${what} has an element of ${element}, which is no ${type.name}`);
    if (Math.abs(element) > greatest) data[index] = Math.sign(element) * greatest;
  }
  return { dims, data, elementType: tensor.dataType ?? 0 };
}

/** Dimensions as a model file gives them. @throws ImportError when they are negative, too many, or too large together. */
export function readDims(dims: readonly number[], what: string): number[] {
  if (dims.length > MAXIMUM_RANK) throw new ImportError(`${what} has ${dims.length} dimensions; at most ${MAXIMUM_RANK} are read`);
  if (dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) throw new ImportError(`${what} has the dimensions [${dims.join(', ')}]; none may be negative`);
  let count = 1;
  for (const dim of dims) {
    count *= dim;
    if (count > MAXIMUM_ELEMENTS) throw new ImportError(`${what} has the dimensions [${dims.join(', ')}], more than ${MAXIMUM_ELEMENTS} elements`);
  }
  return [...dims];
}

interface Elements { readonly count: number; at(index: number): number }

/** Little-endian elements; a length that is no whole number of them gives a count that fits no dimensions. */
function fromRaw(raw: Uint8Array, type: (typeof TYPES)[number]): Elements {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return { count: raw.length / type.bytes, at: (index) => type.read(view, index * type.bytes) };
}

function fromLists(tensor: onnx.ITensorProto): Elements {
  const lists: Readonly<Record<number, readonly unknown[] | null | undefined>> = { 1: tensor.floatData, 7: tensor.int64Data, 11: tensor.doubleData, 12: tensor.uint64Data, 13: tensor.uint64Data };
  const list = lists[tensor.dataType ?? 0] ?? tensor.int32Data ?? [];
  // Half precision comes as its bits.
  const convert = { 10: fromHalf, 16: fromBrainFloat }[tensor.dataType ?? 0] ?? ((value: number): number => value);
  return { count: list.length, at: (index) => convert(toNumber(list[index] ?? 0)) };
}
