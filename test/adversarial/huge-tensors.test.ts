import { expect, test } from 'vitest';
import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import { dot32 } from '../../deterministic-runtime/language/scalar.ts';
import { specialize } from '../../deterministic-runtime/language/specialize.ts';
import { Random } from '../../deterministic-runtime/language/testing/random.ts';
import { LIMITS } from '../../deterministic-runtime/program/program.ts';
import { lanesPerWord, wordCount, wordsPerRow } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { compileWordCode } from '../../deterministic-runtime/word-code/compile.ts';
import { WordRegisters, prepareCode, runWord } from '../../fraud-proof/machine/word-runner.ts';
import type { OperandWords } from '../../fraud-proof/machine/word-runner.ts';

/** What stands at (row, column): never 0, so that a read outside shows. */
const elementAt = (row: bigint, column: bigint): number => Number(((row * 31n + column * 7n + (row >> 20n) + (column >> 20n)) % 127n) + 1n);

/** A typed array that is larger than any memory: its elements are computed as they are read. */
function virtual<T>(length: number, at: (index: number) => number): T {
  return new Proxy({}, { get: (_, key) => (key === 'length' ? length : at(Number(key))) }) as T;
}

/** A tensor of up to 2^28 words, its padding zero. */
function virtualTensor(shape: TensorShape): OperandWords {
  const lanes = lanesPerWord(shape.element);
  const stride = BigInt(wordsPerRow(shape) * lanes);
  const element = (index: number): number => {
    const [row, column] = [BigInt(index) / stride, BigInt(index) % stride];
    return column < BigInt(shape.columns) ? elementAt(row, column) : 0;
  };
  const length = wordCount(shape) * lanes;
  const four = (index: number): number => [0, 1, 2, 3].reduce((word, byte) => word | (element(4 * index + byte) << (8 * byte)), 0);
  return shape.element === 'i8'
    ? { bytes: virtual(length, element), ints: virtual(length / 4, four) }
    : { bytes: virtual(length * 4, () => { throw new Error('bytes of an i32 tensor'); }), ints: virtual(length, element) };
}

const parameters = ['rowBase', 'rowStep', 'columnBase', 'columnStep', 'rowMask', 'columnMask'] as const;
const definition = (type: 'i8' | 'i32') => kernel(`far-${type}`, {
  operands: { x: type === 'i8' ? i8 : i32 },
  parameters,
  output: 'i32',
  element: ({ column, operands: { x }, parameters: p }) =>
    x.at(p.rowBase.add(p.rowStep.mul(column)).and(p.rowMask), p.columnBase.add(p.columnStep.mul(column)).and(p.columnMask)),
});
const words = kernel('far-words', {
  operands: { x: i8 }, parameters, output: 'i32',
  element: ({ column, operands: { x }, parameters: p }) => {
    const word = x.word(p.rowBase.add(p.rowStep.mul(column)).and(p.rowMask), p.columnBase.add(p.columnStep.mul(column)).and(p.columnMask));
    return dot32(word, word);
  },
});

const SHAPES: readonly TensorShape[] = [
  { element: 'i8', rows: 2 ** 28, columns: 1 },
  { element: 'i8', rows: 2 ** 23, columns: 1_024 },
  { element: 'i8', rows: 2 ** 23 - 1, columns: 1_000 },
  { element: 'i8', rows: 3, columns: 2 ** 31 - 1 },
  { element: 'i8', rows: 1, columns: 2 ** 31 - 1 },
  { element: 'i8', rows: 4, columns: 2 ** 31 - 33 },
  { element: 'i32', rows: 2 ** 28, columns: 8 },
  { element: 'i32', rows: 2 ** 28, columns: 1 },
  { element: 'i32', rows: 1, columns: 2 ** 31 - 1 },
  { element: 'i32', rows: 2 ** 14, columns: 2 ** 17 },
  { element: 'i32', rows: 5, columns: 429_496_720 },
];

test('addresses in tensors at the cap: the word machine reads what the language says, wherever 32 bits wrap', () => {
  const random = new Random(2_028);
  const wrap = (value: bigint): bigint => BigInt.asIntN(32, value);
  for (const shape of SHAPES) {
    expect(wordCount(shape)).toBeLessThanOrEqual(LIMITS.wordsPerTensor);
    const operand = virtualTensor(shape);
    const edges = (count: number): number[] => [0, 0, 1, -1, count - 1, count - 2, count, count + 1, -count, 2 ** 31 - 1, -(2 ** 31), 2 ** 26, 2 ** 27, 2 ** 30].map((value) => value | 0);
    for (let trial = 0; trial < 60; trial += 1) {
      const byWord = shape.element === 'i8' && trial % 3 === 0;
      const across = byWord ? wordsPerRow(shape) : shape.columns;
      const chosen = {
        rowBase: random.pick(edges(shape.rows)), rowStep: random.pick([0, 0, 1, -1, 2 ** 29, ...edges(shape.rows)]),
        columnBase: random.pick(edges(across)), columnStep: random.pick([0, 1, 1, -1, 2 ** 29, ...edges(across)]),
        // Masks let interval analysis prove checks away.
        rowMask: random.pick([-1, -1, 2 ** Math.floor(Math.log2(shape.rows)) - 1, 2 ** 31 - 1]),
        columnMask: random.pick([-1, -1, 2 ** Math.floor(Math.log2(across)) - 1, 2 ** 31 - 1]),
      };
      const output: TensorShape = { element: 'i32', rows: 1, columns: 3 };
      const code = compileWordCode(specialize(byWord ? words : definition(shape.element), { operands: [{ shape, kind: 'single' }], parameters: chosen, output, maxIterations: 0 }));
      const registers = new WordRegisters();
      registers.start({ iteration: 0, row: 0, column: 0, lanes: 3, lanesPerWord: 8 });
      const { word } = runWord(prepareCode(code), registers, [operand], LIMITS.stepsPerWord);
      const results = new Int32Array(word!.slice().buffer);
      for (let lane = 0; lane < 3; lane += 1) {
        const row = wrap(BigInt(chosen.rowBase) + wrap(BigInt(chosen.rowStep) * BigInt(lane))) & BigInt(chosen.rowMask);
        const column = wrap(BigInt(chosen.columnBase) + wrap(BigInt(chosen.columnStep) * BigInt(lane))) & BigInt(chosen.columnMask);
        const inside = row >= 0n && row < BigInt(shape.rows) && column >= 0n && column < BigInt(across);
        let expected = 0;
        if (inside && !byWord) expected = elementAt(row, column);
        for (let byte = 0n; inside && byWord && byte < 32n; byte += 1n) {
          if (32n * column + byte < BigInt(shape.columns)) expected += elementAt(row, 32n * column + byte) ** 2;
        }
        expect(results[lane], JSON.stringify({ shape, byWord, chosen, lane })).toBe(expected);
      }
    }
  }
});
