import { describe, expect, test } from 'vitest';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { tfliteFile } from '../../kernels/import/testing/tflite-file.ts';
import { compareTflite, goldenGenerator } from './tflite-comparison.ts';
import { lstmModel, svdfModel } from './tflite-recurrent-models.ts';

const MODELS = [
  ['SVDF', svdfModel({ batch: 2, inputs: 40, units: 6, rank: 1, memory: 5 })],
  ['SVDF of rank 2', svdfModel({ batch: 1, inputs: 9, units: 5, rank: 2, memory: 3 })],
  ['LSTM', lstmModel({ timeMajor: false, batch: 1, steps: 6, inputs: 12, hidden: 10, cellPower: -11, clip: 0, zeroPoint: 0 })],
  ['LSTM, time first', lstmModel({ timeMajor: true, batch: 3, steps: 4, inputs: 37, hidden: 8, cellPower: -12, clip: 0, zeroPoint: 0 })],
  ['LSTM, batch first', lstmModel({ timeMajor: false, batch: 3, steps: 4, inputs: 5, hidden: 33, cellPower: -15, clip: 0, zeroPoint: 0 })],
  ['LSTM with a clip', lstmModel({ timeMajor: false, batch: 1, steps: 5, inputs: 12, hidden: 10, cellPower: -10, clip: 0.5, zeroPoint: 0 })],
] as const;

describe('operators with a state, from a state of zero', () => {
  test.each(MODELS)('%s', async (_, model) => {
    const next = goldenGenerator(11);
    for (let round = 0; round < 3; round += 1) {
      // The runtime keeps the state from one run to the next: each input gets a new one.
      const comparison = await compareTflite(tfliteFile(model));
      const inputs = comparison.inputs.map(({ dims }) => Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => next() - 128));
      const { own, expected } = await comparison.run(...inputs);
      expect(own).toEqual(expected);
      await comparison.prepared.dispose();
    }
  });

  test('the zero point of an LSTM\'s output is added, where this version of the runtime subtracts it', async () => {
    const comparison = await compareTflite(tfliteFile(lstmModel({ timeMajor: false, batch: 1, steps: 1, inputs: 12, hidden: 40, cellPower: -11, clip: 0, zeroPoint: 9 })));
    const next = goldenGenerator(3);
    const { own, expected } = await comparison.run(Array.from({ length: 12 }, () => next() - 128));
    const inside = [...own.keys()].filter((index) => (own[index] ?? 0) < 127 && (own[index] ?? 0) >= -128 + 18);
    expect(inside.length).toBeGreaterThan(20);
    expect(inside.map((index) => own[index])).toEqual(inside.map((index) => (expected[index] ?? 0) + 18));
    await comparison.prepared.dispose();
  });

  test('what is not supported is named', () => {
    const lstm = lstmModel({ timeMajor: false, batch: 1, steps: 2, inputs: 4, hidden: 3, cellPower: -11, clip: 0, zeroPoint: 0 });
    const [operator] = lstm.operators;
    if (operator === undefined) throw new Error('no operator');
    const having = (position: number, tensor: number) => tfliteFile({ ...lstm, operators: [{ ...operator, inputs: operator.inputs.map((input, index) => (index === position ? tensor : input)) }] });
    expect(() => importTflite(having(9, 9))).toThrow('peephole weights is not supported');
    expect(() => importTflite(having(16, 1))).toThrow('a projection is not supported');
    expect(() => importTflite(having(21, 9))).toThrow('layer normalisation is not supported');
    expect(() => importTflite(having(1, -1))).toThrow('coupled to the forget gate');
    expect(() => importTflite(having(18, 0))).toThrow('its input 18 is its state, a variable');
    const svdf = svdfModel({ batch: 1, inputs: 4, units: 3, rank: 1, memory: 2 });
    const changed = (index: number, dims: readonly number[]) => tfliteFile({ ...svdf, tensors: svdf.tensors.map((tensor, other) => (other === index ? { ...tensor, dims } : tensor)) });
    expect(() => importTflite(changed(4, [1, 5]))).toThrow('a state of [1, 5] for 3 filters of 2 places');
    expect(() => importTflite(changed(5, [1, 4]))).toThrow('3 filters of rank 1 of [1, 4] do not give [1, 4]');
    expect(() => importTflite(tfliteFile({ ...lstm, operators: [{ operator: 'RELU', inputs: [13], outputs: [15] }] }))).toThrow('is a variable; a state is supported in LSTM and SVDF only');
  });
});
