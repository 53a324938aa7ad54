import { ImportError } from '../import-error.ts';
import { broadcastTo } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { describe, float, integer } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** MatMul of a computed value and a constant matrix. */
export function convertMatMul(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const weights = conversion.constantInput(node, 1, 'second factor');
  const [inputs = 0, outputs = 0] = weights.dims;
  if (weights.dims.length !== 2 || dims.length < 1 || dims.at(-1) !== inputs) {
    throw new ImportError(`${describe(node)}: [${dims.join(', ')}] times [${weights.dims.join(', ')}] is not supported`);
  }
  addDense(conversion, node, transposed(weights), null, [...dims.slice(0, -1), outputs]);
}

/** Gemm `alpha · A · B + beta · C` with constant B and C. */
export function convertGemm(conversion: Conversion, node: OnnxNode): void {
  const dims = conversion.inputDims(node, 0);
  const given = conversion.constantInput(node, 1, 'weights');
  if (integer(node, 'transA', 0) !== 0) throw new ImportError(`${describe(node)}: transA is not supported`);
  const matrix = given.dims.length === 2 && integer(node, 'transB', 0) === 0 ? transposed(given) : given;
  const [outputs = 0, inputs = 0] = matrix.dims;
  if (given.dims.length !== 2 || dims.length !== 2 || dims[1] !== inputs) {
    throw new ImportError(`${describe(node)}: [${dims.join(', ')}] and weights [${given.dims.join(', ')}] do not fit`);
  }
  const alpha = float(node, 'alpha', 1);
  const weights = { dims: matrix.dims, data: Float32Array.from(matrix.data, (weight) => weight * alpha) };
  const beta = float(node, 'beta', 1);
  addDense(conversion, node, weights, conversion.hasInput(node, 2) ? biases(conversion, node, outputs, beta) : null, [dims[0] ?? 1, outputs]);
}

function biases(conversion: Conversion, node: OnnxNode, outputs: number, beta: number): Float32Array {
  const bias = conversion.constantInput(node, 2, 'bias');
  if (bias.data.length !== outputs && bias.data.length !== 1) throw new ImportError(`${describe(node)}: a bias [${bias.dims.join(', ')}] for ${outputs} outputs`);
  return broadcastTo({ dims: [bias.data.length], data: bias.data }, [outputs]).map((value) => value * beta);
}

function addDense(conversion: Conversion, node: OnnxNode, weights: FloatTensor, bias: Float32Array | null, dims: readonly number[]): void {
  conversion.addLayer({ kind: 'dense', name: node.name, x: conversion.input(node, 0), output: conversion.output(node), weights, bias, range: null }, dims);
}

/** [K][N] as [N][K]. */
function transposed({ dims, data }: FloatTensor): FloatTensor {
  const [rows = 0, columns = 0] = dims;
  return { dims: [columns, rows], data: Float32Array.from(data, (_, index) => data[(index % rows) * columns + Math.floor(index / rows)] ?? 0) };
}
