import { expect, test } from 'vitest';
import { serialQueue } from './queue.ts';

test('one after another, urgent ones first, failures left behind', async () => {
  const inTurn = serialQueue();
  const order: string[] = [];
  let running = 0;
  const job = (name: string, fails = false) => async (): Promise<string> => {
    running += 1;
    expect(running).toBe(1);
    order.push(name);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (fails) throw new Error(name);
    return name;
  };
  const results = await Promise.allSettled([inTurn(job('a')), inTurn(job('b', true)), inTurn(job('c')), inTurn(job('d'), { urgent: true })]);
  expect(order).toEqual(['a', 'd', 'b', 'c']);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(await inTurn(job('e'))).toBe('e');
});

test('an earlier deadline goes before a later one and before none; urgent before all', async () => {
  const inTurn = serialQueue();
  const order: string[] = [];
  const job = (name: string) => async (): Promise<void> => void order.push(name);
  await Promise.all([
    inTurn(async () => new Promise((resolve) => setTimeout(resolve, 5))),
    inTurn(job('none')), inTurn(job('late'), { deadline: 900n }), inTurn(job('early'), { deadline: 100n }), inTurn(job('early too'), { deadline: 100n }),
    inTurn(job('none too')), inTurn(job('urgent'), { urgent: true }),
  ]);
  expect(order).toEqual(['urgent', 'early', 'early too', 'late', 'none', 'none too']);
});
