import { expect, test } from 'vitest';
import type { ComputedAnswer } from '../agent/compute.ts';
import { idOf, request } from '../testing/records.ts';
import { nextBatch } from './batch.ts';

const ready = (index: number, since: number): ComputedAnswer => ({
  request: request(index), since, result: { output: new Uint8Array(32), outputCommitment: idOf(1), iterations: 0, executor: 'wasm', milliseconds: 1 },
});
const indices = (answers: readonly ComputedAnswer[]): number[] => answers.map((answer) => Number(answer.request.index));

test('waits for others, but no longer than the delay', () => {
  const answers = [ready(2, 1_000), ready(1, 1_400)];
  expect(nextBatch([], { size: 3, delay: 500 }, 9_999)).toEqual([]);
  expect(nextBatch(answers, { size: 3, delay: 500 }, 1_499)).toEqual([]);
  expect(indices(nextBatch(answers, { size: 3, delay: 500 }, 1_500))).toEqual([1, 2]);
});

test("a full batch goes at once, in the inbox's order", () => {
  const answers = [ready(9, 0), ready(3, 0), ready(5, 0)];
  expect(indices(nextBatch(answers, { size: 2, delay: 500 }, 0))).toEqual([3, 5]);
});
