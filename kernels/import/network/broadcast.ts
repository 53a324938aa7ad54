import { expanded } from '../../movement.ts';
import type { Tensor } from '../../program-builder.ts';
import { axisOrder, lyingDims, rowsShape, toImage, toRows, withShape } from './activation.ts';
import type { Activation } from './activation.ts';
import { elementCount, strides } from './float-tensor.ts';
import type { FloatTensor } from './float-tensor.ts';
import type { Lowering, Precision } from './lowering.ts';
import { WIDE_LIMIT, activationQuantization, quantizeTo, wideQuantization } from './quantization.ts';
import type { Quantization } from './quantization.ts';

/** An operand of a kernel that broadcasts: row r of the result reads row `(r div divide) mod rows`, and column 0 where it has one. */
export interface BroadcastOperand { readonly tensor: Tensor; readonly quantization: Quantization; readonly divide: number }

/** How rows repeat when `own` dimensions broadcast to `target` (of the same number): leading and trailing dimensions of 1 only. Null for anything else. */
export function rowPattern(own: readonly number[], target: readonly number[]): { readonly divide: number; readonly rows: number } | null {
  const repeated = target.map((dim, axis) => dim !== 1 && own[axis] === 1);
  const kept = target.map((dim, axis) => dim !== 1 && own[axis] !== 1);
  const first = kept.indexOf(true);
  if (first < 0) return { divide: elementCount(target), rows: 1 };
  const last = kept.lastIndexOf(true);
  if (repeated.slice(first, last).includes(true)) return null;
  return { divide: elementCount(target.slice(last + 1)), rows: elementCount(target.slice(first, last + 1)) };
}

/** Values of one operator, broadcast to `dims` in one layout; constants get integers of this precision, and are cut to ±reach. */
export function alignOperands(lowering: Lowering, names: readonly string[], dims: readonly number[], precision: Precision, reach = Infinity): { readonly layout: 'rows' | 'image'; readonly operands: readonly BroadcastOperand[] } {
  const { builder } = lowering;
  const computed = names.filter((name) => lowering.constant(name) === null).map((name) => lowering.activation(name));
  const greatest = computed.reduce<Activation | null>((best, value) => (best === null || elementCount(value.dims) > elementCount(best.dims) ? value : best), null);
  const layout = greatest?.layout.kind === 'image' && greatest.dims.length === dims.length ? 'image' : 'rows';
  const lying = lyingDims({ kind: layout }, dims);
  const operands = names.map((name): BroadcastOperand => {
    const constant = lowering.constant(name);
    const { tensor, quantization, dims: own } = constant === null ? placedValue(lowering, lowering.activation(name), layout, dims.length) : placedConstant(lowering, constant, layout, dims.length, precision, reach);
    const pattern = rowPattern(own.slice(0, -1), lying.slice(0, -1));
    if (pattern !== null) return { tensor: withShape(builder, `${name}.rows`, tensor, rowsShape(own, tensor.shape.element)), quantization, divide: pattern.divide };
    return { tensor: expanded(builder, `${name}.expanded`, tensor, own, lying), quantization, divide: 1 };
  });
  return { layout, operands };
}

interface Placed { readonly tensor: Tensor; readonly quantization: Quantization; /** In the order in which they lie. */ readonly dims: readonly number[] }

function placedValue(lowering: Lowering, value: Activation, layout: 'rows' | 'image', rank: number): Placed {
  const { builder } = lowering;
  const dims = [...new Array<number>(rank - value.dims.length).fill(1), ...value.dims];
  if (value.layout.kind === layout && value.dims.length === rank) return { tensor: value.tensor, quantization: value.quantization, dims: lyingDims({ kind: layout }, dims) };
  const rows = { ...toRows(builder, value), dims };
  const placed = layout === 'image' ? toImage(builder, rows) : rows;
  return { tensor: placed.tensor, quantization: value.quantization, dims: lyingDims({ kind: layout }, dims) };
}

/** A constant as integers in a layout, cut to ±reach; whole numbers stay as they are where that is asked for. */
export function placedConstant(lowering: Lowering, { dims: given, data: exact }: FloatTensor, layout: 'rows' | 'image', rank: number, precision: Precision, reach = Infinity): Placed {
  const data = exact.map((value) => Math.min(Math.max(value, -reach), reach));
  const dims = [...new Array<number>(rank - given.length).fill(1), ...given];
  const order = axisOrder({ kind: layout }, rank);
  const along = strides(dims);
  const lying = order.map((axis) => dims[axis] ?? 1);
  const steps = order.map((axis) => along[axis] ?? 0);
  const within = strides(lying);
  const at = (index: number): number => data[lying.reduce((sum, dim, axis) => sum + (Math.floor(index / (within[axis] ?? 1)) % dim) * (steps[axis] ?? 0), 0)] ?? 0;
  let [low, high] = [0, 0];
  for (const value of data) { low = Math.min(low, value); high = Math.max(high, value); }
  const whole = precision === 'integer' && data.every(Number.isInteger);
  const quantization = whole ? { scale: 1, zeroPoint: 0 } : precision === 8 && data.length > 1 ? activationQuantization({ low, high }) : wideQuantization({ low, high });
  const [least, greatest] = whole ? [-(2 ** 31), 2 ** 31 - 1] : precision === 8 && data.length > 1 ? [-128, 127] : [-WIDE_LIMIT, WIDE_LIMIT];
  const integers = Int32Array.from({ length: data.length }, (_, index) => quantizeTo(at(index), quantization, least, greatest));
  const { rows, columns } = rowsShape(lying);
  const tensor = greatest === 127 ? lowering.builder.bytes(rows, columns, Int8Array.from(integers)) : lowering.builder.integers(rows, columns, integers);
  return { tensor, quantization, dims: lying };
}
