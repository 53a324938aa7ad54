import fc from 'fast-check';
import { Builder } from 'flatbuffers';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../import-error.ts';
import { tfliteFile } from '../testing/tflite-file.ts';
import type { TestModel, TestOperator, TestTensor } from '../testing/tflite-file.ts';
import { importTflite } from './import.ts';
import { FIELD } from './schema.ts';

const int8 = (dims: readonly number[], scale = 0.05, zero = 3): TestTensor => ({ type: 'int8', dims, scales: [scale], zeroPoints: [zero] });
const weights = (dims: readonly number[]): TestTensor => ({ type: 'int8', dims, scales: [0.01], data: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, index) => (index * 37) % 255 - 127) });
const bias = (count: number): TestTensor => ({ type: 'int32', dims: [count], scales: [0.0005], data: Array.from({ length: count }, (_, index) => index * 100) });

const model: TestModel = {
  tensors: [int8([1, 6, 6, 3]), weights([4, 3, 3, 3]), bias(4), int8([1, 3, 3, 4]), int8([1, 1, 1, 4]), { type: 'int32', dims: [2], data: [1, 4] }, int8([1, 4]), weights([5, 4]), bias(5), int8([1, 5])],
  operators: [
    { operator: 'CONV_2D', inputs: [0, 1, 2], outputs: [3], options: [1, [['int8', 0], ['int32', 2], ['int32', 2], ['int8', 1], ['int32', 1], ['int32', 1]]] },
    { operator: 'AVERAGE_POOL_2D', inputs: [3], outputs: [4], options: [5, [['int8', 1], ['int32', 1], ['int32', 1], ['int32', 3], ['int32', 3], ['int8', 0]]] },
    { operator: 'RESHAPE', inputs: [4, 5], outputs: [6], options: [17, [['int32s', [1, 4]]]] },
    { operator: 'FULLY_CONNECTED', inputs: [6, 7, 8], outputs: [9], options: [8, [['int8', 0]]] },
  ],
  inputs: [0],
  outputs: [9],
};
const file = tfliteFile(model);
const load = (parts: Partial<TestModel>) => (): unknown => importTflite(tfliteFile({ ...model, ...parts }));
const change = (index: number, edit: Partial<TestTensor>): readonly TestTensor[] => model.tensors.map((tensor, other) => (other === index ? { ...tensor, ...edit } : tensor));
const first = (edit: Partial<TestOperator>): readonly TestOperator[] => model.operators.map((operator, index) => (index === 0 ? { ...operator, ...edit } : operator));

/** A model of one operator. */
const single = (operator: string, inputs: readonly TestTensor[], output: TestTensor, options?: TestOperator['options']) => (): unknown => importTflite(tfliteFile({
  tensors: [...inputs, output],
  operators: [{ operator, inputs: inputs.map((_, index) => index), outputs: [inputs.length], ...(options === undefined ? {} : { options }) }],
  inputs: inputs.flatMap(({ data }, index) => (data === undefined ? [index] : [])),
  outputs: [inputs.length],
}));

/** Where a file's first operator says the type of its options. */
function typeOfOptions(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const field = (table: number, index: number): number => table + view.getUint16(table - view.getInt32(table, true) + 4 + 2 * index, true);
  const follow = (at: number): number => at + view.getUint32(at, true);
  const firstOf = (table: number, index: number): number => follow(follow(field(table, index)) + 4);
  return field(firstOf(firstOf(view.getUint32(0, true), FIELD.model.subgraphs), FIELD.subgraph.operators), FIELD.operator.options - 1);
}

/** Loads a damaged file: true where it is refused, which only an ImportError may do. */
function isRefused(damaged: Uint8Array): boolean {
  try {
    importTflite(damaged);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(ImportError);
    return true;
  }
}

