import { onnxFile } from '../../kernels/import/testing/onnx-file.ts';
import type { TestGraph } from '../../kernels/import/testing/onnx-file.ts';

/** Float inputs as a file has them. */
export const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** y = W x + b, with four inputs and three outputs. */
const LINEAR: TestGraph = {
  nodes: [{ operator: 'Gemm', name: 'scores', inputs: ['x', 'w', 'b'], outputs: ['y'] }],
  inputs: { x: [1, 4] },
  outputs: { y: [1, 3] },
  constants: {
    w: { dims: [4, 3], data: [0.5, -1, 0.25, 1, 0.75, -0.5, -0.25, 0.5, 1, 0, -0.5, 0.75] },
    b: { dims: [3], data: [0.1, -0.2, 0.3] },
  },
};

/** An input for it. */
export const INPUT = [1, -0.5, 0.25, 0.75] as const;
/** What the float network gives for the input, by hand. */
export const OUTPUT = [0.5 - 0.5 - 0.0625 + 0.1, -1 - 0.375 + 0.125 - 0.375 - 0.2, 0.25 + 0.25 + 0.25 + 0.5625 + 0.3] as const;

/** A small ONNX model. */
export const linearModel = (): Uint8Array => onnxFile(LINEAR);

/** Calibration data for it: inputs between −1 and 1. */
export const calibration = (): Uint8Array => floats(...Array.from({ length: 64 }, (_, index) => Math.cos(index * 1.7)), ...INPUT, 1, 1, 1, 1, -1, -1, -1, -1);

/** The same with an operator that nobody knows. */
export const unknownOperator = (): Uint8Array => onnxFile({ ...LINEAR, nodes: [{ operator: 'Frobnicate', name: 'strange', inputs: ['x', 'w', 'b'], outputs: ['y'] }] });

/** A weight of more elements than there are in any memory. */
export const hugeModel = (): Uint8Array =>
  onnxFile({ ...LINEAR, constants: { ...LINEAR.constants, w: { dims: [2 ** 30, 2 ** 30], data: [1] } } });

/** Inputs of a model whose requests no transaction carries. */
export const WIDE = 5_000;
export const wideModel = (): Uint8Array => onnxFile({ nodes: [{ operator: 'Relu', name: 'positive', inputs: ['x'], outputs: ['y'] }], inputs: { x: [1, WIDE] }, outputs: { y: [1, WIDE] }, constants: {} });
