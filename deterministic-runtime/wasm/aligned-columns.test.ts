import { expect, test } from 'vitest';
import { evaluateElement, evaluateTensor } from '../language/evaluate.ts';
import { i32, i8, kernel } from '../language/kernel.ts';
import { int32 } from '../language/scalar.ts';
import { specialize } from '../language/specialize.ts';
import { Random } from '../language/testing/random.ts';
import { packTensor } from '../program/tensor.ts';
import type { TensorShape } from '../program/tensor.ts';
import { runKernel } from './testing/run-kernel.ts';

/** Columns in groups, each from another row of x, some of which x does not have; every third group is the number 5 instead. */
const groups = kernel('groups', {
  operands: { x: i8, y: i32 },
  parameters: ['group'],
  output: i8,
  element: ({ row, column, operands: { x, y }, parameters: { group } }) => {
    const number = column.div(group);
    const source = row.mul(2).add(number).sub(1);
    const place = column.mod(group);
    const taken = number.mod(3).eq(1).select(int32(5), x.at(source, place));
    return taken.add(y.at(number.shr(1), place).mul(number)).add(x.at(number.and(3), place.add(1)));
  },
});

test('columns in groups: the same bits for every size of group, whether steps over columns fit it or not', () => {
  for (const group of [1, 3, 8, 16, 24, 32, 48, 64]) {
    for (const count of [1, 2, 3, 4, 9]) {
      const columns = group * count;
      const shapes: readonly TensorShape[] = [{ element: 'i8', rows: 5, columns: group }, { element: 'i32', rows: 3, columns: group + 2 }];
      const output: TensorShape = { element: 'i8', rows: 3, columns };
      const specialized = specialize(groups, { operands: shapes.map((shape) => ({ shape, kind: 'single' })), parameters: { group }, output, maxIterations: 0 });
      const random = new Random(columns);
      const tensors = shapes.map((shape) => packTensor(shape, Uint8Array.from({ length: shape.rows * shape.columns * (shape.element === 'i8' ? 1 : 4) }, () => random.bits() & 255)));
      const expected = evaluateTensor(output, (row, column) => evaluateElement(specialized, { row, column, iteration: 0 }, (operand) => tensors[operand]));
      const cuts = columns > 128 ? [64, 128] : columns > 64 ? [64] : [];
      const actual = runKernel(specialized, { iteration: 0, operands: tensors.map((tensor) => [tensor]), columnCuts: cuts });
      expect(Buffer.compare(actual, expected), `${count} groups of ${group}`).toBe(0);
    }
  }
});
