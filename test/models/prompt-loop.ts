import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import { anyBits, dot32, maximum, sum } from '../../deterministic-runtime/language/scalar.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';

/** Iterations that the loop runs at most. */
export const PROMPT_LOOP_ITERATIONS = 12;

const shape = (element: TensorShape['element'], rows: number, columns: number): TensorShape => ({ element, rows, columns });

/** In the first iterations a number of its own; behind them what the iteration before chose. */
const token = kernel('token', {
  operands: { chosen: i32, input: i8 }, output: i8,
  element: ({ row, column, iteration, operands: { chosen, input } }) =>
    iteration.lt(input.at(1)).select(iteration.mul(37).add(row.mul(11)).add(column.mul(5)), chosen.at(row, column.mod(9), { iteration: iteration.sub(1) })).sub(20),
});
const product = kernel('product', { operands: { x: i8, w: i8 }, output: i32, element: ({ row, column, operands: { x, w } }) => sum(2, (k) => dot32(x.word(row, k), w.word(column, k))) });
/** Loops that are longer in every iteration, of sums, maxima of 64 bits and bits; reads of iterations that are not there yet, or before the first. */
const history = kernel('history', {
  operands: { product: i32 }, output: i32,
  element: ({ row, column, iteration, operands: { product: products } }) =>
    sum(iteration.add(1), (t) => products.at(row.mod(2), column, { iteration: t }).mul(t.add(1)))
      .add(maximum(iteration.mul(2).add(1), (t) => products.at(row.mod(2), column, { iteration: t }).wide().mul(t.add(3).wide())).narrow())
      .xor(anyBits(iteration.add(2), (t) => products.at(row.mod(2), column, { iteration: iteration.sub(t) })))
      .add(products.at(1, column, { iteration: iteration.add(1) })),
});
const chosen = kernel('chosen', { operands: { history: i32 }, output: i32, element: ({ row, column, operands: { history: values } }) => values.at(row.add(1), column).shr(3) });
const stop = kernel('stop', { operands: { input: i8 }, output: i32, element: ({ iteration, operands: { input } }) => iteration.add(1).eq(input.at(0)) });
const total = kernel('total', {
  operands: { chosen: i32 }, output: i32,
  element: ({ row, column, operands: { chosen: values } }) => sum(PROMPT_LOOP_ITERATIONS, (t) => values.at(row, column, { iteration: t }).xor(t)),
});

/** A loop whose first iterations, as many as its input says, do not depend on what is chosen in the ones before; it stops after as many as its input says, 0 being never. */
export function promptLoop(): Model {
  const builder = new ProgramBuilder({ name: 'prompt-loop', signature: 'loop(int8[2])->(int32[18])', input: shape('i8', 1, 2), metadata: {} });
  const weights = builder.bytes(9, 40, new Int8Array(360).map((_, index) => index * index * 7 + index));
  builder.beginBody(PROMPT_LOOP_ITERATIONS);
  const next = builder.forward(shape('i32', 2, 9));
  const x = builder.append('token', { kernel: token, output: shape('i8', 2, 40), operands: [next, builder.input] });
  const y = builder.append('product', { kernel: product, output: shape('i32', 2, 9), operands: [x, weights] });
  const values = builder.append('history', { kernel: history, output: shape('i32', 3, 9), operands: [y] });
  builder.append('chosen', { kernel: chosen, output: shape('i32', 2, 9), operands: [values], as: next });
  builder.append('stop', { kernel: stop, output: shape('i32', 1, 1), operands: [builder.input] });
  builder.beginEpilogue();
  builder.append('total', { kernel: total, output: shape('i32', 2, 9), operands: [next] });
  return builder.build();
}

export const promptLoopInput = (stopAfter: number, prompt: number): Uint8Array => packTensor(shape('i8', 1, 2), Uint8Array.of(stopAfter, prompt));
