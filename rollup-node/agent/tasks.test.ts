import { describe, expect, test } from 'vitest';
import { ExitCode, UserError } from '../errors.ts';
import { silentLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { createTaskRunner } from './tasks.ts';
import type { TaskRunner } from './tasks.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function runner(): { readonly runner: TaskRunner; at(time: number): void; readonly fatal: unknown[] } {
  let time = 0;
  const fatal: unknown[] = [];
  const created = createTaskRunner({ log: silentLogger(), metrics: createMetrics(), firstPause: 100, longestPause: 300, now: () => time, onFatal: (error) => fatal.push(error) });
  return { runner: created, fatal, at: (next) => { time = next; } };
}

describe('task runner', () => {
  test('a key runs once at a time; others run beside it', async () => {
    const { runner: tasks } = runner();
    const started: string[] = [];
    let finish = (): void => undefined;
    const blocked = new Promise<void>((resolve) => { finish = resolve; });
    const task = (key: string) => ({ key, run: async () => { started.push(key); await blocked; } });
    tasks.launch(task('a'), 1);
    tasks.launch(task('a'), 1);
    tasks.launch(task('b'), 1);
    expect(started).toEqual(['a', 'b']);
    expect(tasks.running()).toBe(2);
    finish();
    await settled();
    expect(tasks.running()).toBe(0);
  });

  test('failures pause longer and longer, up to a limit, and are no other key\'s', async () => {
    const { runner: tasks, at } = runner();
    const times: number[] = [];
    for (let time = 0; time < 1_500; time += 50) {
      at(time);
      tasks.launch({ key: 'bad', run: async () => { times.push(time); throw new Error('no'); } }, time + 1);
      await settled();
    }
    expect(times.slice(0, 5)).toEqual([0, 100, 300, 600, 900]);
  });

  test('a look that is older than the last run of a key starts nothing', async () => {
    const { runner: tasks, at } = runner();
    let runs = 0;
    const task = { key: 'once', run: async () => { runs += 1; } };
    at(10);
    tasks.launch(task, 5);
    await settled();
    tasks.launch(task, 9);
    expect(runs).toBe(1);
    tasks.launch(task, 11);
    expect(runs).toBe(2);
  });

  test('a full disk is for whoever runs the node; anything else is not', async () => {
    const { runner: tasks, fatal } = runner();
    tasks.launch({ key: 'odd', run: () => Promise.reject(new Error('odd')) }, 1);
    tasks.launch({ key: 'full', run: () => Promise.reject(new UserError('the disk is full', { exitCode: ExitCode.storage })) }, 1);
    await settled();
    expect(fatal.map(String)).toEqual(['UserError: the disk is full']);
  });

  test('stop aborts what runs, waits for it, and starts nothing more', async () => {
    const { runner: tasks } = runner();
    let ended = false;
    tasks.launch({ key: 'long', run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => { ended = true; resolve(); })) }, 1);
    await tasks.stop();
    expect(ended).toBe(true);
    tasks.launch({ key: 'late', run: () => Promise.reject(new Error('started')) }, 99);
    expect(tasks.running()).toBe(0);
  });
});
