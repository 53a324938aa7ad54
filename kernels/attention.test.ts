import { describe, expect, test } from 'vitest';
import { i32, kernel } from '../deterministic-runtime/language/kernel.ts';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import { unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { attentionScores, attentionValues, exponentials, greatestScores, headMaxima, quantizeHeads } from './attention.ts';
import { scoreScale } from './language-model/transformer.ts';
import { ProgramBuilder } from './program-builder.ts';
import { runKernel } from './testing/run-kernel.ts';

const ONE = 65536;
const POSITIONS = 48;
const [HEADS, KEY_HEADS] = [6, 2];
const GROUP = HEADS / KEY_HEADS;

/** Heads of this iteration's position: rows `first + r` of the position's block of a table. */
const heads = kernel('heads', {
  operands: { table: i32 },
  parameters: ['blocks', 'first'],
  output: i32,
  element: ({ row, column, iteration, operands: { table }, parameters: { blocks, first } }) => table.at(iteration.mul(blocks).add(first).add(row), column),
});
const zero = kernel('zero', { operands: { table: i32 }, output: i32, element: ({ operands: { table } }) => table.at(0, 0).mul(0) });

const integers = (columns: number, rows = 1): TensorShape => ({ element: 'i32', rows, columns });

/** What attention gives at each position, in fixed point, for a table of queries, keys and values, position by position. */
async function attend(table: Int32Array, headSize: number, bits: 8 | 16): Promise<number[][]> {
  const blocks = HEADS + 2 * KEY_HEADS;
  const builder = new ProgramBuilder({ name: 'test', signature: 'test()->()', input: { element: 'i8', rows: 1, columns: 1 }, metadata: {} });
  const source = builder.integers(POSITIONS * blocks, headSize, table);
  builder.beginBody(POSITIONS);
  const turned = HEADS + KEY_HEADS;
  const queriesAndKeys = builder.append('queries and keys', { kernel: heads, output: integers(headSize, turned), operands: [source], parameters: { blocks, first: 0 } });
  const values = builder.append('values', { kernel: heads, output: integers(headSize, KEY_HEADS), operands: [source], parameters: { blocks, first: turned } });
  const maxima = builder.append('maxima', { kernel: headMaxima, output: integers(turned), operands: [queriesAndKeys] });
  const quantize = (name: string, first: number, count: number): ReturnType<ProgramBuilder['append']> =>
    builder.append(name, { kernel: quantizeHeads[bits], output: { element: 'i8', rows: count * (bits / 8), columns: headSize }, operands: [queriesAndKeys, maxima], parameters: { first, heads: count } });
  const queries = quantize('queries', 0, HEADS);
  const keys = quantize('keys', HEADS, KEY_HEADS);
  const scores = builder.append('scores', {
    kernel: attentionScores[bits], output: integers(POSITIONS, HEADS), operands: [queries, keys, maxima],
    parameters: { heads: HEADS, group: GROUP, keyHeads: KEY_HEADS, ...scoreScale(bits, headSize) },
  });
  const greatest = builder.append('greatest', { kernel: greatestScores, output: integers(HEADS), operands: [scores] });
  const weights = builder.append('weights', { kernel: exponentials, output: integers(POSITIONS, HEADS), operands: [scores, greatest] });
  builder.append('means', { kernel: attentionValues, output: integers(headSize, HEADS), operands: [weights, values], parameters: { group: GROUP } });
  builder.append('stop', { kernel: zero, output: integers(1), operands: [source] });
  builder.beginEpilogue();
  builder.append('end', { kernel: zero, output: integers(1), operands: [source] });
  const model = builder.build();
  const run = await (await createWasmExecutor().prepare(model)).run(new Uint8Array(32), { keep: 'all' });
  const means = model.program.body.findIndex(({ name }) => name === 'means');
  return Array.from({ length: POSITIONS }, (_, position) =>
    [...new Int32Array(unpackTensor(integers(headSize, HEADS), run.tensor(slotOf(model.program, 'body', means, position))!).buffer)]);
}

/** Attention in floats, at one position, for one head. */
function reference(at: (position: number, row: number, column: number) => number, headSize: number, position: number, head: number): number[] {
  const keyHead = Math.floor(head / GROUP);
  const columns = Array.from({ length: headSize }, (_, column) => column);
  const scores = Array.from({ length: position + 1 }, (_, time) =>
    columns.reduce((total, column) => total + at(position, head, column) * at(time, HEADS + keyHead, column), 0) / Math.sqrt(headSize));
  const greatest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - greatest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return columns.map((column) => weights.reduce((sum, weight, time) => sum + weight * at(time, HEADS + KEY_HEADS + keyHead, column), 0) / total);
}

describe('docs/numerics.md', () => {
  // Scores grow with the square of the spread; heads of one position lie within a factor of four.
  test.each([
    [16, 8, 0.2, 5e-5], [16, 8, 3, 4e-4], [16, 40, 1, 1e-4], [16, 128, 3, 1.2e-3],
    [8, 8, 0.2, 3e-4], [8, 40, 1, 1.5e-2],
  ] as const)('attention, %i bits, heads of %i, numbers of about %f: within %f of the values\' size', async (bits, headSize, spread, bound) => {
    const blocks = HEADS + 2 * KEY_HEADS;
    const table = Int32Array.from({ length: POSITIONS * blocks * headSize }, (_, index) => {
      const noise = (Math.imul(Math.imul(index + 17, 0x9e3779b1) ^ (index * 7919), 0x85ebca6b) >> 8) / 2 ** 23;
      return Math.round(noise * spread * 2 ** (Math.floor(index / headSize) % 3) * ONE / 2);
    });
    const at = (position: number, row: number, column: number): number => table[(position * blocks + row) * headSize + column]! / ONE;
    const means = await attend(table, headSize, bits);
    let [worst, size] = [0, 0];
    for (let position = 0; position < POSITIONS; position += 1) {
      for (let head = 0; head < HEADS; head += 1) {
        reference(at, headSize, position, head).forEach((value, column) => {
          worst = Math.max(worst, Math.abs(value - means[position]![head * headSize + column]! / ONE));
        });
      }
    }
    for (const number of table) size = Math.max(size, Math.abs(number) / ONE);
    expect(worst / size).toBeLessThan(bound);
    expect(worst / size).toBeGreaterThan(bound / 20);
  });
});

test('maxima are magnitudes, the least number\'s too', () => {
  expect(runKernel(headMaxima, [1, 3], [{ rows: 3, columns: 2, data: [-5, 3, 0, 0, -(2 ** 31), 1] }])).toEqual([5, 0, 2 ** 31 - 1]);
});

test('heads are quantised by their own greatest; heads of zeros are zeros', () => {
  const x = { rows: 4, columns: 2, data: [9, 9, 1000, -500, 0, 0, 7, -7] };
  const maxima = { rows: 1, columns: 4, data: [9, 1000, 0, 7] };
  expect(runKernel(quantizeHeads[8], [3, 2], [x, maxima], { first: 1, heads: 3 })).toEqual([127, -63, 0, 0, 127, -127]);
  const wide = runKernel(quantizeHeads[16], [6, 2], [x, maxima], { first: 1, heads: 3 });
  const numbers = wide.slice(0, 6).map((high, index) => 256 * high + wide[index + 6]!);
  expect(numbers).toEqual([32639, -16319, 0, 0, 32639, -32639]);
});
