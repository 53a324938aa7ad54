import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../import-error.ts';
import { onnxFile } from '../testing/onnx-file.ts';
import type { Change, TestGraph, TestNode } from '../testing/onnx-file.ts';
import { importOnnx } from './import.ts';

const relu: TestNode = { operator: 'Relu', name: 'cut', inputs: ['x'], outputs: ['y'] };
const graph: TestGraph = {
  nodes: [
    { operator: 'Conv', name: 'first', inputs: ['x', 'w', 'b'], outputs: ['c'], integers: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
    { operator: 'Relu', inputs: ['c'], outputs: ['r'] },
    { operator: 'MaxPool', inputs: ['r'], outputs: ['p'], integers: { kernel_shape: [2, 2], strides: [2, 2] } },
    { operator: 'Reshape', inputs: ['p', 'shape'], outputs: ['f'] },
    { operator: 'MatMul', inputs: ['f', 'm'], outputs: ['y'] },
  ],
  inputs: { x: [1, 1, 4, 4] },
  outputs: { y: [1, 3] },
  constants: {
    w: { dims: [2, 1, 3, 3], data: Array.from({ length: 18 }, (_, index) => index - 8) },
    b: { dims: [2], data: [0.5, -0.5] },
    shape: { dims: [2], data: [1, -1], type: 'int64' },
    m: { dims: [8, 3], data: Array.from({ length: 24 }, (_, index) => (index % 5) - 2) },
  },
};
const calibration = Float32Array.from({ length: 16 }, (_, index) => index / 8 - 1);
const load = (file: Uint8Array): unknown => importOnnx(file, { calibration });
const loadGraph = (parts: Partial<TestGraph>, change?: Change) => (): unknown => load(onnxFile({ ...graph, ...parts }, change));

describe('damaged files', () => {
  const file = onnxFile(graph);

  test('the undamaged one is imported', () => {
    expect(importOnnx(file, { calibration }).model.program.signature).toBe('infer(int8[16])->(int32[3])');
  });

  test('every truncation is one ImportError', () => {
    for (let length = 0; length < file.length; length += 1) expect(() => load(file.subarray(0, length)), `${length} bytes`).toThrow(ImportError);
  });

  test('changed bytes give a model or an ImportError, nothing else', () => {
    const changes = fc.array(fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    let refused = 0;
    fc.assert(
      fc.property(changes, (edits) => {
        const damaged = file.slice();
        for (const [index, byte] of edits) damaged[index] = byte;
        try {
          load(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(ImportError);
          refused += 1;
        }
      }),
      { seed: 5, numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(300);
  });

  test('noise is refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => { expect(() => load(bytes)).toThrow(ImportError); }), { seed: 6, numRuns: 300 });
  });
});

describe('hostile graphs', () => {
  test.each([[2, -3, 'uint8'], [2, 256, 'uint8'], [3, 128, 'int8'], [4, 65536, 'uint16'], [5, -32769, 'int16'], [9, 2, 'bool']])('a list of elements of type %i with %i', (dataType, element, name) => {
    const file = (value: number): Uint8Array => onnxFile(graph, (model) => { model.graph?.initializer?.push({ name: 'extra', dims: [2], dataType, int32Data: [0, value] }); });
    expect(() => load(file(element))).toThrow(`weight extra has an element of ${element}, which is no ${name}`);
    expect(() => load(file(1))).not.toThrow();
  });

  test.each(['__proto__', 'constructor', 'toString'])('an input named %s', (name) => {
    const file = onnxFile({ nodes: [{ ...relu, inputs: [name] }], inputs: Object.fromEntries([[name, [2, 2]]]), outputs: { y: [2, 2] } });
    expect(importOnnx(file, { calibration: new Float32Array([0, 1, 2, 3]), activationBits: 8 }).model.program.signature).toBe('infer(uint8[4])->(int8[4])');
  });

  test('cycles, values read but never written, values written twice', () => {
    const nodes: TestNode[] = [
      { operator: 'Relu', name: 'one', inputs: ['v2'], outputs: ['v1'] },
      { operator: 'Relu', name: 'two', inputs: ['v1'], outputs: ['v2'] },
      { operator: 'Add', name: 'three', inputs: ['x', 'v2'], outputs: ['y'] },
    ];
    expect(loadGraph({ nodes })).toThrow(/nodes form a cycle: node (one|two) reads/);
    expect(loadGraph({ nodes: [{ ...relu, inputs: ['ghost'] }] })).toThrow('node cut reads ghost, which is neither a weight, nor an input, nor written by a node');
    expect(loadGraph({ nodes: [relu, { ...relu, name: 'again' }] })).toThrow('y is written twice');
    expect(loadGraph({ nodes: [] })).toThrow('reads y');
  });

  test('a chain longer than the call stack is deep', () => {
    const nodes = Array.from({ length: 16_000 }, (_, index): TestNode => ({ operator: 'Identity', inputs: [index === 0 ? 'x' : `v${index}`], outputs: [index === 15_999 ? 'y' : `v${index + 1}`] }));
    expect(loadGraph({ nodes: [...nodes].reverse() })).not.toThrow();
    expect(loadGraph({ nodes: [...nodes, ...nodes] })).toThrow('at most 16384');
  });

  test('unsupported operators are all named, with their nodes', () => {
    const nodes: TestNode[] = [
      { operator: 'NonMaxSuppression', name: 'memory', inputs: ['x'], outputs: ['v1'] },
      { operator: 'Relu', inputs: ['v1'], outputs: ['v2'] },
      { operator: 'Frobnicate', name: 'odd', inputs: ['v2'], outputs: ['v3'] },
      { operator: 'NonMaxSuppression', name: '', inputs: ['v3'], outputs: ['y'] },
    ];
    expect(loadGraph({ nodes })).toThrow('not supported (NonMaxSuppression, Frobnicate): node memory (NonMaxSuppression), node odd (Frobnicate), node y (NonMaxSuppression)');
    const foreign = loadGraph({ nodes: [relu] }, (model) => { model.graph!.node![0]!.domain = 'com.example'; });
    expect(foreign).toThrow('node cut (com.example.Relu)');
  });

  test('weights that are too large, elsewhere, of another length or type, or not finite', () => {
    const weight = (edit: Record<string, unknown>): (() => unknown) => loadGraph({}, (model) => { Object.assign(model.graph!.initializer![0]!, edit); });
    expect(weight({ dims: [2 ** 30, 2 ** 30, 3, 3] })).toThrow('weight w has the dimensions');
    expect(weight({ dims: [-1, 1, 3, 3] })).toThrow('none may be negative');
    expect(weight({ dims: [3, 1, 3, 3] })).toThrow('weight w has 18 elements where its dimensions [3, 1, 3, 3] want 27');
    expect(weight({ dims: new Array(9).fill(1) })).toThrow('9 dimensions');
    expect(weight({ dataType: 8 })).toThrow('element type 8');
    expect(weight({ dataLocation: 1, externalData: [{ key: 'location', value: '/etc/passwd' }] })).toThrow('stored outside the file');
    expect(weight({ floatData: [], rawData: new Uint8Array(71) })).toThrow('17.75 elements');
    expect(weight({ floatData: [...new Array<number>(17).fill(0), NaN] })).toThrow('not finite');
    expect(weight({ name: 'b' })).toThrow('two weights named b');
  });

  test('inputs and outputs that the program cannot have', () => {
    const input = (edit: Change): (() => unknown) => loadGraph({}, edit);
    expect(input((model) => { model.graph!.input![0]!.type!.tensorType!.elemType = 8; })).toThrow('element type 8');
    expect(input((model) => { model.graph!.input![0]!.type!.tensorType!.shape!.dim![2] = { dimParam: 'height' }; })).toThrow('leaves its dimensions 2 open');
    expect(input((model) => { model.graph!.input![0]!.type = null; })).toThrow('x is not a tensor');
    expect(loadGraph({ outputs: { y: [1, 3], w: [2, 1, 3, 3] } })).toThrow('output w does not depend on its input');
    expect(loadGraph({ nodes: [{ operator: 'Identity', inputs: ['b'], outputs: ['y'] }] })).toThrow('output y does not depend on its input');
    expect(loadGraph({ inputs: { x: [1, 1, 4096, 4096 * 4096] } })).toThrow('elements');
    expect(loadGraph({ opset: 3 })).toThrow('operator set 3');
  });

  test('shapes that do not fit', () => {
    const nodes = (edit: (nodes: TestNode[]) => void): (() => unknown) => {
      const copy = graph.nodes.map((node) => ({ ...node }));
      edit(copy);
      return loadGraph({ nodes: copy });
    };
    expect(nodes((list) => { list[0] = { ...list[0]!, integers: { kernel_shape: [2, 2] } }; })).toThrow('kernel_shape [2, 2] is not that of its weights');
    expect(nodes((list) => { list[0] = { ...list[0]!, integers: { strides: [0, 1] } }; })).toThrow('attribute strides is not a list of 2 integers of 1 and more');
    expect(nodes((list) => { list[0] = { ...list[0]!, integers: { group: 2 } }; })).toThrow('in 2 groups do not fit');
    expect(nodes((list) => { list[0] = { ...list[0]!, integers: { auto_pad: 'SOMEHOW' } }; })).toThrow('auto_pad SOMEHOW');
    expect(nodes((list) => { list[2] = { ...list[2]!, integers: { kernel_shape: [9, 9] } }; })).toThrow('a window of 9 is larger than the padded image of 4');
    expect(nodes((list) => { list[4] = { ...list[4]!, inputs: ['r', 'm'] }; })).toThrow('[1, 2, 4, 4] times [8, 3] is not supported');
    expect(loadGraph({ constants: { ...graph.constants, shape: { dims: [2], data: [3, -1], type: 'int64' } } })).toThrow('[1, 2, 2, 2] cannot take the shape [3, -1]');
    const wide = { dims: [1, 1, 3, 3], data: new Array<number>(9).fill(1) };
    expect(loadGraph({ constants: { ...graph.constants, w: wide } })).toThrow('2 biases for 1 channels');
    expect(nodes((list) => { list[0] = { ...list[0]!, integers: { pads: [2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20] } }; })).toThrow('at most 16777216 elements');
    expect(nodes((list) => { list[2] = { ...list[2]!, integers: { kernel_shape: [2 ** 20, 2 ** 20], pads: [2 ** 20, 2 ** 20, 0, 0] } }; })).toThrow('operations');
  });
});

describe('few bytes that ask for much', () => {
  const long = (data: number[]): { dims: number[]; data: number[]; type: 'int64' } => ({ dims: [data.length], data, type: 'int64' });
  const one = (node: Partial<TestNode>, constants: NonNullable<TestGraph['constants']> = {}): (() => unknown) =>
    loadGraph({ nodes: [{ operator: '', name: 'bomb', inputs: ['x'], outputs: ['y'], ...node }], constants, outputs: { y: [] } });
  const huge = 2 ** 40;

  test('sizes of results are bounded before anything is made', () => {
    expect(one({ operator: 'Tile', inputs: ['x', 'n'] }, { n: long([1, 1, huge, 1]) })).toThrow('node bomb (Tile): repeats');
    expect(one({ operator: 'Tile', inputs: ['x', 'n'] }, { n: long([4096, 4096, 4096, 1]) })).toThrow('at most 16777216 elements');
    expect(one({ operator: 'Expand', inputs: ['x', 'n'] }, { n: long([huge, 1, 4, 4]) })).toThrow('at most 16777216 elements');
    expect(one({ operator: 'Pad', inputs: ['x', 'n'] }, { n: long([0, 0, 0, 0, huge, 0, 0, 0]) })).toThrow('node bomb (Pad): pads');
    expect(one({ operator: 'Pad', inputs: ['x', 'n'], integers: { mode: 'edge' } }, { n: long([0, 4096, 4096, 0, 0, 0, 0, 0]) })).toThrow('more than 16777216 elements');
    expect(one({ operator: 'Resize', inputs: ['x', '', 's'] }, { s: { dims: [4], data: [1, 1, 1e9, 1e9] } })).toThrow('node bomb (Resize)');
    expect(one({ operator: 'ConstantOfShape', inputs: ['n'] }, { n: long([huge, huge]) })).toThrow('node bomb (ConstantOfShape)');
    expect(one({ operator: 'Range', inputs: ['a', 'b', 'c'] }, { a: { dims: [], data: [0] }, b: { dims: [], data: [1e30] }, c: { dims: [], data: [1e-30] } })).toThrow('node bomb (Range)');
    expect(one({ operator: 'Slice', inputs: ['x', 'a', 'b', 'c', 'd'] }, { a: long([0]), b: long([4]), c: long([2]), d: long([0]) })).toThrow('a step of 0');
    expect(one({ operator: 'Unsqueeze', inputs: ['x', 'n'] }, { n: long([0, 1, 2, 3, 4, 5]) })).toThrow('do not fit');
  });

  test('chains that double', () => {
    const nodes = Array.from({ length: 40 }, (_, index): TestNode => ({ operator: 'Concat', name: `double${index}`, inputs: [index === 0 ? 'x' : `v${index}`, index === 0 ? 'x' : `v${index}`], outputs: [index === 39 ? 'y' : `v${index + 1}`], integers: { axis: 0 } }));
    expect(loadGraph({ nodes })).toThrow(/double\d+ gives a value of dimensions/);
  });

  test('sequences are unrolled up to a limit', () => {
    const constants = { w: { dims: [1, 4, 1], data: [1, 2, 3, 4] }, r: { dims: [1, 4, 1], data: [1, 2, 3, 4] } };
    const nodes: TestNode[] = [{ operator: 'LSTM', name: 'endless', inputs: ['x', 'w', 'r'], outputs: ['y'], integers: { hidden_size: 1 } }];
    expect(loadGraph({ nodes, constants, inputs: { x: [100_000, 1, 1] }, outputs: { y: [] } })).toThrow('node endless (LSTM): 100000 steps; at most 1024');
  });

  test('data outside the file is refused, whatever the path', () => {
    for (const value of ['../../etc/passwd', '/etc/passwd', 'weights.bin']) {
      expect(loadGraph({}, (model) => { Object.assign(model.graph!.initializer![0]!, { dataLocation: 1, externalData: [{ key: 'location', value }] }); })).toThrow('stored outside the file');
    }
  });
});

describe('calibration data', () => {
  const file = onnxFile(graph);
  test('is asked for when missing, and checked', () => {
    expect(() => importOnnx(file)).toThrow('give calibration data');
    expect(() => importOnnx(file, { calibration: new Float32Array(17) })).toThrow('not one or more whole inputs of 16');
    expect(() => importOnnx(file, { calibration: new Float32Array(0) })).toThrow('0 numbers');
    expect(() => importOnnx(file, { calibration: new Float32Array(16).fill(NaN) })).toThrow('not finite');
  });
});
