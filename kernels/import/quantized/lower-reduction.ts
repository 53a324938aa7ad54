import { expanded, reshaped, rowMajorShape, transposed } from '../../movement.ts';
import type { Tensor } from '../../program-builder.ts';
import { rescaleOf } from '../../quantized-elementwise.ts';
import { matrixProductWide, quantizedMatrixProduct } from '../../quantized-product.ts';
import { rowArgument, rowExtreme, rowSums } from '../../quantized-reduction.ts';
import { ImportError } from '../import-error.ts';
import { elementOf, singleFactor, stageParameters } from './lowering.ts';
import type { QuantizedLowering } from './lowering.ts';
import type { MatrixProductOperation, ReduceOperation } from './network.ts';

const product = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);

/** Appends a reduction: its axes become the columns, and each row gives one element. */
export function lowerReduce(lowering: QuantizedLowering, operation: ReduceOperation): Tensor {
  const { builder } = lowering;
  const { name, x, axes, output } = operation;
  const { dims } = lowering.value(x);
  const kept = dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const moved = transposed(builder, `${name}.axes`, lowering.tensor(x), dims, [...kept, ...axes]);
  const { element } = moved.shape;
  const columns = product(axes.map((axis) => dims[axis] ?? 1));
  const rows = product(dims) / columns;
  const matrix = reshaped(builder, `${name}.rows`, moved, { element, rows, columns });
  const one = (type: 'i8' | 'i32'): { element: 'i8' | 'i32'; rows: number; columns: number } => ({ element: type, rows, columns: 1 });
  const result = ((): Tensor => {
    if (operation.kind !== 'reduce-sum') {
      const { which } = operation;
      if (operation.kind === 'argument') return builder.append(name, { kernel: rowArgument({ element, which }), output: one('i32'), operands: [matrix] });
      return builder.append(name, { kernel: rowExtreme({ element, which }), output: one(element), operands: [matrix] });
    }
    const { stage, xZero } = operation;
    const sums = builder.append(`${name}.sums`, { kernel: rowSums(element), output: one('i32'), operands: [matrix], parameters: { xZero } });
    const to = elementOf(lowering.value(output).type);
    return builder.append(name, { kernel: rescaleOf({ from: 'i32', to, rounding: stage.rounding }), output: one(to), operands: [sums], parameters: { xZero: 0, ...singleFactor(stage), ...stageParameters(stage) } });
  })();
  return reshaped(builder, `${name}.shape`, result, lowering.shapeOf(output));
}

/** Appends a product of computed matrices. */
export function lowerMatrixProduct(lowering: QuantizedLowering, operation: MatrixProductOperation): Tensor {
  const { builder } = lowering;
  const { name, stage, xZero, wZero } = operation;
  const batch = lowering.value(operation.output).dims.slice(0, -2);
  const x = matrices(lowering, `${name}.x`, operation.x, batch, operation.xTransposed);
  const w = matrices(lowering, `${name}.w`, operation.w, batch, !operation.wTransposed);
  if (x.shape.columns !== w.shape.columns) throw new ImportError(`${name}: rows of ${x.shape.columns} and columns of ${w.shape.columns} do not multiply`);
  const rows = x.shape.rows / product(batch);
  const output = lowering.shapeOf(operation.output);
  const own = { rows, ...singleFactor(stage), ...stageParameters(stage) };
  if (x.shape.element === 'i32') {
    if (xZero !== 0 || wZero !== 0 || stage.rounding !== 'once') throw new ImportError(`${name}: 16-bit matrices have the zero point 0, and sums one rounding`);
    return builder.append(name, { kernel: matrixProductWide, output, operands: [x, w], parameters: own });
  }
  const sums = [x, w].map((matrix, index) => builder.append(`${name}.sums${index}`, { kernel: rowSums('i8'), output: { element: 'i32', rows: matrix.shape.rows, columns: 1 }, operands: [matrix], parameters: { xZero: 0 } }));
  return builder.append(name, { kernel: quantizedMatrixProduct(stage.rounding), output, operands: [x, w, ...sums], parameters: { ...own, inner: x.shape.columns, xZero, wZero } });
}

/** A value's matrices, one for each of a batch, below each other. */
function matrices(lowering: QuantizedLowering, name: string, value: string, batch: readonly number[], swap: boolean): Tensor {
  const { builder } = lowering;
  const { dims } = lowering.value(value);
  const order = [...dims.keys()];
  if (swap) order.splice(-2, 2, dims.length - 1, dims.length - 2);
  const matrix = transposed(builder, `${name}.transposed`, lowering.tensor(value), dims, order);
  const own = order.map((axis) => dims[axis] ?? 1);
  const full = [...batch, ...own.slice(-2)];
  return reshaped(builder, `${name}.rows`, expanded(builder, `${name}.batch`, matrix, own, full), rowMajorShape(matrix.shape.element, full));
}
