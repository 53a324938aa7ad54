import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import { sum } from '../../deterministic-runtime/language/scalar.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor } from '../../deterministic-runtime/program/tensor.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';

/** Iterations that the loop runs at most. */
export const COUNTING_LOOP_ITERATIONS = 40;
/** Body operators: the first is read by later iterations, the second only in its own. */
export const COUNTING_LOOP_OPERATORS = { token: 0, scratch: 1 } as const;

const integers = (columns: number) => ({ element: 'i32', rows: 1, columns }) as const;

/** Depends on all tokens before it. */
const token = kernel('token', {
  operands: { before: i32, seed: i8 }, output: i32,
  element: ({ column, iteration, operands: { before, seed } }) =>
    sum(iteration.add(1), (t) => before.at(0, column, { iteration: iteration.sub(1).sub(t) }).add(t)).mul(30).add(seed.at(column)).add(1),
});
const scratch = kernel('scratch', { operands: { token: i32 }, output: i8, element: ({ column, operands: { token: tokens } }) => tokens.at(column.mod(9)).add(column).shr(1) });
const stop = kernel('stop', {
  operands: { scratch: i8, input: i8 }, output: i32,
  element: ({ iteration, operands: { scratch: values, input } }) => iteration.eq(input.at(0)).mul(values.at(0).or(1)),
});
/** All tokens of the run; those of iterations that did not run count as zero. */
const total = kernel('total', {
  operands: { token: i32 }, output: i32,
  element: ({ column, operands: { token: tokens } }) => sum(COUNTING_LOOP_ITERATIONS, (t) => tokens.at(0, column, { iteration: t }).xor(t)),
});

/** A loop of many short iterations that stops after the iteration which its input names. */
export function countingLoop(): Model {
  const builder = new ProgramBuilder({ name: 'counting-loop', signature: 'count(int8)->(int32[9])', input: { element: 'i8', rows: 1, columns: 1 }, metadata: {} });
  builder.beginBody(COUNTING_LOOP_ITERATIONS);
  const tokens = builder.forward(integers(9));
  builder.append('token', { kernel: token, output: integers(9), operands: [tokens, builder.seed], as: tokens });
  const values = builder.append('scratch', { kernel: scratch, output: { element: 'i8', rows: 1, columns: 70 }, operands: [tokens] });
  builder.append('stop', { kernel: stop, output: integers(1), operands: [values, builder.input] });
  builder.beginEpilogue();
  builder.append('total', { kernel: total, output: integers(9), operands: [tokens] });
  return builder.build();
}

/** Stops after `iterations`; -1 never. */
export const countingLoopInput = (iterations: number): Uint8Array => packTensor(countingLoop().program.input, Uint8Array.of(iterations - 1));
