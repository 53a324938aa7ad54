import { lookup } from '../../lookup.ts';
import { fullTable, linesTable, wideLookup } from '../../table.ts';
import type { Tensor } from '../../program-builder.ts';
import type { Activation } from './activation.ts';
import { dimsOf } from './layer.ts';
import type { FunctionLayer } from './layer.ts';
import type { Lowering, Target } from './lowering.ts';

/** Distances between entries of tables of sixteen bits that are tried, coarse first: powers of two. */
const LINE_BITS = [7, 5, 3];
/** How far lines may be from the function, in steps of the result. */
const LINE_ERROR = 0.6;

/** Appends a function of each element: a table over the 256 inputs of eight bits; for sixteen bits, lines between entries, or an entry for each input where lines are too far off. */
export function lowerFunction(lowering: Lowering, layer: FunctionLayer): Activation {
  const { builder } = lowering;
  const x = lowering.narrow(layer.x);
  const target = lowering.target(layer.output);
  const { scale, zeroPoint } = x.quantization;
  const at = (integer: number): number => target.quantization.zeroPoint + finite(layer.apply(scale * (integer - zeroPoint))) / target.quantization.scale;
  const cut = (value: number): number => Math.min(target.parameters.high, Math.max(target.parameters.low, Math.round(value)));
  const output = { ...x.tensor.shape, element: target.element };
  const finish = (tensor: Tensor): Activation => ({ ...x, name: layer.output, dims: dimsOf(lowering.network, layer.output), tensor, quantization: target.quantization, wide: target.wide });
  if (x.tensor.shape.element === 'i8') {
    const entries = Int32Array.from({ length: 256 }, (_, byte) => cut(at((byte << 24) >> 24)));
    if (target.element === 'i8') return finish(builder.append(layer.name, { kernel: lookup, output, operands: [x.tensor, builder.bytes(1, 256, Int8Array.from(entries))] }));
    return finish(builder.append(layer.name, { kernel: wideLookup, output, operands: [x.tensor, builder.integers(1, 256, entries)] }));
  }
  const exact = Float64Array.from({ length: 2 ** 16 + 1 }, (_, index) => at(index - 2 ** 15));
  for (const bits of LINE_BITS) {
    const table = Int32Array.from({ length: 2 ** (16 - bits) + 1 }, (_, index) => cut(exact[index << bits] ?? 0));
    if (linesFit(table, bits, exact, target)) return finish(builder.append(layer.name, { kernel: linesTable(target.element), output, operands: [x.tensor, builder.integers(1, table.length, table)], parameters: { bits } }));
  }
  const table = Int32Array.from({ length: 2 ** 16 }, (_, index) => cut(exact[index] ?? 0));
  const operand = target.element === 'i8' ? builder.bytes(1, table.length, Int8Array.from(table)) : builder.integers(1, table.length, table);
  return finish(builder.append(layer.name, { kernel: fullTable(target.element), output, operands: [x.tensor, operand] }));
}

/** Whether lines between a table's entries stay close to the function wherever its value is in range. */
function linesFit(table: Int32Array, bits: number, exact: Float64Array, { parameters: { low, high } }: Target): boolean {
  for (let index = 0; index < 2 ** 16; index += 1) {
    const [entry, rest] = [index >> bits, index & (2 ** bits - 1)];
    const [start, end] = [table[entry] ?? 0, table[entry + 1] ?? 0];
    // The kernel multiplies the rise by the rest in 32 bits.
    if (Math.abs(end - start) * 2 ** bits >= 2 ** 31) return false;
    const wanted = Math.min(high, Math.max(low, exact[index] ?? 0));
    if (Math.abs(start + ((end - start) * rest) / 2 ** bits - wanted) > LINE_ERROR) return false;
  }
  return true;
}

/** Infinities become very large numbers, and what is no number 0: they are cut to the result's range. */
const finite = (value: number): number => (Number.isNaN(value) ? 0 : Math.min(Math.max(value, -1e30), 1e30));
