import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { slotOf } from '../deterministic-runtime/program/program.ts';
import { unpackTensor } from '../deterministic-runtime/program/tensor.ts';
import { rotaryTables } from './language-model/tables.ts';
import { ProgramBuilder } from './program-builder.ts';
import { rotary, splitHeads } from './rotary.ts';
import { runKernel } from './testing/run-kernel.ts';

const POSITIONS = 40;
const HEADS = 3;

describe.each(['adjacent', 'halves'] as const)('rotary position embedding of pairs: %s', (pairs) => {
  test.each([[8, 10_000], [6, 500_000]] as const)('turns pairs of heads of %i by the paper\'s angles, within 0.51 units and 2^-30 of the length', (headSize, base) => {
    const data = Array.from({ length: HEADS * headSize }, (_, index) => Math.round(Math.sin(index * 7.7) * 2 ** (4 + index)));
    const builder = new ProgramBuilder({ name: 'test', signature: 'test()->()', input: { element: 'i8', rows: 1, columns: 1 }, metadata: {} });
    const x = builder.integers(1, data.length, Int32Array.from(data));
    const { cosines, sines } = rotaryTables(builder, { base, pairs }, POSITIONS, headSize);
    builder.beginBody(POSITIONS);
    const output = { element: 'i32', rows: HEADS, columns: headSize } as const;
    const zero = builder.integers(1, 8, new Int32Array(8));
    const turned = builder.append('turned', { kernel: rotary[pairs], output, operands: [x, cosines, sines] });
    builder.append('stop', { kernel: splitHeads, output: { element: 'i32', rows: 1, columns: 1 }, operands: [zero], parameters: { first: 0 } });
    builder.beginEpilogue();
    builder.append('end', { kernel: splitHeads, output: { element: 'i32', rows: 1, columns: 1 }, operands: [zero], parameters: { first: 0 } });
    const model = builder.build();
    const run = evaluateProgram(model, new Uint8Array(32));
    expect(turned.shape).toEqual(output);
    for (let position = 0; position < POSITIONS; position += 1) {
      const elements = new Int32Array(unpackTensor(output, run.tensor(slotOf(model.program, 'body', 0, position))!).buffer);
      for (let head = 0; head < HEADS; head += 1) {
        for (let pair = 0; pair < headSize / 2; pair += 1) {
          const [first, second] = (pairs === 'adjacent' ? [2 * pair, 2 * pair + 1] : [pair, pair + headSize / 2]).map((column) => head * headSize + column) as [number, number];
          const angle = position * base ** ((-2 * pair) / headSize);
          const [a, b] = [data[first]!, data[second]!];
          const tolerance = 0.51 + Math.hypot(a, b) * 2 ** -30;
          expect(Math.abs(elements[first]! - (a * Math.cos(angle) - b * Math.sin(angle)))).toBeLessThan(tolerance);
          expect(Math.abs(elements[second]! - (a * Math.sin(angle) + b * Math.cos(angle)))).toBeLessThan(tolerance);
        }
      }
    }
  });
});

test('splitHeads takes heads from a row, and cuts them to 28 bits', () => {
  const data = [1, 2, 3, 4, 2 ** 31 - 1, -(2 ** 31), 2 ** 27, -(2 ** 27), 9, 10];
  expect(runKernel(splitHeads, [3, 2], [{ rows: 1, columns: 10, data }], { first: 2 })).toEqual([2 ** 27, -(2 ** 27), 2 ** 27, -(2 ** 27), 9, 10]);
});
