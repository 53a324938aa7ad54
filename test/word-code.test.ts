import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { i32, i8, kernel } from '../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../deterministic-runtime/language/kernel.ts';
import { dot32, int32, int64, maximum, sum } from '../deterministic-runtime/language/scalar.ts';
import { specializeOperator } from '../deterministic-runtime/language/specialize.ts';
import { arbitraryCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import type { RandomCase } from '../deterministic-runtime/language/testing/arbitrary-kernel.ts';
import { Random, randomElements } from '../deterministic-runtime/language/testing/random.ts';
import { countWordSteps, parseStructure } from '../deterministic-runtime/word-code/structure.ts';
import { LIMITS, placeOf, slotCount } from '../deterministic-runtime/program/program.ts';
import { WORD_BYTES, lanesPerWord, packTensor, wordCount, wordsPerRow } from '../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../deterministic-runtime/program/tensor.ts';
import { compileWordCode } from '../deterministic-runtime/word-code/compile.ts';
import { operandReaders } from '../fraud-proof/machine/operands.ts';
import { WordRegisters, prepareCode, runWord } from '../fraud-proof/machine/word-runner.ts';

/** More for a long run by hand: ASSAY_FUZZ_RUNS=20000 npx vitest run test/word-code.test.ts */
const RUNS = Number(process.env['ASSAY_FUZZ_RUNS'] ?? 60);

/** Every word of every tensor: compiled code on the word machine, next to the kernel's own meaning. */
function compareWords({ model, input, seed, made }: Pick<RandomCase, 'model' | 'input' | 'seed' | 'made'>): void {
  const { program } = model;
  const expected = evaluateProgram(model, input, seed);
  for (let slot = 0; slot < slotCount(program); slot += 1) {
    const words = expected.tensor(slot);
    if (words === undefined) continue;
    const place = placeOf(program, slot);
    const { output } = place.operator;
    const code = compileWordCode(specializeOperator(program, place.section, place.index));
    const structure = parseStructure(code);
    const written = (other: number): Uint8Array | undefined => (other < slot ? expected.tensor(other) : undefined);
    const operands = operandReaders({ model, input, seed, slot: written }, place);
    const registers = new WordRegisters();
    for (let word = 0; word < wordCount(output); word += 1) {
      const all = lanesPerWord(output.element);
      const column = (word % wordsPerRow(output)) * all;
      const lanes = Math.min(all, output.columns - column);
      registers.start({ iteration: place.iteration, row: Math.floor(word / wordsPerRow(output)), column, lanes, lanesPerWord: all });
      const run = runWord(prepareCode(code), registers, operands, LIMITS.stepsPerWord);
      const where = `${made}: slot ${slot}, word ${word}`;
      expect(run.outcome, where).toBe('stored');
      expect(run.word, where).toEqual(words.slice(word * WORD_BYTES, (word + 1) * WORD_BYTES));
      expect(BigInt(run.steps), where).toBe(countWordSteps(structure, place.iteration, lanes));
    }
  }
}

test('word code computes what the kernel says, in as many steps as the formula says', () => {
  fc.assert(fc.property(arbitraryCase(), compareWords), { seed: 9, numRuns: RUNS });
}, 3_600_000);

/** One application of a kernel to random constants. */
function comparePlain(definition: Kernel, shapes: readonly TensorShape[], output: TensorShape, parameters: Record<string, number> = {}): void {
  const random = new Random(10);
  const input: TensorShape = { element: 'i8', rows: 1, columns: 1 };
  const constants = shapes.map((shape) => packTensor(shape, randomElements(random, shape.element, shape.rows * shape.columns)));
  const operator = { name: 'o', kernel: 0, parameters, output, operands: shapes.map((_, constant) => ({ kind: 'constant', constant }) as const) };
  const program = { name: 'p', signature: 'f()->()', input, kernels: [definition], constants: shapes, prologue: [operator], body: [], epilogue: [], maxIterations: 0, metadata: {} };
  compareWords({ model: { program, constants }, input: new Uint8Array(32), seed: new Uint8Array(32), made: definition.name });
}

describe('kernels for one rule each', () => {
  const bytes = (rows: number, columns: number): TensorShape => ({ element: 'i8', rows, columns });
  const integers = (rows: number, columns: number): TensorShape => ({ element: 'i32', rows, columns });

  test('addresses that fall: rows and columns backwards', () => {
    comparePlain(kernel('reverse', {
      operands: { x: i8 }, output: i8,
      element: ({ row, column, operands: { x } }) => x.at(x.rows.sub(1).sub(row), x.columns.sub(1).sub(column)),
    }), [bytes(3, 40)], bytes(3, 40));
  });

  test('addresses by shifts, and sums that mix loops', () => {
    comparePlain(kernel('shifted', {
      operands: { x: i32 }, output: i32,
      element: ({ row, column, operands: { x } }) => sum(3, (a) => sum(4, (b) => x.at(row.shl(1).add(a.shr(1)), a.shl(3).add(column.shl(2)).sub(b).add(3)))),
    }), [integers(8, 60)], integers(3, 9));
  });

  test.each([2 ** 26, 2 ** 27, 2 ** 29, -(2 ** 27), 2 ** 31 - 1, -(2 ** 31)])('row %d is outside, though its address would wrap into range', (far) => {
    comparePlain(kernel('far', { operands: { x: i8, y: i32 }, parameters: ['far'], output: i32, element: ({ column, operands: { x, y }, parameters }) => x.at(parameters.far.add(column.and(1)), column).add(y.at(column.and(1).mul(parameters.far), column)) }),
      [bytes(4, 32), integers(4, 32)], integers(1, 32), { far });
  });

  test('a column outside its row is zero, not in the next row', () => {
    for (const columns of [5, 32, 33, 60, 64]) {
      comparePlain(kernel('beside', {
        operands: { x: i8, y: i32 }, output: i32,
        element: ({ row, column, operands: { x, y } }) => x.at(row, column.sub(3)).mul(1000).add(y.at(row, column.add(2))).add(dot32(x.word(row, column.sub(1)), x.word(row, column.sub(2)))),
      }), [bytes(4, columns), integers(4, columns)], integers(4, columns + 6));
    }
  });

  test('a narrowed address counts in 32 bits', () => {
    comparePlain(kernel('narrowed', {
      operands: { x: i32 }, output: i32,
      element: ({ column, operands: { x } }) => x.at(int64(2n ** 32n).add(column.wide()).narrow()).add(int64(2n ** 33n).mul(column.wide()).narrow().eq(0).select(int32(5), 7)),
    }), [integers(1, 20)], integers(1, 20));
  });

  test('a sum started with a value that other lanes need too', () => {
    comparePlain(kernel('started', {
      operands: { x: i32 }, output: i32,
      element: ({ row, column, operands: { x } }) => sum(x.rows, (k) => x.at(k, column)).add(x.at(row, 0)).xor(maximum(x.rows, (k) => x.at(k, column)).max(x.at(row, 1))),
    }), [integers(4, 20)], integers(4, 20));
  });

  test('a sum of equal sums', () => {
    comparePlain(kernel('doubled', {
      operands: { x: i32 }, output: i32,
      element: ({ column, operands: { x } }) => {
        const total = sum(x.rows, (k) => x.at(k, column).mul(x.at(k, 0)));
        return total.add(total).add(x.at(0, column)).add(x.at(0, column)).add(sum(x.rows, (k) => x.at(k, column).add(x.at(k, column))));
      },
    }), [integers(4, 20)], integers(1, 20));
  });
});
