import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import { sum } from '../deterministic-runtime/language/scalar.ts';
import { scaled } from './rounding.ts';

/* Filters over time (TensorFlow Lite `SVDF`): each of F filters remembers its last M features; a row of the state holds them filter by filter, the newest last. */

/** A new state: every filter's features move one place, and the newest comes last. Shapes: state i32 [R][F·M], newest i32 [R][F], y i32 [R][F·M]. */
export const shiftState = kernel('shift-state', {
  operands: { state: i32, newest: i32 },
  parameters: ['memory'],
  output: i32,
  element: ({ row, column, operands: { state, newest }, parameters: { memory } }) =>
    column.mod(memory).eq(memory.sub(1)).select(newest.at(row, column.div(memory)), state.at(row, column.add(1))),
});

/**
 * Sums over time and over `rank` filters a unit: `y[r][u] = clamp(scaled(Σ_{f of u} Σ_m state[r][f·M + m] · w[f][m] + bias[u]) + zeroPoint, low, high)`, with gemmlowp's roundings.
 *
 * Shapes: state i32 [R][F·M], w i32 [F][M], bias i32 [1][U], y i8 [R][U]; F = rank · U.
 */
export const filterSums = kernel('filter-sums', {
  operands: { state: i32, w: i32, bias: i32 },
  parameters: ['rank', 'multiplier', 'shift', 'zeroPoint', 'low', 'high'],
  output: i8,
  element: ({ row, column, operands: { state, w, bias }, parameters: { rank, multiplier, shift, zeroPoint, low, high } }) => {
    const total = sum(rank, (r) => {
      const filter = column.mul(rank).add(r);
      return sum(w.columns, (m) => state.at(row, filter.mul(w.columns).add(m)).mul(w.at(filter, m)));
    });
    return scaled('twice', total.add(bias.at(column)), { multiplier, shift }).clamp(low.sub(zeroPoint), high.sub(zeroPoint)).add(zeroPoint);
  },
});
