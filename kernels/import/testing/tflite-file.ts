import { Builder } from 'flatbuffers';
import { BUILTIN_OPERATORS, FIELD, TENSOR_TYPES } from '../tflite/schema.ts';
import type { TensorType } from '../tflite/schema.ts';

/** A tensor of a test's model. Constants give their elements. */
export interface TestTensor {
  readonly type: Exclude<TensorType, 'other'>;
  readonly dims: readonly number[];
  readonly name?: string;
  /** One, or one for each entry of `axis`. */
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
  readonly axis?: number;
  readonly data?: readonly number[];
  readonly variable?: boolean;
}

/** A field of an operator's options, in the order of the schema; null where the default is meant. */
export type TestOption = readonly ['int8' | 'int32' | 'float32', number] | readonly ['int32s', readonly number[]] | null;

export interface TestOperator {
  readonly operator: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Number of the options' type in the union `BuiltinOptions` (schema.fbs), and its fields. */
  readonly options?: readonly [union: number, fields: readonly TestOption[]];
  readonly customCode?: string;
  /** Tensors that only say scales of what is inside the operator. */
  readonly intermediates?: readonly number[];
}

export interface TestModel {
  readonly tensors: readonly TestTensor[];
  readonly operators: readonly TestOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const TYPE_NUMBERS = new Map([...TENSOR_TYPES].map(([number, name]) => [name as string, number as number]));

/** Writes a TensorFlow Lite file. */
export function tfliteFile({ tensors, operators, inputs, outputs }: TestModel): Uint8Array {
  const builder = new Builder(1024);
  const bytesOf = ({ type, data = [] }: TestTensor): Uint8Array => {
    const width = { int4: 1, int8: 1, uint8: 1, bool: 1, int16: 2, int32: 4, float32: 4, int64: 8 }[type];
    // Two numbers of four bits a byte, the lower ones first.
    if (type === 'int4') return Uint8Array.from({ length: Math.ceil(data.length / 2) }, (_, index) => ((data[2 * index] ?? 0) & 15) | (((data[2 * index + 1] ?? 0) & 15) << 4));
    const view = new DataView(new ArrayBuffer(data.length * width));
    data.forEach((value, index) => {
      if (width === 1) view.setUint8(index, value & 0xff);
      else if (type === 'int16') view.setInt16(index * 2, value, true);
      else if (type === 'int32') view.setInt32(index * 4, value, true);
      else if (type === 'float32') view.setFloat32(index * 4, value, true);
      else view.setBigInt64(index * 8, BigInt(value), true);
    });
    return new Uint8Array(view.buffer);
  };
  const int32s = (values: readonly number[]): number => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addInt32(value);
    return builder.endVector();
  };
  const offsets = (values: readonly number[]): number => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addOffset(value);
    return builder.endVector();
  };
  const bytes = (values: Uint8Array): number => {
    builder.startVector(1, values.length, 16);
    for (let index = values.length - 1; index >= 0; index -= 1) builder.addInt8((values[index] ?? 0) << 24 >> 24);
    return builder.endVector();
  };

  const buffers = [new Uint8Array(), ...tensors.map(bytesOf)].map((data) => {
    const vector = data.length === 0 ? 0 : bytes(data);
    builder.startObject(3);
    if (vector !== 0) builder.addFieldOffset(FIELD.buffer.data, vector, 0);
    return builder.endObject();
  });
  const codes = operators.map(({ operator, customCode }) => {
    const custom = customCode === undefined ? 0 : builder.createString(customCode);
    const number = BUILTIN_OPERATORS.indexOf(operator);
    builder.startObject(4);
    builder.addFieldInt8(FIELD.operatorCode.deprecatedBuiltinCode, Math.min(number, 127), 0);
    if (custom !== 0) builder.addFieldOffset(FIELD.operatorCode.customCode, custom, 0);
    builder.addFieldInt32(2, 1, 0);
    builder.addFieldInt32(FIELD.operatorCode.builtinCode, number, 0);
    return builder.endObject();
  });
  const tensorTables = tensors.map(({ type, dims, name, scales = [], zeroPoints = scales.map(() => 0), axis = 0, data, variable = false }, index) => {
    const text = builder.createString(name ?? `t${index}`);
    const shape = int32s(dims);
    let quantization = 0;
    if (scales.length > 0) {
      builder.startVector(4, scales.length, 4);
      for (const scale of [...scales].reverse()) builder.addFloat32(scale);
      const scaleVector = builder.endVector();
      builder.startVector(8, zeroPoints.length, 8);
      for (const zero of [...zeroPoints].reverse()) builder.addInt64(BigInt(zero));
      const zeroVector = builder.endVector();
      builder.startObject(7);
      builder.addFieldOffset(FIELD.quantization.scale, scaleVector, 0);
      builder.addFieldOffset(FIELD.quantization.zeroPoint, zeroVector, 0);
      builder.addFieldInt32(FIELD.quantization.dimension, axis, 0);
      quantization = builder.endObject();
    }
    builder.startObject(8);
    builder.addFieldOffset(FIELD.tensor.shape, shape, 0);
    builder.addFieldInt8(FIELD.tensor.type, TYPE_NUMBERS.get(type) ?? 0, 0);
    builder.addFieldInt8(FIELD.tensor.isVariable, variable ? 1 : 0, 0);
    builder.addFieldInt32(FIELD.tensor.buffer, data === undefined ? 0 : index + 1, 0);
    builder.addFieldOffset(FIELD.tensor.name, text, 0);
    if (quantization !== 0) builder.addFieldOffset(FIELD.tensor.quantization, quantization, 0);
    return builder.endObject();
  });
  const operatorTables = operators.map((operator, index) => {
    const [given, written] = [int32s(operator.inputs), int32s(operator.outputs)];
    const [union = 0, fields = []] = operator.options ?? [];
    const vectors = fields.map((field) => (field?.[0] === 'int32s' ? int32s(field[1]) : 0));
    let options = 0;
    if (union !== 0) {
      builder.startObject(fields.length);
      fields.forEach((field, number) => {
        if (field === null) return;
        if (field[0] === 'int8') builder.addFieldInt8(number, field[1], NaN);
        else if (field[0] === 'int32') builder.addFieldInt32(number, field[1], NaN);
        else if (field[0] === 'float32') builder.addFieldFloat32(number, field[1], NaN);
        else builder.addFieldOffset(number, vectors[number] ?? 0, 0);
      });
      options = builder.endObject();
    }
    const inside = operator.intermediates === undefined ? 0 : int32s(operator.intermediates);
    builder.startObject(9);
    builder.addFieldInt32(FIELD.operator.opcode, index, 0);
    builder.addFieldOffset(FIELD.operator.inputs, given, 0);
    builder.addFieldOffset(FIELD.operator.outputs, written, 0);
    if (inside !== 0) builder.addFieldOffset(FIELD.operator.intermediates, inside, 0);
    if (union !== 0) {
      builder.addFieldInt8(FIELD.operator.options - 1, union, 0);
      builder.addFieldOffset(FIELD.operator.options, options, 0);
    }
    return builder.endObject();
  });
  const [tensorList, inputList, outputList, operatorList] = [offsets(tensorTables), int32s(inputs), int32s(outputs), offsets(operatorTables)];
  builder.startObject(5);
  builder.addFieldOffset(FIELD.subgraph.tensors, tensorList, 0);
  builder.addFieldOffset(FIELD.subgraph.inputs, inputList, 0);
  builder.addFieldOffset(FIELD.subgraph.outputs, outputList, 0);
  builder.addFieldOffset(FIELD.subgraph.operators, operatorList, 0);
  const subgraph = builder.endObject();
  const [codeList, subgraphList, bufferList, description] = [offsets(codes), offsets([subgraph]), offsets(buffers), builder.createString('a test')];
  builder.startObject(5);
  builder.addFieldInt32(FIELD.model.version, 3, 0);
  builder.addFieldOffset(FIELD.model.operatorCodes, codeList, 0);
  builder.addFieldOffset(FIELD.model.subgraphs, subgraphList, 0);
  builder.addFieldOffset(FIELD.model.description, description, 0);
  builder.addFieldOffset(FIELD.model.buffers, bufferList, 0);
  builder.finish(builder.endObject(), 'TFL3');
  return builder.asUint8Array().slice();
}
