import { ImportError } from '../import-error.ts';
import { broadcastDims, broadcastTo } from '../network/float-tensor.ts';
import type { FloatTensor } from '../network/float-tensor.ts';
import { describe, float, integer } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/** MatMul: with a constant matrix on the right a dense layer, else a product of computed matrices. */
export function convertMatMul(conversion: Conversion, node: OnnxNode): void {
  product(conversion, node, conversion.input(node, 0), conversion.input(node, 1), null);
}

/** The product of two values, as the node's output or as a step on the way to it; vectors are matrices of one row or column. */
export function product(conversion: Conversion, node: OnnxNode, left: string, right: string, what: string | null): string {
  const [given, other] = [conversion.dimsOf(node, left), conversion.dimsOf(node, right)];
  const unfit = (): ImportError => new ImportError(`${describe(node)}: [${given.join(', ')}] times [${other.join(', ')}] is not supported`);
  if (given.length < 1 || other.length < 1) throw unfit();
  const a = given.length === 1 ? [1, ...given] : [...given];
  const b = other.length === 1 ? [...other, 1] : [...other];
  const [inner, outputs] = [b.at(-2) ?? 1, b.at(-1) ?? 1];
  const batch = broadcastDims(a.slice(0, -2), b.slice(0, -2));
  if (a.at(-1) !== inner || batch === null) throw unfit();
  const natural = [...batch, a.at(-2) ?? 1, outputs];
  const dims = [...batch, ...(given.length === 1 ? [] : [a.at(-2) ?? 1]), ...(other.length === 1 ? [] : [outputs])];
  const finish = (parts: Parameters<Conversion['add']>[1], last: boolean, suffix: string, shape: readonly number[]): string => {
    if (!last || what !== null) return conversion.step(node, last ? (what as string) : suffix, parts, shape, 'float');
    conversion.add(node, parts, shape, 'float');
    return conversion.output(node);
  };
  const shaped = dims.length === natural.length;
  const weights = conversion.constants.get(right);
  const x = given.length === 1 ? finish({ kind: 'reshape', x: left }, false, 'row', a) : left;
  let result: string;
  if (weights !== undefined && b.length === 2 && !conversion.constants.has(left)) {
    result = finish({ kind: 'dense', x, weights: turned({ dims: b, data: weights.data }), bias: null, range: null }, shaped, 'product', natural);
  } else {
    const column = other.length === 1 ? finish({ kind: 'reshape', x: right }, false, 'column', b) : right;
    result = finish({ kind: 'matrix-product', x, b: column, transposed: false }, shaped, 'product', natural);
  }
  return shaped ? result : finish({ kind: 'reshape', x: result }, true, '', dims);
}

/** Gemm `alpha · A · B + beta · C`. */
export function convertGemm(conversion: Conversion, node: OnnxNode): void {
  const [alpha, beta] = [float(node, 'alpha', 1), float(node, 'beta', 1)];
  const right = conversion.constants.get(conversion.input(node, 1));
  const bias = conversion.hasInput(node, 2) ? conversion.constants.get(conversion.input(node, 2)) : null;
  const dims = conversion.inputDims(node, 0);
  const other = conversion.inputDims(node, 1);
  const [transA, transB] = [integer(node, 'transA', 0) !== 0, integer(node, 'transB', 0) !== 0];
  const [rows, inner] = transA ? [dims[1] ?? 1, dims[0] ?? 1] : [dims[0] ?? 1, dims[1] ?? 1];
  const [outputs, inputs] = transB ? [other[0] ?? 1, other[1] ?? 1] : [other[1] ?? 1, other[0] ?? 1];
  if (dims.length !== 2 || other.length !== 2 || inner !== inputs) throw new ImportError(`${describe(node)}: [${dims.join(', ')}] and weights [${other.join(', ')}] do not fit`);
  const given = conversion.input(node, 0);
  const x = transA ? conversion.step(node, 'turned', { kind: 'transpose', x: given, order: [1, 0] }, [rows, inner]) : given;
  if (right !== undefined && bias !== undefined && !conversion.constants.has(given) && (bias === null || bias.data.length === outputs || bias.data.length === 1)) {
    const matrix = transB ? right : turned(right);
    const weights = { dims: matrix.dims, data: Float32Array.from(matrix.data, (weight) => weight * alpha) };
    const biases = bias === null ? null : broadcastTo({ dims: [bias.data.length], data: bias.data }, [outputs]).map((value) => value * beta);
    const column = bias !== null && bias.dims.length === 2 && bias.dims[1] === 1 && bias.data.length > 1;
    if (!column) {
      conversion.add(node, { kind: 'dense', x, weights, bias: biases, range: null }, [rows, outputs]);
      return;
    }
  }
  const b = transB ? conversion.step(node, 'weights', { kind: 'transpose', x: conversion.input(node, 1), order: [1, 0] }, [inputs, outputs]) : conversion.input(node, 1);
  const times = (name: string, factor: number, what: string): string =>
    factor === 1 ? name : conversion.step(node, what, { kind: 'multiply', x: name, b: conversion.constant(node, `${what}.factor`, [], [factor]), range: null }, conversion.dimsOf(node, name), 'float');
  const alone = !conversion.hasInput(node, 2) && alpha === 1;
  const multiplied = times(product(conversion, node, x, b, alone ? null : 'product'), alpha, 'alpha');
  if (alone) return;
  if (!conversion.hasInput(node, 2)) {
    conversion.alias(conversion.output(node), multiplied);
    return;
  }
  const c = times(conversion.input(node, 2), beta, 'beta');
  if (broadcastDims([rows, outputs], conversion.dimsOf(node, c)) === null) throw new ImportError(`${describe(node)}: a bias [${conversion.dimsOf(node, c).join(', ')}] for [${rows}, ${outputs}]`);
  conversion.add(node, { kind: 'add', x: multiplied, b: c, range: null }, [rows, outputs], 'float');
}

/** [K][N] as [N][K]. */
export function turned({ dims, data }: FloatTensor): FloatTensor {
  const [rows = 0, columns = 0] = dims;
  return { dims: [columns, rows], data: Float32Array.from(data, (_, index) => data[(index % rows) * columns + Math.floor(index / rows)] ?? 0) };
}
