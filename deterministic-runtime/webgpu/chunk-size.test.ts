import { expect, test } from 'vitest';
import { ChunkSize } from './chunk-size.ts';

/** The sizes that follow when each iteration takes so long. */
function sizes(streams: boolean, milliseconds: readonly number[], limits: { readonly least?: number; readonly most?: number } = {}): number[] {
  let time = 0;
  const size = new ChunkSize({ streams, ...limits, now: () => time });
  return milliseconds.map((each) => {
    time += each * size.next;
    size.finished(size.next);
    return size.next;
  });
}

test('quick iterations are submitted together, 16 at most', () => {
  expect(sizes(false, [1, 1, 1, 1, 1, 1])).toEqual([2, 4, 8, 16, 16, 16]);
});

test('slow iterations are submitted one by one', () => {
  expect(sizes(false, [500, 500])).toEqual([1, 1]);
  expect(sizes(false, [1, 1, 1, 90, 90, 90, 90])).toEqual([2, 4, 8, 4, 2, 1, 1]);
});

test('who waits for each iteration waits less', () => {
  expect(sizes(true, [10, 10, 10])).toEqual([2, 2, 2]);
  expect(sizes(false, [10, 10, 10, 10])).toEqual([2, 4, 8, 8]);
});

test('never fewer than the least, nor more than the most', () => {
  expect(sizes(false, [1, 1, 1, 90, 90, 90], { least: 5, most: 12 })).toEqual([10, 12, 12, 6, 5, 5]);
});
