import { bytesOfRows, rowMagnitudes } from '../../linear-rows.ts';
import type { Tensor } from '../../program-builder.ts';
import { bytesShape } from './activation.ts';
import type { Activation } from './activation.ts';
import type { Lowering } from './lowering.ts';

/** A value of sixteen bits as bytes, and what the greatest byte of each row stands for. */
export interface ByteRows { readonly bytes: Tensor; readonly magnitudes: Tensor }

const known = new WeakMap<Lowering, Map<string, ByteRows>>();

/** The value's rows as `kernels/linear-rows.ts` takes them. A tensor is brought to bytes once. */
export function rowsOf(lowering: Lowering, { name, tensor }: Pick<Activation, 'name' | 'tensor'>): ByteRows {
  const made = known.get(lowering) ?? new Map<string, ByteRows>();
  known.set(lowering, made);
  const key = JSON.stringify(tensor.operand);
  const before = made.get(key);
  if (before !== undefined) return before;
  const { rows, columns } = tensor.shape;
  const magnitudes = lowering.builder.append(`${name}.magnitudes`, { kernel: rowMagnitudes, output: { element: 'i32', rows, columns: 1 }, operands: [tensor] });
  const result = { magnitudes, bytes: lowering.builder.append(`${name}.bytes`, { kernel: bytesOfRows, output: bytesShape(rows, columns), operands: [tensor, magnitudes] }) };
  made.set(key, result);
  return result;
}
