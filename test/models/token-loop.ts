import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import { dot32, maximum, sum } from '../../deterministic-runtime/language/scalar.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';

/** Iterations that the loop runs at most. */
export const TOKEN_LOOP_ITERATIONS = 6;

const WIDTH = 40;
const bytes = (columns: number, rows = 1): TensorShape => ({ element: 'i8', rows, columns });
const integers = (columns: number, rows = 1): TensorShape => ({ element: 'i32', rows, columns });

/** Bytes as 32-bit integers. */
const widen = kernel('widen', { operands: { input: i8 }, output: i32, element: ({ column, operands: { input } }) => input.at(column) });

/** The token before this one, its own output an iteration ago (zero at first), mixed with a later operator's, the input and the seed. */
const token = kernel('token', {
  operands: { before: i32, later: i8, input: i8, seed: i8 },
  output: i32,
  element: ({ column, iteration, operands: { before, later, input, seed } }) => {
    const previous = { iteration: iteration.sub(1) };
    // Neither is written yet in this iteration.
    const unwritten = before.at(0, column, { iteration }).add(later.at(0, column, { iteration }));
    return before.at(0, column, previous).mul(31).add(input.at(column)).add(seed.at(iteration)).add(later.at(0, column, previous)).add(7).add(unwritten);
  },
});

/** What the loop remembers of a token. */
const key = kernel('key', {
  operands: { token: i32 },
  output: i8,
  element: ({ row, column, operands: { token: tokens } }) => tokens.at(0, column.mod(8)).add(column).mul(row.add(3)),
});

/** Over all tokens so far: attention without its softmax. */
const attention = kernel('attention', {
  operands: { query: i8, keys: i8 },
  output: i32,
  element: ({ row, iteration, operands: { query, keys } }) =>
    sum(iteration.add(1), (t) => sum(keys.words, (k) => dot32(query.word(row, k), keys.word(row, k, { iteration: t })))),
});

/** Reads iterations that data name, past and future, negative and far too large. */
const anyIteration = kernel('any-iteration', {
  operands: { token: i32, keys: i8, scores: i32 },
  output: i8,
  element: ({ column, iteration, operands: { token: tokens, keys, scores } }) => {
    const wild = tokens.at(0, column.mod(8)).mod(9).sub(1);
    return keys.at(1, column, { iteration: wild })
      .add(keys.at(0, column, { iteration: iteration.add(1) }))
      .add(keys.at(0, column, { iteration: tokens.at(0, 0).mul(65537) }))
      .add(scores.at(column.mod(3), 0, { iteration: wild.add(1) }));
  },
});

/** Not zero once the scores' sum is divisible by 3. */
const stop = kernel('stop', {
  operands: { scores: i32, limit: i8 },
  output: i32,
  element: ({ operands: { scores, limit } }) => scores.at(0, 0).add(scores.at(1, 0)).and(0xffff).mod(3).eq(0).and(limit.at(0)),
});

/** All keys of the whole run; those of iterations that did not run count as zero. */
const total = kernel('total', {
  operands: { keys: i8, scores: i32, table: i8 },
  output: i32,
  element: ({ row, column, operands: { keys, scores, table } }) =>
    sum(TOKEN_LOOP_ITERATIONS + 2, (t) => keys.at(row, column, { iteration: t }).mul(table.at(t)))
      .add(maximum(TOKEN_LOOP_ITERATIONS, (t) => scores.at(row, 0, { iteration: t }))),
});

/**
 * A body with everything that bodies may do: own earlier outputs, later operators' earlier outputs, a history read over
 * all iterations and in iterations that data name, and a stop that depends on data. The input's first byte allows stopping (1) or forbids it (0).
 */
export function tokenLoop(): Model {
  const table = new Uint8Array(32).map((_, index) => index < TOKEN_LOOP_ITERATIONS + 2 ? index * 5 + 1 : 0);
  return {
    program: {
      name: 'token-loop',
      signature: 'loop(int8[40])->(int32[40])',
      input: bytes(WIDTH),
      kernels: [widen, token, key, attention, anyIteration, stop, total],
      constants: [bytes(TOKEN_LOOP_ITERATIONS + 2)],
      prologue: [
        { name: 'start', kernel: 0, parameters: {}, output: integers(8), operands: [{ kind: 'input' }] },
        { name: 'query', kernel: 2, parameters: {}, output: bytes(WIDTH, 3), operands: [{ kind: 'prologue', operator: 0 }] },
      ],
      body: [
        { name: 'token', kernel: 1, parameters: {}, output: integers(8), operands: [{ kind: 'body', operator: 0 }, { kind: 'body', operator: 3 }, { kind: 'input' }, { kind: 'seed' }] },
        { name: 'keys', kernel: 2, parameters: {}, output: bytes(WIDTH, 3), operands: [{ kind: 'body', operator: 0 }] },
        { name: 'scores', kernel: 3, parameters: {}, output: integers(1, 3), operands: [{ kind: 'prologue', operator: 1 }, { kind: 'body', operator: 1 }] },
        { name: 'wild', kernel: 4, parameters: {}, output: bytes(8), operands: [{ kind: 'body', operator: 0 }, { kind: 'body', operator: 1 }, { kind: 'body', operator: 2 }] },
        { name: 'stop', kernel: 5, parameters: {}, output: integers(1), operands: [{ kind: 'body', operator: 2 }, { kind: 'input' }] },
      ],
      epilogue: [
        { name: 'total', kernel: 6, parameters: {}, output: integers(WIDTH, 3), operands: [{ kind: 'body', operator: 1 }, { kind: 'body', operator: 2 }, { kind: 'constant', constant: 0 }] },
      ],
      maxIterations: TOKEN_LOOP_ITERATIONS,
      metadata: {},
    },
    constants: [table],
  };
}
