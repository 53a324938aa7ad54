import { ImportError } from '../import-error.ts';
import { elementCount } from '../network/float-tensor.ts';
import { describe, text } from './attributes.ts';
import type { Conversion } from './conversion.ts';
import type { OnnxNode } from './graph.ts';

/**
 * Einsum of two operands whose labels each stand once in an operand (what attention uses): transposes, one batched product of matrices, and a transpose of its result; of one operand,
 * a transpose and a sum.
 *
 * @throws ImportError for other equations: ellipses, diagonals, labels that are summed in one operand only.
 */
export function convertEinsum(conversion: Conversion, node: OnnxNode): void {
  const equation = text(node, 'equation', '').replaceAll(' ', '');
  const [, left = '', result] = /^([^-]*)(?:->(.*))?$/.exec(equation) ?? [];
  const terms = left.split(',');
  const refuse = (): ImportError => new ImportError(`${describe(node)}: the equation ${equation} is not supported`);
  if (terms.length > 2 || terms.length !== node.inputs.length || !terms.every((term) => /^[A-Za-z]*$/.test(term) && new Set(term).size === term.length)) throw refuse();
  const sizes = new Map<string, number>();
  terms.forEach((term, index) => {
    const dims = conversion.inputDims(node, index);
    if (dims.length !== term.length) throw refuse();
    [...term].forEach((label, axis) => {
      if ((sizes.get(label) ?? dims[axis]) !== dims[axis]) throw new ImportError(`${describe(node)}: ${label} is ${sizes.get(label)} and ${dims[axis]}`);
      sizes.set(label, dims[axis] ?? 1);
    });
  });
  const [a = '', b = ''] = terms;
  const output = [...(result ?? [...sizes.keys()].filter((label) => terms.join('').split(label).length === 2).sort().join(''))];
  if (new Set(output).size !== output.length || output.some((label) => !sizes.has(label))) throw refuse();
  const dims = (labels: readonly string[]): number[] => labels.map((label) => sizes.get(label) ?? 1);
  const turned = (value: string, from: string, to: readonly string[], what: string): string =>
    from === to.join('') ? value : conversion.step(node, what, { kind: 'transpose', x: value, order: to.map((label) => from.indexOf(label)) }, dims(to));

  if (terms.length === 1) {
    const summed = [...a].filter((label) => !output.includes(label));
    const x = turned(conversion.input(node, 0), a, [...output, ...summed], 'turned');
    if (summed.length === 0) conversion.alias(conversion.output(node), x);
    else conversion.add(node, { kind: 'reshape', x: conversion.step(node, 'sum', { kind: 'reduction', x, operation: 'sum', axes: summed.map((_, index) => output.length + index) }, [...dims(output), ...summed.map(() => 1)]) }, dims(output));
    return;
  }
  const batch = [...a].filter((label) => b.includes(label) && output.includes(label));
  const inner = [...a].filter((label) => b.includes(label) && !output.includes(label));
  const [rows, columns] = [[...a].filter((label) => !b.includes(label)), [...b].filter((label) => !a.includes(label))];
  if ([...rows, ...columns].some((label) => !output.includes(label))) throw refuse();
  const [p, m, n, k] = [batch, rows, columns, inner].map((labels) => elementCount(dims(labels))) as [number, number, number, number];
  const matrix = (index: 0 | 1, labels: readonly string[], shape: readonly number[], what: string): string =>
    conversion.step(node, what, { kind: 'reshape', x: turned(conversion.input(node, index), terms[index] ?? '', labels, `${what}.turned`) }, shape);
  const product = conversion.step(node, 'product', { kind: 'matrix-product', x: matrix(0, [...batch, ...rows, ...inner], [p, m, k], 'a'), b: matrix(1, [...batch, ...columns, ...inner], [p, n, k], 'b'), transposed: true }, [p, m, n]);
  const natural = [...batch, ...rows, ...columns];
  const apart = conversion.step(node, 'apart', { kind: 'reshape', x: product }, dims(natural));
  conversion.alias(conversion.output(node), turned(apart, natural.join(''), output, 'turned'));
}