describe('damaged files', () => {
  test('the undamaged one is imported', () => {
    expect(importTflite(file).model.program.signature).toBe('infer(int8[108])->(int8[5])');
  });

  test('every truncation is one ImportError, or loses nothing but padding', () => {
    let accepted = 0;
    for (let length = 0; length < file.length; length += 1) if (!isRefused(file.subarray(0, length))) accepted += 1;
    expect(accepted).toBeLessThan(32);
  });

  test('every flipped bit gives a model or an ImportError, nothing else', () => {
    let refused = 0;
    for (let index = 0; index < file.length; index += 1) {
      const damaged = file.slice();
      damaged[index] = (damaged[index] ?? 0) ^ (1 << (index % 8));
      if (isRefused(damaged)) refused += 1;
    }
    expect(refused).toBeGreaterThan(file.length / 10);
  });

  test('changed words give a model or an ImportError, nothing else', () => {
    const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0xffffffff, 0x7fffffff, 0x80000000, file.length, file.length - 4));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: file.length / 4 - 1 }), word), { minLength: 1, maxLength: 4 }), (edits) => {
        const damaged = file.slice();
        const view = new DataView(damaged.buffer);
        for (const [index, value] of edits) view.setUint32(index * 4, value, true);
        isRefused(damaged);
      }),
      { seed: 9, numRuns: 1500 },
    );
  });

  test('noise is refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => { expect(isRefused(bytes)).toBe(true); }), { seed: 6, numRuns: 300 });
    const marked = new Uint8Array(64).fill(0xff);
    marked.set([8, 0, 0, 0, 0x54, 0x46, 0x4c, 0x33]);
    expect(isRefused(marked)).toBe(true);
  });

  test('tables that refer to one another so often that reading them would not end', () => {
    const builder = new Builder(1024);
    const name = builder.createString('n'.repeat(4000));
    builder.startObject(4);
    builder.addFieldOffset(FIELD.tensor.name, name, 0);
    const tensor = builder.endObject();
    const list = (offset: number, count: number): number => {
      builder.startVector(4, count, 4);
      for (let index = 0; index < count; index += 1) builder.addOffset(offset);
      return builder.endVector();
    };
    const tensors = list(tensor, 16_000);
    builder.startObject(1);
    builder.addFieldOffset(FIELD.subgraph.tensors, tensors, 0);
    const subgraphs = list(builder.endObject(), 1);
    builder.startObject(3);
    builder.addFieldOffset(FIELD.model.subgraphs, subgraphs, 0);
    builder.finish(builder.endObject(), 'TFL3');
    expect(() => importTflite(builder.asUint8Array())).toThrow('overlap so much');
  });
});

