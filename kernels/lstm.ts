import type { ElementType } from '../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel, requantization } from '../deterministic-runtime/language/kernel.ts';
import type { ByteOperand, Kernel, TensorOperand } from '../deterministic-runtime/language/kernel.ts';
import { dot32, sum } from '../deterministic-runtime/language/scalar.ts';
import type { I32 } from '../deterministic-runtime/language/scalar.ts';
import { divideByPower } from './gemmlowp.ts';
import { remembered } from './remembered.ts';
import { scaled, scaledWide } from './rounding.ts';

/*
 * A step of a quantised LSTM (TensorFlow Lite `UNIDIRECTIONAL_SEQUENCE_LSTM`) in three operators: gates, cell, output. The four gates lie side by side in 4·H columns: input, forget,
 * cell, output. Gates and cells have 16 bits, gates with 15 of them behind the point. Tables have an entry for each 16-bit number, 2^15 being that of 0.
 */

const cut16 = (x: I32): I32 => x.clamp(-32768, 32767);
const dotRows = (x: ByteOperand, xRow: I32, w: ByteOperand, wRow: I32): I32 => sum(x.words, (k) => dot32(x.word(xRow, k), w.word(wRow, k)));

/** The third quarter of the columns by the table `tanh`, the others by `sigmoid`. */
function activated(x: I32, column: I32, hidden: I32, sigmoid: TensorOperand, tanh: TensorOperand): I32 {
  const place = cut16(x).add(2 ** 15);
  return column.div(hidden).eq(2).select(tanh.at(place), sigmoid.at(place));
}

/**
 * Gates of bytes: `y[r][c] = table(cut(given[first + r][c] + scaled(Σ_k h[r][k] · w[c][k] + bias[c], scale[c])))`, with gemmlowp's roundings.
 *
 * Shapes: given i32 [T·R][4H], h i8 [R][H], w i8 [4H][H], bias i32 [1][4H], scale i32 [2][4H], sigmoid, tanh i32 [1][65536], y i32 [R][4H].
 */
export const lstmGates = kernel('lstm-gates', {
  operands: { given: i32, h: i8, w: i8, bias: i32, scale: requantization, sigmoid: i32, tanh: i32 },
  parameters: ['first'],
  output: i32,
  element: ({ row, column, operands: { given, h, w, bias, scale, sigmoid, tanh }, parameters: { first } }) => {
    const recurrent = scaled('twice', dotRows(h, row, w, column).add(bias.at(column)), scale.at(column));
    return activated(given.at(row.add(first), column).add(recurrent), column, h.columns, sigmoid, tanh);
  },
});

/**
 * The same of 16-bit outputs `256 · coarse + fine + 128` (`coarseBytes`, `fineBytes`), with 64-bit sums, one rounding, and multipliers of 15 bits. The bias holds `128 · Σ_k w[c][k]`.
 *
 * Shapes: as there; coarse, fine i8 [R][H].
 */
export const lstmGatesWide = kernel('lstm-gates-wide', {
  operands: { given: i32, coarse: i8, fine: i8, w: i8, bias: i32, scale: requantization, sigmoid: i32, tanh: i32 },
  parameters: ['first'],
  output: i32,
  element: ({ row, column, operands: { given, coarse, fine, w, bias, scale, sigmoid, tanh }, parameters: { first } }) => {
    const dot = dotRows(coarse, row, w, column).wide().shl(8).add(dotRows(fine, row, w, column).wide()).add(bias.at(column).wide());
    return activated(given.at(row.add(first), column).add(scaledWide(dot, scale.at(column)).narrow()), column, coarse.columns, sigmoid, tanh);
  },
});

/**
 * The cell: `y = clamp(cut(forget · cell) + input · update, −clip, clip)`, the products scaled: with gemmlowp's two roundings, or by 2^−shift only, halves away from zero.
 *
 * Shapes: gates i32 [R][4H], cell i32 [R][H], y i32 [R][H].
 */
export const lstmCell = remembered(({ powers }: { readonly powers: boolean }): Kernel =>
  kernel(powers ? 'lstm-cell-powers' : 'lstm-cell', {
    operands: { gates: i32, cell: i32 },
    parameters: ['forgetMultiplier', 'forgetShift', 'inputMultiplier', 'inputShift', 'clip'],
    output: i32,
    element: ({ row, column, operands: { gates, cell }, parameters: p }) => {
      const gate = (index: number): I32 => gates.at(row, cell.columns.mul(index).add(column));
      const by = (product: I32, multiplier: I32, shift: I32): I32 => (powers ? divideByPower(product, shift) : scaled('twice', product, { multiplier, shift }));
      const kept = cut16(by(gate(1).mul(cell.at(row, column)), p.forgetMultiplier, p.forgetShift));
      return kept.add(by(gate(0).mul(gate(2)), p.inputMultiplier, p.inputShift)).clamp(p.clip.mul(-1), p.clip).max(-32768);
    },
  }));

/** The output: `y = clamp(scaled(output gate · tanh(cell)) + zeroPoint, low, high)`, with gemmlowp's roundings. Shapes: gates i32 [R][4H], cell i32 [R][H], tanh i32 [1][65536], y [R][H]. */
export const lstmOutput = remembered((element: ElementType): Kernel =>
  kernel(`lstm-output-${element}`, {
    operands: { gates: i32, cell: i32, tanh: i32 },
    parameters: ['multiplier', 'shift', 'zeroPoint', 'low', 'high'],
    output: element,
    element: ({ row, column, operands: { gates, cell, tanh }, parameters: { multiplier, shift, zeroPoint, low, high } }) => {
      const product = gates.at(row, cell.columns.mul(3).add(column)).mul(tanh.at(cut16(cell.at(row, column)).add(2 ** 15)));
      return scaled('twice', product, { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
    },
  }));
