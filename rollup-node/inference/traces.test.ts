import { expect, test } from 'vitest';
import type { Trace } from '../../fraud-proof/trace/trace.ts';
import { idOf } from '../testing/records.ts';
import { createTraces } from './traces.ts';

const traceOf = (byteLength: number): Trace => ({ tensors: { byteLength } }) as unknown as Trace;

/** Counts how often each request's trace is opened. */
function opener(bytes: number): { readonly opened: number[]; ask(traces: ReturnType<typeof createTraces>, number: number): Promise<Trace> } {
  const opened: number[] = [];
  return {
    opened,
    ask: (traces, number) => traces.of(idOf(number), async () => {
      opened.push(number);
      return traceOf(bytes);
    }),
  };
}

test('a trace is opened once, and again after it was let go of', async () => {
  const traces = createTraces();
  const { opened, ask } = opener(100);
  const [first, same] = await Promise.all([ask(traces, 1), ask(traces, 1)]);
  expect(same).toBe(first);
  await ask(traces, 2);
  traces.keepOnly(new Set([idOf(2)]));
  expect(traces.size).toBe(1);
  expect(await ask(traces, 1)).not.toBe(first);
  await ask(traces, 2);
  expect(opened).toEqual([1, 2, 1]);
});

test('those that were not asked for the longest make room', async () => {
  const traces = createTraces(250);
  const { opened, ask } = opener(100);
  await ask(traces, 1);
  await ask(traces, 2);
  await ask(traces, 1);
  await ask(traces, 3);
  expect(traces.size).toBe(2);
  await ask(traces, 1);
  await ask(traces, 3);
  expect(opened).toEqual([1, 2, 3]);
  await ask(traces, 2);
  expect(opened).toEqual([1, 2, 3, 2]);
});

test('the latest stays, however large it is; one that is being opened does too', async () => {
  const traces = createTraces(50);
  const { opened, ask } = opener(100);
  await Promise.all([ask(traces, 1), ask(traces, 2), ask(traces, 3)]);
  expect(traces.size).toBe(1);
  await ask(traces, 3);
  expect(opened).toEqual([1, 2, 3]);
});

test('a failure is not kept', async () => {
  const traces = createTraces();
  await expect(traces.of(idOf(1), () => Promise.reject(new Error('out of memory')))).rejects.toThrow('out of memory');
  expect(traces.size).toBe(0);
  const { ask } = opener(1);
  await expect(ask(traces, 1)).resolves.toBeDefined();
});