describe('hostile models', () => {
  test('unsupported operators are all named, with what they compute', () => {
    const operators: TestOperator[] = [
      { operator: 'LSTM', inputs: [0], outputs: [3] },
      ...model.operators.slice(1),
      { operator: 'CUSTOM', customCode: 'Frobnicate', inputs: [9], outputs: [9] },
    ];
    expect(load({ operators })).toThrow('not supported (LSTM, CUSTOM Frobnicate): operator 0 (LSTM) for t3, operator 4 (CUSTOM Frobnicate) for t9');
  });

  test('tensors that are read before they are computed, written twice, or do not exist', () => {
    expect(load({ operators: [...model.operators].reverse() })).toThrow('reads tensor 6 (t6) before it is computed');
    expect(load({ operators: [...model.operators, model.operators[3]!] })).toThrow('writes tensor 9 (t9), which is a constant or written already');
    expect(load({ operators: first({ inputs: [0, 1, 77] }) })).toThrow('operator 0 (CONV_2D) names tensor 77, but the model has 10');
    expect(load({ operators: first({ inputs: [0, -1, 2] }) })).toThrow('lacks its input 1');
    expect(load({ outputs: [1] })).toThrow('is computed by no operator');
    expect(load({ inputs: [-5] })).toThrow('names tensor -5');
    expect(load({ outputs: [] })).toThrow('no outputs');
  });

  test('dimensions that do not fit, are too large, or 0', () => {
    expect(load({ tensors: change(0, { dims: [1, 6, 6, 4] }) })).toThrow('do not fit 4 channels');
    expect(load({ tensors: change(3, { dims: [1, 3, 4, 4] }) })).toThrow('an output of width 4 does not follow');
    expect(load({ tensors: change(0, { dims: [1, 2 ** 15, 2 ** 15, 3] }) })).toThrow('at most 67108864 elements');
    expect(load({ tensors: change(0, { dims: [1, -6, 6, 3] }) })).toThrow('they are not negative');
    expect(load({ tensors: change(0, { dims: [1, 0, 6, 3] }) })).toThrow('none may be 0');
    expect(load({ tensors: change(0, { dims: new Array<number>(9).fill(1) }) })).toThrow('at most 8');
    expect(load({ tensors: change(7, { data: [1, 2, 3] }) })).toThrow('has 3 bytes of data where its dimensions [5, 4] want 20');
    expect(load({ tensors: change(8, { dims: [4], data: [1, 2, 3, 4] }) })).toThrow('4 biases for 5 outputs');
  });

  test('numbers that no integers follow from', () => {
    expect(load({ tensors: change(1, { scales: [NaN] }) })).toThrow('a scale of NaN');
    expect(load({ tensors: change(1, { scales: [-1] }) })).toThrow('a scale of -1');
    expect(load({ tensors: change(3, { scales: [1e-30] }) })).toThrow('between scales');
    expect(load({ tensors: change(1, { scales: [0.1, 0.2] }) })).toThrow('2 scales');
    expect(load({ tensors: change(2, { data: [2 ** 31 - 1, 0, 0, 0] }) })).toThrow('does not fit 32 bits');
    expect(load({ operators: first({ options: [1, [['int8', 0], ['int32', 0], ['int32', 2]]] }) })).toThrow('stride 0');
    expect(load({ operators: first({ options: [1, [['int8', 7], ['int32', 2], ['int32', 2]]] }) })).toThrow('does not follow');
    expect(load({ tensors: change(0, { type: 'float32' }) })).toThrow('has to be quantised to integers');
  });

  test('scales that were never set, and zero points outside their type', () => {
    expect(load({ tensors: change(9, { scales: [0], zeroPoints: [3] }) })).toThrow('tensor 9 (t9) has no scale');
    expect(load({ tensors: change(3, { scales: [] }) })).toThrow('tensor 3 (t3) has no scale');
    expect(load({ tensors: change(9, { zeroPoints: [128] }) })).toThrow('a zero point of 128, outside its type\'s range');
    expect(single('QUANTIZE', [int8([4], 1e10)], int8([4], 1e-10))).toThrow(ImportError);
    expect(single('LESS', [int8([4], 1e10), int8([4])], { type: 'bool', dims: [4] })).toThrow('a factor of 10000000000 between scales');
  });

  test('outputs of other dimensions than what is computed', () => {
    const sizes: TestTensor = { type: 'int32', dims: [2], data: [4, 6] };
    const filter: TestTensor = { type: 'int32', dims: [4], data: [1, 4, 5, 2] };
    const image = int8([1, 2, 2, 3]);
    expect(single('QUANTIZE', [int8([2, 4])], int8([4]))).toThrow('its output has the dimensions [4]');
    expect(single('ADD', [int8([1]), int8([4, 1])], int8([4, 3]))).toThrow('[1] and [4, 1] give less than [4, 3]');
    expect(single('RESIZE_BILINEAR', [image, sizes], int8([1, 4, 5, 3]))).toThrow('what it computes has [1, 4, 6, 3]');
    expect(single('RESIZE_NEAREST_NEIGHBOR', [image, sizes], int8([1, 4, 5, 3]))).toThrow('what it computes has [1, 4, 6, 3]');
    expect(single('TRANSPOSE_CONV', [filter, weights([2, 2, 2, 3]), image], int8([1, 4, 4, 2]), [49, [['int8', 0], ['int32', 2], ['int32', 2]]])).toThrow('what it computes has [1, 4, 5, 2]');
  });

  test('options without a type count as left out, and those of another operator are refused', () => {
    const untyped = file.slice();
    const at = typeOfOptions(untyped);
    expect(untyped[at]).toBe(1);
    untyped[at] = 0;
    expect(() => importTflite(untyped)).toThrow('stride 0');
    expect(load({ operators: first({ options: [5, [['int8', 0], ['int32', 2], ['int32', 2]]] }) })).toThrow('operator 0 (CONV_2D) has options of type 5; its own have 1');
  });

  test('weights of bytes with activations of floats', () => {
    expect(load({ tensors: model.tensors.map((tensor) => (tensor.data === undefined ? { type: 'float32', dims: tensor.dims } : tensor)) }))
      .toThrow('weights of bytes but activations of floats (dynamic range quantisation) in operator 0 (CONV_2D), operator 3 (FULLY_CONNECTED): convert it with full integer quantisation');
  });
});

test('weights of four bits give what the same numbers in bytes do', () => {
  const small = (tensor: TestTensor, type: 'int4' | 'int8'): TestTensor => (tensor.type === 'int8' && tensor.data !== undefined ? { ...tensor, type, data: tensor.data.map((value) => ((value << 28) >> 28)) } : tensor);
  const [packed, plain] = (['int4', 'int8'] as const).map((type) => tfliteFile({ ...model, tensors: model.tensors.map((tensor) => small(tensor, type)) })) as [Uint8Array, Uint8Array];
  expect(packed.length).toBeLessThan(plain.length);
  expect(importTflite(packed).model.constants).toEqual(importTflite(plain).model.constants);
  expect(() => importTflite(tfliteFile({ ...model, tensors: change(0, { type: 'int4' }) }))).toThrow('elements of type int4');
});
